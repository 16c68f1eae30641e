"""The address ranges of an environment, planned from one range; pure, and stable for ever.

The plan depends on the address space alone, never on which subnets are in use: switching a cluster to private or
adding agents does not move another subnet. Layout of a space of size 1:

    nodes               first half
    agents              third quarter
    private-endpoints   seventh eighth
    api-server          last eighth

What it does not do: it knows nothing of pods and services; with the overlay their ranges live inside the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from itertools import combinations

NODES, AGENTS, PRIVATE_ENDPOINTS, API_SERVER = "nodes", "agents", "private-endpoints", "api-server"
SUBNETS = (NODES, AGENTS, PRIVATE_ENDPOINTS, API_SERVER)

SMALLEST_SPACE, LARGEST_SPACE = 24, 12
"""Prefix lengths: a /24 still leaves the API server its /28 (the least AKS takes) and 123 nodes."""

RESERVED_ADDRESSES = 5
"""What Azure keeps of every subnet: network, broadcast, gateway and two for DNS."""


def plan(space: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ranges by subnet, in CIDR notation. `own` replaces single ones: an estate that has drawn its plan already."""
    network = IPv4Network(space)
    halves = list(network.subnets(prefixlen_diff=1))
    quarters = list(halves[1].subnets(prefixlen_diff=1))
    eighths = list(quarters[1].subnets(prefixlen_diff=1))
    planned = dict(zip(SUBNETS, (halves[0], quarters[0], eighths[0], eighths[1]), strict=True))
    return {name: str(planned[name]) for name in SUBNETS} | dict(own or {})


def overlaps(ranges: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The pairs of names whose ranges share an address."""
    networks = {name: IPv4Network(cidr) for name, cidr in ranges.items()}
    return [(a, b) for a, b in combinations(networks, 2) if networks[a].overlaps(networks[b])]


def holds(cidr: str) -> int:
    """How many addresses of a subnet are free for use."""
    return IPv4Network(cidr).num_addresses - RESERVED_ADDRESSES


def within(inner: str, outer: str) -> bool:
    """Whether the inner range lies wholly in the outer one."""
    return IPv4Network(inner).subnet_of(IPv4Network(outer))


def dns_service_address(service_range: str) -> str:
    """The tenth address of the services' range; AKS refuses the first and docs use the tenth throughout."""
    return str(IPv4Network(service_range)[10])
