"""How long things take in a real cloud, by type, and the longest chain in which they must stand in line.

The table is `delays.yaml`, with a source per line. The stand-in takes these times on demand, scaled, so that the real
engine shows how well `up` uses its parallelism. The chain is worked out from a stack export: what the engine recorded
as a dependency is what it waited for. That a dependency is needed, nobody can tell from an export; those that no
property carries (`depends_on`) are told apart, because they are the ones that may be there without need.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from rehearsal.cloud import Cloud
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.errors import RehearsalError

TABLE: Final = Path(__file__).with_name("delays.yaml")
_CLOUDS: Final = ("azure-native", "azuredevops", "github", "kubernetes")
_NO_CLOUD: Final = "pulumi:"
"""Types of the engine's own, which take no time of anybody's."""


class DelaysError(RehearsalError):
    """The table lacks something; the message says what and where it belongs."""


@dataclass(frozen=True)
class Delay:
    seconds: float
    source: str

    @property
    def estimated(self) -> bool:
        return self.source.startswith("estimate")


@dataclass(frozen=True)
class Delays:
    """The table, by pattern."""

    patterns: Mapping[str, Delay]

    @classmethod
    def of(cls, table: Path = TABLE) -> Delays:
        """
        Raises:
            DelaysError: a line without a time or a source.
        """
        content = yaml.safe_load(table.read_text("utf-8"))
        sources, patterns = content["sources"], {}
        for pattern, line in content["seconds"].items():
            seconds, source = line.get("seconds"), line.get("source")
            if not isinstance(seconds, (int, float)) or seconds < 0 or source not in sources:
                known = ", ".join(sources)
                raise DelaysError(
                    f"{table.name}: '{pattern}' has {line}; a line needs seconds, 0 or more, and a source: {known}."
                )
            patterns[pattern] = Delay(float(seconds), " ".join(str(sources[source]).split()))
        return cls(patterns)

    def __getitem__(self, type_: str) -> Delay:
        found = [pattern for pattern in self.patterns if fnmatch.fnmatchcase(type_, pattern)]
        if not found:
            raise DelaysError(f"{TABLE.name} has no line for {type_}. Add one with its seconds and their source.")
        return self.patterns[max(found, key=len)]

    def slow(self, cloud: Cloud, scale: float) -> None:
        """Makes every create of the cloud take its time, times `scale`."""
        types = (*AZURE, *DELIVERY, *OBJECTS)
        cloud.slow({type_: self[type_].seconds * scale for type_ in types})


@dataclass(frozen=True)
class Node:
    """One resource of an export, and what the engine made before it. `declared` are those of these that no property
    of it leads to."""

    urn: str
    type_: str
    needs: frozenset[str]
    declared: frozenset[str]

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class Link:
    """One link of a chain: what it is, when it can begin at the earliest, and for how long it takes. `declared`: only
    a `depends_on` makes it wait for the link before."""

    node: Node
    begins: float
    seconds: float
    declared: bool


@dataclass(frozen=True)
class Plan:
    """What must come after what, as one export tells."""

    nodes: Mapping[str, Node]
    delays: Delays

    @classmethod
    def of(cls, export: Mapping[str, Any], delays: Delays) -> Plan:
        states = export["deployment"].get("resources") or []
        by_urn = {each["urn"]: each for each in states}
        nodes = [_node(state, by_urn) for state in states if not state.get("delete")]
        return cls({node.urn: node for node in nodes}, delays)

    @cached_property
    def seconds(self) -> float:
        """The time that nobody can save while everything waits for what it waits for now."""
        return max((link.begins + link.seconds for link in self.chain[-1:]), default=0.0)

    @cached_property
    def total(self) -> float:
        """The time if everything stood in one line."""
        return sum(self._takes(node) for node in self.nodes.values())

    @cached_property
    def chain(self) -> tuple[Link, ...]:
        """The longest chain, first link first."""
        ends = self._ends()
        if not ends:
            return ()
        links: list[Link] = []
        urn: str | None = max(sorted(ends), key=ends.__getitem__)
        while urn is not None:
            node = self.nodes[urn]
            before = max(sorted(node.needs), key=ends.__getitem__, default=None)
            begins = ends[before] if before is not None else 0.0
            declared = before in node.declared and not any(ends[need] == begins for need in node.needs - node.declared)
            if takes := self._takes(node):
                links.append(Link(node, begins, takes, declared))
            urn = before
        return tuple(reversed(links))

    def without(self, urn: str) -> Plan:
        """The plan if nothing but its properties made this resource wait."""
        return Plan({**self.nodes, urn: _freed(self.nodes[urn])}, self.delays)

    @property
    def by_data(self) -> Plan:
        """The plan if nothing but properties made anything wait."""
        return Plan({urn: _freed(node) for urn, node in self.nodes.items()}, self.delays)

    def _takes(self, node: Node) -> float:
        return 0.0 if _takes_no_time(node.type_) else self.delays[node.type_].seconds

    def _ends(self) -> dict[str, float]:
        ends: dict[str, float] = {}
        # An export lists what was made before what needs it; a plan with fewer needs keeps that order.
        for urn in _ordered(self.nodes):
            node = self.nodes[urn]
            ends[urn] = max((ends[need] for need in node.needs), default=0.0) + self._takes(node)
        return ends


def _takes_no_time(type_: str) -> bool:
    return type_.startswith(_NO_CLOUD) or type_.split(":", 1)[0] not in _CLOUDS


def _node(state: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]]) -> Node:
    carried = {need for needs in (state.get("propertyDependencies") or {}).values() for need in needs or ()}
    parent = state.get("parent", "")
    if parent and states.get(parent, {}).get("custom"):
        carried.add(parent)
    if provider := state.get("provider", ""):
        carried.add(provider.rsplit("::", 1)[0])
    every = {*(state.get("dependencies") or ()), *carried}
    every = {need for need in every if need in states and need != state["urn"]}
    return Node(state["urn"], state["type"], frozenset(every), frozenset(every - carried))


def _freed(node: Node) -> Node:
    """Waits for what its properties need, and for nothing else."""
    return Node(node.urn, node.type_, node.needs - node.declared, frozenset())


def _ordered(nodes: Mapping[str, Node]) -> Iterable[str]:
    done: dict[str, None] = {}

    def visit(urn: str) -> None:
        if urn in done:
            return
        for need in sorted(nodes[urn].needs):
            visit(need)
        done[urn] = None

    for urn in nodes:
        visit(urn)
    return done
