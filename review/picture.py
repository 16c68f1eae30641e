"""The topology of what is reviewed, with every part that changes marked: what goes is still there to be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rehearsal import topology
from rehearsal.run import UNKNOWN
from rehearsal.topology import Fate, Mark
from review.model import Change, Changes, Op

_FATES: Final[Mapping[Op, Fate]] = {
    Op.CREATE: Fate.NEW,
    Op.UPDATE: Fate.CHANGED,
    Op.REPLACE: Fate.REPLACED,
    Op.DELETE: Fate.GONE,
}
"""A new name in the program is none in the cloud."""


def picture(changes: Sequence[Changes]) -> str:
    """One SVG element, empty if nothing is known of any stack."""
    exports = {each.stack: {"deployment": {"resources": list(_afterwards(each))}} for each in changes if each.states}
    marks = {
        change.resource.urn: Mark(_FATES[change.op], change.told)
        for each in changes
        for change in each.changes
        if change.resource.custom and change.op in _FATES
    }
    return topology.inline(exports, marks) if exports else ""


def _afterwards(changes: Changes) -> Iterator[Mapping[str, Any]]:
    """The states with what would change in their outputs too: a picture shows those, and no `up` has answered yet."""
    changed = {each.resource.urn: each for each in changes.of(Op.UPDATE, Op.REPLACE)}
    for state in changes.states:
        yield _changed(state, changed[state["urn"]]) if state["urn"] in changed else state


def _changed(state: Mapping[str, Any], change: Change) -> Mapping[str, Any]:
    inputs, outputs = (state.get(side) or {} for side in ("inputs", "outputs"))
    keys = {each.path.partition(".")[0].partition("[")[0] for each in change.differences} & inputs.keys()
    return {**state, "outputs": {**outputs, **{key: _over(outputs.get(key), inputs[key]) for key in keys}}}


def _over(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: _over(old.get(key), inner) for key, inner in new.items()}}
    return old if new == UNKNOWN else new
