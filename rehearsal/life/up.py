"""Act: every environment is brought up, in promotion order, and is then what the program says and nothing else."""

from __future__ import annotations

from rehearsal.life.drift import looked
from rehearsal.life.stage import Environment, Stage, counted, listed, touched


def play(stage: Stage) -> None:
    for stack in stage.stacks:
        bring(stage, stack)
        quiet(stage, stack)
    stage.expect_even()


def bring(stage: Stage, stack: Environment, of: str = "") -> None:
    """Preview and update; the first must foretell the second. `of` tells several lives of a stack apart."""
    name = f"{stack.name}{of}"
    foretold = stage.run(f"{name}: preview", stage.rehearsal.preview, stack.name)
    stage.expect(f"{name}: preview", True, counted(foretold))
    done = stage.run(f"{name}: update", stage.rehearsal.update, stack.name)
    same = done.changes == foretold.changes
    stage.expect(f"{name}: update as foretold", same, counted(done) if not same else "")


def quiet(stage: Stage, stack: Environment, of: str = "") -> None:
    """Whoever looks again finds nothing to do: not from the program's side, and not from the cloud's."""
    name = f"{stack.name}{of}"
    again = stage.run(f"{name}: second preview", stage.rehearsal.preview, stack.name)
    stage.expect(f"{name}: second preview is empty", again.quiet, listed(touched(again)))
    refreshed = stage.run(f"{name}: refresh", stage.rehearsal.refresh, stack.name)
    stage.expect(f"{name}: refresh finds nothing new", refreshed.quiet, listed(touched(refreshed)))


def at_rest(stage: Stage, stack: Environment, of: str = "") -> None:
    """The same in one question to program and cloud."""
    error = looked(stage, stack, f"once it is done{of}")
    stage.expect(f"{stack.name}{of}: nothing is left to do", error is None, listed(touched(error.run)) if error else "")
