"""The whole life of the shipped stacks, on the real engine: what must hold after each act."""

from __future__ import annotations

import pytest

from rehearsal.life import drift
from rehearsal.run import Step
from tests.life.conftest import FAIL_ONCE, Lived

ACTS = ("drift", "retire", "faults", "killed")

# One life for all of them: it is made by the worker that has these tests.
pytestmark = pytest.mark.xdist_group("life")


@pytest.mark.parametrize("act", ACTS)
def test_everything_that_was_checked_holds(act: str, lived: Lived) -> None:
    checks = lived.of(act)
    assert checks
    assert not {what: check.detail for what, check in checks.items() if not check.holds}


# Drift


def differing(lived: Lived) -> dict[str, Step]:
    (name,) = (name for name in lived.runs if "after people" in name)
    return {step.name: step for step in lived.runs[name].changed()}


def test_what_a_person_changed_is_named_with_its_property(lived: Lived) -> None:
    assert differing(lived)["pool-apps"].diff == {"maxCount": "update"}


def test_what_a_person_deleted_would_be_made_anew(lived: Lived) -> None:
    assert [step.name for step in differing(lived).values() if step.op == "create"] == ["alert-cluster-deleted"]


def test_azure_azure_devops_and_the_cluster_drift_alike(lived: Lived) -> None:
    packages = {step.type.split(":")[0] for step in differing(lived).values()}
    assert packages == {"azure-native", "azuredevops", "kubernetes"}
    assert {deed.type_.split(":")[0] for deed in drift.DEEDS} == packages


def test_autoscaled_counts_and_upgraded_versions_are_no_drift(lived: Lived) -> None:
    touched = {path for step in differing(lived).values() for path in step.diff}
    assert not [
        path for path in touched if "count" in path.lower().replace("maxcount", "") or "version" in path.lower()
    ]


# Retired, and back


def test_nobody_takes_down_what_another_stack_leans_on(lived: Lived) -> None:
    assert lived.of("retire")["staging: retire is refused before others"].detail.startswith("prod leans on staging")


def test_production_is_told_what_it_loses_and_what_guards_it(lived: Lived) -> None:
    said = lived.told[lived.told.index("Retiring prod deletes") : lived.told.index("prod is retired.")]
    for holder in (
        "Registry crshopprod",
        "Vault kv-app-prod",
        "ManagedCluster aks-shop-prod",
        "Workspace log-shop-prod",
    ):
        assert holder in said
    assert "3 delete locks, then Pulumi's protection of 7 resources" in said


def test_what_stays_is_what_may_not_go(lived: Lived) -> None:
    said = lived.told[lived.told.index("What stays, on purpose") :]
    assert "Containers (Pricing)" in said[:200]


def test_a_later_generation_has_names_of_its_own(lived: Lived) -> None:
    vaults = [
        each["id"] for each in lived.exports["prod"]["deployment"]["resources"] if each["type"].endswith(":Vault")
    ]
    assert vaults
    assert all("7a4oy4" not in id for id in vaults), "the name of the first generation is still held by a deleted vault"


# Faults


def test_each_of_the_sample_failed_once(lived: Lived) -> None:
    assert sorted(met.type_ for met in lived.met) == sorted(FAIL_ONCE)


def test_an_error_names_the_resource_and_what_the_service_said(lived: Lived) -> None:
    run = next(run for name, run in lived.runs.items() if name.endswith("update 1"))
    assert any("InternalServerError" in error and "keyvault:Vault" in error for error in run.errors)


# Killed


def test_the_engine_was_killed_and_left_loose_ends(lived: Lived) -> None:
    errors = lived.runs["prod: update that is killed"].errors
    assert any("SIGKILL" in error for error in errors), errors


def test_nothing_is_lost_and_nothing_is_there_twice_in_the_end(lived: Lived) -> None:
    known = [
        str(each["id"]).lower()
        for export in lived.exports.values()
        for each in export["deployment"]["resources"]
        if str(each.get("id", "")).startswith("/subscriptions/")
    ]
    assert len(known) == len(set(known))
    assert set(known) == lived.held
    assert not any(export["deployment"].get("pending_operations") for export in lived.exports.values())
