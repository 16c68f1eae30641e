"""What the engine decides about a change of settings: in place, replaced in which order, or refused."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine import EngineError, Rehearsal, project_program
from rehearsal.preview import plan, stand_in
from rehearsal.run import Run
from tests.conftest import ROOT, shipped

KEPT = ("ManagedCluster", "Registry", "Vault", "Workspace")


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Staging as it is shipped, up; the tests only preview changes of it."""
    directory = tmp_path_factory.mktemp("behaviour") / "rehearsal"
    stacks = plan(ROOT, ["staging"])
    with Rehearsal.open(ROOT, directory, stand_in(stack.settings for stack in stacks)) as rehearsal:
        rehearsal.update("staging")
        yield rehearsal


ELSEWHERE = {"azure": {"location": "northeurope"}}


@pytest.fixture(scope="module")
def moved(staging: Rehearsal) -> Run:
    """A preview of staging in another region."""
    return preview(staging, ELSEWHERE)


def preview(rehearsal: Rehearsal, change: dict[str, dict[str, Any]]) -> Run:
    """A preview of staging with some keys of some sections changed."""
    config = shipped("staging")
    for section, keys in change.items():
        config[f"aks-cicd:{section}"] |= keys
    rehearsal.configure("staging", config)
    return rehearsal.preview("staging")


def steps(run: Run) -> set[tuple[str, str]]:
    return {(step.op, step.type.rpartition(":")[2]) for step in run.changed()}


def test_a_new_kubernetes_version_reaches_cluster_and_pools_in_place(staging: Rehearsal) -> None:
    found = preview(staging, {"cluster": {"version": "1.37"}})
    assert steps(found) >= {("update", "ManagedCluster"), ("update", "AgentPool")}
    assert not {step for step in steps(found) if step[0] != "update" and step[1] != "Stack"}


def test_a_pool_that_grows_changes_in_place(staging: Rehearsal) -> None:
    pools = shipped("staging")["aks-cicd:cluster"]["userPools"]
    pools["apps"]["maxNodes"] = 9
    assert steps(preview(staging, {"cluster": {"userPools": pools}})) == {("update", "AgentPool")}


def test_a_further_pool_is_made_and_nothing_else_changes(staging: Rehearsal) -> None:
    pools = shipped("staging")["aks-cicd:cluster"]["userPools"]
    pools["more"] = dict(pools["apps"])
    assert steps(preview(staging, {"cluster": {"userPools": pools}})) == {("create", "AgentPool")}


def test_pools_and_groups_in_another_order_are_no_change(staging: Rehearsal) -> None:
    config = shipped("staging")["aks-cicd:cluster"]
    config["zones"] = list(reversed(config["zones"]))
    assert not steps(preview(staging, {"cluster": config}))


def test_a_role_is_taken_away_before_it_is_given_anew(moved: Run) -> None:
    """Both assignments have the same name, and Azure refuses the second one of a name."""
    steps = [step.op for step in moved.steps if step.name == "control-plane-assigns-kubelet"]
    assert steps.index("delete-replaced") < steps.index("create-replacement")


def test_a_move_to_another_region_says_that_it_replaces(moved: Run) -> None:
    replaced = {step.type.rpartition(":")[2] for step in moved.steps if "replace" in step.op}
    assert set(KEPT) <= replaced


def test_a_registry_turned_private_is_not_replaced(staging: Rehearsal) -> None:
    found = preview(
        staging,
        {
            "registry": {"access": "private"},
            "agents": {"kind": "managed", "servicePrincipalId": "00000000-0000-0000-0000-0000000000d1"},
            "vaults": {"workload": {"access": "private", "softDeleteDays": 30}},
        },
    )
    assert ("update", "Registry") in steps(found)
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
