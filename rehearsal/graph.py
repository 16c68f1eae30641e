"""A stack export as resources: what the report and the drawing read. Parses, and judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rehearsal.run import plain

ENGINES_OWN: Final = ("pulumi:pulumi:", "pulumi:providers:")

_NAMES: Final = ("name", "serviceEndpointName")
_NAMED_BY: Final[Mapping[str, str]] = {
    "index:Extension": "extensionId",
    "index:GitRepositoryFile": "file",
    "index:Group": "displayName",
    "index:ActionsEnvironmentVariable": "variableName",
    "index:RepositoryEnvironment": "environment",
    "index:RepositoryFile": "file",
}
"""Kinds of Azure DevOps and GitHub whose name is called otherwise."""


@dataclass(frozen=True)
class Resource:
    """One resource of a stack. `properties` are its outputs, and its inputs where there is no such output."""

    urn: str
    type: str
    parent: str
    custom: bool
    protected: bool
    retained: bool
    id: str
    properties: Mapping[str, Any]

    @property
    def logical_name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]

    @cached_property
    def kind(self) -> str:
        """The type without provider and API version: ``containerservice:ManagedCluster``."""
        _, module, name = self.type.split(":", 2)
        return f"{module.split('/', 1)[0]}:{name}"

    @property
    def short_type(self) -> str:
        return self.type.rsplit(":", 1)[-1]

    @cached_property
    def name(self) -> str:
        """The physical name: what a person sees in the portal or in `kubectl`."""
        metadata = self.properties.get("metadata")
        if isinstance(metadata, Mapping) and "name" in metadata:
            return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
        for key in (*_NAMES, _NAMED_BY.get(self.kind, "")):
            if isinstance(found := self.properties.get(key), str):
                return found
        return self.logical_name

    def get(self, path: str, default: Any = None) -> Any:
        """The property at a dotted path; list positions are numbers. Absent and null are `default`."""
        value: Any = self.properties
        for key in path.split("."):
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return default
        return default if value is None else value


@dataclass(frozen=True)
class Graph:
    """All resources of a stack, without the engine's own (the stack, providers, references to stacks)."""

    resources: tuple[Resource, ...]
    stack: str = ""
    """Its name, as URNs hold it."""

    @classmethod
    def of(cls, export: Mapping[str, Any]) -> Graph:
        states = export["deployment"].get("resources") or []
        live = [state for state in states if not state.get("delete")]
        stack = str(states[0]["urn"]).split("::")[0].rpartition(":")[2] if states else ""
        return cls(tuple(_resource(state) for state in live if not _is_engines_own(state["type"])), stack)

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _children(self) -> Mapping[str, tuple[Resource, ...]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.parent if resource.parent in self.by_urn else "", []).append(resource)
        # The engine keeps resources in the order in which they were ready, which no two runs share.
        return {urn: tuple(sorted(below, key=_order)) for urn, below in found.items()}

    def children(self, parent: Resource | None) -> tuple[Resource, ...]:
        """Components first, then by type and name; None gives those at the top."""
        return self._children.get(parent.urn if parent else "", ())

    @cached_property
    def tier(self) -> str:
        """`nonproduction` or `production`, as the tags of the resource group have it."""
        group = next(self.of_kind("resources:ResourceGroup"), None)
        return str(group.get("tags.tier", "")) if group else ""

    def component(self, resource: Resource) -> Resource | None:
        """The component at the top that the resource belongs to, if any."""
        while resource.parent in self.by_urn:
            resource = self.by_urn[resource.parent]
        return None if resource.custom else resource

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.custom and resource.kind in kinds)


def _order(resource: Resource) -> tuple[bool, str, str, str]:
    return resource.custom, resource.short_type if resource.custom else "", resource.name, resource.urn


def _is_engines_own(type_: str) -> bool:
    return type_.startswith(ENGINES_OWN)


def _resource(state: Mapping[str, Any]) -> Resource:
    inputs = plain(state.get("inputs") or {})
    outputs = plain(state.get("outputs") or {})
    return Resource(
        urn=state["urn"],
        type=state["type"],
        parent=state.get("parent", ""),
        custom=bool(state.get("custom")),
        protected=bool(state.get("protect")),
        retained=bool(state.get("retainOnDelete")),
        id=state.get("id", ""),
        properties={**inputs, **outputs},
    )
