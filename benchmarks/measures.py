"""Time of the engine's runs.

One *life* is what a stack goes through: preview, update, and the preview after it, which must find nothing to do.
Every life starts on an empty backend and an empty stand-in cloud.

What it does not measure: a real cloud. Time is the engine's, the SDK's, the program's and the stand-in's, which
answers from the same Python process, whichever program runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.report import OPERATIONS
from rehearsal import toolchain
from rehearsal.cloud import Cloud, Estate
from rehearsal.engine import Program, Rehearsal
from rehearsal.errors import RehearsalError
from rehearsal.run import Run

Configs: TypeAlias = Mapping[str, Mapping[str, Any]]
Seconds: TypeAlias = dict[str, dict[str, float]]
"""By stack, then by operation."""


class NotAlikeError(RehearsalError):
    """A comparison that would compare two different things."""


@dataclass(frozen=True)
class Place:
    """Where and on what the engine runs."""

    root: Path
    directory: Path
    cli: toolchain.Cli


def life(rehearsal: Rehearsal, stack: str, program: Program) -> tuple[dict[str, float], int]:
    """Seconds of each operation, and the number of resources.

    Raises:
        NotAlikeError: the second preview found something to do.
    """
    rehearsal.use(program)
    runs: list[Run] = [rehearsal.preview(stack), rehearsal.update(stack), rehearsal.preview(stack)]
    if not runs[-1].quiet:
        raise NotAlikeError(f"The second preview of {stack} found changes: {dict(runs[-1].changes)}")
    seconds = dict(zip(OPERATIONS, (run.seconds for run in runs), strict=True))
    return seconds, sum(runs[1].changes.values())


def lives(place: Place, estate: Estate, configs: Configs, programs: Mapping[str, Program]) -> Seconds:
    """One life of each stack, in the order of `programs`, on a new backend and a new cloud."""
    with opened(place, estate, configs) as rehearsal:
        return {stack: life(rehearsal, stack, program)[0] for stack, program in programs.items()}


@contextmanager
def opened(place: Place, estate: Estate, configs: Configs) -> Iterator[Rehearsal]:
    cloud = Cloud(estate)
    with Rehearsal.open(
        place.root, place.directory, cloud, program=lambda: None, configs=configs, cli=place.cli
    ) as rehearsal:
        yield rehearsal
