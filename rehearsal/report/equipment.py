"""What delivery has beside code and gates: its project, extensions, machines, and the facts that releases read."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.delivery.index import ENVIRONMENT, EXTENSION, FACTS, POOL, PROJECT, Thing, area_of
from rehearsal.delivery.pipelines import users, uses
from rehearsal.details import details
from rehearsal.graph import Graph, Resource
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, table
from rehearsal.words import counted


def equipment(graph: Graph, names: Names) -> Section:
    rows = [row for part in (_project(graph), _facts(graph, names), _agents(graph, names)) for row in part]
    return Section("Delivery", table(rows))


def _named(graph: Graph, kind: str) -> list[Resource]:
    return sorted(graph.of_kind(kind), key=lambda each: (each.name, each.urn))


def _project(graph: Graph) -> Iterator[tuple[str, str]]:
    for each in _named(graph, PROJECT):
        yield "project", f"{each.name}: {details(each)}"
    for each in _named(graph, EXTENSION):
        yield "extension", f"{each.name} of {details(each)}" + (", kept on destroy" if each.retained else "")


def _facts(graph: Graph, names: Names) -> Iterator[tuple[str, str]]:
    allowed = uses(names.index, graph)
    for each in _named(graph, FACTS):
        thing = Thing(area_of(each), each.id, each.name, each)
        whom = ", ".join(users(names.index, allowed, thing, graph.stack)) or "no pipeline"
        yield "variables", f"{each.name}: {counted(each.get('variables'), 'fact')} for {whom}"


def _agents(graph: Graph, names: Names) -> Iterator[tuple[str, str]]:
    allowed = uses(names.index, graph)
    pools = _named(graph, POOL)
    for each in pools:
        queues = [use.thing for use in allowed if use.thing.resource and use.thing.resource.urn == each.urn]
        found = {name for thing in queues for name in users(names.index, allowed, thing, graph.stack)}
        yield "agents", f"{each.name}: {details(each)}, for {', '.join(sorted(found)) or 'no pipeline'}"
    if not pools and any(graph.of_kind(ENVIRONMENT)):
        yield "agents", "none of its own: Microsoft-hosted"
