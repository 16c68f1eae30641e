"""The `rehearse` door: the whole life of the environments on the stand-in cloud, told as it goes, with a verdict.

Everything happens in a place of its own that is thrown away. What a person wants to play by hand is `rehearsal.kept`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal import toolchain, workspace
from rehearsal.console import Console, clock
from rehearsal.engine import EngineError, Rehearsal
from rehearsal.errors import RehearsalError
from rehearsal.faults import Fault, Plan, disturbances
from rehearsal.life import changes, drift, faulty, generations, killed, up, upgrade
from rehearsal.life.stage import Stage
from rehearsal.preview import plan, stand_in

PLACE: Final = Path("build") / "life" / "engine"


class RehearseError(RehearsalError):
    """Something that had to hold did not; the message says what."""


@dataclass(frozen=True)
class Act:
    """One act. `stands`: whether it needs the stacks to be up."""

    title: str
    play: Callable[[Stage], None]
    stands: bool = False


ACTS: Final[Mapping[str, Act]] = {
    "up": Act("Every environment is brought up", up.play),
    "drift": Act("The cloud changes while nobody looks", drift.play, stands=True),
    "changes": Act("The settings change", changes.play, stands=True),
    "upgrade": Act("What the first version made is gone on from", upgrade.play),
    "retire": Act("Taken down, and back under a new generation", generations.play, stands=True),
    "faults": Act("Everything fails once", faulty.play),
    "killed": Act("The engine is killed half-way", killed.play),
}
"""In the order in which they are played."""
_EMPTY: Final = ("faults", "killed")
"""Acts that begin from nothing."""


def rehearse(root: Path, names: Sequence[str], acts: Sequence[str], faults: Sequence[Fault], console: Console) -> None:
    """Plays the acts (all, unless named); with `faults`, instead, an `up` that meets them.

    Raises:
        RehearsalError: it cannot begin, an operation failed that had to succeed, or something did not hold.
    """
    workspace.refuse_real(os.environ)
    disturbances(Plan(tuple(faults)))
    stacks = plan(root, names)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    console.say(f"Pulumi {cli.version} on a stand-in cloud; nothing leaves this machine.")
    configs = {stack.name: stack.config for stack in stacks}
    cloud = stand_in(stack.settings for stack in stacks)
    with Rehearsal.open(root, root / PLACE, cloud, configs=configs, cli=cli) as rehearsal:
        stage = Stage(rehearsal, cloud, stacks, console)
        try:
            if faults:
                with stage.playing("faults", "An up that meets what was asked for"):
                    faulty.completed(stage, faults, stacks)
            else:
                play(stage, [name for name in ACTS if name in acts or not acts])
        except EngineError as error:
            stage.expect("the engine goes on", False, str(error))
    verdict(stage)


def play(stage: Stage, acts: Sequence[str]) -> None:
    """The acts, with what each needs done before it."""
    standing = False
    for name in acts:
        act = ACTS[name]
        if act.stands and not standing:
            with stage.playing("up", ACTS["up"].title):
                up.play(stage)
        if name in _EMPTY and (standing or act.stands):
            with stage.playing("retire", "Taken down, to begin from nothing"):
                generations.take_down(stage)
                generations.born_again(stage)
        with stage.playing(name, act.title):
            act.play(stage)
        standing = (standing or act.stands or name in ("up", "killed")) and name != "faults"


def verdict(stage: Stage) -> None:
    """Says how it went.

    Raises:
        RehearseError: something did not hold.
    """
    broken = [check for check in stage.checks if not check.holds]
    took = clock(sum(check.seconds for check in stage.checks))
    stage.console.say()
    if broken:
        lines = [f"  {check.act}: {check.what}{f': {check.detail}' if check.detail else ''}" for check in broken]
        raise RehearseError("\n".join([f"{len(broken)} of {len(stage.checks)} checks failed ({took}):", *lines]))
    stage.console.say(stage.console.style(f"All {len(stage.checks)} checks hold ({took}).", "green"))
    stage.console.say("To play by hand: python -m rehearsal up, cloud set, drift; docs/rehearsal.md tells how.")
