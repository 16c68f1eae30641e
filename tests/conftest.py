"""What the tests share: both shipped stacks, run once on the real engine for the whole session."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from rehearsal.engine import Rehearsal
from rehearsal.preview import plan, stand_in
from rehearsal.run import Run
from tests.graph import Graph

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
    with Rehearsal.open(ROOT, directory, stand_in(stack.settings for stack in stacks)) as rehearsal:
        for stack in stacks:
            preview, update = rehearsal.preview(stack.name), rehearsal.update(stack.name)
            results[stack.name] = Rehearsed(
                preview, update, rehearsal.preview(stack.name), rehearsal.export(stack.name)
            )
    return results


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Rehearsed]:
    """One run for all workers of the session: the first makes it, the others wait and read it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    result = shared / "rehearsed.pickle"
    with FileLock(shared / "rehearsed.lock"):
        if not result.is_file():
            result.write_bytes(pickle.dumps(rehearse(shared / "rehearsal")))
        found: Mapping[str, Rehearsed] = pickle.loads(result.read_bytes())
    return found


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
