"""What the engine decides about a change of settings or of the program: in place, replaced, refused, or nothing."""

from __future__ import annotations

import io
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal, project_program
from rehearsal.life import changes
from rehearsal.life.stage import Stage
from rehearsal.preview import plan, stand_in
from rehearsal.run import Run
from tests.conftest import ROOT, STACKS, StandingStacks, shipped

# What the tests share is opened by each worker that has any of them, and one preview is looked at by several.
pytestmark = pytest.mark.xdist_group("changes")


@pytest.fixture(scope="module")
def stage(standing: StandingStacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Both stacks as they are shipped, up; the tests only preview changes of them."""
    with standing.opened(tmp_path_factory.mktemp("changes") / "rehearsal") as (rehearsal, cloud):
        yield Stage(rehearsal, cloud, plan(ROOT, STACKS), Console(io.StringIO()))


@pytest.fixture
def staging(stage: Stage) -> Rehearsal:
    return stage.rehearsal


def play(stage: Stage, stack: str, *whats: str) -> Run:
    """Plays one change, or several at once; all that is checked of it must hold."""
    chosen = [change for change in changes.CHANGES if change.what in whats]
    assert len(chosen) == len(whats)
    environment = next(each for each in stage.stacks if each.name == stack)
    config = changes.opened(environment.config)
    for change in chosen:
        edited = change.edit(config)
        assert edited is not None
        config = edited
    expects = frozenset().union(*(change.expects for change in chosen))
    together = changes.Change(
        " and ".join(whats), lambda config: config, expects, all(change.exactly for change in chosen)
    )
    stage.checks.clear()
    changes.previewed(stage, environment, together, changes.closed(config))
    assert [(check.what, check.detail) for check in stage.checks if not check.holds] == []
    assert stage.checks
    return stage.runs[f"{stack}: {together.what}"]


@pytest.mark.parametrize(
    "whats",
    [
        ("a pool that grows", "a further pool", "a new version"),
        ("a pool of another size", "a gate switched off"),
        ("another region",),
    ],
    ids=" and ".join,
)
def test_changes_do_what_they_say_and_no_more(whats: tuple[str, ...], stage: Stage) -> None:
    """`make rehearse` plays every kind by itself, on every stack."""
    play(stage, "staging", *whats)


def test_production_refuses_to_replace_its_cluster(stage: Stage) -> None:
    run = play(stage, "prod", "another range of services")
    assert any("protect" in error for error in run.errors)


def test_a_role_is_taken_away_before_it_is_given_anew(stage: Stage) -> None:
    """Both assignments have the same name, and Azure refuses the second one of a name."""
    run = stage.runs.get("staging: another region") or play(stage, "staging", "another region")
    ops = [step.op for step in run.steps if step.name == "control-plane-assigns-kubelet"]
    assert ops.index("delete-replaced") < ops.index("create-replacement")


def test_a_component_may_be_renamed_with_an_alias_and_only_so_and_the_order_of_zones_is_no_change(stage: Stage) -> None:
    staging = stage.stacks[0]
    config = changes.opened(staging.config)
    config["cluster"]["zones"].reverse()
    assert len(config["cluster"]["zones"]) > 1
    changes.configure(stage, staging, changes.closed(config))
    stage.checks.clear()
    changes.renamed(stage, staging)
    assert [(check.holds, check.detail) for check in stage.checks] == [
        (True, "3 moved, nothing changes"),
        (True, "registry"),
    ]


def preview(rehearsal: Rehearsal, change: dict[str, dict[str, Any]]) -> Run:
    """A preview of staging with some keys of some sections changed."""
    config = shipped("staging")
    for section, keys in change.items():
        config[f"aks-cicd:{section}"] |= keys
    rehearsal.configure("staging", config)
    return rehearsal.preview("staging")


def test_a_registry_turned_private_is_not_replaced(staging: Rehearsal) -> None:
    found = preview(
        staging,
        {
            "registry": {"access": "private"},
            "agents": {"kind": "managed", "servicePrincipalId": "00000000-0000-0000-0000-0000000000d1"},
            "vaults": {"workload": {"access": "private", "softDeleteDays": 30}},
        },
    )
    assert ("update", "Registry") in changes.steps(found)
    assert not {step for step in found.steps if "replace" in step.op}


def test_bad_settings_are_one_message_and_no_traceback(staging: Rehearsal) -> None:
    with pytest.raises(EngineError) as refused:
        preview(staging, {"cluster": {"version": "1.36.2"}})
    assert "aks-cicd:cluster.version" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert str(refused.value).count("allowed:") == 1


def test_a_placeholder_is_refused_outside_a_rehearsal(staging: Rehearsal) -> None:
    staging.configure("staging", shipped("staging"))

    def real() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    staging.use(real)
    try:
        with pytest.raises(EngineError, match="reserved placeholder"):
            staging.preview("staging")
    finally:
        staging.use(project_program(ROOT))


def test_a_stack_that_is_not_up_is_named_to_whoever_leans_on_it(tmp_path: Path) -> None:
    (prod,) = [stack for stack in plan(ROOT, ("prod",)) if stack.name == "prod"]
    alone = Rehearsal.open(ROOT, tmp_path / "rehearsal", stand_in([prod.settings]), configs={"prod": prod.config})
    with alone as rehearsal, pytest.raises(EngineError) as raised:
        rehearsal.preview("prod")
    assert str(raised.value).splitlines()[1:] == [
        "organization/aks-cicd/staging (pulumi:pulumi:StackReference): Preview failed: "
        'unknown stack "organization/aks-cicd/staging"'
    ]
