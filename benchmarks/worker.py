"""One scenario in a process of its own, so that its memory is its own: ``python -m benchmarks.worker``.

The door `benchmarks.preview` starts these one after another; they hand files to each other below one directory.

    program       one life of every shipped stack; leaves the exports
    write         writes the flat programs from the exports
    imports       imports what the flat programs import, and runs nothing
    flat          one life of every flat program; leaves its exports
    rounds        lives of both in turn, in one warm process
    environments  one life of each of many further environments, in one process

What it does not do: no judgement, no tables. Only scenarios that need the settings import them, so that the flat
program's process holds what a flat program holds, and the engine's side of the rehearsal.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import memory
from rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from benchmarks.measures import Place
    from rehearsal.cloud import Estate
    from rehearsal.engine import Program

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("staging", "prod")
"""The stacks that are compared, in the order of promotion."""

Result = dict[str, Any]
"""What goes back to the door, as JSON."""


@dataclasses.dataclass(frozen=True)
class Files:
    """What the scenarios hand to each other."""

    directory: Path

    @property
    def estate(self) -> Path:
        return self.directory / "estate.json"

    def export(self, subject: str, stack: str) -> Path:
        return self.directory / f"{subject}-{stack}.json"

    def source(self, stack: str) -> Path:
        return self.directory / f"flat_{stack}.py"


def program(files: Files, place: Place, count: int) -> Result:
    from rehearsal import preview
    from rehearsal.engine import project_program

    estate = preview.stand_in(stack.settings for stack in preview.plan(ROOT, SHIPPED)).estate
    files.estate.write_text(json.dumps(dataclasses.asdict(estate), default=sorted), "utf-8")
    return _once(files, place, estate, "program", dict.fromkeys(SHIPPED, project_program(ROOT)))


def write(files: Files, place: Place, count: int) -> Result:
    from benchmarks import flat, source

    for stack in SHIPPED:
        export = json.loads(files.export("program", stack).read_text("utf-8"))
        files.source(stack).write_text(source.write(flat.flatten(export)), "utf-8")
    return {}


def imports(files: Files, place: Place, count: int) -> Result:
    started = time.perf_counter()
    _flat_programs(files)
    return {"seconds": time.perf_counter() - started}


def flat(files: Files, place: Place, count: int) -> Result:
    return _once(files, place, _estate(files), "flat", _flat_programs(files))


def rounds(files: Files, place: Place, count: int) -> Result:
    """The first round warms up, and is left out."""
    from benchmarks.measures import lives
    from rehearsal.engine import project_program

    subjects = {"program": dict.fromkeys(SHIPPED, project_program(ROOT)), "flat": _flat_programs(files)}
    estate, configs = _estate(files), _configs()
    found: Result = {subject: [] for subject in subjects}
    for _ in range(count + 1):
        for subject, programs in subjects.items():
            found[subject].append(lives(place, estate, configs, programs))
    return {subject: measured[1:] for subject, measured in found.items()}


def environments(files: Files, place: Place, count: int) -> Result:
    """Further environments on the backend and the cloud of the shipped ones."""
    import settings
    from benchmarks.environments import generated
    from benchmarks.measures import life, opened
    from rehearsal.engine import project_program
    from rehearsal.preview import stand_in

    configs = _configs()
    further = generated(configs, count)
    everything: dict[str, Mapping[str, Any]] = {**configs, **further}
    parsed = {name: settings.parse(name, config, rehearsal=True) for name, config in everything.items()}
    estate = stand_in(parsed.values()).estate
    run = project_program(ROOT)

    def measured() -> Iterator[Result]:
        with opened(place, estate, everything) as rehearsal:
            for name in (*SHIPPED, *further):
                seconds, resources = life(rehearsal, name, run)
                yield {
                    "environment": name,
                    "tier": parsed[name].tier,
                    "resources": resources,
                    "seconds": seconds,
                    "rss": memory.resident(),
                }

    return {"environments": list(measured())}


SCENARIOS: Mapping[str, Callable[[Files, Any, int], Result]] = {
    scenario.__name__: scenario for scenario in (program, write, imports, flat, rounds, environments)
}


def _once(files: Files, place: Place, estate: Estate, subject: str, programs: Mapping[str, Program]) -> Result:
    from benchmarks.measures import life, opened

    seconds, resources = {}, {}
    with opened(place, estate, _configs()) as rehearsal:
        for stack, run in programs.items():
            seconds[stack], resources[stack] = life(rehearsal, stack, run)
            rehearsal.export(stack, files.export(subject, stack), sealed=False)
    return {"seconds": seconds, "resources": resources}


def _configs() -> dict[str, dict[str, Any]]:
    from rehearsal.program import stack_files
    from validation import stackfile

    found = stack_files(ROOT)
    return {stack: stackfile.read(found[stack]) for stack in SHIPPED}


def _estate(files: Files) -> Estate:
    from rehearsal.cloud import Estate

    said: dict[str, Any] = json.loads(files.estate.read_text("utf-8"))
    fields: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in said.items()
    }
    return Estate(**fields)


def _flat_programs(files: Files) -> dict[str, Program]:
    found: dict[str, Program] = {}
    for stack in SHIPPED:
        path = files.source(stack)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[stack] = module.main
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description="One scenario of the benchmark.")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--directory", type=Path, required=True, help="where scenarios leave files for each other")
    parser.add_argument("--result", type=Path, required=True, help="where the result is written")
    parser.add_argument("--count", type=int, default=1, help="rounds, or environments")
    asked = parser.parse_args(arguments)
    # Imported here: a scenario that only imports the SDK must not find it imported already.
    place: Place | None = None
    if asked.scenario not in ("imports", "write"):
        from benchmarks.measures import Place as Engine
        from rehearsal import toolchain
        from rehearsal.console import Console

        cli = toolchain.bring(toolchain.ways(ROOT, Console(sys.stderr)), lambda line: None)
        place = Engine(ROOT, asked.directory / "engine", cli)
    try:
        result = SCENARIOS[asked.scenario](Files(asked.directory), place, asked.count)
    except RehearsalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    result["peaks"] = {"python": memory.peak(), "cli": memory.peak_of_children()}
    asked.result.write_text(json.dumps(result), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
