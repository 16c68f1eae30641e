"""What a reviewer asks first of a whole stack, one section for each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rehearsal.delivery import people, pipelines
from rehearsal.delivery.index import GRANT, SEED
from rehearsal.exposure import public_endpoint
from rehearsal.graph import Graph, Resource
from rehearsal.report import code
from rehearsal.report.equipment import equipment
from rehearsal.report.folds import folded
from rehearsal.report.gates import gates
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, table
from rehearsal.report.who import who
from rehearsal.watched import Watch
from rehearsal.words import scope_name


def summary(export: Mapping[str, Any], names: Names, warnings: Sequence[str] = ()) -> tuple[Section, ...]:
    """The sections of one stack; `warnings` are those of the engine."""
    graph = Graph.of(export)
    custom = [resource for resource in graph.resources if resource.custom]
    watch = Watch(graph)
    warnings = (
        *warnings,
        *watch.warnings,
        *pipelines.warnings(names.index, graph),
        *people.warnings(names.index, graph),
    )
    counts = Counter(_component_name(graph, resource) for resource in custom)
    return (
        Section(f"Resources ({len(custom)})", table(sorted((name, str(n)) for name, n in counts.items()))),
        Section("Reachable from the internet", table(sorted(_public(custom)))),
        who(graph, names),
        gates(graph, names),
        code.repositories(graph, names),
        code.pipelines(graph, names),
        equipment(graph, names),
        Section("Protected, locked, or kept on destroy", table(sorted(_kept(graph, names)))),
        Section("Watched", table(tuple(watch.table()))),
        Section("Warnings", tuple("- " + text.replace("\n", "\n    ") for text in warnings), "yellow"),
    )


def _component_name(graph: Graph, resource: Resource) -> str:
    component = graph.component(resource)
    return component.logical_name if component else "(no component)"


def _public(resources: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    for resource in resources:
        if endpoint := public_endpoint(resource):
            yield resource.short_type, endpoint


def _kept(graph: Graph, names: Names) -> Iterator[tuple[str, str, str]]:
    for resource in graph.resources:
        if resource.short_type.startswith("ManagementLock"):
            yield "lock", str(resource.get("level", "")), f"{resource.name} @ {scope_name(_locked(resource))}"
        if (resource.protected or resource.retained) and resource.kind != SEED:
            yield _how(resource), resource.short_type, _full_name(graph, resource, names)
    # Files that a repository was seeded with are many, and all are left alone.
    kept = (each for each in graph.of_kind(SEED) if each.protected or each.retained)
    for line in folded(kept, names.index, graph):
        yield _how(line.resources[0]), line.kind, f"{line.name} {line.told}"


def _how(resource: Resource) -> str:
    return "kept on destroy" if resource.retained else "protected"


def _full_name(graph: Graph, resource: Resource, names: Names) -> str:
    """Parts of a resource often share one name (`apps`, `to-log-analytics`): then also whose part it is."""
    if resource.kind == GRANT:
        return names.told(resource)
    whole = graph.by_urn.get(resource.parent)
    return f"{resource.name} of {whole.name}" if whole and whole.custom else resource.name


def _locked(lock: Resource) -> str:
    """A lock's own id lies below what it locks."""
    return str(lock.get("scope", "")) or lock.id.split("/providers/Microsoft.Authorization/locks/")[0]
