"""How well `up` uses its parallelism: ``python -m benchmarks.provisioning [--scale N] [--parallel N] [--json FILE]``.

Every create takes its typical time (`rehearsal.delays`), scaled, on the stand-in cloud under the real engine. What the
whole `up` of a stack took is held against the longest chain of resources that wait for each other: nothing can be
faster than that chain, and nothing need be much slower. The engine's own time does not shrink with the scale, so that
the figure is an upper bound, and the closer the greater the scale. Which links of the chain wait for no property, and
what each would save, stands below: those may be there without need.

How many operations the engine does at once is a setting of it (`PULUMI_PARALLEL`), four for each core unless told: on a
machine of two cores that alone keeps things waiting that could go on, because most of an `up` is waiting for the cloud.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.report import table
from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.delays import Delays, Plan
from rehearsal.engine import Rehearsal
from rehearsal.errors import RehearsalError
from rehearsal.preview import plan, stand_in

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "build" / "benchmarks"
AIM: Final = 1.10
"""The time of `up` over the length of its longest chain: at most this."""
SCALE: Final = 0.25
PARALLEL: Final = 32
"""Operations at once: more than either stack ever has that could go on."""


@dataclass(frozen=True)
class Measured:
    """One stack: what `up` took in seconds, with delays of this scale, and what it waited for."""

    stack: str
    took: float
    scale: float
    plan: Plan

    @property
    def seconds(self) -> float:
        """What `up` takes in a real cloud, at most."""
        return self.took / self.scale

    @property
    def times(self) -> float:
        return self.seconds / self.plan.seconds


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.provisioning", description="How parallel `up` is.")
    parser.add_argument("--scale", type=_scale, default=SCALE, help=f"of the real times (default: {SCALE})")
    parser.add_argument("--parallel", type=int, default=PARALLEL, help=f"operations at once (default: {PARALLEL})")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    asked = parser.parse_args(arguments)
    console = Console()
    try:
        found = measure(asked.scale, asked.parallel, console)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    console.say(shown(found))
    if asked.json:
        asked.json.write_text(json.dumps([figures(each) for each in found], indent=2) + "\n", "utf-8")
    return 0


def measure(scale: float, parallel: int, console: Console) -> list[Measured]:
    """Updates every stack from nothing with the delays; in order, because the later one reads the earlier one."""
    delays = Delays.of()
    cli = toolchain.bring(toolchain.ways(ROOT, console), console.say)
    stacks = plan(ROOT, ())
    cloud = stand_in(stack.settings for stack in stacks)
    delays.slow(cloud, scale)
    configs = {stack.name: stack.config for stack in stacks}
    found = []
    PLACE.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=PLACE, prefix="run-") as name,
        Rehearsal.open(ROOT, Path(name) / "engine", cloud, configs=configs, cli=cli) as rehearsal,
    ):
        # The rehearsal's own environment, which it takes back when it ends.
        os.environ["PULUMI_PARALLEL"] = str(parallel)
        for stack in stacks:
            with console.progress(f"{stack.name}: update, {scale:g} of real time"):
                run = rehearsal.update(stack.name)
            found.append(Measured(stack.name, run.seconds, scale, Plan.of(rehearsal.export(stack.name), delays)))
    return found


def shown(found: Sequence[Measured]) -> str:
    rows = [
        (
            each.stack,
            str(len(each.plan.nodes)),
            _time(each.seconds),
            _time(each.plan.seconds),
            f"{each.times:.2f}",
            "met" if each.times <= AIM else "MISSED",
            _time(each.plan.by_data.seconds),
            _time(each.plan.total),
        )
        for each in found
    ]
    head = (
        "stack",
        "resources",
        "up",
        "longest chain",
        "times",
        f"aim {AIM:.2f}",
        "chain by data",
        "one by one",
    )
    return "\n\n".join([table(head, rows), *(_chain(each) for each in found)])


def _chain(measured: Measured) -> str:
    whole = measured.plan.seconds
    rows = []
    for link in measured.plan.chain:
        saved = whole - measured.plan.without(link.node.urn).seconds if link.declared else None
        delay = measured.plan.delays[link.node.type_]
        rows.append(
            (
                _time(link.begins),
                f"{link.seconds:.0f} s",
                link.node.name,
                link.node.type_.rsplit(":", 1)[-1],
                "estimate" if delay.estimated else "seen",
                "" if saved is None else f"depends_on; without it {saved:.0f} s less",
            )
        )
    head = ("begins", "takes", f"longest chain of {measured.stack}", "type", "figure", "waits by")
    return table(head, rows)


def figures(measured: Measured) -> dict[str, Any]:
    return {
        "stack": measured.stack,
        "took": measured.took,
        "scale": measured.scale,
        "up": measured.seconds,
        "chain": measured.plan.seconds,
        "times": measured.times,
        "aim": AIM,
        "by_data": measured.plan.by_data.seconds,
        "links": [
            {"urn": link.node.urn, "begins": link.begins, "seconds": link.seconds, "declared": link.declared}
            for link in measured.plan.chain
        ],
    }


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"


def _scale(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError("more than 0, at most 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
