"""What a review costs: ``python -m benchmarks.review [--rounds N] [--json FILE]``.

One setting of `staging` is changed, and the working tree reviewed against the commit before. It is held against the
least that two versions cost: two bare previews of the engine, each in a process of its own, on states that are there
already. Beside it stands what somebody without a review would do, `make preview` of both versions. A base that was
rehearsed before is known the next time, which is the last figure.

All of it runs in a copy of this project with a repository of its own, in fresh processes, as a person would run it. It
is a benchmark, not a test: a missed aim does not fail.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import table
from rehearsal.console import Console
from rehearsal.errors import RehearsalError

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "build" / "benchmarks"
AIM: Final = 1.5
"""A review over two previews: at most this."""
SETTING: Final = (r"retentionDays: \d+", "retentionDays: 61")
LEFT_OUT: Final = (".git", ".tools", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")

PREVIEWS: Final = "two bare previews"
DOORS: Final = "make preview, twice"
COLD: Final = "review, base rehearsed"
WARM: Final = "review, base known"
Seconds = Mapping[str, Sequence[float]]


class NotMeasuredError(RehearsalError):
    """A command did something else than it should; its own message stands above."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review", description="What a review costs.")
    parser.add_argument("--rounds", type=int, default=1, help="of each (default: 1)")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    asked = parser.parse_args(arguments)
    console = Console()
    try:
        found = measure(asked.rounds, console)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    console.say(shown(found))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0


def measure(rounds: int, console: Console) -> dict[str, list[float]]:
    """Seconds of each, in turn. Raises NotMeasuredError."""
    PLACE.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[float]] = {PREVIEWS: [], DOORS: [], COLD: [], WARM: []}
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="run-") as name:
        project = copied(Path(name) / "project")
        known, told = (str(Path(name) / each) for each in ("known", "told"))
        with console.progress("a state to preview"):
            _timed(project, "rehearsal", "export", known)
        for _ in range(rounds):
            shutil.rmtree(project / "build", ignore_errors=True)
            for kind, door in ((PREVIEWS, ("against", known, told)), (DOORS, ("preview",))):
                with console.progress(f"measuring: {kind}"):
                    found[kind].append(sum(_timed(project, "rehearsal", *door) for _ in range(2)))
            for kind in (COLD, WARM):
                with console.progress(f"measuring: {kind}"):
                    found[kind].append(_timed(project, "review", "HEAD", expected=2))
    return found


def copied(project: Path) -> Path:
    """This project as a repository with one commit, and one setting changed since."""
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (project / ".gitignore").write_text("build\n.tools\n__pycache__\n", "utf-8")
    (project / ".tools").symlink_to(ROOT / ".tools")
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "Before")):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    path = project / "Pulumi.staging.yaml"
    edited, count = re.subn(*SETTING, path.read_text("utf-8"))
    if count != 1:
        raise NotMeasuredError(f"{path.name} has no setting that matches {SETTING[0]}.")
    path.write_text(edited, "utf-8")
    return project


def shown(found: Seconds) -> str:
    """Medians, and how often two bare previews go into each."""
    whole = median(found[PREVIEWS])
    rows = []
    for kind, seconds in found.items():
        times = median(seconds) / whole
        verdict = "" if kind in (PREVIEWS, DOORS) else "met" if times <= AIM else "MISSED"
        rows.append((kind, f"{median(seconds):.1f}", f"{times:.2f}", verdict))
    return table(("one setting changed", "seconds", "times", f"aim {AIM}"), rows)


def _timed(project: Path, *command: str, expected: int = 0) -> float:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)
    if done.returncode != expected:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise NotMeasuredError(f"`{' '.join(command)}` ended with exit code {done.returncode}, not {expected}.")
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
