"""Act: environments that the first version of this program made are gone on from by today's.

Their states are beside this module (`first_version`). Nothing that holds data may be replaced or deleted on the way.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from operations.retire_plan import holds_data
from rehearsal import report
from rehearsal.against import stood_in
from rehearsal.engine import Rehearsal
from rehearsal.life.stage import Stage, counted, listed
from rehearsal.preview import plan
from rehearsal.run import Run, Step

BASELINE: Final = Path(__file__).with_name("first_version")
STACKS: Final = ("staging", "prod")


def play(stage: Stage) -> None:
    with taken_over(stage.rehearsal.root, stage.rehearsal.directory.with_name("upgrade")) as rehearsal:
        first = rehearsal.preview("staging")
        told(stage, "staging", first)
        # Today's prod reads what only today's staging exports.
        rehearsal.update("staging")
        told(stage, "prod", rehearsal.preview("prod"))


def told(stage: Stage, stack: str, run: Run) -> None:
    stage.runs[f"{stack}: upgrade"] = run
    lost = losses(run)
    stage.expect(f"{stack}: nothing that holds data goes", not lost, listed(lost) if lost else counted(run))
    changed = [step for step in run.changed() if step.op not in ("create", "import")]
    stage.say(report.changes(_only(run, changed), stage.console.style))


def losses(run: Run) -> list[str]:
    """What holds data, and would be replaced or deleted."""
    return [
        f"{step.name} ({step.op})"
        for step in run.changed()
        if ("replace" in step.op or step.op == "delete") and holds_data(step.type)
    ]


def _only(run: Run, steps: list[Step]) -> Run:
    return Run(run.stack, run.operation, run.seconds, tuple(steps), run.changes, run.outputs, run.warnings, run.errors)


@contextmanager
def taken_over(root: Path, directory: Path) -> Iterator[Rehearsal]:
    """Both stacks as the first version left them, on a backend and a cloud of their own."""
    stacks = plan(BASELINE, STACKS)
    exports = {stack: baseline(stack) for stack in STACKS}
    cloud = stood_in(stacks, exports.values())
    configs = {stack.name: stack.config for stack in stacks}
    with Rehearsal.open(root, directory, cloud, configs=configs) as rehearsal:
        for stack, export in exports.items():
            rehearsal.take(stack, export)
        yield rehearsal


def baseline(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((BASELINE / f"{stack}.json.gz").read_bytes()))
    return found
