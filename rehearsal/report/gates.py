"""The gates before a stack's environment and its connections; what is guarded alike is told once."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.delivery import github
from rehearsal.delivery.gates import NAMES, OF_PRODUCTION, Gated, gated
from rehearsal.delivery.index import together
from rehearsal.graph import Graph
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, block, table

PRODUCTION = "production"


def gates(graph: Graph, names: Names) -> Section:
    """By what they stand before; in production, a gate that is not there is told too."""
    if github.is_here(graph):
        lines = [line for each in github.gated(graph) for line in block(f"environment {each.name}", table(each.rules))]
        return Section("Gates", tuple(lines))
    alike: dict[tuple[tuple[str, str], ...], list[Gated]] = {}
    for each in gated(names.index, graph):
        alike.setdefault(each.rules, []).append(each)
    wanted = OF_PRODUCTION if graph.tier == PRODUCTION else ()
    return Section("Gates", tuple(line for group in alike.values() for line in _told(group, wanted)))


def _told(group: list[Gated], wanted: Iterable[str]) -> tuple[str, ...]:
    standing = dict(group[0].rules)
    known = dict.fromkeys((*NAMES.values(), *standing))
    rows = [(name, standing.get(name, "NONE")) for name in known if name in (*standing, *wanted)]
    return block(together(each.thing for each in group), table(rows) or ["none"])
