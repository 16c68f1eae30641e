#!/usr/bin/env python3
"""Judges the repository of configuration as a pull request would leave it: every environment follows from its release.

Needs Python 3.11 and the package of `requirements.lock`. All problems are told, each with its file. What is judged by
comes from the platform's `main`, so that a change cannot bring its own judge. What it does not do: it asks no registry
and no cluster; whoever releases has done that.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import pull_folder
from pipelines.scripts.agent import fail
from pipelines.scripts.pull_folder import FACTS, IMAGE, JOB

BASE = f"base/{JOB}/job.yaml"


def problems(root: Path) -> Iterator[str]:
    """Everything that is wrong below the root."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() and ".git" not in path.relative_to(root).parts:
            yield f"{path.relative_to(root)}: is a link; allowed are files"
    yield from _base(root)
    environments = root / "environments"
    for folder in sorted(environments.iterdir()) if environments.is_dir() else ():
        said = folder.relative_to(root).as_posix()
        if not folder.is_dir() or not re.fullmatch(r"[a-z][a-z0-9-]{1,9}", folder.name):
            yield f"{said}: is no folder of an environment"
            continue
        files = {
            path.relative_to(folder).as_posix(): path.read_text("utf-8", "replace")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        found = list(pull_folder.problems(files))
        yield from (f"{said}/{each}" for each in found)
        if not found and pull_folder.read(files[FACTS])[0].environment != folder.name:
            yield f"{said}/{FACTS}: is a release for another environment"


def _base(root: Path) -> Iterator[str]:
    """The tests of every environment are one Job, in which nothing but the release's own image runs."""
    try:
        job = yaml.safe_load((root / BASE).read_text("utf-8"))
        images = [each["image"] for each in job["spec"]["template"]["spec"]["containers"]]
        if job["kind"] != "Job" or images != [IMAGE] or "ttlSecondsAfterFinished" in job["spec"]:
            yield f"{BASE}: allowed is a Job that stays, with one container of the image {IMAGE}"
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        yield f"{BASE}: is no Job that can be read"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Judges the repository of configuration.")
    parser.add_argument("--root", required=True, type=Path, help="where it is checked out")
    options = parser.parse_args(arguments)
    found = list(problems(options.root))
    for each in found:
        fail(each)
    print(f"configuration: {len(found)} problems" if found else "configuration: every environment follows its release")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
