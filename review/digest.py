"""Source: what a real ``pulumi preview --json`` writes.

The format carries no version, so its shape is held against the one that this project's engine writes, and what does
not fit is refused rather than half understood. Write it with ``--show-sames``: without it, a protection that is
removed from a resource that otherwise stays does not appear there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from review.compare import Decision, State, compare
from review.errors import ReviewError
from review.exports import states
from review.model import Changes, Op

OPS: Final[Mapping[str, Op]] = {
    "same": Op.NONE,
    "read": Op.NONE,
    "refresh": Op.NONE,
    "create": Op.CREATE,
    "import": Op.CREATE,
    "update": Op.UPDATE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "import-replacement": Op.REPLACE,
    "read-replacement": Op.REPLACE,
    "remove-pending-replace": Op.REPLACE,
    "read-discard": Op.DELETE,
    "discard": Op.DELETE,
    "discard-replaced": Op.REPLACE,
    "delete": Op.DELETE,
}
"""The engine's steps. A replacement is up to three of them for one resource."""

_KEYS: Final = frozenset({"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"})
_AGAIN: Final = "Write it with the Pulumi CLI of this project: pulumi preview --json --show-sames"


def changes(
    digest: Mapping[str, Any],
    called: str = "the preview",
    *,
    export: Mapping[str, Any] | None = None,
    around: Iterable[Mapping[str, Any]] = (),
    sealed: bool = False,
) -> Changes:
    """The changes that a preview tells of.

    Args:
        called: the preview, in messages.
        export: the state that was previewed, where the engine was given another one (`review.handover`).
        around, sealed: as for `compare`.

    Raises:
        ReviewError: it is another version's JSON, or of a preview that failed or is not whole.
    """
    steps = told(digest, called)
    before: dict[str, State] = {}
    after: dict[str, State] = {}
    decided: dict[str, Decision] = {}
    for step in steps:
        old, new = step.get("oldState"), step.get("newState")
        op = OPS[step["op"]]
        if old:
            before.setdefault(old["urn"], old)
        if new and op is not Op.DELETE:
            after[new["urn"]] = new
        decided[step["urn"]] = _decision(decided.get(step["urn"]), step, op, old)
    for urn, decision in decided.items():
        # A preview may tell of a replacement by the deletion of the old one alone.
        if decision.op is Op.REPLACE and urn not in after and urn in before:
            after[urn] = before[urn]
    if export is not None:
        before = {state["urn"]: state for state in states(export, called) if not state.get("delete")}
    after = {urn: _whole(state, before.get(decided[urn].was or urn)) for urn, state in after.items()}
    return compare(list(before.values()), list(after.values()), decided, around=around, sealed=sealed)


def _whole(new: State, old: State | None) -> State:
    """A preview tells no outputs of the new side: until `up` says otherwise they are those of before."""
    return {**{key: old[key] for key in ("id", "outputs") if old and key in old}, **new}


def told(digest: Mapping[str, Any], called: str) -> Sequence[Mapping[str, Any]]:
    """The steps of a preview. Raises ReviewError as `changes`."""
    if strange := sorted(digest.keys() - _KEYS):
        if "sequence" in digest or "deployment" in digest:
            raise ReviewError(
                f"{called} is not what `pulumi preview --json` writes, but something else of it. {_AGAIN}"
            )
        raise ReviewError(
            f"{called} has {', '.join(strange)}, which previews did not have so far: "
            f"another version of the Pulumi CLI wrote it. {_AGAIN}"
        )
    failed = [each for each in digest.get("diagnostics") or () if each.get("severity") == "error"]
    if failed:
        raise ReviewError(f"{called} is of a preview that failed: {str(failed[0].get('message', '')).strip()}")
    if "changeSummary" not in digest:
        raise ReviewError(f"{called} has no changeSummary: the preview did not come to its end. {_AGAIN}")
    steps: Sequence[Mapping[str, Any]] = digest.get("steps") or []
    if problem := next(_problems(steps, digest["changeSummary"]), ""):
        raise ReviewError(f"{called} {problem}: another version of the Pulumi CLI wrote it, or it was cut. {_AGAIN}")
    return steps


def _problems(steps: Sequence[Mapping[str, Any]], summary: Mapping[str, int]) -> Iterator[str]:
    for step in steps:
        op, urn = step.get("op"), step.get("urn")
        if not urn:
            yield "has a step without a URN"
        if op not in OPS:
            yield f"has a step of a kind that is not known ({op})"
        for side in ("oldState", "newState"):
            if (state := step.get(side)) and not {"urn", "type"} <= state.keys():
                yield f"has a state without a URN or a type ({urn})"
        if not step.get("oldState") and not step.get("newState"):
            yield f"has a step without a state ({urn})"
    found = [OPS.get(step.get("op", "")) for step in steps]
    for op in (Op.CREATE, Op.UPDATE, Op.DELETE):
        if summary.get(op, 0) > found.count(op):
            yield f"counts {summary[op]} resources to {op}, and tells of {found.count(op)}"


def _decision(known: Decision | None, step: Mapping[str, Any], op: Op, old: State | None) -> Decision:
    detailed: Mapping[str, Any] = step.get("detailedDiff") or {}
    forcing = [path for path, diff in detailed.items() if str(diff.get("kind", "")).endswith("replace")]
    forcing += [] if forcing else list(step.get("replaceReasons") or ())
    was = old["urn"] if old and old["urn"] != step["urn"] else ""
    touched = tuple(detailed) or tuple(step.get("diffReasons") or ())
    if known and known.op is Op.REPLACE:
        return Decision(
            Op.REPLACE,
            known.was or was,
            tuple(dict.fromkeys((*known.forcing, *forcing))),
            tuple(dict.fromkeys((*known.touched, *touched))),
        )
    return Decision(op, was, tuple(forcing), touched)
