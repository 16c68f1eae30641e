"""What the tests share: both shipped stacks, run once on the real engine for the whole session."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

import settings
from rehearsal import bootstrap, memory, toolchain
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import Rehearsal
from rehearsal.preview import plan, stand_in
from rehearsal.run import Run
from tests import platforms
from tests.graph import Graph
from tests.pulled import Switched, switch

ROOT = Path(__file__).resolve().parent.parent
STACKS = ("staging", "prod")


@dataclass(frozen=True)
class Rehearsed:
    """What the engine did with one stack, and what it left behind."""

    preview: Run
    update: Run
    again: Run
    """A preview right after the update."""
    export: Mapping[str, Any]

    @property
    def graph(self) -> Graph:
        return Graph(self.export)


def rehearse(directory: Path) -> dict[str, Rehearsed]:
    """Both shipped stacks, previewed, updated and previewed again, in promotion order."""
    stacks = plan(ROOT, STACKS)
    results: dict[str, Rehearsed] = {}
    cloud = stand_in(stack.settings for stack in stacks)
    with Rehearsal.open(ROOT, directory, cloud) as rehearsal:
        for stack in stacks:
            preview, update = rehearsal.preview(stack.name), rehearsal.update(stack.name)
            results[stack.name] = Rehearsed(
                preview, update, rehearsal.preview(stack.name), rehearsal.export(stack.name)
            )
    memory.save(cloud, directory / memory.PLACE.name)
    return results


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Rehearsed]:
    """One run for all workers of the session: the first makes it, the others wait and read it."""
    shared = of_the_session(tmp_path_factory)
    result = shared / "rehearsed.pickle"
    with FileLock(shared / "rehearsed.lock"):
        if not result.is_file():
            result.write_bytes(pickle.dumps(rehearse(shared / "rehearsal")))
        found: Mapping[str, Rehearsed] = pickle.loads(result.read_bytes())
    return found


def of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of the session share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@dataclass(frozen=True)
class StandingStacks:
    """Both shipped stacks as the session's run left them: up, in a place that is copied and never gone on from."""

    place: Path

    def copied(self, directory: Path) -> Path:
        """A copy that may be gone on from: the engine's state and the cloud."""
        shutil.copytree(self.place, directory)
        return directory

    @contextmanager
    def opened(self, directory: Path) -> Iterator[tuple[Rehearsal, Cloud]]:
        cloud = memory.recall(self.copied(directory) / memory.PLACE.name)
        with Rehearsal.open(ROOT, directory, cloud, keep=True) as rehearsal:
            yield rehearsal, cloud


@pytest.fixture(scope="session")
def standing(rehearsed: Mapping[str, Rehearsed], tmp_path_factory: pytest.TempPathFactory) -> StandingStacks:
    assert rehearsed
    return StandingStacks(of_the_session(tmp_path_factory) / "rehearsal")


@pytest.fixture(scope="session")
def switched(standing: StandingStacks, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Switched]:
    """Both shipped stacks, gone on to the pull model; one run for all workers of the session."""
    shared = of_the_session(tmp_path_factory)
    result = shared / "switched.pickle"
    with FileLock(shared / "switched.lock"):
        if not result.is_file():
            result.write_bytes(pickle.dumps(switch(standing, shared / "switched")))
        found: Mapping[str, Switched] = pickle.loads(result.read_bytes())
    return found


@dataclass(frozen=True)
class Bootstrapped:
    """What the engine did with the bootstrap, beside both shipped stacks: the first day, and once both are up."""

    first: Run
    first_again: Run
    alone: Mapping[str, Any]
    """The export of the first run."""
    moved: Run
    """A preview right after the state went to the backend of the stacks."""
    second_preview: Run
    second: Run
    second_again: Run
    export: Mapping[str, Any]


@pytest.fixture(scope="session")
def bootstrapped(standing: StandingStacks, tmp_path_factory: pytest.TempPathFactory) -> Bootstrapped:
    """One run for all workers of the session, in a copy of what the shipped stacks have left."""
    shared = of_the_session(tmp_path_factory)
    result = shared / "bootstrapped.pickle"
    with FileLock(shared / "bootstrapped.lock"):
        if not result.is_file():
            made = _bootstrap(shared / "first-day", standing.copied(shared / "bootstrap"))
            result.write_bytes(pickle.dumps(made))
        found: Bootstrapped = pickle.loads(result.read_bytes())
    return found


def _bootstrap(first_day: Path, directory: Path) -> Bootstrapped:
    """On a backend of its own first, then in the one that the stacks lie in."""
    name, cloud = bootstrap.STACK, memory.recall(directory / memory.PLACE.name)
    cli = toolchain.bring(toolchain.ways(ROOT, Console()), Console().say)
    with bootstrap.opened(ROOT, first_day, cloud, cli, keep=False) as rehearsal:
        first, again = rehearsal.update(name), rehearsal.preview(name)
        alone = rehearsal.export(name)
    with bootstrap.opened(ROOT, directory, cloud, cli) as rehearsal:
        rehearsal.take(name, alone)
        moved = rehearsal.preview(name)
        rehearsal.configure(name, bootstrap.config(ROOT, STACKS))
        preview, second, last = rehearsal.preview(name), rehearsal.update(name), rehearsal.preview(name)
        return Bootstrapped(first, again, alone, moved, preview, second, last, rehearsal.export(name))


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, rehearsed: Mapping[str, Rehearsed]) -> Graph:
    """Each shipped stack in turn, for invariants that hold in all."""
    return rehearsed[request.param].graph


@pytest.fixture
def staging(rehearsed: Mapping[str, Rehearsed]) -> Graph:
    return rehearsed["staging"].graph


@pytest.fixture
def prod(rehearsed: Mapping[str, Rehearsed]) -> Graph:
    return rehearsed["prod"].graph


def shipped(stack: str) -> dict[str, Any]:
    """The config of a shipped stack file, fresh each time, so that a test may change it."""
    config: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))["config"]
    return config


@pytest.fixture(scope="session")
def on_github(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The exports of both shipped stacks on GitHub, and what a preview right after each update would still change.

    One run for all workers of the session: the first makes it, the others wait and read it.
    """
    shared = of_the_session(tmp_path_factory)
    result = shared / "on_github.pickle"
    with FileLock(shared / "on_github.lock"):
        if not result.is_file():
            result.write_bytes(pickle.dumps(_rehearse_on_github(shared / "on_github")))
        found: Mapping[str, Any] = pickle.loads(result.read_bytes())
    return found


def _rehearse_on_github(directory: Path) -> dict[str, Any]:
    stacks = {name: settings.parse(name, config, rehearsal=True) for name, config in platforms.CONFIGS.items()}
    cloud = stand_in(stacks.values())
    results: dict[str, Any] = {}
    with Rehearsal.open(ROOT, directory, cloud, configs=platforms.CONFIGS) as rehearsal:
        for name in stacks:
            rehearsal.update(name)
            results[name] = rehearsal.export(name)
            results[f"{name} again"] = rehearsal.preview(name)
    memory.save(cloud, directory / memory.PLACE.name)
    return results
