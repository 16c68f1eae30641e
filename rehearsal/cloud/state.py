"""The stand-in's state as plain data and back: all that exists, and nothing that follows from it.

What a resource refers to and which principals it brings is worked out again, so that no file can say otherwise. Faults
and delays are asked for by a run and end with it: they are not kept. Where the data lies is `rehearsal.memory`'s
business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from rehearsal.cloud.answers import Estate, Existing
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.azuredevops.kinds import USER
from rehearsal.cloud.azuredevops.organization import Organization
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.github import kinds as github
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.cloud.world import Resource, World, principals, references

VERSION: Final = 1
"""Raised by hand whenever an older state would be read wrongly; nothing converts."""

_ONLY_GIVEN: Final = frozenset({USER, github.USER})
"""Types that an estate may hold, and that no program declares."""


class StateError(ValueError):
    """The data is no state of this stand-in; the message says what is wrong with it."""


def check_version(state: Any) -> None:
    if not isinstance(state, dict) or "version" not in state:
        raise StateError("it is no state of the stand-in cloud: it has no version")
    if state["version"] != VERSION:
        raise StateError(f"it is of version {state['version']}, and this program reads version {VERSION}")


def load_secrets(state: Mapping[str, Any]) -> set[str]:
    return {str(text) for text in _list(state, "secrets")}


def dump_world(world: World) -> dict[str, Any]:
    return {
        "estate": dump_estate(world.estate),
        "resources": [dump_resource(found) for found in world.resources.values()],
        "reserved": [[arm_type, name, id] for (arm_type, name), id in world.reserved.items()],
        "inside": {id: [dump_resource(found) for found in held.values()] for id, held in world.inside.items() if held},
        "delivery": [dump_resource(found) for found in world.delivery.values()],
    }


def load_world(world: World, state: Mapping[str, Any]) -> None:
    """Puts what a state says in the place of all that a new world holds.

    Raises:
        StateError: the state is broken, or holds types that this stand-in does not know.
    """
    resources = [_azure(found) for found in _resources(_list(state, "resources"), AZURE)]
    world.resources = {found.id.lower(): found for found in resources}
    reserved = [_texts(entry, 3, "reserved") for entry in _list(state, "reserved")]
    world.reserved = {(arm_type, name): id for arm_type, name, id in reserved}
    world.inside = {
        id: {(found.type_, found.id): found for found in _resources(held, OBJECTS)}
        for id, held in _mapping(state, "inside").items()
    }
    world.delivery = {
        (found.type_, found.id): found for found in _resources(_list(state, "delivery"), {*DELIVERY, *_ONLY_GIVEN})
    }
    for id in world.inside:
        if id not in world.resources:
            raise StateError(f"'inside' holds objects of the cluster {id}, which is not among the resources")


def dump_estate(estate: Estate) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(Estate):
        value = getattr(estate, each.name)
        found[each.name] = sorted(value) if each.name != "delivery" and isinstance(value, frozenset) else value
    found["delivery"] = sorted([each.kind, each.id, each.name, each.project] for each in estate.delivery)
    return found


def load_estate(state: Mapping[str, Any]) -> Estate:
    given = _mapping(state, "estate")
    sets = {each.name for each in fields(Estate) if each.name not in ("tenant_id", "organization", "delivery")}
    if set(given) != {*sets, "tenant_id", "organization", "delivery"}:
        raise StateError(f"'estate' has the entries {', '.join(sorted(given))}, which are not those of an estate")
    return Estate(
        tenant_id=str(given["tenant_id"]),
        organization=str(given["organization"]),
        delivery=frozenset(Existing(*_texts(entry, 4, "estate.delivery")) for entry in _list(given, "delivery")),
        **{name: frozenset(str(value) for value in _list(given, name)) for name in sets},
    )


def dump_resource(resource: Resource) -> dict[str, Any]:
    found = {
        "type": resource.type_,
        "id": resource.id,
        "name": resource.name,
        "inputs": plain(resource.inputs),
        "outputs": plain(resource.outputs),
    }
    return {**found, "implied": sorted(resource.implied)} if resource.implied else found


def plain(value: Any) -> Any:
    """A value as JSON has it. Anything else in a resource (a value that is still unknown) is a bug, not a file."""
    if isinstance(value, Mapping):
        return {str(key): plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{value!r} cannot be kept")


def _resources(entries: Any, known: Iterable[str]) -> list[Resource]:
    found = []
    for entry in entries if isinstance(entries, list) else [entries]:
        texts = [entry.get(key) for key in ("id", "type", "name")] if isinstance(entry, Mapping) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise StateError(f"a resource needs an id, a type and a name; there is {str(entry)[:100]}")
        if entry["type"] not in known:
            raise StateError(f"{entry['id']} is of the type {entry['type']}, which this stand-in does not know")
        inputs, outputs = _mapping(entry, "inputs"), _mapping(entry, "outputs")
        implied = frozenset(str(id) for id in entry.get("implied", ()))
        found.append(Resource(entry["id"], entry["type"], entry["name"], inputs, outputs, implied))
    return found


def _azure(resource: Resource) -> Resource:
    """With what follows from its inputs and outputs."""
    return Resource(
        resource.id,
        resource.type_,
        resource.name,
        resource.inputs,
        resource.outputs,
        resource.implied,
        refers_to=frozenset(value.lower() for _, value in references(resource.inputs)),
        principals=principals(resource.outputs),
    )


def _texts(entry: Any, count: int, key: str) -> list[str]:
    if not isinstance(entry, list) or len(entry) != count or not all(isinstance(text, str) for text in entry):
        raise StateError(f"'{key}' must hold lists of {count} texts; there is {str(entry)[:100]}")
    return entry


def dump_organization(there: Organization) -> dict[str, Any]:
    """What is kept beside the resources themselves: which of them nobody declared, and which ids are used up."""
    return {
        "url": there.url,
        "owner": [there.owner, there.owner_id],
        "brought": [list(key) for key in sorted(there.brought)],
        "given": [list(key) for key in sorted(there.given)],
        "ended": dict(there.ended),
    }


def load_organization(there: Organization, state: Mapping[str, Any]) -> None:
    kept = _mapping(state, "organization")
    for key in ("brought", "given"):
        found = [_texts(entry, 2, f"organization.{key}") for entry in _list(kept, key)]
        setattr(there, key, {(type_, id) for type_, id in found})
    ended = _mapping(kept, "ended")
    if not all(isinstance(count, int) for count in ended.values()) or not isinstance(kept.get("url"), str):
        raise StateError("'organization' needs a url and, under 'ended', numbers")
    there.ended, there.url = ended, kept["url"]
    there.owner, there.owner_id = _texts(kept.get("owner", ["", ""]), 2, "organization.owner")


def _list(state: Mapping[str, Any], key: str) -> list[Any]:
    found = state.get(key)
    if not isinstance(found, list):
        raise StateError(f"'{key}' is {'missing' if found is None else 'not a list'}")
    return found


def _mapping(state: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = state.get(key)
    if not isinstance(found, dict):
        raise StateError(f"'{key}' is {'missing' if found is None else 'not a mapping'}")
    return found
