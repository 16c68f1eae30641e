"""What an engine's state says there is, as things that exist: a preview then goes on from a state of anybody's making.

A thing's outputs are those of the state, which another stand-in or a real cloud has given. What the stand-in does not
know is left out: nobody can ask it for that. What a service made along with a thing, and tells whoever asks by name, is
taken from who uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.azuredevops.kinds import PROJECT, QUEUE, DevOpsKind, token
from rehearsal.cloud.azuredevops.kinds import Request as DevOpsRequest
from rehearsal.cloud.azuredevops.organization import MANAGED_POOL, Organization
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.kinds import Kind, Request
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.values import lookup
from rehearsal.cloud.world import Resource, World, principals, references

State = Mapping[str, Any]
"""A resource as a stack export has it, secrets masked."""

_CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
_AUTHORIZATION: Final = token("PipelineAuthorization")


def adopt(world: World, there: Organization, states: Sequence[State]) -> None:
    """Puts the resources of one stack into the world."""
    made = [state for state in states if state.get("custom") and not state.get("delete")]
    for state in made:
        if kind := AZURE.get(state["type"]):
            world.put(_azure(kind, state, world))
        elif known := DELIVERY.get(state["type"]):
            for resource in _delivered(known, state, there):
                there.bring(resource)
            there.put(_plain(known.token, state, known.name_input))
    clusters = [state["id"] for state in made if state["type"] == _CLUSTER]
    for state in made:
        if clusters and state["type"] in OBJECTS:
            held = world.inside.setdefault(clusters[0].lower(), {})
            held[state["type"], state["id"]] = _plain(state["type"], state, None)
    for resource in (*_queues(made), *_projects(made)):
        there.bring(resource)


def _azure(kind: Kind, state: State, world: World) -> Resource:
    found = _plain(kind.token, state, kind.name_input)
    request = Request(kind, found.id, found.name, arm.subscription_of(found.id), found.inputs, world)
    return Resource(
        found.id,
        found.type_,
        found.name,
        found.inputs,
        found.outputs,
        implied=frozenset(value.lower() for value in kind.implies(request)),
        refers_to=frozenset(value.lower() for _, value in references(found.inputs)),
        principals=principals(found.outputs),
    )


def _delivered(kind: DevOpsKind, state: State, there: Organization) -> Iterator[Resource]:
    found = _plain(kind.token, state, kind.name_input)
    yield from kind.brings(DevOpsRequest(kind, found.id, found.name, found.inputs, there))


def _plain(token: str, state: State, name_input: str | None) -> Resource:
    inputs, outputs = state.get("inputs") or {}, state.get("outputs") or {}
    name = inputs.get(name_input) if name_input else lookup(inputs, "metadata.name")
    called = name if isinstance(name, str) else str(state["urn"]).rpartition("::")[2]
    return Resource(str(state["id"]), token, called, inputs, outputs)


def _queues(made: Sequence[State]) -> Iterator[Resource]:
    """The queue of a managed pool stands in no state: it is what a pipeline is authorised for because of the pool."""
    by_urn = {state["urn"]: state for state in made}
    for state in made:
        inputs = state.get("inputs") or {}
        if state["type"] != _AUTHORIZATION or inputs.get("type") != "queue":
            continue
        for urn in (state.get("propertyDependencies") or {}).get("resourceId") or ():
            pool = by_urn.get(urn)
            if pool and pool["type"] == MANAGED_POOL:
                name = str(pool["outputs"].get("name"))
                known = {"projectId": str(inputs.get("projectId")), "name": name}
                yield Resource(str(inputs["resourceId"]), QUEUE, name, known, {**known, "agentPoolId": 0})


def _projects(made: Sequence[State]) -> Iterator[Resource]:
    """The project may be another stack's: then nothing but its id is known."""
    ids = {str((state.get("inputs") or {}).get("projectId") or "") for state in made if state["type"] in DELIVERY}
    yield from (Resource(id_, PROJECT, id_, {"name": id_}, {"name": id_}) for id_ in sorted(ids - {""}))
