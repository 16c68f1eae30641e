"""One stack, as the drawing asks about it: by id, by kind, what guards a resource, where its logs go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rehearsal.graph import Graph, Resource
from rehearsal.topology import facts
from rehearsal.topology.nodes import Guard, Node
from rehearsal.words import last


@dataclass(frozen=True)
class Stack:
    """Resources in an order of their own, because the engine's is that of one run."""

    name: str
    graph: Graph

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(sorted(self.graph.resources, key=lambda each: (each.kind, each.name, each.urn)))

    @cached_property
    def by_id(self) -> Mapping[str, Resource]:
        """Azure does not tell capitals in ids apart."""
        return {each.id.lower(): each for each in self.resources if each.custom and each.id}

    def of(self, *kinds: str) -> tuple[Resource, ...]:
        return tuple(each for each in self.resources if each.custom and each.kind in kinds)

    def at(self, id_: Any) -> Resource | None:
        return self.by_id.get(str(id_ or "").lower())

    def key(self, id_: str) -> str:
        """The key of the box for an id: of this stack's resource, or of somebody else's."""
        found = self.at(id_)
        return found.urn if found else id_.lower()

    @cached_property
    def diagnostics(self) -> Mapping[str, tuple[Resource, ...]]:
        """Diagnostic settings by the workspace that they write to."""
        return _grouped((str(each.get("workspaceId", "")), each) for each in self.of(*facts.DIAGNOSTICS))

    @cached_property
    def logged(self) -> frozenset[str]:
        """Ids of what writes logs."""
        return frozenset(str(each.get("resourceUri", "")).lower() for each in self.of(*facts.DIAGNOSTICS))

    @cached_property
    def locks(self) -> Mapping[str, tuple[Resource, ...]]:
        """Locks by what they lock; where a lock does not say it, its own id lies below it."""
        return _grouped(
            (str(each.get("scope") or each.id.split("/providers/Microsoft.Authorization/locks/")[0]), each)
            for each in self.of(*facts.LOCKS)
        )

    def guard(self, resource: Resource) -> Guard:
        if resource.id.lower() in self.locks:
            return Guard.LOCKED
        return Guard.PROTECTED if resource.protected else Guard.NONE

    def origin(self, resource: Resource) -> str:
        """Where in the program the resource comes from."""
        above = [self.graph.by_urn[urn].logical_name for urn in reversed(self.above(resource))]
        return " / ".join((*above, resource.logical_name))

    def label(self, resource: Resource) -> str:
        """The kind; where a stack has several of it, also which one this is."""
        alone = len(self.of(resource.kind)) == 1
        return facts.label(resource) if alone else f"{facts.label(resource)}: {resource.logical_name}"

    def above(self, resource: Resource) -> tuple[str, ...]:
        """URNs of the components that the resource belongs to."""
        found: list[str] = []
        while parent := self.graph.by_urn.get(resource.parent):
            resource = parent
            found += [] if parent.custom else [parent.urn]
        return tuple(found)

    def node(self, role: str, resource: Resource, with_: Iterable[Resource] = (), **shown: Any) -> Node:
        """A box for a resource, which stands for its locks and for `with_` too."""
        known = (*with_, *self.locks.get(resource.id.lower(), ()))
        return Node(
            **{"key": resource.urn, "name": resource.name, **shown},
            role=role,
            guard=self.guard(resource),
            logged=resource.id.lower() in self.logged,
            tooltip=self.told(resource, known),
            covers=tuple(urn for each in (resource, *known) for urn in (each.urn, *self.above(each))),
        )

    def told(self, resource: Resource, known: Iterable[Resource] = ()) -> str:
        """A resource in words, one line each for it and what comes with it."""
        marks = {
            "protected by Pulumi": resource.protected,
            "locked in Azure": resource.id.lower() in self.locks,
            "kept on destroy": resource.retained,
            "sends its logs to a workspace": resource.id.lower() in self.logged,
        }
        lines = (
            f"{resource.short_type} {resource.name}",
            self.origin(resource),
            ", ".join(text for text, so in marks.items() if so),
            *(f"with {each.short_type} {each.name}, {self.origin(each)}" for each in known),
            resource.id,
        )
        return "\n".join(filter(None, lines))


def foreign(role: str, kind: str, id_: str, owners: Mapping[str, str]) -> Node:
    """A box for something that this stack uses and another one, or nobody here, owns."""
    owner = owners.get(id_.lower())
    return Node(
        key=id_.lower(),
        role=f"{role} foreign",
        label=kind,
        name=last(id_),
        facts=(f"owned by {owner}" if owner else "exists already, not of these stacks",),
        tooltip=f"{kind} {last(id_)}\nnot of this stack\n{id_}",
    )


def _grouped(pairs: Iterable[tuple[str, Resource]]) -> Mapping[str, tuple[Resource, ...]]:
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for id_, resource in pairs:
        found[id_.lower()].append(resource)
    return {id_: tuple(group) for id_, group in found.items()}
