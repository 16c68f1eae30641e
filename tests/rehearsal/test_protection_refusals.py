"""What the stand-in refuses of dashboards, application insights, threat protection and deployments, and what becomes
of those that it has made."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import pytest

from rehearsal.cloud import Cloud, CloudError
from rehearsal.cloud.azure.dashboards import MAJOR_VERSIONS
from rehearsal.cloud.azure.defender import EXTENSIONS
from rehearsal.cloud.roles import ROLES
from tests.rehearsal.landscape import (
    CLUSTER,
    LANDSCAPE,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    VAULT,
    VNET,
    WORKSPACE,
    before,
    estate,
    inputs_of,
    make,
    refused,
    role,
    type_of,
    whole,
)
from tests.rehearsal.landscape_monitoring import template

_GROUP_ID: Final = VNET.split("/providers/")[0]
_GRAFANA: Final = f"{_GROUP_ID}/providers/Microsoft.Dashboard/grafana/amg-test"
_PLANS: Final = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings"
_ON_SUBSCRIPTION: Final = {"scopeId": f"subscriptions/{SUBSCRIPTION}"}
_INTEGRATION: Final = (
    "properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations[0].azureMonitorWorkspaceResourceId"
)
_FIRST: Final = "properties.template.resources[0]"
_TABLE: Final = f"{WORKSPACE}/tables/ContainerLogV2"

# The resource, what is bent, the code, and words that the refusal must contain.
Bent = tuple[str, Mapping[str, Any], str, str]

DASHBOARDS: Final[dict[str, Bent]] = {
    "a Grafana of the retired sku": ("grafana", {"sku.name": "Essential"}, "InvalidSku", "Standard"),
    "a Grafana without a sku": ("grafana", {"sku": None}, "InvalidRequestContent", "sku"),
    "a Grafana of a retired version": (
        "grafana",
        {"properties.grafanaMajorVersion": "11"},
        "GrafanaMajorVersionNotSupported",
        "The requested grafana major version '11' is not valid for sku type Standard. Valid versions: 12, 13",
    ),
    "a Grafana that is half open": (
        "grafana",
        {"properties.publicNetworkAccess": "Restricted"},
        "InvalidRequestContent",
        "publicNetworkAccess",
    ),
    "a Grafana on a workspace for logs": ("grafana", {_INTEGRATION: WORKSPACE}, "LinkedInvalidPropertyId", "accounts"),
    "a Grafana on a workspace that does not exist": (
        "grafana",
        {_INTEGRATION: f"{_GROUP_ID}/providers/Microsoft.Monitor/accounts/amw-gone"},
        "ResourceNotFound",
        "amw-gone",
    ),
    "a managed endpoint with the group of another service": (
        "reach",
        {"groupIds": ["vault"]},
        "BadRequest",
        "prometheusMetrics",
    ),
    "a managed endpoint of no Grafana": ("reach", {"workspaceName": "amg-gone"}, "ParentResourceNotFound", "amg-gone"),
    "a managed endpoint to nothing": (
        "reach",
        {"privateLinkResourceId": f"{VAULT}x", "groupIds": ["vault"]},
        "ResourceNotFound",
        "kv-test-1x",
    ),
    "a dashboard that is no JSON": ("definition", {"properties.serializedData": "{title"}, "BadRequest", "JSON"),
    "a dashboard that is a list": ("definition", {"properties.serializedData": "[]"}, "BadRequest", "JSON"),
    "a dashboard of nothing": ("definition", {"properties": None}, "BadRequest", "JSON"),
    "a definition of no dashboard": ("definition", {"dashboardName": "gone"}, "ParentResourceNotFound", "gone"),
}

INSIGHTS: Final[dict[str, Bent]] = {
    "a component without a workspace": (
        "insights",
        {"workspaceResourceId": None},
        "BadRequest",
        "workspaceResourceId",
    ),
    "a component on a workspace that does not exist": (
        "insights",
        {"workspaceResourceId": f"{WORKSPACE}-gone"},
        "ResourceNotFound",
        "log-test-gone",
    ),
    "a component on a vault": ("insights", {"workspaceResourceId": VAULT}, "LinkedInvalidPropertyId", "workspaces"),
    "a component that keeps its own data": (
        "insights",
        {"ingestionMode": "ApplicationInsights"},
        "BadRequest",
        "retired",
    ),
    "a component of no kind": ("insights", {"kind": None}, "InvalidRequestContent", "kind"),
    "a component for an unknown sort": ("insights", {"applicationType": "desktop"}, "BadRequest", "desktop"),
    "a component that keeps 31 days": ("insights", {"retentionInDays": 31}, "BadRequest", "30, 60, 90"),
    "a component that samples nothing": ("insights", {"samplingPercentage": 0}, "BadRequest", "samplingPercentage"),
    "a component that is half open": (
        "insights",
        {"publicNetworkAccessForQuery": "Some"},
        "BadRequest",
        "publicNetworkAccessForQuery",
    ),
}

DEFENDER: Final[dict[str, Bent]] = {
    "a plan of no tier": ("plan", {"pricingTier": None}, "InvalidRequestContent", "pricingTier"),
    "a plan of an unknown tier": ("plan", {"pricingTier": "Premium"}, "InvalidRequestContent", "Standard"),
    "a plan whose scope starts with a slash": ("plan", {"scopeId": CLUSTER}, "InvalidUrlConfiguration", "first slash"),
    "a plan whose scope is a name": ("plan", {"scopeId": "aks-test"}, "InvalidUrlConfiguration", "aks-test"),
    "a plan of an unknown subscription": (
        "plan",
        {"scopeId": f"subscriptions/{OTHER_SUBSCRIPTION}"},
        "SubscriptionNotFound",
        OTHER_SUBSCRIPTION,
    ),
    "a plan of a cluster that does not exist": (
        "plan",
        {"scopeId": f"{CLUSTER}x".lstrip("/")},
        "ResourceNotFound",
        "aks-testx",
    ),
    "an extension of another plan": ("plan", {"extensions[0].name": "ApiPosture"}, "InvalidExtension", "ApiPosture"),
    "an extension of a plan that has none": ("plan", {"pricingName": "KeyVaults"}, "InvalidExtension", "none"),
    "an extension twice": (
        "plan",
        {"extensions[1]": {"name": "ContainerSensor", "isEnabled": "False"}},
        "InvalidExtension",
        "twice",
    ),
    "an extension that is truly on": ("plan", {"extensions[0].isEnabled": True}, "InvalidRequestContent", "'True'"),
    "a plan that the subscription has from its first day": (
        "plan",
        _ON_SUBSCRIPTION,
        "Conflict",
        f"cannot create already existing resource '{_PLANS}/Containers'",
    ),
    "a contact without an address": ("contact", {"emails": "security"}, "BadRequest", "email address"),
    "a contact of whom one address is none": (
        "contact",
        {"emails": "a@example.com;b"},
        "BadRequest",
        "'b'",
    ),
    "a contact that is half on": ("contact", {"notificationsByRole.state": "Some"}, "BadRequest", "On or Off"),
    "a contact by an unknown role": ("contact", {"notificationsByRole.roles": ["Reader"]}, "BadRequest", "Reader"),
    "a contact for an unknown source": (
        "contact",
        {"notificationsSources[0].sourceType": "News"},
        "BadRequest",
        "News",
    ),
    "a contact from an unknown severity": (
        "contact",
        {"notificationsSources[0].minimalSeverity": "Critical"},
        "BadRequest",
        "minimalSeverity",
    ),
    "a contact from an unknown risk": (
        "contact",
        {"notificationsSources[1].minimalRiskLevel": "Extreme"},
        "BadRequest",
        "minimalRiskLevel",
    ),
    **{
        f"an export without {key}": ("export", {key: None}, "BadRequest", key)
        for key in ("scopes", "sources", "actions")
    },
    "an export of a name": ("export", {"scopes[0].scopePath": "rg-test"}, "BadRequest", "rg-test"),
    "an export of an unknown event": ("export", {"sources[0].eventSource": "News"}, "BadRequest", "News"),
    "an export by an unknown action": ("export", {"actions[0].actionType": "Mail"}, "BadRequest", "Mail"),
    "an export to no workspace": (
        "export",
        {"actions[0].workspaceResourceId": None},
        "BadRequest",
        "workspaceResourceId",
    ),
    "an export to a workspace that does not exist": (
        "export",
        {"actions[0].workspaceResourceId": f"{WORKSPACE}-gone"},
        "ResourceNotFound",
        "log-test-gone",
    ),
    "an export to a vault": (
        "export",
        {"actions[0].workspaceResourceId": VAULT},
        "LinkedInvalidPropertyId",
        "workspaces",
    ),
}

DEPLOYMENTS: Final[dict[str, Bent]] = {
    "a deployment that removes the rest": ("cheap", {"properties.mode": "Complete"}, "InvalidDeployment", "Complete"),
    "a template without a version": (
        "cheap",
        {"properties.template.contentVersion": None},
        "InvalidTemplate",
        "contentVersion",
    ),
    "a resource without a version": ("cheap", {f"{_FIRST}.apiVersion": None}, "InvalidTemplate", "apiVersion"),
    "a plan deployed with the tables": (
        "cheap",
        {f"{_FIRST}.type": "Microsoft.Security/pricings"},
        "InvalidTemplate",
        "pricings",
    ),
    "a deployed table without a workspace": (
        "cheap",
        {f"{_FIRST}.name": "ContainerLogV2"},
        "InvalidTemplate",
        "segments",
    ),
    "a deployed table with a wrong name": (
        "cheap",
        {f"{_FIRST}.name": "log-test/Container-Log"},
        "InvalidParameter",
        "Container-Log",
    ),
    "a deployed table that cannot be basic": (
        "cheap",
        {f"{_FIRST}.name": "log-test/KubeEvents"},
        "InvalidParameter",
        "KubeEvents",
    ),
    "a deployed table of no workspace that exists": (
        "cheap",
        {f"{_FIRST}.name": "log-gone/ContainerLogV2"},
        "ParentResourceNotFound",
        "log-gone",
    ),
    "a deployed basic table with a retention": (
        "cheap",
        {f"{_FIRST}.properties.retentionInDays": 30},
        "InvalidParameter",
        "Retention is immutable",
    ),
}

NESTED: Final[dict[str, Bent]] = {
    "a nested deployment of no subscription that exists": (
        "cheap elsewhere",
        {f"{_FIRST}.subscriptionId": "99999999-0000-4000-8000-000000000000"},
        "SubscriptionNotFound",
        "99999999",
    ),
    "a nested deployment that removes the rest": (
        "cheap elsewhere",
        {f"{_FIRST}.properties.mode": "Complete"},
        "InvalidDeployment",
        "Complete",
    ),
    "a nested table of no workspace that exists": (
        "cheap elsewhere",
        {f"{_FIRST}.properties.template.resources[0].name": "log-gone/ContainerLogV2"},
        "ParentResourceNotFound",
        "log-gone",
    ),
}

BENT: Final = DASHBOARDS | INSIGHTS | DEFENDER | DEPLOYMENTS | NESTED


@pytest.mark.parametrize("what", BENT)
def test_what_azure_refuses_is_refused(what: str) -> None:
    key, changes, code, part = BENT[what]
    cloud = before(key)
    with refused(code, part):
        make(cloud, key, changes)


def test_one_fault_names_one_refusal() -> None:
    assert len(BENT) == sum(map(len, (DASHBOARDS, INSIGHTS, DEFENDER, DEPLOYMENTS, NESTED)))


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        *(("grafana", {"properties.grafanaMajorVersion": version}) for version in (*MAJOR_VERSIONS, None)),
        ("insights", {"retentionInDays": 730, "samplingPercentage": 100}),
        ("plan", {"extensions": None, "pricingName": "KeyVaults"}),
        ("contact", {"emails": "a@example.com; b@example.com"}),
        ("export", {"scopes[0].scopePath": _GROUP_ID}),
        ("cheap", {"properties.template": template()}),
        *(
            ("plan", {"pricingName": plan, "extensions": [{"name": name, "isEnabled": "False"} for name in names]})
            for plan, names in EXTENSIONS.items()
        ),
    ],
)
def test_what_lies_at_the_edge_is_accepted(key: str, changes: Mapping[str, Any]) -> None:
    make(before(key), key, changes)


# Grafana


def test_a_grafana_answers_with_its_address_and_its_identity() -> None:
    cloud = whole()
    answer = cloud.resources[_GRAFANA.lower()].outputs
    assert answer["properties"]["endpoint"].startswith("https://amg-test-")
    assert answer["properties"]["endpoint"].endswith(".weu.grafana.azure.com")
    assert answer["properties"]["grafanaIntegrations"] == LANDSCAPE["grafana"][1]["properties"]["grafanaIntegrations"]
    make(
        cloud,
        "may_pull",
        {
            "roleAssignmentName": "30000000-0000-4000-8000-0000000000ff",
            "principalId": answer["identity"]["principalId"],
        },
    )


def test_a_grafana_with_fixed_addresses_says_which() -> None:
    cloud = before("grafana")
    id = make(cloud, "grafana", {"properties.deterministicOutboundIP": "Enabled"})
    assert len(cloud.resources[id.lower()].outputs["properties"]["outboundIPs"]) == 2


def test_a_grafanas_name_can_be_had_once_only() -> None:
    cloud = whole()
    make(cloud, "group", {"resourceGroupName": "rg-other"})
    with refused("Conflict", "already in use"):
        make(cloud, "grafana", {"resourceGroupName": "rg-other"})


def test_a_grafana_goes_up_a_version_and_not_back() -> None:
    cloud = whole()
    cloud.update(type_of("grafana"), _GRAFANA, inputs_of("grafana", {"properties.grafanaMajorVersion": "13"}))
    with refused("GrafanaMajorVersionNotSupported", "back"):
        cloud.update(type_of("grafana"), _GRAFANA, inputs_of("grafana"))
    kept = cloud.update(type_of("grafana"), _GRAFANA, inputs_of("grafana", {"properties.grafanaMajorVersion": None}))
    assert kept.outputs["properties"]["grafanaMajorVersion"] == "13"


def test_the_zone_redundancy_of_a_grafana_cannot_be_changed() -> None:
    with refused("BadRequest", "zoneRedundancy"):
        whole().update(type_of("grafana"), _GRAFANA, inputs_of("grafana", {"properties.zoneRedundancy": "Disabled"}))


def test_a_managed_endpoint_waits_for_approval() -> None:
    found = whole().resources[f"{_GRAFANA}/managedPrivateEndpoints/to-metrics".lower()]
    assert found.outputs["connectionState"]["status"] == "Pending"


# Application insights


def test_a_component_answers_with_what_a_program_connects_by() -> None:
    found = whole().resources[f"{_GROUP_ID}/providers/Microsoft.Insights/components/appi-test".lower()]
    parts = dict(part.split("=", 1) for part in found.outputs["connectionString"].split(";"))
    assert parts["InstrumentationKey"] == found.outputs["instrumentationKey"]
    assert parts["ApplicationId"] == found.outputs["appId"]
    assert "westeurope" in parts["IngestionEndpoint"]


# Threat protection


def test_the_plan_of_a_resource_goes_and_the_plan_of_a_subscription_stays() -> None:
    cloud = whole()
    cloud.delete(type_of("plan"), f"{CLUSTER}/providers/Microsoft.Security/pricings/Containers")
    assert cloud.read(type_of("plan"), f"{_PLANS}/Containers") is not None
    with refused("InvalidUrlConfiguration", "Delete operation is supported only for single resources scope"):
        cloud.delete(type_of("plan"), f"{_PLANS}/Containers")


def test_the_plan_of_a_subscription_can_be_imported_and_then_changed() -> None:
    cloud = whole()
    found = cloud.read(type_of("plan"), f"{_PLANS}/Containers")
    assert found is not None
    assert found.outputs["pricingTier"] == "Free"
    cloud.update(type_of("plan"), found.id, inputs_of("plan", _ON_SUBSCRIPTION))
    assert cloud.inputs_of(found.id)["pricingTier"] == "Standard"


def test_another_subscriptions_plans_are_not_there() -> None:
    assert whole().read(type_of("plan"), _PLANS.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION) + "/Containers") is None


def test_plans_written_at_once_are_refused() -> None:
    cloud = before("plan")
    cloud.delay(type_of("plan"), 0.2)
    codes: list[str] = []

    def write(plan: str) -> None:
        try:
            make(cloud, "plan", {"pricingName": plan, "extensions": None})
        except CloudError as refusal:
            codes.append(refusal.code)

    writers = [threading.Thread(target=write, args=(plan,)) for plan in ("Containers", "KeyVaults")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert codes == ["Conflict"]


def test_the_contact_of_a_subscription_lies_in_no_group() -> None:
    cloud = Cloud(estate())
    assert (
        make(cloud, "contact") == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/securityContacts/default"
    )


# Tables that a workspace has from its first day


def test_a_table_of_azures_own_cannot_be_created_again() -> None:
    with refused("Conflict", f"cannot create already existing resource '{_TABLE}'"):
        make(before("table"), "table", {"tableName": "ContainerLogV2", "schema": None})


def test_a_table_of_azures_own_can_be_imported_and_changed_but_not_deleted() -> None:
    cloud = whole()
    found = cloud.read(type_of("table"), _TABLE)
    assert found is not None
    assert found.outputs["plan"] == "Analytics"
    cheap = {"tableName": "ContainerLogV2", "plan": "Basic", "retentionInDays": None, "schema": None}
    assert cloud.update(type_of("table"), _TABLE, inputs_of("table", cheap)).outputs["plan"] == "Basic"
    with refused("InvalidParameter", "cannot be deleted"):
        cloud.delete(type_of("table"), _TABLE)
    cloud.delete(type_of("workspace"), WORKSPACE)


def test_a_custom_table_can_be_deleted_and_is_not_there_before() -> None:
    cloud = whole()
    cloud.delete(type_of("table"), f"{WORKSPACE}/tables/Deployments_CL")
    assert cloud.read(type_of("table"), f"{WORKSPACE}/tables/Deployments_CL") is None
    assert cloud.read(type_of("table"), f"{WORKSPACE}x/tables/ContainerLogV2") is None


# Roles


@pytest.mark.parametrize(
    ("guid", "name"),
    [
        ("b0d8363b-8ddd-447d-831f-62ca05bff136", "Monitoring Data Reader"),
        ("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader"),
        ("3913510d-42f4-4e42-8a64-420c390055eb", "Monitoring Metrics Publisher"),
        ("22926164-76b3-42b3-bc55-97df8dab3e41", "Grafana Admin"),
        ("a79a5197-3a5c-4973-a920-486035ffd60f", "Grafana Editor"),
        ("60921a7e-fef1-4a43-9b16-a26c52ad4769", "Grafana Viewer"),
        ("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User"),
        ("73c42c96-874c-492b-b04d-ab87d138a893", "Log Analytics Reader"),
    ],
)
def test_the_roles_of_those_who_watch_can_be_granted(guid: str, name: str) -> None:
    assert ROLES[guid] == name
    make(before("may_pull"), "may_pull", {"roleDefinitionId": role(guid)})
