"""What the stand-in refuses of metrics, logs and alerts: one bent property at a time, with Azure's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from rehearsal.cloud.azure import KINDS
from tests.rehearsal.landscape import (
    CLUSTER,
    LANDSCAPE,
    OTHER_SUBSCRIPTION,
    REGISTRY,
    SUBSCRIPTION,
    VAULT,
    VNET,
    WORKSPACE,
    before,
    estate,
    make,
    refused,
    type_of,
    whole,
)

_RULE: Final = LANDSCAPE["rules"][1]["rules"][1]
_COLUMNS: Final = "schema.columns"
_CONDITION: Final = "criteria.allOf[0]"
_INSIGHTS: Final = f"{VNET.split('/providers/')[0]}/providers/Microsoft.Insights"
_ENDPOINT: Final = f"{_INSIGHTS}/dataCollectionEndpoints/dce-test"
_SCRAPE: Final = f"{_INSIGHTS}/dataCollectionRules/dcr-prometheus"
_METRICS: Final = LANDSCAPE["rules"][1]["scopes"][0]
_STREAM: Final = "streamDeclarations"

# The resource, what is bent, the code, and words that the refusal must contain.
Bent = tuple[str, Mapping[str, Any], str, str]

TABLES: Final[dict[str, Bent]] = {
    "a custom table without its suffix": ("table", {"tableName": "Deployments"}, "ResourceNotFound", "_CL"),
    "a table of an unknown plan": ("table", {"plan": "Premium"}, "InvalidParameter", "Basic"),
    "a basic plan for a table that has none": (
        "table",
        {"tableName": "KubeEvents", "plan": "Basic", "retentionInDays": None},
        "InvalidParameter",
        "Basic",
    ),
    "a retention on a basic table": ("table", {"plan": "Basic"}, "InvalidParameter", "Retention is immutable"),
    "a retention of 3 days": ("table", {"retentionInDays": 3}, "InvalidParameter", "4 to 730"),
    "a retention of 731 days": ("table", {"retentionInDays": 731}, "InvalidParameter", "4 to 730"),
    "a total retention of 4384 days": ("table", {"totalRetentionInDays": 4384}, "InvalidParameter", "4 to 4383"),
    "a total retention below the retention": ("table", {"totalRetentionInDays": 29}, "InvalidParameter", "less than"),
    "a schema of another name": ("table", {"schema.name": "Other_CL"}, "InvalidParameter", "schema.name"),
    "a custom table without a schema": ("table", {"schema": None}, "InvalidParameter", "schema"),
    "a table without a time": ("table", {f"{_COLUMNS}[0].name": "At"}, "InvalidParameter", "TimeGenerated"),
    "a table whose time is text": ("table", {f"{_COLUMNS}[0].type": "string"}, "InvalidParameter", "TimeGenerated"),
    "a column of an unknown type": ("table", {f"{_COLUMNS}[1].type": "text"}, "InvalidParameter", "text"),
    "a column twice": (
        "table",
        {f"{_COLUMNS}[2]": {"name": "Digest", "type": "string"}},
        "InvalidParameter",
        "Digest",
    ),
    "a table of a workspace that does not exist": (
        "table",
        {"workspaceName": "log-gone"},
        "ParentResourceNotFound",
        "log-gone",
    ),
    "a search without a category": ("search", {"category": ""}, "InvalidParameter", "category"),
    "a search without a query": ("search", {"query": " "}, "InvalidParameter", "query"),
    "a search whose alias is no name": (
        "search",
        {"functionAlias": "failed pulls"},
        "InvalidParameter",
        "functionAlias",
    ),
    "a solution named after another workspace": (
        "solution",
        {"solutionName": "SecurityCenterFree(log-other)"},
        "BadRequest",
        "SecurityCenterFree(log-test)",
    ),
    "a solution whose plan has another name": ("solution", {"plan.name": "SecurityCenterFree"}, "BadRequest", "plan"),
    "a solution from no gallery": ("solution", {"plan.product": "SecurityCenterFree"}, "BadRequest", "OMSGallery"),
    "a solution of another publisher": ("solution", {"plan.publisher": "Me"}, "BadRequest", "publisher"),
    "a solution on a vault": (
        "solution",
        {"properties.workspaceResourceId": VAULT},
        "LinkedInvalidPropertyId",
        "workspaces",
    ),
}

COLLECTION: Final[dict[str, Bent]] = {
    "a metrics workspace that is half open": (
        "metrics",
        {"publicNetworkAccess": "Restricted"},
        "InvalidRequestContent",
        "publicNetworkAccess",
    ),
    "an endpoint for an unknown system": ("ingestion", {"kind": "BSD"}, "InvalidPayload", "BSD"),
    "an endpoint that is half open": (
        "ingestion",
        {"networkAcls.publicNetworkAccess": "Some"},
        "InvalidPayload",
        "publicNetworkAccess",
    ),
    "a rule for an unknown system": ("collect", {"kind": "BSD"}, "InvalidPayload", "BSD"),
    "a rule without flows": ("collect", {"dataFlows": None}, "InvalidPayload", "dataFlows"),
    "a flow of no streams": ("collect", {"dataFlows[0].streams": []}, "InvalidPayload", "streams"),
    "a flow to nowhere": ("collect", {"dataFlows[0].destinations": []}, "InvalidPayload", "destinations"),
    "a flow to an undeclared destination": (
        "collect",
        {"dataFlows[0].destinations": ["elsewhere"]},
        "InvalidPayload",
        "elsewhere",
    ),
    "an unknown stream in a flow": (
        "collect",
        {"dataFlows[0].streams": ["Microsoft-KubeGossip"]},
        "InvalidPayload",
        "InvalidStream",
    ),
    "an unknown stream in a source": (
        "collect",
        {"dataSources.extensions[0].streams": ["Microsoft-KubeGossip"]},
        "InvalidPayload",
        "InvalidStream",
    ),
    "a custom stream that is not declared": (
        "receive",
        {"dataFlows[0].streams": ["Custom-Other"]},
        "InvalidPayload",
        "not declared",
    ),
    "a declared stream with a wrong name": (
        "receive",
        {_STREAM: {"Deployments": {"columns": [{"name": "at", "type": "datetime"}]}}},
        "InvalidPayload",
        "Custom-",
    ),
    "a declared stream without columns": (
        "receive",
        {_STREAM: {"Custom-Deployments": {}}},
        "InvalidPayload",
        "no columns",
    ),
    "a declared column of an unknown type": (
        "receive",
        {_STREAM: {"Custom-Deployments": {"columns": [{"name": "at", "type": "date"}]}}},
        "InvalidPayload",
        "'date'",
    ),
    "a custom stream without an output": (
        "receive",
        {"dataFlows[0].outputStream": None},
        "InvalidPayload",
        "outputStream",
    ),
    "an output without its prefix": (
        "receive",
        {"dataFlows[0].outputStream": "Deployments_CL"},
        "InvalidPayload",
        "Custom-",
    ),
    "an output to a table that does not exist": (
        "receive",
        {"dataFlows[0].outputStream": "Custom-Other_CL"},
        "InvalidPayload",
        "InvalidOutputTable: Table for output stream 'Custom-Other_CL' is not available for destination 'logs'",
    ),
    "a transformation that reads nothing": (
        "receive",
        {"dataFlows[0].transformKql": "Deployments | take 1"},
        "InvalidPayload",
        "InvalidTransformQuery",
    ),
    "a transformation of two streams": (
        "collect",
        {"dataFlows[0].transformKql": "source"},
        "InvalidPayload",
        "one stream",
    ),
    "two destinations of one name": (
        "collect",
        {"destinations.logAnalytics[1]": {"name": "logs", "workspaceResourceId": WORKSPACE}},
        "InvalidPayload",
        "'logs'",
    ),
    "two sources of one name": (
        "collect",
        {
            "dataSources.extensions[1]": {
                "name": "ContainerInsightsExtension",
                "extensionName": "ContainerInsights",
                "streams": ["Microsoft-KubeEvents"],
            }
        },
        "InvalidPayload",
        "ContainerInsightsExtension",
    ),
    "a source without streams": ("collect", {"dataSources.extensions[0].streams": []}, "InvalidPayload", "no streams"),
    "an extension that is not named": (
        "collect",
        {"dataSources.extensions[0].extensionName": None},
        "InvalidPayload",
        "extensionName",
    ),
    "series that flow to a workspace for logs": (
        "scrape",
        {"destinations": {"logAnalytics": [{"name": "metrics", "workspaceResourceId": WORKSPACE}]}},
        "InvalidPayload",
        "cannot flow",
    ),
    "logs that flow to a workspace for series": (
        "collect",
        {"destinations": {"monitoringAccounts": [{"name": "logs", "accountResourceId": _METRICS}]}},
        "InvalidPayload",
        "cannot flow",
    ),
    "a rule for Prometheus without an endpoint": (
        "scrape",
        {"dataCollectionEndpointId": None},
        "InvalidPayload",
        "dataCollectionEndpointId",
    ),
    "a rule with a workspace as endpoint": (
        "scrape",
        {"dataCollectionEndpointId": _METRICS},
        "LinkedInvalidPropertyId",
        "dataCollectionEndpoints",
    ),
    "series in a workspace for logs": (
        "scrape",
        {"destinations.monitoringAccounts[0].accountResourceId": WORKSPACE},
        "LinkedInvalidPropertyId",
        "accounts",
    ),
    "logs in a workspace for series": (
        "collect",
        {"destinations.logAnalytics[0].workspaceResourceId": _METRICS},
        "LinkedInvalidPropertyId",
        "workspaces",
    ),
    "a rule away from its workspace for logs": ("collect", {"location": "northeurope"}, "InvalidPayload", "log-test"),
    "a rule away from its endpoint": ("scrape", {"location": "northeurope"}, "InvalidPayload", "dce-test"),
    "an association of a rule and an endpoint": (
        "scraped",
        {"dataCollectionEndpointId": _ENDPOINT},
        "InvalidPayload",
        "both",
    ),
    "an association of nothing": ("scraped", {"dataCollectionRuleId": None}, "InvalidPayload", "neither"),
    "an endpoint under another name": (
        "configured",
        {"associationName": "endpoint"},
        "InvalidPayload",
        "configurationAccessEndpoint",
    ),
    "a rule under the endpoint's name": (
        "scraped",
        {"associationName": "configurationAccessEndpoint"},
        "InvalidPayload",
        "configurationAccessEndpoint",
    ),
    "an association of an endpoint as rule": (
        "scraped",
        {"dataCollectionRuleId": _ENDPOINT},
        "LinkedInvalidPropertyId",
        "dataCollectionRules",
    ),
    "an association with a rule that does not exist": (
        "scraped",
        {"dataCollectionRuleId": f"{_SCRAPE}-gone"},
        "ResourceNotFound",
        "gone",
    ),
    "an association of nothing that exists": ("scraped", {"resourceUri": f"{CLUSTER}x"}, "ResourceNotFound", "x"),
}

ALERTS: Final[dict[str, Bent]] = {
    "an action group in a region": ("actions", {"location": "westeurope"}, "LocationNotAvailableForResourceType", ""),
    "a short name of 13 characters": ("actions", {"groupShortName": "a" * 13}, "GroupShortNameIsTooLong", "12"),
    "an empty short name": ("actions", {"groupShortName": ""}, "BadRequest", "groupShortName"),
    "an action group that is neither on nor off": ("actions", {"enabled": None}, "InvalidRequestContent", "enabled"),
    "an address that is none": (
        "actions",
        {"emailReceivers[0].emailAddress": "operators"},
        "BadRequest",
        "email address",
    ),
    "two receivers of one name": (
        "actions",
        {"webhookReceivers": [{"name": "Operators", "serviceUri": "https://example.com"}]},
        "BadRequest",
        "unique",
    ),
    "a receiver without a name": ("actions", {"emailReceivers[0].name": None}, "BadRequest", "name"),
    "a webhook that is no address": (
        "actions",
        {"webhookReceivers": [{"name": "chat", "serviceUri": "chat"}]},
        "BadRequest",
        "service URI",
    ),
    "a receiver by a role that does not exist": (
        "actions",
        {"armRoleReceivers": [{"name": "owners", "roleId": "Owner"}]},
        "BadRequest",
        "role",
    ),
    "an activity alert in a region that keeps none": (
        "health",
        {"location": "uksouth"},
        "LocationNotAvailableForResourceType",
        "uksouth",
    ),
    "an activity alert without conditions": ("health", {"condition.allOf": []}, "BadRequest", "at least one"),
    "an activity alert without a category": (
        "health",
        {"condition.allOf": [{"field": "level", "equals": "Error"}]},
        "BadRequest",
        "category",
    ),
    "an activity alert on an unknown category": (
        "health",
        {"condition.allOf[0].equals": "Weather"},
        "BadRequest",
        "Weather",
    ),
    "a condition that compares nothing": (
        "health",
        {"condition.allOf[1]": {"field": "level"}},
        "BadRequest",
        "containsAny",
    ),
    "a condition that compares twice": (
        "health",
        {"condition.allOf[1]": {"field": "level", "equals": "Error", "containsAny": ["Error"]}},
        "BadRequest",
        "containsAny",
    ),
    "an activity alert on nothing": ("health", {"scopes": []}, "BadRequest", "scopes"),
    "an activity alert on an unknown subscription": (
        "health",
        {"scopes": [f"/subscriptions/{OTHER_SUBSCRIPTION}"]},
        "SubscriptionNotFound",
        "",
    ),
    "an activity alert on a name": ("health", {"scopes": ["rg-test"]}, "BadRequest", "rg-test"),
    "an activity alert that tells a vault": (
        "health",
        {"actions.actionGroups[0].actionGroupId": VAULT},
        "LinkedInvalidPropertyId",
        "actionGroups",
    ),
    "a metric alert in a region": ("usage", {"location": "westeurope"}, "LocationNotAvailableForResourceType", ""),
    "a metric alert of severity 5": ("usage", {"severity": 5}, "BadRequest", "severity"),
    "a metric alert every 2 minutes": ("usage", {"evaluationFrequency": "PT2M"}, "BadRequest", "PT5M"),
    "a metric alert over 2 minutes": ("usage", {"windowSize": "PT2M"}, "BadRequest", "PT5M"),
    "a metric alert that looks less far than it waits": (
        "usage",
        {"evaluationFrequency": "PT30M"},
        "BadRequest",
        "shorter",
    ),
    "a metric alert on nothing": ("usage", {"scopes": []}, "BadRequest", "scopes"),
    "a metric alert without criteria": ("usage", {"criteria.allOf": []}, "BadRequest", "criteria"),
    "two criteria of one name": (
        "usage",
        {"criteria.allOf[1]": LANDSCAPE["usage"][1]["criteria"]["allOf"][0]},
        "BadRequest",
        "'cpu'",
    ),
    "an unknown operator": ("usage", {f"{_CONDITION}.operator": "Above"}, "BadRequest", "Above"),
    "an unknown aggregation": ("usage", {f"{_CONDITION}.timeAggregation": "Sum"}, "BadRequest", "Sum"),
    "a metric alert that tells a group that does not exist": (
        "usage",
        {"actions[0].actionGroupId": f"{_INSIGHTS}/actionGroups/ag-gone"},
        "ResourceNotFound",
        "ag-gone",
    ),
}

QUERIES: Final[dict[str, Bent]] = {
    "a query rule of an unknown kind": ("logged", {"kind": "EventLog"}, "BadRequest", "EventLog"),
    **{
        f"a query rule without {key}": ("logged", {key: None}, "BadRequest", key)
        for key in ("criteria", "evaluationFrequency", "scopes", "severity", "windowSize")
    },
    "a query rule of severity 5": ("logged", {"severity": 5}, "BadRequest", "severity"),
    "a query every 7 minutes": ("logged", {"evaluationFrequency": "PT7M"}, "BadRequest", "PT5M"),
    "a query over three days": ("logged", {"windowSize": "P3D"}, "BadRequest", "P2D"),
    "a query rule on nothing that exists": ("logged", {"scopes": [f"{WORKSPACE}x"]}, "ResourceNotFound", "log-testx"),
    "a query rule with two conditions": (
        "logged",
        {"criteria.allOf[1]": LANDSCAPE["logged"][1]["criteria"]["allOf"][0]},
        "BadRequest",
        "exactly one",
    ),
    "a query rule without a query": ("logged", {f"{_CONDITION}.query": " "}, "BadRequest", "query"),
    "a query rule without a threshold": ("logged", {f"{_CONDITION}.threshold": None}, "BadRequest", "threshold"),
    "a query rule with an unknown operator": ("logged", {f"{_CONDITION}.operator": ">"}, "BadRequest", "GreaterThan"),
    "an average of nothing": (
        "logged",
        {f"{_CONDITION}.timeAggregation": "Average"},
        "BadRequest",
        "metricMeasureColumn",
    ),
    "seven periods": (
        "logged",
        {f"{_CONDITION}.failingPeriods.numberOfEvaluationPeriods": 7},
        "BadRequest",
        "1 to 6",
    ),
    "more failing periods than periods": (
        "logged",
        {f"{_CONDITION}.failingPeriods.minFailingPeriodsToAlert": 3},
        "BadRequest",
        "3 of 2",
    ),
    "silence for no duration": ("logged", {"muteActionsDuration": "1h"}, "BadRequest", "ISO 8601"),
    "silence that ends by itself": (
        "logged",
        {"autoMitigate": True, "muteActionsDuration": "PT1H"},
        "BadRequest",
        "autoMitigate",
    ),
    "a query rule that tells a vault": (
        "logged",
        {"actions.actionGroups": [VAULT]},
        "LinkedInvalidPropertyId",
        "actionGroups",
    ),
    "a group of no rules": ("rules", {"rules": []}, "BadRequest", "between 1 and 20. You entered 0"),
    "a group of 21 rules": (
        "rules",
        {"rules": [_RULE | {"alert": f"Alert{number}"} for number in range(21)]},
        "BadRequest",
        "between 1 and 20. You entered 21",
    ),
    "a group every 59 seconds": ("rules", {"interval": "PT59S"}, "BadRequest", "PT1M"),
    "a group every 16 minutes": ("rules", {"interval": "PT16M"}, "BadRequest", "PT15M"),
    "a group that is evaluated now and then": ("rules", {"interval": "often"}, "BadRequest", "often"),
    "a group on nothing": ("rules", {"scopes": []}, "BadRequest", "scopes"),
    "a group on a cluster first": ("rules", {"scopes": [CLUSTER, _METRICS]}, "BadRequest", "first of scopes"),
    "a group on a workspace for logs": ("rules", {"scopes": [WORKSPACE]}, "BadRequest", "Azure Monitor workspace"),
    "a group on a workspace that does not exist": ("rules", {"scopes[0]": f"{_METRICS}x"}, "ResourceNotFound", "x"),
    "a group away from its workspace": ("rules", {"location": "northeurope"}, "BadRequest", "region"),
    "a rule that is neither record nor alert": ("rules", {"rules[1].alert": None}, "BadRequest", "exactly one"),
    "a rule that is both record and alert": ("rules", {"rules[1].record": "a:b"}, "BadRequest", "exactly one"),
    "a rule without an expression": ("rules", {"rules[1].expression": " "}, "BadRequest", "expression"),
    "a rule of severity 5": ("rules", {"rules[1].severity": 5}, "BadRequest", "severity"),
    "a rule that waits for no duration": ("rules", {"rules[1].for": "15m"}, "BadRequest", "duration"),
    "a rule that resolves after no duration": (
        "rules",
        {"rules[1].resolveConfiguration.timeToResolve": "10m"},
        "BadRequest",
        "duration",
    ),
    "one alert twice": ("rules", {"rules[2]": _RULE}, "BadRequest", "twice"),
    "a record that is no metric": ("rules", {"rules[0].record": "node cpu"}, "BadRequest", "metric"),
    "a label that is none": ("rules", {"rules[0].labels": {"work-load": "x"}}, "BadRequest", "label"),
    "a rule that tells a group that does not exist": (
        "rules",
        {"rules[1].actions[0].actionGroupId": f"{_INSIGHTS}/actionGroups/ag-gone"},
        "ResourceNotFound",
        "ag-gone",
    ),
}

BENT: Final = TABLES | COLLECTION | ALERTS | QUERIES


@pytest.mark.parametrize("what", BENT)
def test_what_azure_refuses_is_refused(what: str) -> None:
    key, changes, code, part = BENT[what]
    cloud = before(key)
    with refused(code, part):
        make(cloud, key, changes)


def test_one_fault_names_one_refusal() -> None:
    assert len(BENT) == sum(map(len, (TABLES, COLLECTION, ALERTS, QUERIES)))


# What is allowed, at the edges of what is refused


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("table", {"plan": "Basic", "retentionInDays": None}),
        ("table", {"retentionInDays": 4, "totalRetentionInDays": 4}),
        ("table", {"retentionInDays": 730, "totalRetentionInDays": 4383}),
        ("table", {"retentionInDays": -1, "totalRetentionInDays": -1}),
        ("collect", {"dataFlows[0].transformKql": "source", "dataFlows[0].streams": ["Microsoft-KubeEvents"]}),
        ("receive", {"dataFlows[0].transformKql": None}),
        ("actions", {"groupShortName": "a" * 12, "location": "global"}),
        ("health", {"location": "westeurope"}),
        ("health", {"scopes": [VNET.split("/providers/")[0]]}),
        ("usage", {"windowSize": "PT5M"}),
        ("logged", {"kind": "LogToMetric", "severity": None}),
        ("logged", {"autoMitigate": False, "muteActionsDuration": "PT1H"}),
        ("rules", {"interval": "PT15M"}),
        ("rules", {"rules[1].for": "PT05M"}),
        ("rules", {"rules[2]": LANDSCAPE["rules"][1]["rules"][0] | {"labels": {"workload_type": "job"}}}),
        ("rules", {"rules": [_RULE | {"alert": f"Alert{number}"} for number in range(20)]}),
        ("rules", {"location": "West Europe"}),
    ],
)
def test_what_lies_at_the_edge_is_accepted(key: str, changes: Mapping[str, Any]) -> None:
    make(before(key), key, changes)


def test_a_rule_cannot_flow_into_a_metrics_workspace_of_another_region() -> None:
    cloud = before("scrape", frozenset({"metrics"}))
    make(cloud, "metrics", {"location": "northeurope"})
    with refused("InvalidPayload", "amw-test"):
        make(cloud, "scrape")


def test_an_output_table_of_a_workspace_of_the_estate_is_taken_on_trust() -> None:
    far = WORKSPACE.replace("rg-test", "rg-shared")
    cloud = before("receive")
    cloud.admit(estate(resource_ids=frozenset({far})))
    make(
        cloud,
        "receive",
        {
            "destinations.logAnalytics[0].workspaceResourceId": far,
            "dataFlows[0].outputStream": "Custom-Elsewhere_CL",
        },
    )


def test_an_activity_alert_watches_its_own_subscription_only() -> None:
    cloud = before("health")
    cloud.admit(estate(subscriptions=frozenset({OTHER_SUBSCRIPTION})))
    with refused("BadRequest", "own subscription"):
        make(cloud, "health", {"scopes": [f"/subscriptions/{OTHER_SUBSCRIPTION}"]})


# Diagnostics of what watches


@pytest.mark.parametrize(
    ("target", "category"),
    [
        ("grafana", "GrafanaLoginEvents"),
        ("grafana", "GrafanaUsageInsightsEvents"),
        ("insights", "AppTraces"),
        ("collect", "LogErrors"),
    ],
)
def test_what_watches_has_diagnostics_of_its_own(target: str, category: str) -> None:
    cloud = whole()
    id = next(found.id for found in cloud.resources.values() if _is(found, target))
    logs = [{"category": category, "enabled": True}]
    make(cloud, "diagnostics", {"resourceUri": id, "logs": logs})
    with refused("BadRequest", "not supported"):
        make(cloud, "diagnostics", {"name": "more", "resourceUri": id, "logs[0].category": "AuditEvent"})


@pytest.mark.parametrize("target", ["metrics", "ingestion"])
def test_a_metrics_workspace_and_an_endpoint_have_no_diagnostics(target: str) -> None:
    cloud = whole()
    id = next(found.id for found in cloud.resources.values() if _is(found, target))
    with refused("ResourceTypeNotSupported"):
        make(cloud, "diagnostics", {"resourceUri": id})


def _is(found: Any, key: str) -> bool:
    kind = KINDS[type_of(key)]
    return bool(found.type_ == kind.token and found.name == LANDSCAPE[key][1][kind.name_input])


# Answers


def test_a_metrics_workspace_brings_its_own_way_in() -> None:
    cloud = whole()
    answer = cloud.resources[_METRICS.lower()].outputs
    assert answer["metrics"]["prometheusQueryEndpoint"].endswith(".westeurope.prometheus.monitor.azure.com")
    own = answer["defaultIngestionSettings"]
    assert own["dataCollectionRuleResourceId"].startswith(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MA_amw-test_")
    make(cloud, "scraped", {"associationName": "own", "dataCollectionRuleId": own["dataCollectionRuleResourceId"]})


def test_an_endpoint_and_a_rule_answer_where_to_send() -> None:
    cloud = whole()
    endpoint = cloud.resources[_ENDPOINT.lower()].outputs
    assert endpoint["logsIngestion"]["endpoint"].endswith(".westeurope-1.ingest.monitor.azure.com")
    assert endpoint["metricsIngestion"]["endpoint"].endswith(".westeurope-1.metrics.ingest.monitor.azure.com")
    assert endpoint["configurationAccess"]["endpoint"].endswith(".handler.control.monitor.azure.com")
    assert cloud.resources[_SCRAPE.lower()].outputs["immutableId"].startswith("dcr-")


def test_an_alert_may_watch_what_the_estate_brings() -> None:
    cloud = before("usage")
    far = REGISTRY.replace("rg-test", "rg-shared")
    cloud.admit(estate(resource_ids=frozenset({far})))
    make(cloud, "usage", {"scopes": [far]})
