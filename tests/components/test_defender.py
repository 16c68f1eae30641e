"""Defender for Cloud: who owns the plans, and where findings go."""

from __future__ import annotations

from typing import Any

from components.defender import PLANS, Defender, DefenderArgs
from components.observability.logs import Logs, LogsArgs
from components.placement import Placement
from tests.declared import NAMES, SUBSCRIPTION, WORKSPACE, Declared, declared


def defender(*, existing: str | None = None, **wanted: Any) -> Declared:
    def build(place: Placement) -> None:
        logs = Logs("logs", LogsArgs(place, existing, None if existing else 30))
        args: dict[str, Any] = {
            "subscription_id": SUBSCRIPTION,
            "owns_plans": True,
            "contacts": ("security@contoso.com", "another@contoso.com"),
            "contact_is_there": False,
            "resource_group_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test",
            "workspace_id": logs.workspace_id,
            "workspace_location": logs.location,
            "own_workspace": existing is None,
            **wanted,
        }
        Defender("defender", DefenderArgs(place, **args))

    return declared(build)


def test_the_owner_switches_on_containers_with_every_extension_and_vaults() -> None:
    found = defender().of("security:Pricing")
    assert {inputs["pricingName"] for inputs in found.values()} == {"Containers", "KeyVaults"}
    assert {inputs["pricingTier"] for inputs in found.values()} == {"Standard"}
    extensions = {each["name"]: each["isEnabled"] for each in found["plan-containers"]["extensions"]}
    assert extensions == dict.fromkeys(
        (
            "AgentlessDiscoveryForKubernetes",
            "AgentlessVmScanning",
            "ContainerIntegrityContribution",
            "ContainerRegistriesVulnerabilityAssessments",
            "ContainerSensor",
        ),
        "True",
    )


def test_what_azure_adds_to_an_extension_is_declared() -> None:
    """Otherwise it shows as a change after every refresh."""
    (scanning,) = [
        each
        for each in defender().one("security:Pricing", "plan-containers")["extensions"]
        if each["name"] == "AgentlessVmScanning"
    ]
    assert scanning["additionalExtensionProperties"] == {"ExclusionTags": "[]"}


def test_plans_are_of_the_subscription_and_named_without_a_leading_slash() -> None:
    scopes = {inputs["scopeId"] for inputs in defender().of("security:Pricing").values()}
    assert scopes == {f"subscriptions/{SUBSCRIPTION}"}


def test_who_does_not_own_the_plans_leaves_them_and_the_contact_alone() -> None:
    found = defender(owns_plans=False, contacts=())
    assert not found.of("security:Pricing")
    assert not found.of("security:SecurityContact")
    assert found.of("security:Automation")


def test_the_contact_hears_of_alerts_of_medium_severity_and_above() -> None:
    found = defender().one("security:SecurityContact")
    assert found["emails"] == "another@contoso.com;security@contoso.com"
    assert found["notificationsSources"] == [{"sourceType": "Alert", "minimalSeverity": "Medium"}]


def test_alerts_and_findings_of_this_environment_reach_its_workspace() -> None:
    found = defender().one("security:Automation")
    assert found["isEnabled"] is True
    assert [each["scopePath"] for each in found["scopes"]] == [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test"]
    assert {each["eventSource"] for each in found["sources"]} == {"Alerts", "Assessments", "SubAssessments"}
    (action,) = found["actions"]
    assert action["actionType"] == "Workspace"
    assert action["workspaceResourceId"].endswith(NAMES.workspace)


def test_a_workspace_of_our_own_gets_the_tables_and_an_existing_one_keeps_its() -> None:
    assert defender().one("operationsmanagement:Solution")["solutionName"] == f"SecurityCenterFree({NAMES.workspace})"
    assert not defender(existing=WORKSPACE).of("operationsmanagement:Solution")


def test_no_plan_is_listed_twice() -> None:
    assert all(len(set(extensions)) == len(extensions) for extensions in PLANS.values())
