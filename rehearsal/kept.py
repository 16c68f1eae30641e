"""A stand-in cloud that is kept between runs, in `build/rehearsal`: ``python -m rehearsal up | drift``.

    python -m rehearsal up                           # brings the stacks up there, or to what their files say now
    python -m rehearsal cloud set apps maxCount 9    # what somebody does in the portal
    python -m rehearsal drift                        # what differs from the program; exit code 1 if anything does

The engine's state and the cloud's lie side by side. Both are written when a run ends, also one that fails or is
stopped; a run that is killed leaves a note, because its cloud died with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rehearsal import memory, report, toolchain, workspace
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from rehearsal.errors import RehearsalError
from rehearsal.faults import Fault, Plan, arrange
from rehearsal.life.drift import looked
from rehearsal.life.killed import mend
from rehearsal.life.stage import Environment, Stage, counted
from rehearsal.preview import plan, stand_in
from rehearsal.workspace import Workspace, WorkspaceError

PLACE: Final = memory.PLACE.parent
UNDER_WAY: Final = "under-way"


class DriftError(RehearsalError):
    """The cloud is not as the program left it. What differs has been told."""


def up(root: Path, names: Sequence[str], console: Console, faults: Sequence[Fault] = ()) -> None:
    """Brings the stacks, and those they lean on, to what their files say.

    Raises:
        RehearsalError: with a message for a person; what was done until then is kept.
    """
    with opened(root, names, console) as stage:
        arrange(stage.cloud, Plan(tuple(faults)))
        for stack in stage.stacks:
            bring(stage, stack)


def bring(stage: Stage, stack: Environment) -> None:
    """One stack: what would change, and then the change."""
    console = stage.console
    previewed = stage.run(f"{stack.name}: preview", stage.rehearsal.preview, stack.name)
    console.say(f"{console.style(stack.name, 'bold')}  {counted(previewed)}")
    if previewed.quiet:
        return
    console.say(report.changes(previewed, console.style))
    try:
        done = stage.run(f"{stack.name}: update", stage.rehearsal.update, stack.name)
    except EngineError as error:
        raise RehearsalError(
            f"{error}\nWhat was made until then is kept. Run the same command again: it goes on from here."
        ) from None
    console.say(f"{stack.name} is up ({done.seconds:.1f} s).")


def drift(root: Path, names: Sequence[str], console: Console) -> None:
    """Tells what the cloud has that the program did not leave there; changes nothing.

    Raises:
        DriftError: something differs.
    """
    found = []
    with opened(root, names, console) as stage:
        for stack in stage.stacks:
            if not stage.rehearsal.has(stack.name):
                raise RehearsalError(f"{stack.name} is not up in {PLACE}. Bring it up first: python -m rehearsal up")
            error = looked(stage, stack, "--expect-no-changes")
            if error is None:
                console.say(f"{console.style(stack.name, 'bold')}  {console.style('as the program left it', 'green')}")
            elif error.run.changed():
                found.append(stack.name)
                console.say(f"{console.style(stack.name, 'bold')}  differs. `pulumi up --refresh` would put back:")
                console.say(report.changes(error.run, console.style))
            else:
                raise error
    if found:
        raise DriftError(
            f"{' and '.join(found)}: the cloud has drifted (above). Put it back: python -m rehearsal up; or write what "
            "was done by hand into the settings."
        )


@contextmanager
def opened(root: Path, names: Sequence[str], console: Console) -> Iterator[Stage]:
    """The kept cloud with these stacks, and those they lean on.

    Raises:
        RehearsalError: what is kept cannot be gone on from, or a rehearsal cannot begin at all.
    """
    workspace.refuse_real(os.environ)
    stacks = plan(root, names)
    place, file = root / PLACE, root / memory.PLACE
    with memory.alone(file):
        refuse_killed(Workspace(place), file)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    cloud = memory.recall(file, stand_in(stack.settings for stack in stacks))
    configs = {stack.name: stack.config for stack in stacks}
    with Rehearsal.open(root, place, cloud, configs=configs, cli=cli, keep=True) as rehearsal:
        (place / UNDER_WAY).touch()
        try:
            stage = Stage(rehearsal, cloud, stacks, console)
            for stack in stacks:
                if rehearsal.is_locked(stack.name):
                    console.say(f"{stack.name}: the last run was stopped half-way; its loose ends are tied up first.")
                    mend(stage, stack)
            with rehearsal.checkpoints():
                yield stage
        finally:
            cloud.calm()
            memory.save(cloud, file)
            (place / UNDER_WAY).unlink()


def refuse_killed(space: Workspace, cloud: Path) -> None:
    """Raises WorkspaceError where a run was killed: its cloud is not the one that the engine's state tells of."""
    halves = space.state.exists(), cloud.exists()
    if (space.directory / UNDER_WAY).exists() or halves == (True, False):
        raise WorkspaceError(
            f"The last rehearsal in {space.directory} was killed before it could write down its cloud, and the "
            f"engine's state tells of things that are gone with it. Begin anew: rm -r {space.directory}"
        )
