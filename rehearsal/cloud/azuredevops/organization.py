"""What exists in the organisation, with the questions that rules ask. Only `DevOps` writes to it, under the lock.

Ids of resources that are deleted are not given again: what still holds the old one holds something that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azuredevops.beginnings import OWNER, built_in, entered, installed
from rehearsal.cloud.azuredevops.kinds import (
    AZURE_ENDPOINT,
    DEFINITION,
    ENDPOINT,
    ENVIRONMENT,
    FILE,
    GITHUB_ENDPOINT,
    GROUP,
    POOL,
    PROJECT,
    QUEUE,
    REPOSITORY,
    SERVICE_USER,
    TEAM,
    USER,
    VARIABLE_GROUP,
    DevOpsKind,
    Request,
    same,
)
from rehearsal.cloud.values import guid, lookup
from rehearsal.cloud.world import Resource, World

MANAGED_POOL: Final = "azure-native:devopsinfrastructure:Pool"
_MISSING: Final = {
    PROJECT: (
        "TF200016",
        "The following project does not exist: {id}. Verify that the name of the project is correct and that the "
        "project exists on the specified Azure DevOps Server.",
    ),
    REPOSITORY: (
        "TF401019",
        "The Git repository with name or identifier {id} does not exist or you do not have permissions for the "
        "operation you are attempting.",
    ),
    DEFINITION: ("DefinitionNotFound", "The build definition {id} does not exist in project {project}."),
    ENVIRONMENT: ("EnvironmentNotFound", "The environment with ID {id} does not exist in project {project}."),
    ENDPOINT: ("ServiceEndpointNotFound", "The service connection {id} does not exist in project {project}."),
    VARIABLE_GROUP: ("VariableGroupNotFound", "The variable group with ID {id} does not exist in project {project}."),
    QUEUE: ("AgentQueueNotFound", "The agent queue {id} was not found in project {project}."),
    POOL: ("AgentPoolNotFound", "The agent pool {id} was not found."),
    GROUP: ("SubjectNotFound", "The subject with descriptor {id} was not found."),
}


class Organization:
    def __init__(self, world: World) -> None:
        self._world = world
        self.ended: dict[str, int] = {}
        """How often there was a resource of an address that is gone: ids are not given again."""
        self.brought: set[tuple[str, str]] = set()
        """What the service made by itself: it goes with its project and keeps nothing from being deleted."""
        self.given: set[tuple[str, str]] = set()
        """What the estate says is there: of its insides nothing is known."""
        self.url = ""
        self.owner, self.owner_id = "", ""
        """Of the repositories on GitHub."""
        self.enter()

    @property
    def world(self) -> World:
        return self._world

    @property
    def _all(self) -> dict[tuple[str, str], Resource]:
        return self._world.delivery

    def enter(self) -> None:
        """Takes in what the estate says is there."""
        self.url = self._world.estate.organization.rstrip("/") or self.url
        estate = self._world.estate
        for existing in sorted(estate.delivery, key=lambda each: (each.kind != "project", each.id)):
            if existing.kind == OWNER:
                self.owner, self.owner_id = existing.name, existing.id
            else:
                self._give(entered(existing))
        for name in sorted(estate.extensions):
            self._give(installed(name))

    def _give(self, found: Resource) -> None:
        key = (found.type_, found.id)
        if key in self.given:
            return
        self.given.add(key)
        for resource in (found, *(built_in(found) if found.type_ == PROJECT else ())):
            self.bring(resource)

    def new_id(self, kind: DevOpsKind, *parts: str) -> str:
        """An id that depends on the parts alone, and on how often there was one before."""
        key = "/".join((kind.token, *parts)).lower()
        made = guid(key, str(self.ended.get(key, 0)))
        if not kind.numbered:
            while (kind.token, made) in self._all:
                made = guid(made)
            return made
        number = int(made[:8], 16) % 9000 + 100
        while (kind.token, str(number)) in self._all:
            number += 1
        return str(number)

    def put(self, resource: Resource) -> None:
        self._all[resource.type_, resource.id] = resource
        self.brought.discard((resource.type_, resource.id))

    def bring(self, resource: Resource) -> None:
        self._all.setdefault((resource.type_, resource.id), resource)
        self.brought.add((resource.type_, resource.id))

    def drop(self, resource: Resource, *parts: str) -> None:
        del self._all[resource.type_, resource.id]
        key = "/".join((resource.type_, *parts)).lower()
        self.ended[key] = self.ended.get(key, 0) + 1
        for kind, id in [key for key in self._all if key in self.brought or key[0] == FILE]:
            inputs = self._all[kind, id].inputs
            if resource.id in (inputs.get("projectId"), inputs.get("repositoryId")):
                del self._all[kind, id]

    def of(self, type_: str) -> Iterator[Resource]:
        """The resources of a type; ENDPOINT stands for all service connections."""
        types = (AZURE_ENDPOINT, GITHUB_ENDPOINT) if type_ == ENDPOINT else (type_,)
        yield from (found for found in list(self._all.values()) if found.type_ in types)
        if type_ == QUEUE:
            yield from self._managed_queues()

    def _managed_queues(self) -> Iterator[Resource]:
        """A managed pool of Azure appears in the projects that it serves, without anybody's doing."""
        for pool in self._world.of_type(MANAGED_POOL):
            for entry in lookup(pool.inputs, "organizationProfile.organizations") or ():
                for project in self.of(PROJECT):
                    wanted = [name.lower() for name in entry.get("projects") or [project.name]]
                    if same_url(entry.get("url"), self.url) and project.name.lower() in wanted:
                        number = str(int(guid(pool.id, project.id)[:8], 16) % 9000 + 10000)
                        inputs = {"projectId": project.id, "name": pool.name}
                        agents = int(guid(pool.id)[:8], 16) % 9000 + 20000
                        yield Resource(number, QUEUE, pool.name, inputs, {**inputs, "agentPoolId": agents})

    def find(self, type_: str, id: object) -> Resource | None:
        return next((found for found in self.of(type_) if same(found.id, id)), None)

    def need(self, type_: str, id: object, project: str | None = None) -> Resource:
        """What an id leads to; refuses with the service's words when that is nothing, or of another project."""
        found = self.find(type_, id)
        elsewhere = found is not None and project and not same(found.inputs.get("projectId", project), project)
        if found is None or elsewhere:
            kind = ENDPOINT if type_ in (AZURE_ENDPOINT, GITHUB_ENDPOINT) else type_
            code, words = _MISSING.get(kind, ("NotFound", "{id} was not found."))
            raise CloudError(code, words.format(id=id, project=project))
        return found

    def users_of(self, resource: Resource, kinds: Mapping[str, DevOpsKind]) -> Iterator[Resource]:
        """What still holds on to a resource, by the links of its kind."""
        for key, found in self._all.items():
            if key in self.brought or found is resource or found.type_ not in kinds:
                continue
            if found.type_ == FILE and resource.type_ == REPOSITORY:
                continue  # files lie in their repository, and go with it
            kind = kinds[found.type_]
            linked = ((to, value) for path, to in kind.links.items() for value in values_at(found.inputs, path))
            held = (*linked, *kind.holds(found.inputs))
            if any(resource.type_ in _types(to) and same(value, resource.id) for to, value in held):
                yield found

    def is_identity(self, id: str) -> bool:
        """Whether a GUID is one by which Azure DevOps itself knows somebody. The directory's ids are not."""
        known = [str(found.outputs.get("groupId")) for found in self.of(GROUP)]
        known += [found.id for kind in (TEAM, USER, SERVICE_USER) for found in self.of(kind)]
        local = [str(found.outputs.get("originId")) for found in self.of(GROUP) if found.outputs["origin"] == "vsts"]
        return any(same(id, one) for one in (*known, *local))

    def has_subject(self, descriptor: str) -> bool:
        """Whether a descriptor leads to a group, a team or a user."""
        subjects = (found for kind in (GROUP, TEAM, USER, SERVICE_USER) for found in self.of(kind))
        return any(found.outputs.get("descriptor") == descriptor for found in subjects)


def values_at(value: Any, path: str) -> list[Any]:
    """The values at a path in which `[*]` stands for every element of a list."""
    head, star, rest = path.partition("[*]")
    found = lookup(value, head) if head else value
    if not star:
        return [] if found is None else [found]
    elements: Iterable[Any] = found if isinstance(found, (list, tuple)) else ()
    return [inner for each in elements for inner in (values_at(each, rest.lstrip(".")) if rest else [each])]


def same_url(one: object, other: object) -> bool:
    return same(str(one).rstrip("/"), str(other).rstrip("/"))


def _types(target: str) -> tuple[str, ...]:
    return (AZURE_ENDPOINT, GITHUB_ENDPOINT) if target == ENDPOINT else (target,)


def check_links(request: Request) -> None:
    """Refuses what leads nowhere, or into another project."""
    for path, target in request.kind.links.items():
        for value in values_at(request.inputs, path):
            request.there.need(target, value, None if target == PROJECT else request.project or None)
