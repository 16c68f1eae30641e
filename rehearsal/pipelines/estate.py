"""What the rehearsed stacks hold for pipelines: what exists, in which environment, and who may use it.

Read from exports as `make preview` writes them. Everything is by the name that YAML uses; ids serve only to find what
belongs together. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from components.naming import DeliveryNames
from rehearsal.graph import Graph, Resource

APPLICATION: Final = DeliveryNames.APPLICATION_REPOSITORY
_GIT: Final = "TfsGit"


@dataclass(frozen=True)
class Definition:
    """A pipeline."""

    name: str
    repository: str
    """Name of the repository that its YAML lies in. What lies on GitHub is the application's."""
    path: str
    github: bool
    validates: bool
    """A branch policy starts it for pull requests."""


@dataclass(frozen=True)
class Thing:
    """Something that pipelines name and must be let in to."""

    name: str
    stack: str
    pipelines: frozenset[str]
    """Who may use it."""
    templates: frozenset[str] = frozenset()
    """`repository@ref:path` of templates that its checks demand."""
    branches: frozenset[str] = frozenset()
    """Refs that its checks admit; empty where every branch may."""
    variables: Mapping[str, str] | None = None
    """Of a variable group."""
    gated: bool = True
    """Whether any check stands before it; queues and groups have none of their own."""


@dataclass(frozen=True)
class Stack:
    """One environment's stack."""

    name: str
    production: bool
    closed: bool
    """Its registry or its API server answers only inside its network."""
    closed_to_ci: bool
    """Its registry or the CI vault does."""
    promotes_from: str | None


@dataclass(frozen=True)
class Estate:
    project: str
    definitions: Mapping[str, Definition]
    connections: Mapping[str, Thing]
    environments: Mapping[str, Thing]
    groups: Mapping[str, Thing]
    queues: Mapping[str, Thing]
    repositories: Mapping[str, Thing]
    approvers: frozenset[str]
    """Groups of people, by name."""
    extensions: frozenset[str]
    """`publisher.extension`."""
    stacks: Mapping[str, Stack]

    @classmethod
    def of(cls, exports: Mapping[str, Mapping[str, Any]]) -> Estate:
        """From the exports of all stacks, by stack, in promotion order."""
        return _Reader({name: Graph.of(export) for name, export in exports.items()}, exports).estate()


BOOTSTRAP: Final = "bootstrap"
"""The export that is no environment's: who plans and applies them."""


class _Reader:
    def __init__(self, graphs: Mapping[str, Graph], exports: Mapping[str, Mapping[str, Any]]) -> None:
        self._graphs, self._exports = graphs, exports

    def estate(self) -> Estate:
        return Estate(
            project=next((each.name for _, each in self._all("index:Project")), ""),
            definitions=self._definitions,
            connections=self._things("endpoint", self._all("index:ServiceEndpointAzureRM")),
            environments=self._things("environment", self._all("index:Environment")),
            groups=self._things("variablegroup", self._all("index:VariableGroup")),
            queues=self._queues,
            repositories=self._things("repository", self._all("index:Git")),
            approvers=frozenset(
                str(each.get("displayName")) for _, each in self._all("index:Group") if each.get("scope")
            ),
            extensions=frozenset(
                f"{each.get('publisherId')}.{each.get('extensionId')}" for _, each in self._all("index:Extension")
            ),
            stacks={name: self._stack(name) for name in self._graphs if name != BOOTSTRAP},
        )

    def _all(self, *kinds: str) -> Iterator[tuple[str, Resource]]:
        return ((stack, each) for stack, graph in self._graphs.items() for each in graph.of_kind(*kinds))

    @cached_property
    def _definitions(self) -> Mapping[str, Definition]:
        repositories = {each.id: each.name for _, each in self._all("index:Git")}
        policies = {
            int(each.get("settings.buildDefinitionId", 0))
            for _, each in self._all("index:BranchPolicyBuildValidation")
            if each.get("enabled") and each.get("blocking")
        }
        return {
            each.name: Definition(
                name=each.name,
                repository=repositories.get(each.get("repository.repoId"), APPLICATION),
                path=each.get("repository.ymlPath", ""),
                github=each.get("repository.repoType") != _GIT,
                validates=int(each.id) in policies,
            )
            for _, each in self._all("index:BuildDefinition")
        }

    @cached_property
    def _names_by_id(self) -> Mapping[int, str]:
        return {int(each.id): each.name for _, each in self._all("index:BuildDefinition")}

    def _let_in(self, kind: str) -> Mapping[str, frozenset[str]]:
        """Pipelines by the id of what they may use."""
        found: dict[str, set[str]] = {}
        for _, each in self._all("index:PipelineAuthorization"):
            if each.get("type") == kind:
                pipeline = self._names_by_id.get(int(each.get("pipelineId", 0)), "")
                found.setdefault(str(each.get("resourceId")), set()).add(pipeline)
        return {id: frozenset(pipelines) for id, pipelines in found.items()}

    def _things(self, kind: str, found: Iterable[tuple[str, Resource]]) -> Mapping[str, Thing]:
        let_in = self._let_in(kind)
        return {
            each.name: Thing(
                each.name,
                self._owner(stack, each.name),
                let_in.get(each.id, frozenset()),
                frozenset(self._templates(each.id)),
                frozenset(self._branches(each.id)),
                {str(one["name"]): str(one.get("value") or "") for one in each.get("variables", ())}
                if kind == "variablegroup"
                else None,
                each.id in self._checked,
            )
            for stack, each in found
        }

    def _owner(self, stack: str, name: str) -> str:
        """The environment that a thing of the bootstrap is for, by its name; the stack itself otherwise."""
        of = name.partition("-")[2] if stack == BOOTSTRAP else ""
        return of if of in self._graphs else stack

    @cached_property
    def _checked(self) -> frozenset[str]:
        kinds = ("Approval", "BranchControl", "BusinessHours", "ExclusiveLock", "RequiredTemplate")
        checks = (each for _, each in self._all(*(f"index:Check{kind}" for kind in kinds)))
        return frozenset(str(each.get("targetResourceId")) for each in checks)

    def _templates(self, id: str) -> Iterator[str]:
        for _, check in self._all("index:CheckRequiredTemplate"):
            if str(check.get("targetResourceId")) == id:
                for one in check.get("requiredTemplates", ()):
                    yield f"{one['repositoryName']}@{one['repositoryRef']}:{one['templatePath']}"

    def _branches(self, id: str) -> Iterator[str]:
        for _, check in self._all("index:CheckBranchControl"):
            if str(check.get("targetResourceId")) == id:
                yield from (ref.strip() for ref in str(check.get("allowedBranches", "")).split(","))

    @cached_property
    def _queues(self) -> Mapping[str, Thing]:
        """Azure makes a managed pool's queue, so no export holds it; its authorisations lie beside the pool."""
        found = {}
        for stack, pool in self._all("devopsinfrastructure:Pool"):
            every = [(of, each) for of, each in self._all("index:PipelineAuthorization") if each.get("type") == "queue"]
            beside = [each for of, each in every if of == stack and each.parent == pool.parent]
            queues = {each.get("resourceId") for each in beside}
            beside += [each for of, each in every if of == BOOTSTRAP and each.get("resourceId") in queues]
            pipelines = frozenset(self._names_by_id.get(int(each.get("pipelineId", 0)), "") for each in beside)
            name = str(pool.get("poolName"))
            found[name] = Thing(name, stack, pipelines)
        return found

    def _stack(self, name: str) -> Stack:
        graph = self._graphs[name]
        registry = any(_closed(each) for each in graph.of_kind("containerregistry:Registry"))
        cluster = any(
            bool(each.get("apiServerAccessProfile.enablePrivateCluster"))
            for each in graph.of_kind("containerservice:ManagedCluster")
        )
        vault = self._facts(name).get("ciVaultName")
        ci = any(_closed(each) for each in graph.of_kind("keyvault:Vault") if each.get("vaultName") == vault)
        production = self._tier(name) == "production"
        return Stack(name, production, registry or cluster, registry or ci, self._promotes_from(name))

    def _tier(self, name: str) -> str:
        for state in self._exports[name]["deployment"]["resources"]:
            if state["type"] == "pulumi:pulumi:Stack":
                return str((state.get("outputs") or {}).get("contract", {}).get("tier", ""))
        return ""

    def _promotes_from(self, name: str) -> str | None:
        """The stack whose own registry is the source in this one's facts."""
        facts = {stack: self._facts(stack) for stack in self._graphs}
        source = facts[name].get("sourceRegistryId")
        owners = (stack for stack, known in facts.items() if stack != name and known.get("registryId") == source)
        return next(owners, None) if source else None

    def _facts(self, stack: str) -> Mapping[str, str]:
        return {
            str(one["name"]): str(one.get("value") or "")
            for each in self._graphs[stack].of_kind("index:VariableGroup")
            for one in each.get("variables", ())
        }


def _closed(resource: Resource) -> bool:
    access = resource.get("publicNetworkAccess") or resource.get("properties.publicNetworkAccess")
    return bool(access == "Disabled")
