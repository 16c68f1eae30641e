"""What a preview and an update cost: ``python -m benchmarks.preview [--rounds N] [--environments N] [--json FILE]``.

Three questions, each with an aim beside its figure (a benchmark, not a test: a missed aim does not fail):

- Time: the program beside a flat one with the very same resources, on the same engine, warm, in turn within one
  process. The flat program is written from the program's own export (`benchmarks.flat`, `benchmarks.source`) and
  lies in build/benchmarks; that both make the same resources from the same inputs is checked before anything is said.
- Memory: peaks of processes that do nothing else, beside one that merely imports what the flat program imports.
- Growth: many further environments in one process; neither time nor memory of one may depend on how many came before.

All of it runs against the stand-in cloud, which answers from the Python process: a real cloud is slower by far, so
this bounds what the program itself adds. The stand-in and its servers count in every figure except the import's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from benchmarks import flat, memory, report, worker
from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.errors import RehearsalError

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "build" / "benchmarks"
SDKS: Final = ("pulumi", "pulumi-azure-native", "pulumi-azuredevops", "pulumi-kubernetes")
_EVERY: Final = 0.02
"""Seconds between two looks at the CLI's memory. A peak is kept by the system; only the last instant can be missed."""


class ScenarioError(RehearsalError):
    """A scenario failed; its own message stands above."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preview", description="What preview and update cost.")
    parser.add_argument("--rounds", type=_positive, default=5, help="measured rounds of both programs (default: 5)")
    parser.add_argument("--environments", type=int, default=20, help="further environments; 0 for none (default: 20)")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    asked = parser.parse_args(arguments)
    try:
        measured = measure(asked.rounds, asked.environments, Console())
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    if asked.json:
        asked.json.write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    return 0


def measure(rounds: int, environments: int, console: Console) -> dict[str, Any]:
    """Runs every scenario, prints each table when its figures are there, and returns all figures."""
    cli = toolchain.bring(toolchain.ways(ROOT, console), console.say)
    found: dict[str, Any] = {"machine": machine(str(cli.version))}
    console.say("\n".join(f"{name:9} {value}" for name, value in found["machine"].items()))
    PLACE.mkdir(parents=True, exist_ok=True)
    # Each run in a directory of its own: two benchmarks side by side disturb each other's figures, not their files.
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="run-") as name:
        place = Path(name)
        scenario = Scenarios(place, console)
        found["program"] = scenario.run("program")
        scenario.run("write")
        found["imports"] = scenario.run("imports")
        found["flat"] = scenario.run("flat")
        _check_alike(worker.Files(place))
        names = {"imports": "the SDK, imported", "flat": "flat program", "program": "program"}
        console.say("\nMemory: one life (preview, update, second preview) of every stack, cold")
        console.say(report.memory({text: found[key] for key, text in names.items()}))
        found["rounds"] = scenario.run("rounds", rounds)
        console.say(f"\nTime: warm, in turn, medians of {rounds}")
        console.say(report.pace(found["rounds"]))
        if environments > 0:
            found["environments"] = scenario.run("environments", environments)["environments"]
            console.say(f"\nGrowth: the shipped environments and {environments} further ones, in one process")
            console.say(report.environments(found["environments"]))
            console.say()
            console.say(
                report.level([each for each in found["environments"] if each["environment"] not in worker.SHIPPED])
            )
        for stack in worker.SHIPPED:
            shutil.copy(worker.Files(place).source(stack), PLACE)
    return found


class Scenarios:
    """Runs scenarios one after another; they leave files for each other in `place`."""

    def __init__(self, place: Path, console: Console) -> None:
        self._place = place
        self._console = console

    def run(self, scenario: str, count: int = 1) -> dict[str, Any]:
        """The scenario's result, with the wall time of its process and the peaks of its memory.

        Raises:
            ScenarioError: it failed.
        """
        result = self._place / "result.json"
        command = [sys.executable, "-m", "benchmarks.worker", scenario, "--directory", str(self._place)]
        command += ["--result", str(result), "--count", str(count)]
        with self._console.progress(f"measuring: {scenario}"):
            wall, cli, code = watched(command)
        if code != 0:
            raise ScenarioError(f"the scenario `{scenario}` ended with exit code {code}.")
        found: dict[str, Any] = json.loads(result.read_text("utf-8"))
        found["wall"] = wall
        if cli is not None:
            found["peaks"]["cli"] = cli
        return found


def watched(command: Sequence[str]) -> tuple[float, float | None, int]:
    """Runs a command to its end: seconds, the most that a child of it held (None: unknown), and its exit code."""
    started = time.monotonic()
    highest: float | None = None
    with subprocess.Popen(command, cwd=ROOT) as process:
        while True:
            try:
                code = process.wait(timeout=_EVERY)
            except subprocess.TimeoutExpired:
                seen = memory.peak_of_running_children(process.pid)
                if seen is not None:
                    highest = max(highest or 0.0, seen)
            else:
                return time.monotonic() - started, highest, code


def machine(cli: str) -> dict[str, str]:
    """What the figures depend on."""
    return {
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "CLI": cli,
        "SDK": ", ".join(f"{name} {metadata.version(name)}" for name in SDKS),
    }


def _check_alike(files: worker.Files) -> None:
    for stack in worker.SHIPPED:
        ours, theirs = (json.loads(files.export(subject, stack).read_text("utf-8")) for subject in ("program", "flat"))
        differences = flat.differences(ours, theirs)
        if differences:
            raise ScenarioError(f"the flat program of {stack} is another one:\n  " + "\n  ".join(differences))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
