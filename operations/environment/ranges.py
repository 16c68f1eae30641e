"""The next free address range for an environment; pure.

Free is what no stack file uses for anything: networks, what lies behind their hubs, pods and services, and what Azure
and AKS keep for themselves. Pods and services of one cluster never meet those of another, but a network that another
environment's pods could not reach is a trap for later.

What it does not do: it asks no cloud. Networks that no stack file knows are the concern of whoever owns the hub.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, collapse_addresses
from typing import Final

from settings import Settings
from validation.checks.addresses import AZURES_OWN

PRIVATE: Final = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""Where ranges are looked for: those of RFC 1918."""


def taken(environments: Iterable[Settings]) -> tuple[IPv4Network, ...]:
    """Every range that is spoken for, without overlaps and in order."""
    said = {IPv4Network(cidr) for each in environments for cidr in _ranges(each)}
    return tuple(sorted(collapse_addresses([*said, *AZURES_OWN])))


def next_free(after: str, used: Iterable[IPv4Network]) -> str | None:
    """The first free range of the size of `after` that lies behind it, in the same private block; if there is none,
    the first in all private blocks. None when all is taken."""
    own, spoken_for = IPv4Network(after), tuple(used)
    home = [block for block in PRIVATE if own.subnet_of(block)]
    behind = (_first(block, own.prefixlen, int(own.broadcast_address) + 1, spoken_for) for block in home)
    anywhere = (_first(block, own.prefixlen, 0, spoken_for) for block in (*home, *PRIVATE))
    found = next(filter(None, (*behind, *anywhere)), None)
    return str(found) if found else None


def _first(block: IPv4Network, prefix: int, start: int, used: Iterable[IPv4Network]) -> IPv4Network | None:
    """The lowest range within the block from the address `start` on, jumping from one that is taken to the next."""
    if prefix < block.prefixlen:
        return None
    size = 1 << (32 - prefix)
    at = max(int(block.network_address), -(-start // size) * size)
    while at + size - 1 <= int(block.broadcast_address):
        candidate = IPv4Network((at, prefix))
        blocking = [int(network.broadcast_address) for network in used if network.overlaps(candidate)]
        if not blocking:
            return candidate
        at = -(-(max(blocking) + 1) // size) * size
    return None


def _ranges(environment: Settings) -> Iterable[str]:
    network = environment.network
    hub = network.hub.address_spaces if network.hub else ()
    return (network.address_space, network.pod_range, network.service_range, *hub)
