"""Further environments, generated from the shipped ones: what a growing estate would add.

They take turns: one of the nonproduction tier after the shipped stack of that tier, one of production, and so on.
Each has a name and an address space of its own, and uses the Azure DevOps side of the stack that owns it.

What it does not do: it does not judge settings (that is `settings.parse`), and it knows no more of them than an
environment's own: its range, and what only one stack may own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, Final

from settings import PROJECT

Config = Mapping[str, Any]

PRIVATE: Final = IPv4Network("10.0.0.0/8")
"""Where ranges come from."""
TIERS: Final = ("nonproduction", "production")


class NoRoomError(ValueError):
    """There is no free range left for an environment."""


def generated(shipped: Mapping[str, Config], count: int) -> dict[str, dict[str, Any]]:
    """`count` further environments, by name (``e01``, …), as the `config` of a stack file.

    Raises:
        NoRoomError: the private range has no room for so many.
    """
    owner = next(name for name, config in shipped.items() if _key(config, "stacks").get("delivery") is None)
    templates = {tier: next(c for c in shipped.values() if c[f"{PROJECT}:tier"] == tier) for tier in TIERS}
    taken = [IPv4Network(cidr) for config in shipped.values() for cidr in _ranges(config)]
    found: dict[str, dict[str, Any]] = {}
    for number in range(count):
        template = templates[TIERS[number % len(TIERS)]]
        space = _next_free(IPv4Network(_key(template, "network")["addressSpace"]), taken)
        taken.append(space)
        found[f"e{number + 1:02}"] = _like(template, owner, str(space))
    return found


def _like(template: Config, owner: str, space: str) -> dict[str, Any]:
    config = copy.deepcopy(dict(template))
    config[f"{PROJECT}:network"]["addressSpace"] = space
    config[f"{PROJECT}:stacks"] = {"delivery": owner} | _key(config, "stacks")
    config[f"{PROJECT}:vaults"].pop("ci", None)
    config[f"{PROJECT}:delivery"].pop("home", None)
    # The subscription's plans have their owner.
    config[f"{PROJECT}:defender"] = {"plans": "existing"}
    return config


def _next_free(like: IPv4Network, taken: Sequence[IPv4Network]) -> IPv4Network:
    """The first free range of the same size above `like`."""
    address = int(like.network_address) + like.num_addresses
    while address <= int(PRIVATE.broadcast_address):
        candidate = IPv4Network((address, like.prefixlen))
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
        address += like.num_addresses
    raise NoRoomError(f"No free /{like.prefixlen} is left in {PRIVATE} above {like}.")


def _ranges(config: Config) -> Iterator[str]:
    """What an environment has, what its hub has, and what its clusters use inside."""
    network = _key(config, "network")
    yield network["addressSpace"]
    yield from network.get("hub", {}).get("addressSpaces", ())
    yield network.get("podRange", "10.244.0.0/16")
    yield network.get("serviceRange", "10.245.0.0/16")


def _key(config: Config, section: str) -> dict[str, Any]:
    return dict(config.get(f"{PROJECT}:{section}") or {})
