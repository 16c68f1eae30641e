"""Source: the steps that the engine takes in a preview, and the stack export that it took them on.

A step tells inputs, outputs and why something is replaced. Parents, protection and what a resource was called before
it does not tell: they are taken from the export, and for what is new, from its URN. So a preview in which protection
alone changes looks like one without a change, and must be compared by exports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.run import Step, plain
from review.compare import Decision, State, compare
from review.digest import OPS
from review.exports import states
from review.model import Changes, Op


def changes(export: Mapping[str, Any], steps: Sequence[Step]) -> Changes:
    """What the steps would make of the export. Raises ReviewError."""
    before = states(export, "the export")
    known = {state["urn"]: state for state in before if not state.get("delete")}
    was = dict(_renamed(known, steps))
    after: dict[str, State] = {}
    decided: dict[str, Decision] = {}
    for step in steps:
        op = OPS.get(step.op, Op.NONE)
        # Of a replacement, the step that deletes the old one says nothing of the new one.
        if op is not Op.DELETE and (step.new is not None or (step.urn in known and step.urn not in after)):
            after[step.urn] = _state(step, known.get(was.get(step.urn, step.urn)), was.values(), steps)
        if step.urn not in decided or decided[step.urn].op is not Op.REPLACE:
            decided[step.urn] = Decision(op, was.get(step.urn, ""), (), ())
        decided[step.urn] = _with(decided[step.urn], step)
    told = {step.urn for step in steps} | set(was.values())
    # The engine tells of every deletion, and with `--target` not of everything else.
    after |= {urn: state for urn, state in known.items() if urn not in told}
    return compare(before, list(after.values()), decided)


def _with(decision: Decision, step: Step) -> Decision:
    forcing = (path for path, kind in step.diff.items() if kind.endswith("replace"))
    return Decision(
        decision.op,
        decision.was,
        tuple(dict.fromkeys((*decision.forcing, *forcing))),
        tuple(dict.fromkeys((*decision.touched, *step.diff))),
    )


def _state(step: Step, old: State | None, renamed: Any, steps: Sequence[Step]) -> State:
    kept = {} if old is None else {key: old[key] for key in ("id", "protect", "retainOnDelete") if key in old}
    parent = old.get("parent", "") if old is not None and old["urn"] == step.urn else _parent(step.urn, steps)
    return {
        **kept,
        "urn": step.urn,
        "type": step.type,
        "custom": old.get("custom") if old else not step.type.startswith("aks-cicd:"),
        "parent": parent,
        "inputs": (old or {}).get("inputs", {}) if step.new is None else step.new,
        "outputs": (old or {}).get("outputs", {}) if step.outputs is None else step.outputs,
    }


def _parent(urn: str, steps: Sequence[Step]) -> str:
    """The only resource of the types that the URN gives its parent; empty if there are several."""
    chain = urn.split("::")[2].rpartition("$")[0]
    above = {step.urn for step in steps if chain and step.urn.split("::")[2] == chain}
    return above.pop() if len(above) == 1 else ""


def _renamed(known: Mapping[str, State], steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """A step of a resource that the engine knows, under a URN that the export does not have, came by an alias."""
    told = {step.urn for step in steps}
    left = {urn: state for urn, state in known.items() if urn not in told}
    for step in steps:
        if step.urn in known or OPS.get(step.op) not in (Op.NONE, Op.UPDATE):
            continue
        alike = [
            urn
            for urn, state in left.items()
            if state["type"] == step.type and plain(state.get("inputs") or {}) == (step.old or {})
        ]
        same_name = [urn for urn in alike if urn.rpartition("::")[2] == step.name]
        if found := same_name or alike:
            del left[found[0]]
            yield step.urn, found[0]
