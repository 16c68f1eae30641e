"""All stacks at hand, found by the ids that their resources call each other by.

Stacks refer to each other: a gate of `prod` stands before a pipeline of `staging`, an identity of `prod` reads a
registry of `staging`. An id of Azure DevOps is a number or a GUID that says nothing of what it names, so it is looked
up together with the area that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rehearsal.graph import Graph, Resource

CREDENTIAL: Final = "managedidentity:FederatedIdentityCredential"
IDENTITY: Final = "managedidentity:UserAssignedIdentity"
CLUSTER: Final = "containerservice:ManagedCluster"
GRANT: Final = "authorization:RoleAssignment"
PIPELINE: Final = "index:BuildDefinition"
ENVIRONMENT: Final = "index:Environment"
REPOSITORY: Final = "index:Git"
FACTS: Final = "index:VariableGroup"
SEED: Final = "index:GitRepositoryFile"
USE: Final = "index:PipelineAuthorization"
GROUP: Final = "index:Group"
MEMBERS: Final = "index:GroupMembership"
ROLE: Final = "index:SecurityroleAssignment"
PROJECT: Final = "index:Project"
EXTENSION: Final = "index:Extension"
POOL: Final = "devopsinfrastructure:Pool"

_AREAS: Final[Mapping[str, str]] = {
    PIPELINE: "pipeline",
    ENVIRONMENT: "environment",
    REPOSITORY: "repository",
    FACTS: "variablegroup",
}
_WORDS: Final[Mapping[str, str]] = {
    "endpoint": "connection",
    "queue": "agents",
    "variablegroup": "variables",
}
_ORDER: Final = ("environment", "endpoint", "queue", "variablegroup", "repository")


@dataclass(frozen=True)
class Thing:
    """What a pipeline may use, and what a gate stands before. Without a resource, no stack at hand owns it."""

    area: str
    """As Azure DevOps names it: `endpoint`, `environment`, `queue`, `repository`, `variablegroup`."""
    id: str
    name: str
    resource: Resource | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.area, self.id

    @property
    def words(self) -> str:
        return f"{_word(self.area, 1)} {self.name}"


def together(things: Iterable[Thing]) -> str:
    """Things in words, those of one area together: `environment prod, connections deploy-prod promote-prod`."""
    found: dict[str, set[str]] = {}
    for thing in things:
        found.setdefault(thing.area, set()).add(thing.name)
    order = (*_ORDER, *sorted(found.keys() - set(_ORDER)))
    told = (f"{_word(area, len(found[area]))} {' '.join(sorted(found[area]))}" for area in order if area in found)
    return ", ".join(told)


def _word(area: str, many: int) -> str:
    one = _WORDS.get(area, area)
    if many == 1 or one.endswith("s"):
        return one
    return f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"


@dataclass(frozen=True)
class Index:
    """Stacks by name. Where an id is looked up, `near` names the stack that is asked first."""

    graphs: Mapping[str, Graph]

    def find(self, area: str, id_: Any, near: str = "") -> Resource | None:
        """The resource with this id; `arm` is the area of Azure's own ids, in which capitals mean nothing."""
        key = (area, str(id_ or "").lower())
        for known in sorted(self._known, key=lambda stack: stack != near):
            if found := self._known[known].get(key):
                return found
        return None

    def thing(self, area: str, id_: Any, near: str = "") -> Thing:
        found = self.find(area, id_, near)
        return Thing(area, str(id_), found.name if found else str(id_), found)

    def owner(self, resource: Resource | None) -> str:
        """The stack that a resource belongs to; empty if there is no such resource."""
        return self._owners.get(resource.urn, "") if resource else ""

    def owner_at(self, scope: str, near: str = "") -> str:
        """The stack that owns the resource with this Azure id, or the nearest resource above it."""
        while scope:
            if found := self.find("arm", scope, near):
                return self.owner(found)
            scope = scope.rpartition("/")[0]
        return ""

    def group(self, id_: Any, near: str = "") -> Resource | None:
        """A group of Azure DevOps by any of the ids that it goes by."""
        return self.find("group", id_, near)

    def pipeline_name(self, id_: Any, near: str = "") -> str:
        found = self.find("pipeline", id_, near)
        return found.name if found else f"pipeline {id_}"

    @cached_property
    def _known(self) -> Mapping[str, Mapping[tuple[str, str], Resource]]:
        return {
            stack: {key: resource for resource in graph.resources if resource.custom for key in _keys(resource)}
            for stack, graph in self.graphs.items()
        }

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        return {resource.urn: stack for stack, graph in self.graphs.items() for resource in graph.resources}


def is_connection(resource: Resource) -> bool:
    return resource.kind.startswith("index:ServiceEndpoint")


def area_of(resource: Resource) -> str:
    return "endpoint" if is_connection(resource) else _AREAS.get(resource.kind, "")


def _keys(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.id.startswith("/"):
        yield "arm", resource.id.lower()
    elif area := area_of(resource):
        yield area, resource.id.lower()
    elif resource.kind == GROUP:
        for key in ("originId", "groupId", "descriptor"):
            yield "group", str(resource.get(key, "")).lower()
