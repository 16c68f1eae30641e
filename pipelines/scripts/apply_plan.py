#!/usr/bin/env python3
"""Applies exactly the plan of a stack that plan_stack.py has kept.

Needs what that needs, signed in as an identity that may do it. The engine refuses whatever the plan does not hold: what
would be done otherwise by now is planned and approved anew. A plan of another stack or another commit is refused before
the engine starts.

Exit codes: 0 applied, 1 not, or not wholly, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import stack_plan
from pipelines.scripts.agent import fail
from pipelines.scripts.commands import CommandError
from pipelines.scripts.plan_stack import commit, engine, settings
from pipelines.scripts.stack_plan import PLAN, PlanError


def apply(asked: argparse.Namespace) -> None:
    """PlanError or CommandError where it is not, or not wholly."""
    project: Path = asked.project.resolve()
    plan: Path = asked.plan.resolve()
    about, head = stack_plan.read(plan), commit(project)
    if about.stack != asked.stack:
        raise PlanError(f"the plan is of the stack {about.stack}, not of {asked.stack}; fetch the artifact of this one")
    if about.commit != head:
        raise PlanError(f"the plan is of the commit {about.commit}, and {head} is checked out; plan it anew")
    if not (plan / PLAN).is_file():
        raise PlanError(f"{plan / PLAN}: is missing; let plan_stack.py keep it with --save")
    command = [str(engine(project)), "up", "--stack", asked.stack, "--plan", str(plan / PLAN)]
    command += ["--yes", "--skip-preview", "--non-interactive"]
    # Its words go to the log as they come: an update takes long.
    try:
        ended = subprocess.run(command, cwd=project, env=settings(asked.backend), check=False).returncode
    except FileNotFoundError:
        raise CommandError("pulumi is not on the PATH; templates/engine.yml brings it in a step before") from None
    if ended:
        raise PlanError(
            f"pulumi up: exit {ended}; what stands above was done. Where the engine says that a plan does not allow "
            "something, the stack has changed since: run the pipeline again, and a new plan is made"
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Applies exactly the plan of a stack.")
    parser.add_argument("--stack", required=True, type=stack_plan.stack)
    parser.add_argument("--backend", required=True, type=stack_plan.backend, help="where state lies")
    parser.add_argument("--project", required=True, type=Path, help="directory of the program")
    parser.add_argument("--plan", required=True, type=Path, help="directory that plan_stack.py has written")
    asked = parser.parse_args(arguments)
    try:
        apply(asked)
    except (CommandError, PlanError) as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
