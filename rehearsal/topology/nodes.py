"""What is drawn, before anything has a place: environments, the things in them, and what connects them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """Who can reach an end point at all, from few to many; signing in comes on top."""

    PRIVATE = "private"
    RESTRICTED = "restricted"
    SIGNED_IN = "signed-in"
    """Public as its address is, it takes nothing but tokens of Entra ID: what monitoring has."""
    PUBLIC = "public"

    @property
    def word(self) -> str:
        return "PUBLIC, ENTRA ID" if self is Access.SIGNED_IN else self.upper()

    @property
    def is_open(self) -> bool:
        """Whether the internet reaches it at all."""
        return self is not Access.PRIVATE

    @classmethod
    def widest(cls, *those: Access) -> Access:
        """Of several ways in, the one that most people can take."""
        return max(those, key=list(cls).index)


class Guard(StrEnum):
    """What keeps a resource from being deleted."""

    NONE = ""
    PROTECTED = "protected"
    LOCKED = "locked"


@dataclass(frozen=True)
class Node:
    """One box. `covers` are the URNs that it stands for, its own first; `tooltip` says them in words."""

    key: str
    role: str
    name: str
    label: str = ""
    aside: str = ""
    facts: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    access: Access | None = None
    guard: Guard = Guard.NONE
    logged: bool = False
    outward: bool = False
    """Traffic leaves for the internet here."""
    tooltip: str = ""
    covers: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()

    def all(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True)
class Link:
    """A connection between boxes of one environment, by their keys. `kind` is also its style."""

    kind: str
    sources: tuple[str, ...]
    target: str
    label: str
    tooltip: str


@dataclass(frozen=True)
class Outside:
    """The network that somebody else owns: what an environment is peered with, and what its routes lead to."""

    key: str
    name: str
    facts: tuple[str, ...]
    peered: tuple[str, ...]
    """Keys of the networks that are peered with it."""
    routed: tuple[str, ...]
    """Keys of the subnets that leave by it."""
    tooltip: str
    covers: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """One stack. `inner` lies in its networks, `services` beside them, `more` is what has no picture of its own."""

    name: str
    tier: str
    facts: tuple[str, ...]
    guard: Guard
    tooltip: str
    covers: tuple[str, ...]
    inner: tuple[Node, ...]
    services: tuple[Node, ...]
    more: tuple[Node, ...]
    links: tuple[Link, ...]
    outside: Outside | None

    def beside(self) -> Iterator[Node]:
        """All that stands beside the networks, be it in a group."""
        for top in self.services:
            yield from top.all()

    def ways_in(self) -> tuple[Node, ...]:
        """What the internet reaches."""
        return tuple(node for node in self.beside() if node.access and node.access.is_open)

    def nodes(self) -> Iterator[Node]:
        for top in (*self.inner, *self.services, *self.more):
            yield from top.all()


@dataclass(frozen=True)
class Way:
    """The way from a pull request to production: stations in the order in which a change passes them."""

    facts: tuple[str, ...]
    tooltip: str
    covers: tuple[str, ...]
    stations: tuple[Node, ...]
    links: tuple[Link, ...]

    def covered(self) -> frozenset[str]:
        """URNs of all that the stations stand for."""
        return frozenset((*self.covers, *(urn for top in self.stations for node in top.all() for urn in node.covers)))


@dataclass(frozen=True)
class Reference:
    """One stack leans on another."""

    reader: str
    target: str
    label: str
    tooltip: str


@dataclass(frozen=True)
class Estate:
    """All that is drawn, environments in promotion order."""

    environments: tuple[Environment, ...]
    references: tuple[Reference, ...]
    way: Way | None = None
