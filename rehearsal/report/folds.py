"""What the tree tells in one line although it is many resources: files, gates, authorisations, policies, people.

Each line is told by what it is about, because the names of its resources say no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rehearsal.delivery import gates, people, pipelines, repositories
from rehearsal.delivery.index import SEED, USE, Index, Thing
from rehearsal.graph import Graph, Resource
from rehearsal.words import count

Group = Sequence[Resource]


@dataclass(frozen=True)
class Line:
    """One line of the tree: what kind of thing, its name, what matters about it, and the resources behind it."""

    kind: str
    name: str
    told: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True)
class Fold:
    """Resources that are told together, those about the same thing in one line of this kind."""

    kind: str
    holds: Callable[[Resource], bool]
    about: Callable[[Index, Graph, Resource], Thing]
    name: Callable[[Thing, Group], str]
    told: Callable[[Index, Graph, Thing, Group], str]


def is_folded(resource: Resource) -> bool:
    """Whether the tree tells the resource together with others, without its own name."""
    return any(fold.holds(resource) for fold in FOLDS)


def folded(resources: Iterable[Resource], index: Index, graph: Graph) -> tuple[Line, ...]:
    """The lines of those siblings that are told together."""
    found: dict[tuple[str, str, str], tuple[Fold, Thing, list[Resource]]] = {}
    for resource in resources:
        for fold in FOLDS:
            if fold.holds(resource):
                thing = fold.about(index, graph, resource)
                found.setdefault((fold.kind, thing.area, thing.id), (fold, thing, []))[2].append(resource)
    return tuple(
        Line(fold.kind, fold.name(thing, group), fold.told(index, graph, thing, group), tuple(group))
        for fold, thing, group in found.values()
    )


def _words(thing: Thing, group: Group) -> str:
    return thing.words


def _seeded(index: Index, graph: Graph, seed: Resource) -> Thing:
    return index.thing("repository", seed.get("repositoryId", ""), graph.stack)


def _standing(index: Index, graph: Graph, thing: Thing, group: Group) -> str:
    """The gates in the order in which the summary has them."""
    before = next(each for each in gates.gated(index, graph) if each.thing.key == thing.key)
    among = {check.urn for check in group}
    return ", ".join(gate.sign for gate in before.gates if gate.resource.urn in among)


def _allowed(index: Index, graph: Graph, thing: Thing, group: Group) -> str:
    among = {each.urn for each in group}
    found = tuple(use for use in pipelines.uses(index, graph) if use.resource.urn in among)
    return f"for {', '.join(pipelines.users(index, found, thing, graph.stack))}"


def _guarded(index: Index, graph: Graph, policy: Resource) -> Thing:
    return index.thing("repository", next(iter(repositories.scopes(policy)), ""), graph.stack)


def _guards(index: Index, graph: Graph, thing: Thing, group: Group) -> str:
    ordered = sorted(group, key=repositories.place)
    return "; ".join(repositories.sign(index, each, graph.stack) for each in ordered)


def _held(index: Index, graph: Graph, thing: Thing, group: Group) -> str:
    return ", ".join(sorted(people.role(index, each, graph.stack) for each in group))


FOLDS: Final = (
    Fold(
        "GitRepositoryFile",
        holds=lambda resource: resource.kind == SEED,
        about=_seeded,
        name=lambda _, group: f"{count(len(group), 'file')} seeded",
        told=lambda index, graph, thing, _: f"into {thing.name}",
    ),
    Fold("Check", holds=gates.is_gate, about=lambda i, g, r: gates.target(i, r, g.stack), name=_words, told=_standing),
    Fold(
        "PipelineAuthorization",
        holds=lambda resource: resource.kind == USE,
        about=lambda index, graph, resource: pipelines.used(index, graph, resource),
        name=_words,
        told=_allowed,
    ),
    Fold("BranchPolicy", holds=repositories.is_policy, about=_guarded, name=_words, told=_guards),
    Fold(
        "SecurityroleAssignment",
        holds=people.is_role,
        about=lambda index, graph, resource: people.target(index, resource, graph.stack),
        name=_words,
        told=_held,
    ),
)
