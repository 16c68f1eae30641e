"""A deployed stack as tests ask about it: resources by type and name, what they say, what they hang on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ROLE_ASSIGNMENT = "authorization:RoleAssignment"


@dataclass(frozen=True)
class Resource:
    """One custom or component resource of an export."""

    raw: Mapping[str, Any]

    @property
    def urn(self) -> str:
        return str(self.raw["urn"])

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def type(self) -> str:
        return str(self.raw["type"])

    @property
    def kind(self) -> str:
        """The type without its package: `network:Subnet`."""
        return self.type.partition(":")[2]

    @property
    def cls(self) -> str:
        """The last part of the type: `CheckApproval`."""
        return self.type.rpartition(":")[2]

    @property
    def id(self) -> str:
        return str(self.raw.get("id", ""))

    @property
    def parent(self) -> str:
        return str(self.raw.get("parent", ""))

    @property
    def inputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.raw.get("inputs", {})
        return found

    @property
    def outputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.raw.get("outputs", {})
        return found

    @property
    def protected(self) -> bool:
        return bool(self.raw.get("protect"))

    @property
    def retained(self) -> bool:
        """Whether it stays when the program lets go of it."""
        return bool(self.raw.get("retainOnDelete"))

    def comes_from(self, input_: str) -> frozenset[str]:
        """URNs of the resources that one input is made from."""
        return frozenset(self.raw.get("propertyDependencies", {}).get(input_) or ())

    @property
    def dependencies(self) -> frozenset[str]:
        """URNs of everything that had to be there first."""
        said = set(self.raw.get("dependencies", []))
        for urns in self.raw.get("propertyDependencies", {}).values():
            said.update(urns or [])
        return frozenset(said)


class Graph:
    """The resources of one stack's export."""

    def __init__(self, export: Mapping[str, Any]) -> None:
        self.resources = [Resource(raw) for raw in export["deployment"]["resources"]]

    def of(self, kind: str) -> list[Resource]:
        """All resources of a kind, such as `network:Subnet`, by logical name."""
        return sorted((each for each in self.azure if each.kind == kind), key=lambda each: each.name)

    def one(self, kind: str, name: str | None = None) -> Resource:
        found = [each for each in self.of(kind) if name in (None, each.name)]
        assert len(found) == 1, f"{len(found)} resources {kind} {name or ''}: {[each.name for each in self.of(kind)]}"
        return found[0]

    @cached_property
    def azure(self) -> list[Resource]:
        return [each for each in self.resources if each.type.startswith("azure-native:")]

    @cached_property
    def devops(self) -> list[Resource]:
        found = (each for each in self.resources if each.type.startswith("azuredevops:"))
        # The engine keeps them in the order in which they were ready, which no two runs share.
        return sorted(found, key=lambda each: each.urn)

    @cached_property
    def github(self) -> list[Resource]:
        found = (each for each in self.resources if each.type.startswith("github:"))
        return sorted(found, key=lambda each: each.urn)

    @cached_property
    def by_id(self) -> Mapping[str, Resource]:
        return {each.id.lower(): each for each in self.azure if each.id}

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {each.urn: each for each in self.resources}

    def named(self, id: str) -> str:
        """The logical name of a resource of this stack, or the id of one that is not."""
        found = self.by_id.get(id.lower())
        return found.name if found else id

    def waits_for(self, resource: Resource) -> frozenset[str]:
        """URNs of all that must be there before a resource, directly or by way of others."""
        seen: set[str] = set()
        open_ = [resource.urn]
        while open_:
            current = self.by_urn[open_.pop()]
            for urn in current.dependencies - seen:
                seen.add(urn)
                open_.append(urn)
        return frozenset(seen)

    def topology(self) -> Iterator[str]:
        """One line a resource, `component / type / logical name`, sorted; providers and the stack left out."""
        for each in sorted(self.resources, key=lambda each: each.urn):
            if not each.type.startswith("pulumi:"):
                yield f"{self._path(each)} = {each.type}"

    def _path(self, resource: Resource) -> str:
        parent = self.by_urn.get(resource.parent)
        if parent is None or parent.type == "pulumi:pulumi:Stack":
            return resource.name
        return f"{self._path(parent)} / {resource.name}"


class Landscape:
    """Several stacks that make one delivery system. What a stack made is called `<stack>/<logical name>`."""

    def __init__(self, exports: Mapping[str, Mapping[str, Any]]) -> None:
        self.graphs = {stack: Graph(export) for stack, export in exports.items()}

    def of(self, kind: str) -> Iterator[tuple[str, Resource]]:
        """All Azure resources of a kind such as `network:Subnet`, each with its stack."""
        for stack, graph in self.graphs.items():
            for each in graph.of(kind):
                yield stack, each

    def devops(self, *classes: str) -> Iterator[tuple[str, Resource]]:
        """All resources of Azure DevOps, or those of some classes such as `CheckApproval`, each with its stack."""
        for stack, graph in self.graphs.items():
            for each in graph.devops:
                if not classes or each.cls in classes:
                    yield stack, each

    def on_github(self, *classes: str) -> Iterator[tuple[str, Resource]]:
        """All resources on GitHub, or those of some classes such as `RepositoryEnvironment`, each with its stack."""
        for stack, graph in self.graphs.items():
            for each in graph.github:
                if not classes or each.cls in classes:
                    yield stack, each

    @cached_property
    def principals(self) -> Mapping[str, str]:
        """Everything that can be granted a right and is made here, by object id: user-assigned identities, those that
        a resource has of itself, and those that Azure makes for the add-ons of a cluster."""
        made = {
            each.outputs["principalId"]: f"{stack}/{each.name}"
            for stack, each in self.of("managedidentity:UserAssignedIdentity")
        }
        for stack, graph in self.graphs.items():
            for each in graph.azure:
                if each.kind != ROLE_ASSIGNMENT:
                    for path, id in _object_ids(each.outputs):
                        made.setdefault(id, "/".join((stack, each.name, *path)))
        return made

    @cached_property
    def ids(self) -> Mapping[str, str]:
        return {id: f"{stack}/{each.name}" for stack, graph in self.graphs.items() for id, each in graph.by_id.items()}

    def named(self, id: str) -> str:
        """What an Azure id is called. Below something that was made here, such as a namespace of a cluster, the rest
        of the id follows its name; an id of something else stays as it is."""
        above, rest = id.lower(), ""
        while above:
            if above in self.ids:
                return self.ids[above] + rest
            above, _, last = above.rpartition("/")
            rest = f"/{last}{rest}"
        return id


def _object_ids(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Object ids of identities in what Azure answered, and where they stand; lists hold none."""
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        if key in ("principalId", "objectId") and isinstance(inner, str):
            yield tuple(each for each in path if each != "identity"), inner
        else:
            yield from _object_ids(inner, (*path, key))
