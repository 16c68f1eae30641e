"""The boxes on the way from a pull request to production: repositories, pipelines, registries, environments.

Each stands for all that hangs on it, gates and rights above all: a gate is a badge on the box that it stands before,
and one that production lacks is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rehearsal.delivery import gates, repositories, rights
from rehearsal.delivery.connections import Connection, connections, roles_on
from rehearsal.delivery.gates import Gated, gated
from rehearsal.delivery.index import ENVIRONMENT, FACTS, GROUP, MEMBERS, Index, Thing, area_of
from rehearsal.delivery.pipelines import Pipeline, Use, pipelines, users, uses
from rehearsal.delivery.repositories import Repository
from rehearsal.graph import Resource
from rehearsal.topology.nodes import Node
from rehearsal.topology.stack import Stack
from rehearsal.words import count, counted, last

PRODUCTION: Final = "production"
_WANTED: Final = {repositories.BUILD: "NO BUILD", repositories.REVIEW: "NO REVIEW"}
_HANGS_ON_OTHERS: Final = ("endpoint", "environment", "variablegroup", "queue")


@dataclass(frozen=True)
class Delivery:
    """All stacks, as the way is read from them."""

    stacks: Mapping[str, Stack]

    @cached_property
    def index(self) -> Index:
        return Index({name: stack.graph for name, stack in self.stacks.items()})

    @cached_property
    def pipelines(self) -> Mapping[str, Pipeline]:
        return {each.definition.id: each for each in reversed(pipelines(self.index))}

    @cached_property
    def uses(self) -> Mapping[str, tuple[Use, ...]]:
        return {name: uses(self.index, stack.graph) for name, stack in self.stacks.items()}

    @cached_property
    def connections(self) -> Mapping[str, tuple[Connection, ...]]:
        return {name: connections(self.index, stack.graph) for name, stack in self.stacks.items()}

    def environments(self, stack: Stack) -> tuple[Gated, ...]:
        return tuple(
            each
            for each in gated(self.index, stack.graph)
            if each.thing.resource and each.thing.resource.kind == ENVIRONMENT
        )

    def repositories(self, stack: Stack) -> tuple[Repository, ...]:
        return repositories.repositories(stack.graph, tuple(self.pipelines.values()))


def repository(delivery: Delivery, stack: Stack, found: Repository, stations: Iterable[str]) -> Node:
    """A repository with what a change of its branch has to pass; `stations` are pipelines that have a box of theirs."""
    checks = [each for each in delivery.pipelines.values() if each.repository.key == found.thing.key]
    inside = [each for each in checks if each.definition.id not in stations]
    of_checks = [part for each in inside for part in (each.definition, *_own_uses(delivery, each.definition.id))]
    if found.thing.resource:
        return stack.node(
            "station",
            found.thing.resource,
            (*found.policies, *found.seeds, *of_checks),
            label="Pull request to",
            aside=found.host,
            facts=(*_guards(delivery, stack, found), *_readers(delivery, stack, found)),
            badges=tuple(word for kind, word in _WANTED.items() if found.lacks(kind)),
        )
    return Node(
        key=f"way {found.name}",
        role="station foreign",
        label="Pull request to",
        name=found.name,
        aside=found.host,
        facts=("guarded there, not here",),
        tooltip="\n".join((f"Repository {found.name} on {found.host}", *map(stack.told, of_checks))),
        covers=tuple(urn for each in of_checks for urn in (each.urn, *stack.above(each))),
    )


def pipeline(delivery: Delivery, id_: str, signs_in: Iterable[Connection]) -> Node:
    """A pipeline with the connections that nothing else on the way stands for."""
    found = delivery.pipelines.get(id_)
    if found is None:
        return Node(
            key=pipeline_key(delivery, id_),
            role="station foreign",
            label="Pipeline",
            name=delivery.index.pipeline_name(id_) if id_ else "EVERY PIPELINE",
            facts=("of no stack in this picture",) if id_ else ("an authorisation names none",),
            tooltip=f"Pipeline {id_}\nof no stack in this picture" if id_ else "Every pipeline of the project",
        )
    stack = delivery.stacks[found.stack]
    return stack.node(
        "station",
        found.definition,
        _own_uses(delivery, id_),
        label="Pipeline",
        facts=(f"started by {' or '.join(found.starts) or 'a person'}",),
        children=tuple(connection(delivery, stack, each, found.name) for each in signs_in),
    )


def pipeline_key(delivery: Delivery, id_: str) -> str:
    found = delivery.pipelines.get(id_)
    return found.definition.urn if found else f"way pipeline {id_}"


def registry(delivery: Delivery, id_: str) -> Node:
    """A registry once more: what it is like stands in the environment that owns it."""
    owner = delivery.index.owner_at(id_)
    tier = delivery.stacks[owner].graph.tier if owner else ""
    return Node(
        key=registry_key(id_),
        role="station" if owner else "station foreign",
        label=f"Container registry of {owner}" if owner else "Container registry of no stack in this picture",
        name=f"{tier} registry".strip(),
        aside=last(id_),
        tooltip=f"Container registry {last(id_)}\n{id_}",
    )


def registry_key(id_: str) -> str:
    return f"way {id_.lower()}"


def promotion(delivery: Delivery, stack: Stack, found: Connection) -> Node:
    """What brings images from one registry to another."""
    return stack.node(
        "station",
        found.resource,
        found.parts,
        label="Promotion",
        aside=_who(found),
        facts=(
            "may read and import images",
            *(
                f"of {last(id_)}{rights.reach(id_, delivery.index, stack.name)}"
                for id_ in found.scopes(rights.IMPORTER)
            ),
            *(rights.short(each, delivery.index, stack.name) for each in found.grants if not _imports(each)),
            f"for {_users(delivery, stack, found.gated.thing)}",
        ),
        badges=badges(stack, found.gated),
    )


def environment(delivery: Delivery, stack: Stack, before: Gated, signs_in: Iterable[Connection]) -> Node:
    """An environment with its gates, and the connections that its releases use."""
    assert before.thing.resource
    allowed = delivery.uses[stack.name]
    facts = [Thing(area_of(each), each.id, each.name, each) for each in stack.of(FACTS)]
    keys = {before.thing.key, *(each.key for each in facts)}
    known = (
        *(gate.resource for gate in before.gates),
        *(use.resource for use in allowed if use.thing.key in keys),
        *roles_on(before, delivery.index, stack.graph),
        *stack.of(FACTS, GROUP, MEMBERS),
    )
    told = [
        f"{counted(each.resource.get('variables'), 'fact')} for {_users(delivery, stack, each)}"
        for each in facts
        if each.resource
    ]
    for_ = _users(delivery, stack, before.thing)
    return stack.node(
        "station",
        before.thing.resource,
        known,
        label="Environment",
        aside=stack.graph.tier,
        facts=(f"for {for_}", *told),
        badges=badges(stack, before),
        children=tuple(connection(delivery, stack, each, for_, before) for each in signs_in),
    )


def connection(delivery: Delivery, stack: Stack, found: Connection, usual: str, like: Gated | None = None) -> Node:
    """Who a pipeline is to Azure, and what that may do. Who may use it is said where that is not the `usual` pipeline,
    and the gates before it where they are not those of `like`."""
    for_ = _users(delivery, stack, found.gated.thing)
    alike = like is not None and found.gated.rules == like.rules
    return stack.node(
        "identity",
        found.resource,
        found.parts,
        name=f"by {found.resource.name}",
        aside=_who(found),
        facts=(*_able(delivery, stack, found), *([] if for_ == usual else [f"for {for_}"])),
        badges=() if alike else badges(stack, found.gated),
    )


def badges(stack: Stack, before: Gated) -> tuple[str, ...]:
    """The gates that stand, and those that should."""
    wanted = gates.OF_PRODUCTION if stack.graph.tier == PRODUCTION else (gates.BRANCH,)
    return (*(gate.sign for gate in before.gates), *(f"NO {name.upper()}" for name in before.lacks(wanted)))


def _users(delivery: Delivery, stack: Stack, thing: Thing) -> str:
    return ", ".join(users(delivery.index, delivery.uses[stack.name], thing, stack.name)) or "NO PIPELINE"


def _own_uses(delivery: Delivery, id_: str) -> list[Resource]:
    """Authorisations of a pipeline for what has no box on the way."""
    stack = delivery.pipelines[id_].stack
    return [
        use.resource
        for use in delivery.uses[stack]
        if use.pipeline == id_ and (use.thing.area not in _HANGS_ON_OTHERS or use.thing.resource is None)
    ]


def _imports(grant: Resource) -> bool:
    return rights.role(grant) == rights.IMPORTER


def _who(found: Connection) -> str:
    """The identity that a connection signs in as."""
    return found.identity.name if found.identity else "NOBODY THAT IS KNOWN"


def _able(delivery: Delivery, stack: Stack, found: Connection) -> tuple[str, ...]:
    told = sorted(rights.short(each, delivery.index, stack.name) for each in found.grants)
    return tuple(told) or ("may do nothing",)


def _guards(delivery: Delivery, stack: Stack, found: Repository) -> list[str]:
    """The policies of the branch, in pieces that lines can be made of."""
    told = repositories.policies(delivery.index, found, stack.name)
    return [piece for each in told for piece in each.split(", ")]


def _readers(delivery: Delivery, stack: Stack, found: Repository) -> Iterator[str]:
    if found.seeds:
        yield f"{count(len(found.seeds), 'file')} seeded"
    if readers := users(delivery.index, delivery.uses[stack.name], found.thing, stack.name):
        yield f"templates for {', '.join(readers)}"
