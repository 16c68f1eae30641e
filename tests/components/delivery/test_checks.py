"""The gates before an environment and its connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery import BusinessHours, Gates
from components.delivery.checks import NONPRODUCTION, PRODUCTION, planned, warnings
from tests.declared import GROUP
from tests.deliveries import Delivered, environment, home

CHECKS = {
    "approval": "CheckApproval",
    "branch-control": "CheckBranchControl",
    "exclusive-lock": "CheckExclusiveLock",
    "required-template": "CheckRequiredTemplate",
    "business-hours": "CheckBusinessHours",
}
HOURS = BusinessHours("08:00", "17:00", "W. Europe Standard Time")


def guarded(found: Delivered) -> dict[tuple[str, str], set[str]]:
    """The gates of each thing, by kind and id; of what has none, an empty set."""
    things = {("endpoint", id) for id in found.ids("ServiceEndpointAzureRM").values()}
    things |= {("environment", id) for id in found.ids("Environment").values()}
    standing: dict[tuple[str, str], set[str]] = {thing: set() for thing in things}
    for gate, kind in CHECKS.items():
        for inputs in found.of(kind).values():
            standing[inputs["targetResourceType"], inputs["targetResourceId"]].add(gate)
    return standing


def of_the_environment(found: Delivered) -> list[set[str]]:
    """The gates of the environment and of every connection but CI's."""
    ci = ("endpoint", found.ids("ServiceEndpointAzureRM")["ci"])
    return [gates for thing, gates in guarded(found).items() if thing != ci]


class TestPlanning:
    def test_production_has_all_gates_by_default_and_nonproduction_the_two_that_need_nobody(self) -> None:
        assert planned(True, Gates()) == PRODUCTION
        assert planned(False, Gates()) == NONPRODUCTION
        assert not list(warnings("prod", True, Gates()))
        assert not list(warnings("staging", False, Gates()))

    @pytest.mark.parametrize("gate", PRODUCTION)
    def test_a_gate_that_is_switched_off_is_warned_about(self, gate: str) -> None:
        switched: dict[str, Any] = {gate.replace("-", "_"): False}
        off = replace(Gates(), **switched)
        assert gate not in planned(True, off)
        (warning,) = warnings("prod", True, off)
        assert gate in warning
        assert "prod" in warning

    def test_what_a_tier_does_not_have_is_not_warned_about(self) -> None:
        assert not list(warnings("staging", False, Gates(approval=False, required_template=False)))

    def test_waiting_for_a_person_twice_is_warned_about(self) -> None:
        (warning,) = warnings("prod", True, Gates(), manual_validation=True)
        assert "twice" in warning
        (other,) = warnings("prod", True, Gates(approval=False), manual_validation=True)
        assert "twice" not in other

    def test_business_hours_come_on_top(self) -> None:
        assert planned(True, Gates(business_hours=HOURS)) == (*PRODUCTION, "business-hours")


@pytest.fixture(scope="module")
def found() -> Delivered:
    return environment(gates=Gates(business_hours=HOURS))


class TestProduction:
    def test_the_environment_and_every_connection_have_every_gate(self, found: Delivered) -> None:
        assert of_the_environment(found) == [set(CHECKS)] * 3

    def test_whoever_asks_for_a_release_cannot_approve_it(self, found: Delivered) -> None:
        approvals = found.of("CheckApproval").values()
        assert {each["requesterCanApprove"] for each in approvals} == {False}
        assert {each["minimumRequiredApprovers"] for each in approvals} == {1}

    def test_a_release_waits_for_its_approval_as_long_as_said_and_no_longer(self, found: Delivered) -> None:
        """In minutes; the provider's own default is thirty days."""
        assert {each["timeout"] for each in found.of("CheckApproval").values()} == {Gates().approval_hours * 60}

    def test_the_projects_group_approves_and_only_the_directorys_group_is_in_it(self, found: Delivered) -> None:
        groups = found.of("Group")
        assert groups["directory-group"] == {"originId": GROUP}
        membership = found.one("GroupMembership")
        made = {
            each.name: each for each in found.azure.cloud.devops.resources.values() if each.type_.endswith(":Group")
        }
        local = made["approvers-test"]
        (directory,) = (each for name, each in made.items() if name != "approvers-test")
        assert membership["group"] == local.outputs["descriptor"]
        assert membership["members"] == [directory.outputs["descriptor"]]
        assert membership["mode"] == "overwrite"
        assert [each["approvers"] for each in found.of("CheckApproval").values()] == [[local.outputs["originId"]]] * 3

    def test_the_directorys_group_stays_when_the_environment_goes(self, found: Delivered) -> None:
        (options,) = found.options("Group", "directory-group")
        assert options.retain_on_delete

    def test_approvers_see_what_they_approve_and_nobody_administers_it(self, found: Delivered) -> None:
        roles = found.of("SecurityroleAssignment").values()
        (project,) = found.ids("Project").values()
        expected = {f"{project}_{id}" for id in found.ids("Environment").values()}
        expected |= {f"{project}_{id}" for name, id in found.ids("ServiceEndpointAzureRM").items() if name != "ci"}
        assert {each["resourceId"] for each in roles} == expected
        assert {each["roleName"] for each in roles} == {"User"}

    def test_only_the_protected_main_branch_passes(self, found: Delivered) -> None:
        for each in found.of("CheckBranchControl").values():
            assert each["allowedBranches"] == "refs/heads/main"
            assert each["verifyBranchProtection"] is True
            assert each["ignoreUnknownProtectionStatus"] is False

    def test_the_template_is_the_one_on_the_platforms_main_branch(self, found: Delivered) -> None:
        wanted = {
            "repositoryType": "azuregit",
            "repositoryName": "Shop/platform",
            "repositoryRef": "refs/heads/main",
            "templatePath": "pipelines/templates/release.yml",
        }
        assert [each["requiredTemplates"] for each in found.of("CheckRequiredTemplate").values()] == [[wanted]] * 3

    def test_releases_start_on_working_days_within_the_hours(self, found: Delivered) -> None:
        each: Any
        for each in found.of("CheckBusinessHours").values():
            assert (each["startTime"], each["endTime"], each["timeZone"]) == (HOURS.start, HOURS.end, HOURS.time_zone)
            assert [day for day in ("monday", "friday", "saturday", "sunday") if each[day]] == ["monday", "friday"]


class TestNonproduction:
    def test_staging_keeps_branches_out_and_lets_one_release_through_at_a_time(self) -> None:
        found = environment(production=False, promotion=None, approver_group_id=None, protect=False)
        assert of_the_environment(found) == [set(NONPRODUCTION)] * 2
        assert not found.of("Group")

    def test_a_branch_that_nobody_reviewed_cannot_use_cis_connection(self) -> None:
        found = home()
        (connection,) = found.ids("ServiceEndpointAzureRM").values()
        assert guarded(found) == {("endpoint", connection): {"branch-control"}}


def test_a_protection_that_cannot_be_seen_is_forgiven_only_when_said() -> None:
    found = environment(branches_known=False).of("CheckBranchControl")
    forgiven = {name for name, each in found.items() if each["ignoreUnknownProtectionStatus"]}
    assert forgiven == {name for name in found if not name.startswith("ci-")}


def test_a_gate_that_is_switched_off_is_not_made() -> None:
    found = environment(gates=Gates(approval=False), approver_group_id=None)
    assert not found.of("CheckApproval")
    assert not found.of("Group")


@pytest.mark.parametrize("protect", [True, False])
def test_the_record_of_what_was_deployed_to_production_is_not_deleted_by_mistake(protect: bool) -> None:
    (options,) = environment(protect=protect).options("Environment")
    assert options.protect is protect
