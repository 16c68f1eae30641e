"""From one version of the program to another: the doors ``export`` and ``against``.

    python -m rehearsal export FROM [STACK…]        in the checkout of the one
    python -m rehearsal against FROM TO [STACK…]    in the checkout of the other

Two versions of a program need two processes, and may differ in the stand-in too. So nothing but the engine's own
formats lies between them: stack exports in FROM, previews as `pulumi preview --json --show-sames` tells them in TO.
An export may as well be one of a real stack: what it says there is, exists for the preview.

What it does not do: it compares and judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rehearsal import toolchain
from rehearsal.cloud import Cloud, Estate, arm
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from rehearsal.preview import plan, stand_in
from rehearsal.program import ProgramError, Stack
from rehearsal.run import STACK_TYPE, Run, may_come_to, plain
from settings import Settings

ENGINE: Final = Path("build") / "review" / "engine"
"""Not where other rehearsals are: what those leave behind stays."""
REFERENCE: Final = "pulumi:pulumi:StackReference"
Export = Mapping[str, Any]


def export(root: Path, names: Sequence[str], to: Path, console: Console) -> None:
    """Updates the stacks on the stand-in cloud, and writes their exports.

    Raises:
        ProgramError, ToolchainError, WorkspaceError, EngineError: with a message for a person.
    """
    stacks = plan(root, names)
    to.mkdir(parents=True, exist_ok=True)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    cloud = stood_in(stacks)
    configs = {stack.name: stack.config for stack in stacks}
    with Rehearsal.open(root, root / ENGINE, cloud, configs=configs, cli=cli) as rehearsal:
        for stack in stacks:
            with console.progress(f"{stack.name}: update") as progress:
                rehearsal.update(stack.name, lambda n, name: progress.update(f"{n} resources  {name}"))
            rehearsal.export(stack.name, to / f"{stack.name}.json")


def preview(root: Path, names: Sequence[str], exports: Path, to: Path, console: Console) -> None:
    """Previews the stacks that have an export, in promotion order, and writes what the engine tells.

    Raises:
        ProgramError, ToolchainError, WorkspaceError, EngineError, StateError: with a message for a person.
    """
    known = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(exports.glob("*.json"))}
    stacks = plan(root, names)
    lent = {stack.name: lent_by(stack.name, known) for stack in stacks if stack.name not in known}
    to.mkdir(parents=True, exist_ok=True)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    cloud = stood_in(stacks, known.values())
    configs = {stack.name: stack.config for stack in stacks}
    with Rehearsal.open(root, root / ENGINE, cloud, configs=configs, cli=cli) as rehearsal:
        for name, state in lent.items():
            rehearsal.take(name, state)
        for place, stack in enumerate(stacks):
            if stack.name not in known:
                continue
            if resources(known[stack.name]):
                rehearsal.take(stack.name, known[stack.name])
            with console.progress(f"{stack.name}: preview") as progress:
                run, told = rehearsal.told(stack.name, lambda n, name: progress.update(f"{n} resources  {name}"))
            (to / f"{stack.name}.json").write_text(json.dumps(told), "utf-8")
            leaning = [each.name for each in stacks[place + 1 :] if stack.name in each.settings.leans_on]
            if leaning and tells_more(run, outputs(known[stack.name])):
                _go_on(rehearsal, stack.name, leaning, console)


def stood_in(stacks: Iterable[Stack[Settings]], exports: Iterable[Export] = ()) -> Cloud:
    """A cloud in which there is what the exports say, in whatever subscription.

    Where a change is looked at from says nothing about it, so private API servers answer.
    """
    cloud = stand_in(stack.settings for stack in stacks)
    cloud.kubernetes.inside_network = True
    for each in exports:
        states = plain(resources(each))
        ids = {arm.subscription_of(str(state.get("id"))) for state in states if arm.is_id(state.get("id"))}
        cloud.admit(Estate(cloud.estate.tenant_id, frozenset(ids)))
        cloud.adopt(states)
    return cloud


def tells_more(run: Run, before: Mapping[str, Any]) -> bool:
    """Whether the stack will tell others something else. What is only updated keeps what nobody knows before `up`."""
    kept = all(op in ("same", "read", "update") for op, number in run.changes.items() if number)
    return not may_come_to(run.outputs, before) if kept else run.outputs != before


def outputs(export: Export) -> Mapping[str, Any]:
    """What the stack tells others, secrets masked."""
    found = (plain(state.get("outputs") or {}) for state in resources(export) if state["type"] == STACK_TYPE)
    return next(found, {})


def lent_by(name: str, exports: Mapping[str, Export]) -> dict[str, Any]:
    """A stack of which nothing is known but what it told others: they keep that in their own state.

    Raises:
        ProgramError: none of them has read it.
    """
    for each in exports.values():
        for state in resources(each):
            if state["type"] == REFERENCE and str(state.get("id", "")).endswith(f"/{name}"):
                urn = str(state["urn"])
                _, project, _ = urn.removeprefix("urn:pulumi:").split("::", 2)
                told = (state.get("outputs") or {}).get("outputs") or {}
                made = f"urn:pulumi:{name}::{project}::{STACK_TYPE}::{project}-{name}"
                own = {"urn": made, "custom": False, "type": STACK_TYPE, "outputs": told}
                return {"version": 3, "deployment": {"manifest": each["deployment"]["manifest"], "resources": [own]}}
    leaning = ", ".join(exports)
    raise ProgramError(
        [f"{leaning} reads {name}, and no export says what {name} tells. Name an export of {name} as well."]
    )


def resources(export: Export) -> list[Mapping[str, Any]]:
    return export["deployment"].get("resources") or []


def _go_on(rehearsal: Rehearsal, stack: str, leaning: Sequence[str], console: Console) -> None:
    """Updates a stack that will tell others something else, so that they read what they will read."""
    try:
        with console.progress(f"{stack}: update, because {', '.join(leaning)} reads what it tells") as progress:
            rehearsal.update(stack, lambda n, name: progress.update(f"{n} resources  {name}"))
    except EngineError as error:
        console.say(f"{', '.join(leaning)} is previewed against {stack} as it was: {error}")
