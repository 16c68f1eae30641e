"""The tree of a stack: components as branches; each resource with its type, physical name and what matters about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.delivery.index import GRANT
from rehearsal.delivery.telling import told
from rehearsal.graph import Graph, Resource
from rehearsal.report.folds import Line, folded, is_folded
from rehearsal.report.names import Names
from rehearsal.report.sections import Style, unstyled

NAME_WIDTH: Final = 44
TYPE_WIDTH: Final = 40


def tree(export: Mapping[str, Any], names: Names, style: Style = unstyled) -> str:
    """Files, gates, authorisations, policies and roles are one line for each thing that they are about."""
    return "\n".join(_branch(Graph.of(export), None, names, style, ""))


def _branch(graph: Graph, parent: Resource | None, names: Names, style: Style, indent: str) -> Iterator[str]:
    below = graph.children(parent)
    components = [each for each in below if not each.custom]
    lines = [*_single(graph, below, names), *folded(below, names.index, graph)]
    lines.sort(key=lambda line: (line.kind, line.name))
    # Grants are told by what they say; their physical names are GUIDs, whose order means nothing.
    grants = sorted(
        (Line(each.short_type, names.told(each), "", (each,)) for each in below if each.kind == GRANT),
        key=lambda line: line.name,
    )
    level: tuple[Resource | Line, ...] = (*components, *lines, *grants)
    for position, each in enumerate(level, start=1):
        final = position == len(level)
        branch = indent + ("└─ " if final else "├─ ")
        label = _component(each, style) if isinstance(each, Resource) else _line(each, style, TYPE_WIDTH - len(branch))
        yield f"{style(branch, 'dim')}{label}".rstrip()
        inside = [each] if isinstance(each, Resource) else each.resources
        for resource in inside:
            yield from _branch(graph, resource, names, style, indent + ("   " if final else "│  "))


def _single(graph: Graph, resources: tuple[Resource, ...], names: Names) -> Iterator[Line]:
    for each in resources:
        if each.custom and each.kind != GRANT and not is_folded(each):
            yield Line(each.short_type, each.name, told(each, names.index, graph), (each,))


def _component(component: Resource, style: Style) -> str:
    return f"{style(component.logical_name, 'bold')}  {style(component.type, 'dim')}"


def _line(line: Line, style: Style, width: int) -> str:
    kind = style(line.kind.ljust(width - 1), "cyan")
    return f"{kind} {line.name.ljust(NAME_WIDTH - 1)} {style(line.told, 'dim')}{style(_marks(line), 'yellow')}"


def _marks(line: Line) -> str:
    """What holds of every resource behind the line."""
    protected = all(each.protected for each in line.resources)
    retained = all(each.retained for each in line.resources)
    return (" (protected)" if protected else "") + (" (kept on destroy)" if retained else "")
