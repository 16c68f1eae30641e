"""Two lists of resource states become `Changes`; every source ends here.

Where an engine has decided what happens to a resource, its word counts (`Decision`). Two bare exports have no engine:
there a resource is replaced if its identity in the cloud changed, or a property that the cloud does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from components.access import role_name
from rehearsal.graph import ENGINES_OWN, Graph, Resource
from rehearsal.report import Names
from review import effects
from review.beyond import at, beyond, holds_secret
from review.errors import ReviewError
from review.model import Change, Changes, Op
from review.values import Difference, Secret, differences, shown, veiled
from review.waiting import settled

State = Mapping[str, Any]
"""One resource as a stack export has it."""

_OPTIONS: Final = ("protect", "retainOnDelete")
"""What the engine keeps about a resource without telling the cloud."""
_ALL_SECRET: Final = "kubernetes:core/v1:Secret"


@dataclass(frozen=True)
class Decision:
    """What the engine would do to a resource, and why."""

    op: Op
    was: str = ""
    """Its URN before, where an alias leads from another one."""
    forcing: tuple[str, ...] = ()
    """Paths because of which it is replaced."""
    touched: tuple[str, ...] = ()
    """Paths that would change; some because a secret did, or because the cloud has drifted."""


def compare(
    before: Sequence[State],
    after: Sequence[State],
    decided: Mapping[str, Decision] | None = None,
    *,
    around: Iterable[Mapping[str, Any]] = (),
    sealed: bool = False,
) -> Changes:
    """The changes from one list of states to another.

    Args:
        decided: what the engine would do, by URN as it is afterwards; None if no engine was asked.
        around: exports of other stacks, whose resources are called by name too.
        sealed: the engine had no secrets to compare, so that what it says of them is nothing.

    Raises:
        ReviewError: the states are of two projects or two stacks.
    """
    stack, project = _one_stack(before, after)
    old, new = _live(before), _live(after)
    graphs = Graph.of(_export(before)), Graph.of(_export(after))
    renamed = dict(_renamed(old, new, decided))
    made = []
    for urn in dict.fromkeys((*new, *(urn for urn in old if urn not in renamed.values()))):
        was = renamed.get(urn, urn)
        decision = decided.get(urn, Decision(Op.NONE)) if decided is not None else None
        if decision and sealed and urn in new and was in old:
            decision = _without_secrets(decision, old[was], new[urn])
        made.append(_change(old.get(was), new.get(urn), graphs, decision))
    found, waiting = settled(made, new)
    exports = [*around, *(_export(side) for side in (before, after) if side)]
    custom = sum(change.resource.custom for change in made)
    return Changes(
        stack=stack,
        project=project,
        changes=tuple(sorted(found, key=_order)),
        names=Names.of(exports, role_name),
        unchanged=custom - sum(change.resource.custom for change in found),
        waiting=tuple(sorted(waiting, key=_order)),
        before=graphs[0],
        after=graphs[1],
        sealed=sum(
            _sealed(_inputs(old[was]), _inputs(new[urn]))
            for urn in new
            if (sealed or decided is None) and (was := renamed.get(urn, urn)) in old
        ),
        states=(*after, *(old[urn] for urn in old if urn not in new and urn not in renamed.values())),
    )


def _one_stack(before: Sequence[State], after: Sequence[State]) -> tuple[str, str]:
    found = [tuple(side[0]["urn"].split("::")[:2]) for side in (before, after) if side]
    names = [(head.rpartition(":")[2], project) for head, project in found]
    if len(set(names)) > 1:
        (old_stack, old_project), (new_stack, new_project) = names
        if old_project != new_project:
            raise ReviewError(
                f"One side is of the project {old_project}, the other of {new_project}. "
                "Compare two states of one project."
            )
        raise ReviewError(
            f"One side is of the stack {old_stack}, the other of {new_stack}. Compare two states of one stack."
        )
    return names[0] if names else ("", "")


def _export(states: Sequence[State]) -> dict[str, Any]:
    return {"deployment": {"resources": list(states)}}


def _live(states: Iterable[State]) -> dict[str, State]:
    return {
        state["urn"]: state for state in states if not state.get("delete") and not state["type"].startswith(ENGINES_OWN)
    }


def _change(old: State | None, new: State | None, graphs: tuple[Graph, Graph], decided: Decision | None) -> Change:
    before, after = (_side(state, graph) for state, graph in zip((old, new), graphs, strict=True))
    found = tuple(_differences(old, new, decided)) if old and new else ()
    op = _op(old, new, found, decided)
    if new:
        found = effects.marked(op, new["type"], found, decided.forcing if decided else None)
    component = _component(new, graphs[1]) if new else _component(old, graphs[0])
    was = ""
    if old and new and old["urn"] != new["urn"]:
        was = "/".join(filter(None, (_component(old, graphs[0]), _last(old["urn"]))))
    return Change(op, component, before, after, found, was)


def _op(old: State | None, new: State | None, found: Sequence[Difference], decided: Decision | None) -> Op:
    if old is None:
        return Op.CREATE
    if new is None:
        return Op.DELETE
    if decided and decided.op in (Op.REPLACE, Op.CREATE, Op.DELETE):
        return decided.op
    if decided is None and effects.remade(old, new, found):
        return Op.REPLACE
    if found:
        return Op.UPDATE
    # An update of which nothing is left is one of order: the cloud would be told what it knows.
    return Op.RENAME if old["urn"] != new["urn"] else Op.NONE


def _differences(old: State, new: State, decided: Decision | None) -> Iterator[Difference]:
    before, after = (_inputs(state) for state in (old, new))
    found = tuple(differences(before, after))
    yield from found
    if decided:
        explained = {each.pattern for each in found}
        yield from beyond(before, after, old.get("outputs") or {}, decided.touched, explained)
    for option in _OPTIONS:
        if bool(old.get(option)) != bool(new.get(option)):
            yield Difference(f"({option})", bool(old.get(option)), bool(new.get(option)))


def _without_secrets(decision: Decision, old: State, new: State) -> Decision:
    """What is left of the engine's word when it had other secrets to compare than the real ones."""
    before, after = _inputs(old), _inputs(new)

    def readable(path: str) -> bool:
        return not any(holds_secret(at(side, path)) for side in (before, after))

    forcing = tuple(filter(readable, decision.forcing))
    op = Op.UPDATE if decision.op is Op.REPLACE and decision.forcing and not forcing else decision.op
    return Decision(op, decision.was, forcing, tuple(filter(readable, decision.touched)))


def _inputs(state: State) -> Any:
    return veiled(state.get("inputs") or {}, all_secret=state["type"] == _ALL_SECRET)


def _side(state: State | None, graph: Graph) -> Resource | None:
    """The resource with its real name, but with the properties that the program declares."""
    if state is None:
        return None
    known = graph.by_urn[state["urn"]]
    # The cloud may be the only one to tell the name, so it is taken along.
    return replace(known, properties={"name": known.name, **shown(_inputs(state))})


def _component(state: State | None, graph: Graph) -> str:
    """Names of the components around a resource; where a source leaves them out, their types."""
    if state is None:
        return ""
    names: list[str] = []
    parent = state.get("parent", "")
    while parent in graph.by_urn:
        above = graph.by_urn[parent]
        if not above.custom:
            names.append(above.logical_name)
        parent = above.parent
    if names or not parent:
        return "/".join(reversed(names))
    chain = state["urn"].split("::")[2].split("$")[:-1]
    types = [type_.rpartition(":")[2] for type_ in chain if not type_.startswith(ENGINES_OWN)]
    return "/".join((*types[:-1], _last(parent))) if types else ""


def _last(urn: str) -> str:
    return urn.rpartition("::")[2]


def _renamed(
    old: Mapping[str, State], new: Mapping[str, State], decided: Mapping[str, Decision] | None
) -> Iterator[tuple[str, str]]:
    """URNs of now with the URNs of before: the engine's word, an alias, or one entry of one state."""
    gone = {urn: state for urn, state in old.items() if urn not in new}
    for urn, state in new.items():
        if urn in old:
            continue
        said = decided[urn].was if decided and urn in decided else ""
        aliases = [said, *(state.get("aliases") or ())]
        found = next((alias for alias in aliases if alias in gone), "") or (
            "" if decided else next((was for was, before in gone.items() if _one_entry(before, state)), "")
        )
        if found:
            del gone[found]
            yield urn, found


def _one_entry(old: State, new: State) -> bool:
    """The engine stamps an entry when it makes it, to the nanosecond, and an alias keeps the entry."""
    keys = ("type", "id", "created")
    return bool(old.get("created")) and all(old.get(key) == new.get(key) for key in keys)


def _sealed(old: Any, new: Any) -> int:
    if isinstance(old, Secret) and isinstance(new, Secret):
        return int(not old.digest or not new.digest)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return sum(_sealed(old[key], new[key]) for key in old.keys() & new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return sum(map(_sealed, old, new))
    return 0


def _order(change: Change) -> tuple[str, bool, str, str, str]:
    resource = change.resource
    return change.component, resource.custom, resource.short_type, resource.name, resource.urn
