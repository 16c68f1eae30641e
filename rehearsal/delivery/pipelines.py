"""The pipelines: what starts each, and what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rehearsal.delivery import starts
from rehearsal.delivery.index import FACTS, PIPELINE, POOL, SEED, USE, Index, Thing
from rehearsal.delivery.starts import Starts
from rehearsal.graph import Graph, Resource

VALIDATION: Final = "index:BranchPolicyBuildValidation"


@dataclass(frozen=True)
class Pipeline:
    """One build definition. `stack` owns it."""

    index: Index
    stack: str
    definition: Resource

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def on_github(self) -> bool:
        return str(self.definition.get("repository.repoType", "")).startswith("GitHub")

    @property
    def path(self) -> str:
        """Of its YAML, in its repository."""
        return str(self.definition.get("repository.ymlPath", "")).lstrip("/")

    @property
    def repository(self) -> Thing:
        return self.index.thing("repository", self.definition.get("repository.repoId", ""), self.stack)

    @cached_property
    def seed(self) -> Resource | None:
        """The YAML that the repository was seeded with. It is the team's from then on, and may have changed."""
        found = (
            each
            for each in self._graph.of_kind(SEED)
            if str(each.get("repositoryId")) == self.repository.id and str(each.get("file")).lstrip("/") == self.path
        )
        return next(found, None)

    @cached_property
    def yaml(self) -> Starts | None:
        """What the YAML says, where an export has it."""
        return starts.read(str(self.seed.get("content", "")), self.on_github) if self.seed else None

    @cached_property
    def validates(self) -> tuple[Resource, ...]:
        """The policies of branches that it has to satisfy, which is what starts it in Azure Repos."""
        return tuple(
            each
            for each in self._graph.of_kind(VALIDATION)
            if str(each.get("settings.buildDefinitionId")) == self.definition.id and each.get("enabled", True)
        )

    @property
    def starts(self) -> tuple[str, ...]:
        """In words; without YAML at hand, where it lies."""
        repositories = [
            self.index.thing("repository", scope.get("repositoryId", ""), self.stack).name
            for policy in self.validates
            for scope in policy.get("settings.scopes", [])
        ]
        told = [f"a pull request to {name}" for name in sorted(set(repositories))]
        if self.yaml:
            return (*told, *self.yaml.words)
        # A policy is all that starts a pipeline in Azure Repos whose YAML nobody has read.
        return tuple(told) or (f"what {self.path} of {self.repository.name} says",)

    @property
    def _graph(self) -> Graph:
        return self.index.graphs[self.stack]


@dataclass(frozen=True)
class Use:
    """One authorisation: `pipeline` (an id; empty for every pipeline of the project) may use `thing`."""

    pipeline: str
    thing: Thing
    resource: Resource


def pipelines(index: Index) -> tuple[Pipeline, ...]:
    """Those of all stacks, by stack and name."""
    return tuple(
        Pipeline(index, stack, definition)
        for stack, graph in index.graphs.items()
        for definition in sorted(graph.of_kind(PIPELINE), key=lambda each: (each.name, each.urn))
    )


def uses(index: Index, graph: Graph) -> tuple[Use, ...]:
    """What the authorisations of a stack allow."""
    found = (Use(_id(each.get("pipelineId")), used(index, graph, each), each) for each in graph.of_kind(USE))
    return tuple(sorted(found, key=lambda use: (use.thing.area, use.thing.name, use.pipeline)))


def used(index: Index, graph: Graph, authorization: Resource) -> Thing:
    area, id_ = str(authorization.get("type", "")), str(authorization.get("resourceId", ""))
    thing = index.thing(area, id_, graph.stack)
    # The queue of a managed pool is no resource; Azure makes it, and calls it like the pool.
    pools = [each for each in _siblings(graph, authorization) if each.kind == POOL] if area == "queue" else []
    return Thing(area, id_, pools[0].name, pools[0]) if pools else thing


def users(index: Index, found: tuple[Use, ...], thing: Thing, stack: str) -> tuple[str, ...]:
    """Names of the pipelines that may use a thing."""
    ids = (use.pipeline for use in found if use.thing.key == thing.key)
    return tuple(sorted(index.pipeline_name(id_, stack) if id_ else "EVERY PIPELINE" for id_ in ids))


def warnings(index: Index, graph: Graph) -> tuple[str, ...]:
    """What nobody should authorise."""
    told = [
        f"Every pipeline of the project may use {use.thing.words}: its authorisation names none."
        for use in uses(index, graph)
        if not use.pipeline
    ]
    told += [
        f"Every pipeline of the project may use variables {each.name}: the group is open."
        for each in sorted(graph.of_kind(FACTS), key=lambda each: each.urn)
        if each.get("allowAccess")
    ]
    return tuple(told)


def _siblings(graph: Graph, resource: Resource) -> Iterator[Resource]:
    return (each for each in graph.resources if each.parent == resource.parent)


def _id(value: Any) -> str:
    return "" if value in (None, "", 0) else str(value)
