#!/usr/bin/env python3
"""Plans one stack of the infrastructure, and says in a report what that would do.

Needs Python 3.11, the project with `.venv` and the engine in it (`make .venv/stamp`, `python -m rehearsal toolchain`),
and the Azure CLI, signed in as an identity that may read state and stack. Nothing is changed: a preview takes no lock.

With --base, a stack that the change since then does not concern is not planned. With --refresh the cloud is read first,
so that the report tells what the stack has become beside what it should be.

Sets the output variable `changes`: none, changes, or acknowledge (docs/review.md).

Exit codes: 0 planned, 1 not, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import stack_plan
from pipelines.scripts.agent import fail, plain, set_variable
from pipelines.scripts.commands import CommandError, run, shorten
from pipelines.scripts.stack_plan import NONE, PAGE, PLAN, REPORT, WORDS, About, PlanError

MINUTES = 45
LIMIT = 150_000
"""Characters that a comment of Azure DevOps holds."""


def engine(project: Path) -> Path:
    """The CLI that the project's tool chain has brought."""
    found = project / ".tools" / "bin" / "pulumi"
    return found if found.is_file() else Path("pulumi")


def settings(backend: str) -> dict[str, str]:
    """The environment of the engine: where state lies, and how it signs in to the key of its secrets."""
    return {
        **os.environ,
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_PARALLEL": "32",
        "AZURE_KEYVAULT_AUTH_VIA_CLI": "true",
    }


def commit(project: Path) -> str:
    return run(["git", "rev-parse", "HEAD"], directory=project).strip()


def changed(project: Path, base: str) -> list[str]:
    """The files that differ from where the change began."""
    return run(["git", "diff", "--name-only", f"{base}...HEAD"], directory=project).splitlines()


def plan(asked: argparse.Namespace) -> str:
    """Writes the plan, and tells what it would change. CommandError or PlanError where there is none."""
    project: Path = asked.project.resolve()
    out: Path = asked.out.resolve()
    if not (project / f"Pulumi.{asked.stack}.yaml").is_file():
        known = ", ".join(sorted(path.name[7:-5] for path in project.glob("Pulumi.*.yaml"))) or "none"
        raise PlanError(f"the stack {asked.stack} has no file in {project.name}; stacks that have one: {known}")
    head, found = commit(project), NONE
    texts: Mapping[str, bytes] = {}
    if asked.base and not stack_plan.concerns(changed(project, asked.base), asked.stack):
        print(f"{asked.stack}: nothing of it is changed since {asked.base}; it is not planned")
    else:
        with tempfile.TemporaryDirectory() as directory:
            found, texts = _planned(asked, project, Path(directory))
    # Only a plan that is whole is written.
    out.mkdir(parents=True, exist_ok=True)
    for name, content in texts.items():
        (out / name).write_bytes(content)
    About(asked.stack, head, found).write(out)
    return found


def _planned(asked: argparse.Namespace, project: Path, fresh: Path) -> tuple[str, Mapping[str, bytes]]:
    environment = settings(asked.backend)
    command = [str(engine(project)), "preview", "--stack", asked.stack, "--non-interactive", "--json", "--show-sames"]
    command += ["--refresh"] if asked.refresh else []
    command += ["--save-plan", str(fresh / PLAN)] if asked.save else []
    told = run(command, directory=project, environment=environment, seconds=60 * MINUTES)
    (fresh / "preview.json").write_text(told, "utf-8")
    report = [str(project / ".venv" / "bin" / "python"), "-m", "review", str(fresh / "preview.json")]
    report += ["--stack", asked.stack, "--limit", str(LIMIT)]
    report += ["--markdown", str(fresh / REPORT), "--html", str(fresh / PAGE)]
    made = subprocess.run(report, cwd=project, capture_output=True, text=True, check=False)
    print(plain(made.stdout), flush=True)
    if made.returncode not in WORDS:
        raise PlanError(f"python -m review: exit {made.returncode}: {shorten(made.stderr)}")
    wanted = (REPORT, PAGE, *([PLAN] if asked.save else []))
    if missing := [name for name in wanted if not (fresh / name).is_file()]:
        raise PlanError(f"{' and '.join(missing)} of {asked.stack} was not written; look at the step's log")
    return WORDS[made.returncode], {name: (fresh / name).read_bytes() for name in wanted}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Plans one stack, and reports what that would do.")
    parser.add_argument("--stack", required=True, type=stack_plan.stack)
    parser.add_argument("--backend", required=True, type=stack_plan.backend, help="where state lies")
    parser.add_argument("--project", required=True, type=Path, help="directory of the program")
    parser.add_argument("--out", required=True, type=Path, help="directory for the plan")
    parser.add_argument("--base", default="", help="plan only what has changed since it left this commit")
    parser.add_argument("--refresh", action="store_true", help="read the cloud first")
    parser.add_argument("--save", action="store_true", help="keep the plan, so that exactly it can be applied")
    asked = parser.parse_args(arguments)
    try:
        found = plan(asked)
    except (CommandError, PlanError) as error:
        return fail(str(error))
    set_variable("changes", found, output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
