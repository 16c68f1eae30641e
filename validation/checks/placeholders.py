"""The reserved placeholders, which shipped stack files use and a real run refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from pydantic import BaseModel

from validation.problems import Problem, below

PLACEHOLDER_GUID = "00000000-0000-0000-0000-"
PLACEHOLDER_RANGES = tuple(IPv4Network(cidr) for cidr in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
PLACEHOLDER_HOSTS = re.compile(r"(?i)(?:[.@/]|\A)example(?:\.(?:com|net|org))?(?:[:/]|\Z)")
"""The reserved placeholders: GUIDs that start with zeros, the documentation ranges of RFC 5737, and the example
domains of RFC 2606. Shipped stack files use these and no others."""


def is_placeholder(value: str) -> bool:
    if PLACEHOLDER_GUID in value or PLACEHOLDER_HOSTS.search(value):
        return True
    try:
        network = IPv4Network(value)
    except ValueError:
        return False
    return any(network.overlaps(reserved) for reserved in PLACEHOLDER_RANGES) and network.prefixlen >= 24


def placeholders(project: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Reserved placeholders that still stand in a file that is meant for a real cloud."""
    for path, value in leaves(config):
        if is_placeholder(value):
            yield Problem(
                f"{project}:{path}",
                value,
                "a value of your own; this one is a reserved placeholder",
                "replace it (the rehearsal alone accepts placeholders)",
            )


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string below a node, with its path."""
    if isinstance(node, BaseModel):
        node = dict(node)
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from leaves(value, below(path, str(key)))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from leaves(value, below(path, number))
    elif isinstance(node, str):
        yield path, node
