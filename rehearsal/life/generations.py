"""Act: an environment is taken down, leaves what it is meant to leave, and comes back under new names."""

from __future__ import annotations

import io
from typing import Any

from operations import retire
from operations.retire_stacks import RetireError, Stacks
from rehearsal.console import Console
from rehearsal.life.stage import Environment, Stage, listed
from rehearsal.life.up import bring


def play(stage: Stage) -> None:
    refused(stage)
    take_down(stage)
    born_again(stage)
    for stack in stage.stacks:
        bring(stage, stack, f", generation {generation(stage, stack)}")
    stage.expect_even()


def refused(stage: Stage) -> None:
    """Nobody takes down what another stack leans on."""
    for stack in stage.stacks:
        others = [each.name for each in stage.stacks if stack.name in each.settings.leans_on]
        if not others:
            continue
        try:
            retired(stage, stack)
        except RetireError as error:
            said = str(error).splitlines()[0]
            stage.expect(f"{stack.name}: retire is refused before others", others[0] in said, said)
        else:
            stage.expect(f"{stack.name}: retire is refused before others", False, "it was retired")


def take_down(stage: Stage) -> None:
    """All stacks, those that lean on others first."""
    for stack in reversed(stage.stacks):
        kept = {str(state["id"]) for state in states(stage, stack) if state.get("retainOnDelete")}
        stage.say(retired(stage, stack))
        stage.stays |= kept
        left = [state for state in states(stage, stack) if state.get("custom")]
        stage.expect(f"{stack.name}: retired", not left, listed(state["urn"] for state in left))
    found = stage.balance()
    stage.expect("only what is kept on purpose is left", found.even, str(found) if not found.even else "")


def retired(stage: Stage, stack: Environment) -> str:
    """Retires one stack by the way that people take; answers what they are told."""
    told = io.StringIO()
    stacks = Stacks(stage.rehearsal.work, stage.rehearsal.command)
    with stage.console.progress(f"  {stack.name}: retire"):
        retire.retire(stacks, stack.name, stack.name, Console(told), io.StringIO())
    return told.getvalue()


def born_again(stage: Stage) -> None:
    """From now on, every stack is of another generation: names that are taken get new ones."""
    stage.life += 1
    for stack in stage.stacks:
        stage.rehearsal.configure(stack.name, {**stack.config, **stage.lives_on(stack)})


def generation(stage: Stage, stack: Environment) -> int:
    return stack.settings.generation + stage.life


def states(stage: Stage, stack: Environment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.rehearsal.export(stack.name)["deployment"].get("resources") or []
    return found
