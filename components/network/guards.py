"""Which traffic the security group of each subnet lets in and out; pure.

Azure's own default rules follow after these: traffic within the network and from the load balancer is allowed,
everything else from outside is refused. What stands here narrows that for the subnets that only some may reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.addressing import AGENTS, API_SERVER, NODES, PRIVATE_ENDPOINTS

_REMOTE_ADMINISTRATION = ("22", "3389")
_EVERYTHING_INSIDE = ("VirtualNetwork",)
"""Azure's tag for this network and all that is peered with it."""


@dataclass(frozen=True)
class Rule:
    name: str
    reason: str
    priority: int
    direction: Literal["Inbound", "Outbound"]
    access: Literal["Allow", "Deny"]
    protocol: Literal["Tcp", "*"]
    sources: tuple[str, ...]
    destination: str
    ports: tuple[str, ...]


def rules(purpose: str, subnets: Mapping[str, str], hub: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules of one subnet's group, by priority. `subnets` holds the ranges of all subnets that exist."""
    own = subnets[purpose]
    clients = tuple(subnets[known] for known in (NODES, AGENTS) if known in subnets) + tuple(hub)
    if purpose == API_SERVER:
        return (
            _allow(
                100,
                "allow-nodes",
                "Nodes and the API server talk both ways.",
                (subnets[NODES],),
                own,
                "443",
                "4443",
            ),
            _allow(110, "allow-clients", "Agents and operators, by way of the hub.", clients, own, "443"),
            _allow(
                120,
                "allow-probes",
                "The load balancer in front of the API server.",
                ("AzureLoadBalancer",),
                own,
                "9988",
            ),
            _shut(own),
        )
    if purpose == PRIVATE_ENDPOINTS:
        return (_allow(100, "allow-clients", "Nodes, agents and operators.", clients, own, "443"), _shut(own))
    if purpose == AGENTS:
        return (_shut(own), _no_lateral_movement(own))
    return (_no_lateral_movement(own),)


def _allow(priority: int, name: str, reason: str, sources: tuple[str, ...], destination: str, *ports: str) -> Rule:
    return Rule(name, reason, priority, "Inbound", "Allow", "Tcp", sources, destination, ports)


def _shut(own: str) -> Rule:
    return Rule(
        "deny-the-rest",
        "Nobody else in this network or in one that is peered with it.",
        4000,
        "Inbound",
        "Deny",
        "*",
        _EVERYTHING_INSIDE,
        own,
        ("*",),
    )


def _no_lateral_movement(own: str) -> Rule:
    return Rule(
        "deny-remote-administration",
        "A machine that was taken over does not log in to its neighbours.",
        4000,
        "Outbound",
        "Deny",
        "Tcp",
        (own,),
        "VirtualNetwork",
        _REMOTE_ADMINISTRATION,
    )
