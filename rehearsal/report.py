"""Stack exports as text for a person: the tree of a stack, and its summary.

Pure: the same exports give the same text. Ids of principals and roles are turned into names, because nobody
reviews GUIDs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.details import details
from rehearsal.exposure import public_endpoint
from rehearsal.graph import Graph, Resource
from rehearsal.watched import Watch
from rehearsal.words import last

GRANT: Final = "authorization:RoleAssignment"
NAME_WIDTH: Final = 44
TYPE_WIDTH: Final = 40

RoleName = Callable[[str], str]
Style = Callable[..., str]


def unstyled(text: str, *_: str) -> str:
    return text


@dataclass(frozen=True)
class Names:
    """Turns ids into names: principals of all stacks at hand, and roles."""

    principals: Mapping[str, str]
    role: RoleName

    @classmethod
    def of(cls, exports: Iterable[Mapping[str, Any]], role: RoleName = last) -> Names:
        resources = [resource for export in exports for resource in Graph.of(export).resources]
        used = {id_: name for resource in resources for id_, name in _used(resource)}
        # What an identity is called says more than who uses it.
        return cls(used | dict(filter(None, map(_identity, resources))), role)

    def grant(self, assignment: Resource) -> tuple[str, str, str]:
        """Who, which role, where."""
        principal = str(assignment.get("principalId", ""))
        kind = str(assignment.get("principalType", "principal"))
        who = self.principals.get(principal.lower(), f"{_KINDS.get(kind, 'principal')} {principal}")
        role = self.role(str(assignment.get("roleDefinitionId", "")))
        return who, role, scope_name(assignment.get("scope"))

    def told(self, assignment: Resource) -> str:
        who, role, where = self.grant(assignment)
        return f"{role} → {who} @ {where}"


_KINDS: Final = {"Group": "group", "User": "user", "ServicePrincipal": "service principal"}


def _identity(resource: Resource) -> tuple[str, str] | None:
    if resource.kind != "managedidentity:UserAssignedIdentity":
        return None
    return str(resource.get("principalId", "")).lower(), resource.name


def _used(resource: Resource) -> Iterator[tuple[str, str]]:
    """The principals that act for a resource: its own identity, and that of a cluster's nodes."""
    if own := resource.get("identity.principalId"):
        yield str(own).lower(), f"{resource.name} (its own identity)"
    if kubelet := resource.get("identityProfile.kubeletidentity.objectId"):
        yield str(kubelet).lower(), f"{resource.name} (kubelet)"


def scope_name(scope: Any) -> str:
    """The last name of a scope; for what is wider than a resource, also what it is."""
    parts = str(scope or "").strip("/").split("/")
    match [part.lower() for part in parts]:
        case ["subscriptions", _]:
            return f"subscription {parts[1]}"
        case ["subscriptions", _, "resourcegroups", _]:
            return f"resource group {parts[3]}"
    return parts[-1]


def tree(export: Mapping[str, Any], names: Names, style: Style = unstyled) -> str:
    """Components as branches; each resource with its type, physical name and what matters about it."""
    graph = Graph.of(export)
    return "\n".join(_branch(graph, None, names, style, ""))


def _branch(graph: Graph, parent: Resource | None, names: Names, style: Style, indent: str) -> Iterator[str]:
    level = graph.children(parent)
    # Grants are told by what they say; their physical names are GUIDs, whose order means nothing.
    grants = sorted((r for r in level if r.kind == GRANT), key=names.told)
    level = (*(r for r in level if r.kind != GRANT), *grants)
    for position, resource in enumerate(level, start=1):
        final = position == len(level)
        branch = indent + ("└─ " if final else "├─ ")
        yield f"{style(branch, 'dim')}{_label(resource, names, style, TYPE_WIDTH - len(branch))}".rstrip()
        yield from _branch(graph, resource, names, style, indent + ("   " if final else "│  "))


def _label(resource: Resource, names: Names, style: Style, width: int) -> str:
    if not resource.custom:
        return f"{style(resource.logical_name, 'bold')}  {style(resource.type, 'dim')}"
    kind = style(resource.short_type.ljust(width - 1), "cyan")
    marks = (" (protected)" if resource.protected else "") + (" (kept on destroy)" if resource.retained else "")
    if resource.kind == GRANT:
        return f"{kind} {names.told(resource)}{style(marks, 'yellow')}"
    told = style(details(resource), "dim")
    return f"{kind} {resource.name.ljust(NAME_WIDTH - 1)} {told}{style(marks, 'yellow')}"


@dataclass(frozen=True)
class Section:
    """One part of the summary; lines are already sorted."""

    title: str
    lines: tuple[str, ...]
    style: str = ""


def summary(export: Mapping[str, Any], names: Names, warnings: Sequence[str] = ()) -> tuple[Section, ...]:
    """What a reviewer asks first of a whole stack."""
    graph = Graph.of(export)
    custom = [resource for resource in graph.resources if resource.custom]
    watch = Watch(graph)
    warnings = (*warnings, *watch.warnings)
    counts = Counter(_component_name(graph, resource) for resource in custom)
    return (
        Section(f"Resources ({len(custom)})", _table(sorted((name, str(n)) for name, n in counts.items()))),
        Section("Reachable from the internet", _table(sorted(_public(custom)))),
        Section("Role grants", _table(sorted(names.grant(grant) for grant in graph.of_kind(GRANT)))),
        Section("Protected, locked, or kept on destroy", _table(sorted(_kept(graph, names)))),
        Section("Watched", _table(tuple(watch.table()))),
        Section("Warnings", tuple("- " + text.replace("\n", "\n    ") for text in warnings), "yellow"),
    )


def render(sections: Iterable[Section], style: Style = unstyled) -> str:
    blocks = []
    for section in sections:
        body = [style(line, section.style) if section.style else line for line in section.lines] or ["none"]
        blocks.append("\n".join((style(section.title, "bold"), *(f"  {line}" for line in body))))
    return "\n\n".join(blocks)


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
        if resource.protected or resource.retained:
            how = "kept on destroy" if resource.retained else "protected"
            yield how, resource.short_type, _full_name(graph, resource, names)


def _full_name(graph: Graph, resource: Resource, names: Names) -> str:
    """Parts of a resource often share one name (`apps`, `to-log-analytics`): then also whose part it is."""
    if resource.kind == GRANT:
        return names.told(resource)
    whole = graph.by_urn.get(resource.parent)
    return f"{resource.name} of {whole.name}" if whole and whole.custom else resource.name


def _locked(lock: Resource) -> str:
    """A lock's own id lies below what it locks."""
    return str(lock.get("scope", "")) or lock.id.split("/providers/Microsoft.Authorization/locks/")[0]


def _table(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
