"""Turns ids into names: principals, roles, and whatever else the stacks at hand call each other by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rehearsal.delivery.index import IDENTITY, Index
from rehearsal.graph import Graph, Resource
from rehearsal.words import last, scope_name

RoleName = Callable[[str], str]

_KINDS: Final = {"Group": "group", "User": "user", "ServicePrincipal": "service principal"}


@dataclass(frozen=True)
class Names:
    """Of all stacks at hand: those that lend to the one that is told about, and itself."""

    principals: Mapping[str, str]
    role: RoleName
    index: Index = field(default_factory=lambda: Index({}))

    @classmethod
    def of(cls, exports: Iterable[Mapping[str, Any]], role: RoleName = last) -> Names:
        graphs = [Graph.of(export) for export in exports]
        resources = [resource for graph in graphs for resource in graph.resources]
        used = {id_: name for resource in resources for id_, name in _used(resource)}
        # What an identity is called says more than who uses it.
        principals = used | dict(filter(None, map(_identity, resources)))
        return cls(principals, role, Index({graph.stack: graph for graph in graphs}))

    def principal(self, assignment: Resource) -> str:
        """Who a grant is for."""
        id_ = str(assignment.get("principalId", ""))
        kind = str(assignment.get("principalType", "principal"))
        return self.principals.get(id_.lower(), f"{_KINDS.get(kind, 'principal')} {id_}")

    def granted(self, assignment: Resource) -> str:
        """The name of a grant's role."""
        return self.role(str(assignment.get("roleDefinitionId", "")))

    def told(self, assignment: Resource) -> str:
        where = scope_name(assignment.get("scope"))
        return f"{self.granted(assignment)} → {self.principal(assignment)} @ {where}"


def _identity(resource: Resource) -> tuple[str, str] | None:
    if resource.kind != IDENTITY:
        return None
    return str(resource.get("principalId", "")).lower(), resource.name


def _used(resource: Resource) -> Iterator[tuple[str, str]]:
    """The principals that act for a resource: its own identity, and that of a cluster's nodes."""
    if own := resource.get("identity.principalId"):
        yield str(own).lower(), f"{resource.name} (its own identity)"
    if kubelet := resource.get("identityProfile.kubeletidentity.objectId"):
        yield str(kubelet).lower(), f"{resource.name} (kubelet)"
