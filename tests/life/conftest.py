"""One life of the shipped stacks for the whole session: what is cheap of each act, on a copy of what stands already."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from filelock import FileLock

from rehearsal.cloud import Met
from rehearsal.console import Console
from rehearsal.life import drift, faulty, generations, killed, service, up
from rehearsal.life.stage import Check, Stage
from rehearsal.preview import plan
from rehearsal.run import Run
from tests.conftest import ROOT, STACKS, StandingStacks, of_the_session

FAIL_ONCE = (
    "azure-native:keyvault:Vault",
    "azuredevops:index/git:Git",
    "kubernetes:core/v1:Namespace",
)
"""The sample of what fails: of each service what others wait for, and none of it what another waits for, so that one
run meets them all. `make rehearse` lets every type fail."""


@dataclass(frozen=True)
class Lived:
    """What was checked, what the engine did, and what a person was told."""

    checks: tuple[Check, ...]
    runs: Mapping[str, Run]
    met: tuple[Met, ...]
    told: str
    exports: Mapping[str, Mapping[str, Any]]
    held: frozenset[str]
    """Ids of what is in Azure at the end."""

    def of(self, act: str) -> dict[str, Check]:
        return {check.what: check for check in self.checks if check.act == act}


def live(stage: Stage) -> None:
    staging, prod = stage.stacks
    with stage.playing("drift", "Drift"):
        # Services and people in one look: only what people did may be named.
        assert [*service.scale(stage.cloud), *service.upgrade(stage.cloud)]
        drift.people(stage, staging, mends=False)
    with stage.playing("retire", "Retire"):
        generations.refused(stage)
        generations.take_down(stage)
        generations.born_again(stage)
    with stage.playing("faults", "Faults"):
        faulty.completed(stage, faulty.some("create", FAIL_ONCE), [staging])
    with stage.playing("killed", "Killed"):
        killed.kill(stage, prod, after=40)
        killed.recover(stage, prod)
        up.at_rest(stage, prod)


@pytest.fixture(scope="session")
def lived(standing: StandingStacks, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    shared = of_the_session(tmp_path_factory)
    result = shared / "lived.pickle"
    with FileLock(shared / "lived.lock"):
        if not result.is_file():
            told = io.StringIO()
            with standing.opened(shared / "life") as (rehearsal, cloud):
                stage = Stage(rehearsal, cloud, plan(ROOT, STACKS), Console(told))
                live(stage)
                exports = {stack: rehearsal.export(stack) for stack in STACKS}
            found = Lived(
                tuple(stage.checks), stage.runs, cloud.met, told.getvalue(), exports, frozenset(cloud.resources)
            )
            result.write_bytes(pickle.dumps(found))
        loaded: Lived = pickle.loads(result.read_bytes())
    return loaded
