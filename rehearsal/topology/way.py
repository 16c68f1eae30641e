"""The way from a pull request to production, across all stacks: its stations in order, and what leads from one to the
next.

Every link has its evidence in an export: a pipeline is built from a repository, its YAML names what starts it, a grant
lets it push, import or pull, an authorisation lets it use a connection or an environment. Without the evidence there is
no link. What it does not do: it says nothing of the order of stages inside a pipeline, which its templates decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rehearsal.delivery import rights
from rehearsal.delivery.connections import Connection
from rehearsal.delivery.index import EXTENSION, PROJECT
from rehearsal.details import details
from rehearsal.graph import Resource
from rehearsal.topology import facts
from rehearsal.topology.nodes import Link, Node, Way
from rehearsal.topology.stack import Stack
from rehearsal.topology.stations import (
    Delivery,
    environment,
    pipeline,
    pipeline_key,
    promotion,
    registry,
    registry_key,
    repository,
)
from rehearsal.words import last

SETTINGS: Final = "index:ProjectPipelineSettings"


def way(stacks: Mapping[str, Stack]) -> Way | None:
    """The way through these stacks, in their order; None where none of them has anything to do with delivery."""
    delivery = Delivery(stacks)
    builders, releasers = _builders(delivery), _releasers(delivery)
    stations = {each.key: each for each in _stations(delivery, builders, releasers)}
    if not stations:
        return None
    links = (*_starts(delivery, builders), *_images(delivery, builders), *_runs(delivery))
    homes = [(stack, each) for stack in stacks.values() for each in stack.of(PROJECT, SETTINGS, EXTENSION)]
    return Way(
        facts=tuple(
            f"{each.short_type.lower()} {each.name}"
            for kind in (PROJECT, EXTENSION)
            for _, each in homes
            if each.kind == kind
        ),
        tooltip="\n".join(f"{stack.told(each)}\n{details(each)}" for stack, each in homes),
        covers=tuple(urn for stack, each in homes for urn in (each.urn, *stack.above(each))),
        stations=tuple(stations.values()),
        links=tuple(each for each in links if each.target in stations and each.sources[0] in stations),
    )


def _stations(delivery: Delivery, builders: Mapping[str, list[Connection]], releasers: list[str]) -> Iterator[Node]:
    """In the order in which a change passes them; a station that is met again is the same."""
    on_the_way = [*builders, *releasers]
    built_from = {delivery.pipelines[id_].repository.key for id_ in builders if id_ in delivery.pipelines}
    repositories = [(stack, each) for stack in delivery.stacks.values() for each in delivery.repositories(stack)]
    repositories.sort(key=lambda pair: pair[1].thing.key not in built_from)
    first = sum(each.thing.key in built_from for _, each in repositories)
    yield from (repository(delivery, stack, each, on_the_way) for stack, each in repositories[:first])
    yield from (pipeline(delivery, id_, pushing) for id_, pushing in builders.items())
    for pushing in builders.values():
        yield from (registry(delivery, id_) for each in pushing for id_ in each.scopes(rights.ACR_PUSH))
    yield from (pipeline(delivery, id_, ()) for id_ in releasers if id_ not in builders)
    for stack in delivery.stacks.values():
        yield from _of_environment(delivery, stack)
    yield from (repository(delivery, stack, each, on_the_way) for stack, each in repositories[first:])


def _of_environment(delivery: Delivery, stack: Stack) -> Iterator[Node]:
    """How images come to an environment, and the environment."""
    found = delivery.connections[stack.name]
    promoting = [each for each in found if each.scopes(rights.IMPORTER)]
    for each in promoting:
        source, target = _between(delivery, stack, each)
        yield from (registry(delivery, id_) for id_ in source)
        yield promotion(delivery, stack, each)
        yield from (registry(delivery, id_) for id_ in target)
    others = [each for each in found if each not in promoting and not each.scopes(rights.ACR_PUSH)]
    for n, gated in enumerate(delivery.environments(stack)):
        yield environment(delivery, stack, gated, others if n == 0 else ())


def _between(delivery: Delivery, stack: Stack, found: Connection) -> tuple[list[str], list[str]]:
    """The registries that a promotion reads, and those that it fills: its own stack's."""
    scopes = found.scopes(rights.IMPORTER)
    own = [id_ for id_ in scopes if delivery.index.owner_at(id_, stack.name) == stack.name]
    return [id_ for id_ in scopes if id_ not in own], own


def _builders(delivery: Delivery) -> dict[str, list[Connection]]:
    """Pipelines that may push images, with the connections that let them."""
    found: dict[str, list[Connection]] = {}
    for connections in delivery.connections.values():
        for each in connections:
            if each.scopes(rights.ACR_PUSH):
                for use in each.uses:
                    found.setdefault(use.pipeline, []).append(each)
    return found


def _releasers(delivery: Delivery) -> list[str]:
    """Pipelines that may deploy to an environment or promote to its registry."""
    ids = [use.pipeline for uses in delivery.uses.values() for use in uses if use.thing.area == "environment"]
    return list(dict.fromkeys(ids))


def _starts(delivery: Delivery, builders: Iterable[str]) -> Iterator[Link]:
    """What leads to a pipeline: a merge into the repository that it is built from, or the end of another one.

    What starts one whose YAML is not at hand is not known; what builds is tied to what it builds all the same.
    """
    for each in delivery.pipelines.values():
        key, said = each.definition.urn, each.yaml
        branches = " ".join(said.pushes) if said else ""
        origin = each.repository.resource.urn if each.repository.resource else f"way {each.repository.name}"
        if branches or (said is None and each.definition.id in builders):
            told = f"{each.name} is built from {each.repository.name} by {each.path}"
            yield Link("run", (origin,), key, f"a push to {branches}" if branches else "", told)
        for name, on in said.completions.items() if said else ():
            others = [
                other for other in delivery.pipelines.values() if other.name == name and other.stack == each.stack
            ]
            for other in others:
                told = f"The end of {name} on {' '.join(on)} starts {each.name}"
                yield Link("run", (other.definition.urn,), key, f"its end on {' '.join(on)}", told)


def _images(delivery: Delivery, builders: Mapping[str, list[Connection]]) -> Iterator[Link]:
    """What brings an image from where it is built to where it runs."""
    for id_, pushing in builders.items():
        for each in pushing:
            for registry_id in each.scopes(rights.ACR_PUSH):
                told = f"{_who(each)} pushes images to {last(registry_id)}"
                yield Link("images", (pipeline_key(delivery, id_),), registry_key(registry_id), "pushes", told)
    for stack in delivery.stacks.values():
        for each in delivery.connections[stack.name]:
            source, target = _between(delivery, stack, each)
            for registry_id in source:
                told = f"{_who(each)} reads {last(registry_id)}"
                yield Link("images", (registry_key(registry_id),), each.resource.urn, "reads", told)
            for registry_id in target:
                told = f"{_who(each)} imports into {last(registry_id)}"
                yield Link("images", (each.resource.urn,), registry_key(registry_id), "imports", told)
        for cluster, registry_id in pulled(stack):
            for before in delivery.environments(stack)[:1]:
                told = f"The kubelets of {cluster.name} pull images from {last(registry_id)}"
                key = before.thing.resource.urn if before.thing.resource else ""
                yield Link("images", (registry_key(registry_id),), key, "pulls", told)


def _runs(delivery: Delivery) -> Iterator[Link]:
    """What a pipeline may release to."""
    for stack in delivery.stacks.values():
        promoting = {each.resource.urn for each in delivery.connections[stack.name] if each.scopes(rights.IMPORTER)}
        for use in delivery.uses[stack.name]:
            target = use.thing.resource
            if not target or not (use.thing.area == "environment" or target.urn in promoting):
                continue
            released = "releases by its folder" if stack.of(facts.FLUX) else "deploys"
            word = released if use.thing.area == "environment" else "promotes"
            told = f"{delivery.index.pipeline_name(use.pipeline, stack.name)} may use {use.thing.words}"
            yield Link("run", (pipeline_key(delivery, use.pipeline),), target.urn, word, told)
        yield from _followed(delivery, stack)


def _followed(delivery: Delivery, stack: Stack) -> Iterator[Link]:
    """What a cluster that pulls fetches: the repository that its Flux follows."""
    addresses = [str(each.get("spec.url", "")) for each in stack.of(facts.FOLLOWED)]
    for home in delivery.stacks.values():
        for found in delivery.repositories(home):
            resource = found.thing.resource
            if not resource or not any(each.endswith(f"/_git/{found.name}") for each in addresses):
                continue
            for before in delivery.environments(stack)[:1]:
                if before.thing.resource:
                    told = f"Flux in {stack.name} follows {found.name} and applies what is there"
                    yield Link("run", (resource.urn,), before.thing.resource.urn, "is followed by Flux", told)


def pulled(stack: Stack) -> Iterator[tuple[Resource, str]]:
    """Clusters with the registries that their kubelets pull from."""
    for cluster in stack.of(facts.CLUSTER):
        kubelet = cluster.get("identityProfile.kubeletidentity.objectId")
        for grant in stack.of(facts.GRANT):
            if kubelet and rights.role(grant) == rights.ACR_PULL and grant.get("principalId") == kubelet:
                yield cluster, str(grant.get("scope", ""))


def _who(found: Connection) -> str:
    return found.identity.name if found.identity else found.resource.name
