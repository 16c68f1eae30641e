"""Properties whose new value nobody knows before `up`: which of them would really change, and which only wait.

The engine knows no output of a resource that is updated until it has been, so whatever takes one from it looks as if
it changed too; a role assignment even as if it were replaced. When the resource stays, such a value nearly always
does. So a value that is unknown only because of updates is told as waiting; one that comes from something new or
replaced is a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rehearsal.run import SECRET, UNKNOWN, may_come_to
from review.model import Change, Difference, Op

State = Mapping[str, Any]


def settled(changes: Sequence[Change], states: Mapping[str, State]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The changes that are some, and what merely waits; `states` are those of afterwards, by URN."""
    found = list(changes)
    while True:
        anew = {urn for each in found if each.op in (Op.CREATE, Op.REPLACE, Op.DELETE) for urn in _urns(each)}
        updated = {urn for each in changes if each.op in (Op.UPDATE, Op.REPLACE) for urn in _urns(each)} - anew
        fewer = [_without(each, states, anew, updated) for each in found]
        if fewer == found:
            break
        found = fewer
    before = {each.resource.urn: each for each in changes}
    waiting = tuple(
        replace(was, differences=tuple(diff for diff in was.differences if diff not in each.differences))
        for each in found
        if (was := before[each.resource.urn]) and _fewer(was, each)
    )
    return tuple(each for each in found if each.op is not Op.NONE), waiting


def _fewer(was: Change, each: Change) -> bool:
    return len(each.differences) < len(was.differences)


def _urns(change: Change) -> Iterator[str]:
    yield from (side.urn for side in (change.before, change.after) if side)


def _without(change: Change, states: Mapping[str, State], anew: set[str], updated: set[str]) -> Change:
    if change.op not in (Op.UPDATE, Op.REPLACE):
        return change
    state = states.get(change.resource.urn, {})
    left = tuple(each for each in change.differences if not _waits(each, state, anew, updated))
    if len(left) == len(change.differences):
        return change
    forced = any(each.forces for each in change.differences)
    op: Op = change.op
    if op is Op.REPLACE and forced and not any(each.forces for each in left):
        op = Op.UPDATE
    if op is Op.UPDATE and not left:
        op = Op.RENAME if change.was else Op.NONE
    return replace(change, op=op, differences=left)


def _waits(each: Difference, state: State, anew: set[str], updated: set[str]) -> bool:
    if each.before == each.after == SECRET:
        # The engine says that it changed; whether because nobody knows it yet, it does not say.
        sources = _sources(each, state)
        return bool(sources & updated) and not sources & anew
    if not _open(each.after) or not may_come_to(each.after, each.before):
        return False
    sources = _sources(each, state)
    return bool(sources) and not sources & anew


def _sources(each: Difference, state: State) -> set[str]:
    """What the property takes values from; the engine keeps that by top-level property."""
    key = each.path.partition(".")[0].partition("[")[0]
    return set((state.get("propertyDependencies") or {}).get(key) or ())


def _open(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_open, value.values()))
    return any(map(_open, value)) if isinstance(value, list) else value == UNKNOWN
