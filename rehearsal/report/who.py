"""Who may do what: every identity of a stack, and everybody else that it grants something, with each right in words.

What it does not do: rights that somebody has from elsewhere (the subscription's owners, members of a group) stand in
no export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rehearsal.delivery import identities, people, rights
from rehearsal.delivery.gates import APPROVAL, Gated, approvers, gated
from rehearsal.delivery.index import GRANT, IDENTITY, Thing, together
from rehearsal.graph import Graph, Resource
from rehearsal.report.names import Names
from rehearsal.report.sections import Section, block


def who(graph: Graph, names: Names) -> Section:
    """Who, and who acts as that; below it one line for each right."""
    return Section("Who may do what", (*_principals(graph, names), *_groups(graph, names)))


def _principals(graph: Graph, names: Names) -> Iterator[str]:
    granted: defaultdict[str, list[Resource]] = defaultdict(list)
    for grant in graph.of_kind(GRANT):
        granted[names.principal(grant)].append(grant)
    own = {each.name: each for each in graph.of_kind(IDENTITY)}
    for name in sorted({*granted, *own}):
        if name in own:
            acting = " and ".join(identities.acting(names.index, graph, own[name])) or "nobody yet"
            as_ = f"  for {acting}"
        elif name in names.principals.values():
            as_ = ""
        else:
            as_ = f"  (granted by {_components(graph, granted[name])})"
        told = sorted(rights.told(each, names.granted(each), names.index, graph.stack) for each in granted[name])
        yield from block(name + as_, told or ["nothing"])


def _components(graph: Graph, grants: Iterable[Resource]) -> str:
    """Which parts of the program grant it: all there is to say of somebody whom no stack at hand has made."""
    above = (graph.component(each) for each in grants)
    return ", ".join(sorted({each.logical_name for each in above if each})) or "no component"


def _groups(graph: Graph, names: Names) -> Iterator[str]:
    """The project's own groups: what they approve, and which roles they hold."""
    index, stack = names.index, graph.stack
    standing = gated(index, graph)
    for group in people.own_groups(graph):
        approved = [each.thing for each in standing if group.name in _approvers(each, names, stack)]
        held: defaultdict[str, list[Thing]] = defaultdict(list)
        for each in filter(people.is_role, graph.resources):
            if people.called(index, each.get("identityId", ""), stack) == group.name:
                held[people.role_name(each)].append(people.target(index, each, stack))
        told = [f"approves {together(approved)}"] if approved else []
        told += [f"is {role} of {together(things)}" for role, things in sorted(held.items())]
        inside = ", ".join(people.members(index, group, graph)) or "nobody"
        yield from block(f"{group.name}  whose members are {inside}", told or ["nothing"])


def _approvers(each: Gated, names: Names, stack: str) -> tuple[str, ...]:
    checks = (gate.resource for gate in each.gates if gate.name == APPROVAL)
    return tuple(name for check in checks for name in approvers(names.index, check, stack))
