"""What somebody does past the program: looks at things, changes one, deletes one.

All three services at once, because a person knows a name and not where its thing lies. A delete is judged as the
service judges it (locks, use). A change is not: much of what drifts is the service's own doing. It must only fit what
stands there now, and must not make another resource of it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.delivering import KINDS as DELIVERY
from rehearsal.cloud.model import Cloud
from rehearsal.cloud.replacements import touches
from rehearsal.cloud.values import placed, reached
from rehearsal.cloud.world import Resource

_OBJECT_ADDRESS = ("apiVersion", "kind", "metadata.name", "metadata.namespace")


class ByHandError(ValueError):
    """What was asked cannot be done; the message says why and what can."""


@dataclass(frozen=True)
class Thing:
    """One thing that exists, and where: `cluster` is the id of the cluster it lives in, if it does."""

    resource: Resource
    cluster: str = ""

    @property
    def id(self) -> str:
        return f"{self.cluster}/{self.resource.id}" if self.cluster else self.resource.id


def things(cloud: Cloud) -> Iterator[Thing]:
    """All that was made here, in the order of its making, service after service."""
    yield from (Thing(found) for found in cloud.resources.values())
    yield from (Thing(found) for found in cloud.devops.resources.values())
    resources = cloud.resources
    for cluster, held in cloud.kubernetes.held().items():
        yield from (Thing(found, resources[cluster].id) for found in held)


def matching(cloud: Cloud, pattern: str) -> list[Thing]:
    """The things of which id, name or type holds the pattern; `*` stands for anything, and case does not count."""
    wanted = f"*{pattern.lower()}*"
    return [
        thing
        for thing in things(cloud)
        if any(
            fnmatch.fnmatchcase(text.lower(), wanted) for text in (thing.id, thing.resource.name, thing.resource.type_)
        )
    ]


def one(cloud: Cloud, key: str) -> Thing:
    """The one thing of this id or name.

    Raises:
        ByHandError: there is none, or there are several of that name.
    """
    every = list(things(cloud))
    found = [thing for thing in every if arm.same(thing.id, key)]
    found = found or [thing for thing in every if arm.same(thing.resource.id, key)]
    found = found or [thing for thing in every if arm.same(thing.resource.name, key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ByHandError(f"{len(found)} things are called '{key}'. Name one by its id:\n{_lines(found)}")
    near = matching(cloud, key)
    hint = f"These have it in their id, name or type:\n{_lines(near)}" if near else "`cloud show` lists what does."
    raise ByHandError(f"nothing with the id or name '{key}' exists. {hint}")


def change(cloud: Cloud, thing: Thing, path: str, value: Any) -> Any:
    """Puts a value at a path of a thing's inputs; returns what stood there before.

    Raises:
        ByHandError: the value does not fit there, or would make it another resource.
    """
    resource = thing.resource
    for fixed in _address(thing):
        if touches(path, fixed):
            raise ByHandError(f"'{path}' is in the address of {thing.id}: with another one it is another resource.")
    try:
        before, holder = reached(resource.inputs, path)
    except LookupError as error:
        known = ", ".join(sorted(resource.inputs))
        raise ByHandError(f"{thing.id} has no '{path}': {error}. Its properties are: {known}.") from None
    if before is None and isinstance(holder, (list, tuple)):
        raise ByHandError(f"{thing.id} has no '{path}': the list there has {len(holder)} entries.")
    if before is not None and value is not None and _sort(before) != _sort(value):
        raise ByHandError(f"'{path}' of {thing.id} is {_sort(before)} ({before!r}), and {value!r} is {_sort(value)}.")
    if thing.cluster:
        cloud.kubernetes.drift(thing.cluster, resource.type_, resource.id, placed(resource.inputs, path, value))
    elif resource.type_ in DELIVERY:
        cloud.devops.drift(resource.type_, resource.id, placed(resource.inputs, path, value))
    else:
        cloud.drift(resource.id, path, value)
    return before


def delete(cloud: Cloud, thing: Thing) -> None:
    """Deletes a thing.

    Raises:
        CloudError: the service refuses.
    """
    resource = thing.resource
    if thing.cluster:
        cloud.kubernetes.remove(thing.cluster, resource.type_, resource.id)
    elif resource.type_ in DELIVERY:
        cloud.devops.delete(resource.type_, resource.id)
    elif resource.type_ in AZURE:
        cloud.delete(resource.type_, resource.id)
    else:
        raise CloudError("NotImplemented", f"the stand-in does not know {resource.type_}")


def _address(thing: Thing) -> Sequence[str]:
    if thing.cluster:
        return _OBJECT_ADDRESS
    kind = AZURE.get(thing.resource.type_)
    if kind is None:
        return ("projectId",)
    return (*kind.addressing, *(("location",) if kind.located else ()))


def _sort(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    for types, word in (((int, float), "a number"), ((str,), "a text"), ((list, tuple), "a list")):
        if isinstance(value, types):
            return word
    return "a mapping"


def _lines(found: Sequence[Thing]) -> str:
    shown = [f"  {thing.id}" for thing in found[:10]]
    return "\n".join([*shown, *([f"  and {len(found) - 10} more"] if len(found) > 10 else [])])
