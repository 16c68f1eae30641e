"""What watches an environment: metrics, traces, container logs, alerts, dashboards, and the records of releases.

The workspace that all logs go to (`logs`) comes first and stands alone: everything else writes to it. What follows
the cluster is composed here, one part a module; rules, queries and dashboards are data beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.observability import log_alerts, prometheus_rules
from components.observability.activity import Activity, ActivityArgs
from components.observability.containers import ContainerLogs, ContainerLogsArgs
from components.observability.delivery import DeliveryRecords, DeliveryRecordsArgs
from components.observability.grafana import GrafanaArgs, ManagedGrafana
from components.observability.log_alerts import LogAlerts, LogAlertsArgs
from components.observability.logs import Logs
from components.observability.metrics import Metrics, MetricsArgs
from components.observability.notifications import Notifications, NotificationsArgs
from components.observability.prometheus_rules import Objectives
from components.observability.telemetry import Telemetry, TelemetryArgs
from components.placement import Placement

__all__ = ["NotificationsArgs", "Objectives", "Observability", "ObservabilityArgs"]

RELEASES_KEPT_DAYS = 365
"""Measures of delivery are compared over a year; the records are small."""


@dataclass(frozen=True)
class ObservabilityArgs:
    place: Placement
    subscription_id: str
    resource_group_id: Input[str]
    logs: Logs
    existing_log_workspace_id: str | None
    receivers: NotificationsArgs
    operators: Sequence[str]
    """Entra groups that administer Grafana."""
    cluster_id: Input[str]
    cluster_name: str
    private_cluster: bool
    metrics_location: str
    """Region of metrics workspace and Grafana."""
    objectives: Objectives
    sampling_percent: int
    gate_hours: int
    closed_to: Sequence[str] | None
    """Ranges that clients of a closed registry come from; None where the registry is open."""
    grafana_version: str
    grafana_zone_redundant: bool
    dashboards_in_portal: bool
    pulls: bool
    """Whether the cluster fetches what it runs."""


class Observability(ComponentResource):
    """Everything that watches one environment, beside its logs."""

    telemetry: Telemetry
    metrics: Metrics
    grafana: ManagedGrafana
    records: DeliveryRecords
    action_group_id: Output[str]
    expressions: tuple[str, ...]
    """Everything that the rules read, for those who decide which series are kept."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Observability", name, None, opts)
        place, logs = args.place, args.logs
        inside = ResourceOptions(parent=self)
        self.action_group_id = Notifications("operators", args.receivers, inside).action_group_id
        self.telemetry = Telemetry("traces", TelemetryArgs(place, logs.workspace_id, args.sampling_percent), inside)
        rules = prometheus_rules.with_objectives(prometheus_rules.load(), args.objectives)
        self.expressions = tuple(rule.expression for group in rules for rule in group.rules)
        self.metrics = Metrics(
            "metrics",
            MetricsArgs(
                place,
                location=args.metrics_location,
                cluster_id=args.cluster_id,
                cluster_name=args.cluster_name,
                private_cluster=args.private_cluster,
                rules=rules,
                action_group_id=self.action_group_id,
                workspace_id=logs.workspace_id,
            ),
            inside,
        )
        ContainerLogs("containers", ContainerLogsArgs(place, logs.workspace_id, logs.location, args.cluster_id), inside)
        self.records = DeliveryRecords(
            "releases",
            DeliveryRecordsArgs(
                place,
                workspace_id=logs.workspace_id,
                workspace_location=logs.location,
                retention_days=RELEASES_KEPT_DAYS,
                existing_workspace_id=args.existing_log_workspace_id,
                after=logs.own,
            ),
            inside,
        )
        LogAlerts(
            "log-alerts",
            LogAlertsArgs(
                place,
                location=logs.location,
                workspace_id=logs.workspace_id,
                action_group_id=self.action_group_id,
                alerts=log_alerts.load(),
                closed_to=args.closed_to,
                gate_hours=args.gate_hours,
                pulls=args.pulls,
            ),
            inside,
        )
        Activity(
            "activity", ActivityArgs(place, args.resource_group_id, args.subscription_id, self.action_group_id), inside
        )
        self.grafana = ManagedGrafana(
            "dashboards",
            GrafanaArgs(
                place,
                location=args.metrics_location,
                version=args.grafana_version,
                zone_redundant=args.grafana_zone_redundant,
                metrics_workspace_id=self.metrics.workspace_id,
                log_workspace_id=logs.workspace_id,
                own_log_workspace=args.existing_log_workspace_id is None,
                resource_group_id=args.resource_group_id,
                admin_groups=args.operators,
                in_portal=args.dashboards_in_portal,
            ),
            inside,
        )
        self.register_outputs({"actionGroupId": self.action_group_id})
