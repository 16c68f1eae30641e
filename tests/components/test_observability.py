"""What watches an environment, part by part: what is collected, who is told, who may look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import addressing
from components.cluster import Cluster
from components.network import Network, NetworkArgs
from components.observability import (
    NotificationsArgs,
    Objectives,
    Observability,
    ObservabilityArgs,
    log_alerts,
)
from components.observability.activity import GUARDED
from components.observability.containers import STREAMS
from components.observability.delivery import saved_queries, schema
from components.observability.logs import Logs, LogsArgs
from components.observability.notifications import Notifications
from components.placement import Placement
from components.registry import RegistryArgs, TierRegistry
from tests.components.test_cluster import ARGS as CLUSTER
from tests.declared import GROUP, NAMES, SUBSCRIPTION, WORKSPACE, Declared, declared

ELSEWHERE = WORKSPACE.replace(SUBSCRIPTION, "8d7e6f00-1111-4222-8333-444455556666")


def observed(*, private: bool = False, existing: str | None = None, **wanted: Any) -> Declared:
    """A cluster, and all that watches it; `wanted` replaces arguments by name."""

    def build(place: Placement) -> None:
        logs = Logs("logs", LogsArgs(place, existing, None if existing else 30))
        purposes = ("nodes", "api-server") if private else ("nodes",)
        plan = addressing.plan("10.20.0.0/20")
        network = Network(
            "network",
            NetworkArgs(
                place,
                "10.20.0.0/20",
                {purpose: plan[purpose] for purpose in purposes},
                egress="loadBalancer",
                zones=(),
                workspace_id=logs.workspace_id,
            ),
        )
        registry = TierRegistry("registry", RegistryArgs(place, "public", logs.workspace_id))
        cluster = Cluster(
            "cluster",
            replace(
                CLUSTER,
                place=place,
                access="private" if private else "public",
                virtual_network_id=network.id,
                nodes_subnet_id=network.subnet_ids["nodes"],
                api_server_subnet_id=network.subnet_ids.get("api-server"),
                registry_id=registry.id,
                workspace_id=logs.workspace_id,
            ),
        )
        args: dict[str, Any] = {
            "subscription_id": SUBSCRIPTION,
            "resource_group_id": cluster.id.apply(lambda id: id.partition("/providers/")[0]),
            "logs": logs,
            "existing_log_workspace_id": existing,
            "receivers": NotificationsArgs(place, {"team": "team@contoso.com"}),
            "operators": (GROUP,),
            "cluster_id": cluster.id,
            "cluster_name": NAMES.cluster,
            "private_cluster": private,
            "metrics_location": place.location,
            "objectives": Objectives(),
            "sampling_percent": 100,
            "gate_hours": 24,
            "closed_to": None,
            "grafana_version": "12",
            "grafana_zone_redundant": False,
            "dashboards_in_portal": False,
            "pulls": False,
            **wanted,
        }
        Observability("observability", ObservabilityArgs(place, **args))

    return declared(build, ELSEWHERE)


@pytest.fixture(scope="module")
def usual() -> Declared:
    """A public cluster with a workspace of its own."""
    return observed()


# ---------------------------------------------------------------- metrics


def test_metrics_reach_the_workspace_by_rule_and_association(usual: Declared) -> None:
    """A cluster with the add-on and without the association sends nothing."""
    rule = usual.one("monitor:DataCollectionRule", "metrics-collection")
    workspace = _id(usual, "AzureMonitorWorkspace")
    assert [each["accountResourceId"] for each in rule["destinations"]["monitoringAccounts"]] == [workspace]
    assert rule["dataFlows"][0]["streams"] == ["Microsoft-PrometheusMetrics"]
    assert rule["dataCollectionEndpointId"].endswith("dce-shop-test-metrics")
    association = usual.one("monitor:DataCollectionRuleAssociation", "metrics-of-cluster")
    assert association["resourceUri"] == _id(usual, "ManagedCluster")
    assert association["dataCollectionRuleId"].endswith("dcr-shop-test-metrics")


def test_rules_lie_with_the_workspace_and_judge_this_cluster_alone(usual: Declared) -> None:
    groups = usual.of("alertsmanagement:PrometheusRuleGroup")
    assert len(groups) == 8
    scopes = [_id(usual, "AzureMonitorWorkspace"), _id(usual, "ManagedCluster")]
    assert all(inputs["scopes"] == scopes for inputs in groups.values())
    assert {inputs["clusterName"] for inputs in groups.values()} == {NAMES.cluster}
    assert all(inputs["enabled"] for inputs in groups.values())


def test_a_private_cluster_far_from_its_metrics_is_told_where_its_configuration_is() -> None:
    """Without it the add-on's pods crash; where both regions are one it is not needed."""
    near, far = observed(private=True), observed(private=True, metrics_location="northeurope")
    assert "configuration-of-cluster" not in near.of("monitor:DataCollectionRuleAssociation")
    found = far.one("monitor:DataCollectionRuleAssociation", "configuration-of-cluster")
    assert found["associationName"] == "configurationAccessEndpoint"
    assert found["dataCollectionEndpointId"].endswith("dce-shop-test-metrics")


def test_what_belongs_to_metrics_lives_in_their_region() -> None:
    found = observed(metrics_location="northeurope")
    kinds = ("monitor:AzureMonitorWorkspace", "alertsmanagement:PrometheusRuleGroup", "dashboard:Grafana")
    assert {inputs["location"] for kind in kinds for inputs in found.of(kind).values()} == {"northeurope"}
    assert found.one("monitor:DataCollectionEndpoint", "metrics-endpoint")["location"] == "northeurope"
    assert found.one("monitor:DataCollectionRule", "container-collection")["location"] == "westeurope"


def test_objectives_reach_the_rules() -> None:
    found = observed(objectives=Objectives(availability=0.97, latency=0.95, latency_threshold_seconds=0.5))
    rules = [rule for inputs in found.of("alertsmanagement:PrometheusRuleGroup").values() for rule in inputs["rules"]]
    constants = {rule["record"]: rule["expression"] for rule in rules if rule.get("record", "").startswith("slo:")}
    assert constants["slo:availability:objective_ratio"].startswith("0.97 ")
    assert constants["slo:latency:threshold_seconds"].startswith("0.5 ")


# ---------------------------------------------------------------- logs of containers, traces


def test_container_logs_reach_the_workspace_by_rule_and_association(usual: Declared) -> None:
    rule = usual.one("monitor:DataCollectionRule", "container-collection")
    assert rule["dataSources"]["extensions"][0]["streams"] == list(STREAMS)
    assert rule["destinations"]["logAnalytics"][0]["workspaceResourceId"] == _id(usual, "operationalinsights:Workspace")
    association = usual.one("monitor:DataCollectionRuleAssociation", "containers-of-cluster")
    assert association["associationName"] == "ContainerInsightsExtension"
    assert association["resourceUri"] == _id(usual, "ManagedCluster")


def test_metrics_are_not_paid_for_twice() -> None:
    assert not {"Microsoft-Perf", "Microsoft-InsightsMetrics"} & set(STREAMS)


def test_traces_come_in_with_entra_tokens_alone(usual: Declared) -> None:
    found = usual.one("applicationinsights:Component")
    assert found["disableLocalAuth"] is True
    assert found["ingestionMode"] == "LogAnalytics"
    assert found["workspaceResourceId"] == _id(usual, "operationalinsights:Workspace")


def test_an_existing_workspace_in_another_region_has_its_rules_beside_it() -> None:
    def build(place: Placement) -> None:
        assert Logs("logs", LogsArgs(place, WORKSPACE, location="northeurope")).location == "northeurope"

    declared(build)


# ---------------------------------------------------------------- who is told


def test_every_alert_tells_the_operators(usual: Declared) -> None:
    group = _id(usual, "ActionGroup")
    told = [
        [action["actionGroupId"] for action in rule["actions"]]
        for inputs in usual.of("alertsmanagement:PrometheusRuleGroup").values()
        for rule in inputs["rules"]
        if rule.get("alert")
    ]
    told += [inputs["actions"]["actionGroups"] for inputs in usual.of("monitor:ScheduledQueryRule").values()]
    told += [
        [each["actionGroupId"] for each in inputs["actions"]["actionGroups"]]
        for inputs in usual.of("monitor:ActivityLogAlert").values()
    ]
    assert len(told) > 45
    assert all(groups == [group] for groups in told)


def test_receivers_are_those_of_the_settings_in_one_common_form() -> None:
    def receivers(place: Placement) -> NotificationsArgs:
        return NotificationsArgs(place, {"team": "team@contoso.com"}, {"chat": "https://contoso.com/hook"})

    found = _with_receivers(receivers).one("monitor:ActionGroup")
    assert [(each["name"], each["emailAddress"]) for each in found["emailReceivers"]] == [("team", "team@contoso.com")]
    assert [each["name"] for each in found["webhookReceivers"]] == ["chat"]
    assert all(each["useCommonAlertSchema"] for each in (*found["emailReceivers"], *found["webhookReceivers"]))
    assert len(found["groupShortName"]) <= 12


def test_what_guards_an_environment_is_not_removed_unnoticed(usual: Declared) -> None:
    watched = {
        condition["equals"]
        for inputs in usual.of("monitor:ActivityLogAlert").values()
        for condition in inputs["condition"]["allOf"]
        if condition.get("field") == "operationName"
    }
    assert watched == set(GUARDED.values())
    assert "Microsoft.Authorization/locks/delete" in watched


def test_service_and_resource_health_are_watched(usual: Declared) -> None:
    categories = {
        condition["equals"]
        for inputs in usual.of("monitor:ActivityLogAlert").values()
        for condition in inputs["condition"]["allOf"]
        if condition.get("field") == "category"
    }
    assert categories == {"Administrative", "ResourceHealth", "ServiceHealth"}


@pytest.mark.parametrize(
    "name",
    [
        "defender-alert",
        "cluster-changed-by-person",
        "secret-read-by-person",
        "image-pushed-by-person",
        "release-failed",
        "gate-overdue",
    ],
)
def test_this_is_told_of(name: str, usual: Declared) -> None:
    found = usual.one("monitor:ScheduledQueryRule", f"alert-{name}")
    assert found["enabled"] is True
    assert found["scopes"] == [_id(usual, "operationalinsights:Workspace")]


def test_access_from_outside_is_told_of_where_a_registry_is_closed(usual: Declared) -> None:
    assert "alert-registry-access-from-outside" not in usual.of("monitor:ScheduledQueryRule")
    closed = observed(closed_to=("10.30.0.0/18",)).one(
        "monitor:ScheduledQueryRule", "alert-registry-access-from-outside"
    )
    assert '["10.30.0.0/18"]' in closed["criteria"]["allOf"][0]["query"]


def test_a_gate_is_overdue_after_the_hours_of_the_settings() -> None:
    found = observed(gate_hours=8).one("monitor:ScheduledQueryRule", "alert-gate-overdue")
    assert "ago(8h)" in found["criteria"]["allOf"][0]["query"]


def test_no_query_is_sent_with_a_placeholder_in_it(usual: Declared) -> None:
    queries = [inputs["criteria"]["allOf"][0]["query"] for inputs in usual.of("monitor:ScheduledQueryRule").values()]
    assert not [query for query in queries if "${" in query]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"severity": 7}, "severity 7; allowed: 0 (critical) to 4 (verbose)"),
        ({"severity": None}, "severity None"),
        ({"sevrity": 1}, "unknown keys ['sevrity']"),
        ({"query": ...}, "lacks ['query']"),
        ({"needs": "push"}, "needs 'push'; allowed: closed-registry, pull, or leave it out"),
    ],
)
def test_an_alert_that_is_not_whole_is_one_message(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    whole = yaml.safe_load(log_alerts.DATA.read_text("utf-8"))[0] | change
    path = tmp_path / "alerts.yaml"
    path.write_text(yaml.safe_dump([{key: value for key, value in whole.items() if value is not ...}]))
    with pytest.raises(log_alerts.LogAlertError) as refused:
        log_alerts.load(path)
    assert said in str(refused.value)
    assert "alerts.yaml: alert defender-alert" in str(refused.value)


def test_alerts_that_do_not_parse_are_one_message(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("- name: [")
    with pytest.raises(log_alerts.LogAlertError, match="does not parse"):
        log_alerts.load(path)


# ---------------------------------------------------------------- records of releases


def test_records_have_one_schema_from_the_sender_to_the_table(usual: Declared) -> None:
    record = schema()
    rule = usual.one("monitor:DataCollectionRule", "run-records-collection")
    table = usual.one("operationalinsights:Table", "run-records")
    names = [column.name for column in record.columns]
    assert [column["name"] for column in rule["streamDeclarations"][record.stream]["columns"]] == names
    assert [column["name"] for column in table["schema"]["columns"]] == names
    (flow,) = rule["dataFlows"]
    assert (flow["streams"], flow["outputStream"]) == ([record.stream], f"Custom-{record.table}")


def test_the_four_measures_are_saved_and_read_the_records(usual: Declared) -> None:
    assert {each["name"] for each in saved_queries()} == {
        "lead-time",
        "deployment-frequency",
        "change-failure-rate",
        "time-to-restore",
    }
    found = usual.of("operationalinsights:SavedSearch")
    assert len(found) == 4
    assert all(inputs["query"].startswith(schema().table) for inputs in found.values())


def test_an_existing_workspace_gets_table_and_measures_by_a_template_that_goes_where_it_is() -> None:
    """It may lie in another subscription, and serve several environments that all set the same."""
    found = observed(existing=ELSEWHERE)
    assert not found.of("operationalinsights:Table")
    assert not found.of("operationalinsights:SavedSearch")
    (nested,) = found.one("resources:Deployment", "run-records")["properties"]["template"]["resources"]
    assert (nested["subscriptionId"], nested["resourceGroup"]) == (ELSEWHERE.split("/")[2], "rg-logs")
    kinds = [each["type"].rpartition("/")[2] for each in nested["properties"]["template"]["resources"]]
    assert kinds == ["tables", *["savedSearches"] * 4]


# ---------------------------------------------------------------- Grafana


def test_grafana_reads_metrics_and_monitoring_and_no_more(usual: Declared) -> None:
    """With the data source alone every query is refused."""
    rights = {
        name: inputs["scope"].rpartition("/")[2]
        for name, inputs in usual.of("authorization:RoleAssignment").items()
        if name.startswith("grafana")
    }
    assert rights == {"grafana-queries-metrics": NAMES.metrics_workspace, "grafana-reads-monitoring": "rg-test"}


def test_grafana_may_read_an_existing_workspace_that_lies_elsewhere() -> None:
    found = observed(existing=WORKSPACE).one("authorization:RoleAssignment", "grafana-reads-logs")
    assert found["scope"] == WORKSPACE


def test_operators_administer_grafana_and_nobody_has_a_key(usual: Declared) -> None:
    (grant,) = [
        inputs for name, inputs in usual.of("authorization:RoleAssignment").items() if name.endswith("-grafana")
    ]
    assert (grant["principalId"], grant["principalType"]) == (GROUP, "Group")
    assert usual.one("dashboard:Grafana")["properties"]["apiKey"] == "Disabled"


def test_grafana_has_the_metrics_workspace_as_its_only_integration(usual: Declared) -> None:
    """Azure overwrites the list with each write, so the whole list is declared."""
    integrations = usual.one("dashboard:Grafana")["properties"]["grafanaIntegrations"]
    assert [each["azureMonitorWorkspaceResourceId"] for each in integrations["azureMonitorWorkspaceIntegrations"]] == [
        _id(usual, "AzureMonitorWorkspace")
    ]


def test_dashboards_appear_in_the_portal_only_when_asked_for(usual: Declared) -> None:
    assert not usual.of("dashboard:Dashboard")
    shown = observed(dashboards_in_portal=True)
    assert len(shown.of("dashboard:Dashboard")) >= 4
    assert len(shown.of("dashboard:DashboardDefinition")) == len(shown.of("dashboard:Dashboard"))


def _id(found: Declared, kind: str) -> str:
    (only,) = [each.id for each in found.cloud.resources.values() if each.type_.endswith(kind)]
    return only


def _with_receivers(receivers: Callable[[Placement], NotificationsArgs]) -> Declared:
    return declared(lambda place: Notifications("operators", receivers(place)))
