"""Groups of Azure DevOps: who is in them, and which roles they hold on environments and connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rehearsal.delivery.index import GROUP, MEMBERS, ROLE, Index, Thing
from rehearsal.graph import Graph, Resource

ADMINISTRATOR: Final = "Administrator"
_AREAS: Final[Mapping[str, str]] = {
    "distributedtask.environmentreferencerole": "environment",
    "distributedtask.serviceendpointrole": "endpoint",
}


def called(index: Index, id_: Any, stack: str) -> str:
    """The name of whoever approves, is a member or holds a role; an id where nobody at hand has it."""
    group = index.group(id_, stack)
    if group is None:
        return str(id_)
    # A group of the directory is called by its object id, as in the settings and in grants.
    return f"group {group.get('originId')}" if is_of_directory(group) else group.name


def is_of_directory(group: Resource) -> bool:
    return str(group.get("origin", "")) == "aad"


def own_groups(graph: Graph) -> tuple[Resource, ...]:
    """The groups of the project that a stack makes, by name."""
    found = (each for each in graph.of_kind(GROUP) if not is_of_directory(each))
    return tuple(sorted(found, key=lambda each: (each.name, each.urn)))


def members(index: Index, group: Resource, graph: Graph) -> tuple[str, ...]:
    """Who is in a group, as far as the stack says it."""
    found = (
        member
        for each in graph.of_kind(MEMBERS)
        if each.get("group") == group.get("descriptor")
        for member in each.get("members", [])
    )
    return tuple(sorted(called(index, each, graph.stack) for each in found))


def is_role(resource: Resource) -> bool:
    return resource.kind == ROLE


def target(index: Index, assignment: Resource, stack: str) -> Thing:
    """What a role is on; Azure DevOps puts the project before its id."""
    scope = str(assignment.get("scope", ""))
    id_ = str(assignment.get("resourceId", "")).rpartition("_")[2]
    return index.thing(_AREAS.get(scope, scope), id_, stack)


def role_name(assignment: Resource) -> str:
    """An administrator can pass by every gate: that one is not overlooked."""
    held = str(assignment.get("roleName", "?"))
    return held.upper() if held == ADMINISTRATOR else held


def role(index: Index, assignment: Resource, stack: str) -> str:
    """Who has which role."""
    return f"{called(index, assignment.get('identityId', ''), stack)} as {role_name(assignment)}"


def warnings(index: Index, graph: Graph) -> tuple[str, ...]:
    """Who could pass by a gate or take it away."""
    return tuple(
        f"{called(index, each.get('identityId', ''), graph.stack)} administers "
        f"{target(index, each, graph.stack).words}: whoever does can pass by its gates."
        for each in sorted(filter(is_role, graph.resources), key=lambda each: each.urn)
        if each.get("roleName") == ADMINISTRATOR
    )
