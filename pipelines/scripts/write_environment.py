#!/usr/bin/env python3
"""Writes the stack file of a new environment from what a run was started with, and rehearses it.

Reads NAME, FROM, REGION, TIER and REGISTRY of its environment, as `make environment` takes them; a choice that stands
for "leave it as it is", and white space, count as not said. What was decided is written to <out>/environment.json.

Exit codes: 0 the file is written and rehearsed, 1 nothing is written, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import fail

RESULT = "environment.json"
UNSAID = ("", "as the other", "as fits the tier")


def options(said: Mapping[str, str]) -> list[str]:
    """The options of the command that writes the file."""
    found = []
    for name in ("NAME", "FROM", "REGION", "TIER", "REGISTRY"):
        value = said.get(name, "").strip()
        if value not in UNSAID:
            # In one word, so that a value is never taken for an option.
            found.append(f"--{name.lower()}={value}")
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Writes and rehearses the stack file of a new environment.")
    parser.add_argument("--project", required=True, type=Path, help="directory of the program")
    parser.add_argument("--out", required=True, type=Path, help="directory for what was decided")
    asked = parser.parse_args(arguments)
    project: Path = asked.project.resolve()
    asked.out.mkdir(parents=True, exist_ok=True)
    command = [str(project / ".venv" / "bin" / "python"), "-m", "operations", "environment", *options(os.environ)]
    command += ["--json", str(asked.out.resolve() / RESULT)]
    try:
        ended = subprocess.run(command, cwd=project, check=False).returncode
    except FileNotFoundError:
        return fail(f"{command[0]} is missing; templates/engine.yml makes it in a step before")
    return fail("no environment is written; the reason stands above") if ended else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
