"""Managed Prometheus: a workspace for metrics, the way into it, and the rules that judge what arrives.

A cluster's add-on sends nothing before a collection rule is associated with the cluster, and the portal shows nothing
before the recording rules are there: all of it is made together. Endpoint, collection rule and rule groups live in
the region of the metrics workspace.

What it does not do: the rules themselves stand in `rules/`, in Prometheus' own format; `prometheus_rules` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.alertsmanagement import PrometheusRuleGroup
from pulumi_azure_native.monitor import (
    AzureMonitorWorkspace,
    DataCollectionEndpoint,
    DataCollectionEndpointNetworkAclsArgs,
    DataCollectionRule,
    DataCollectionRuleAssociation,
    DataCollectionRuleDataSourcesArgs,
    DataCollectionRuleDestinationsArgs,
    DataFlowArgs,
    MonitoringAccountDestinationArgs,
    PrometheusForwarderDataSourceArgs,
)

from components.observability.prometheus_rules import RuleGroup, group_name, rule_args
from components.observability.shared import tell_errors
from components.placement import Placement

_STREAM = "Microsoft-PrometheusMetrics"
_DESTINATION = "metrics"


@dataclass(frozen=True)
class MetricsArgs:
    place: Placement
    location: str
    """Region of the metrics workspace; not every region has them."""
    cluster_id: Input[str]
    cluster_name: str
    private_cluster: bool
    rules: tuple[RuleGroup, ...]
    action_group_id: Input[str]
    workspace_id: Input[str]
    """Of the Log Analytics workspace, which the collection rule's own errors go to."""


def needs_configuration_endpoint(args: MetricsArgs) -> bool:
    """Whether the add-on has to be told where to fetch its configuration: in a private cluster whose region is not
    that of the collection endpoint (Azure's own templates; without it the add-on's pods crash)."""
    return args.private_cluster and args.place.location != args.location


class Metrics(ComponentResource):
    """A metrics workspace and one cluster's way into it."""

    workspace_id: Output[str]
    query_endpoint: Output[str]
    """Base URL of the Prometheus API, for those with the role Monitoring Data Reader."""

    def __init__(self, name: str, args: MetricsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Metrics", name, None, opts)
        self._args = args
        place = args.place
        workspace = AzureMonitorWorkspace(
            "metrics-workspace",
            azure_monitor_workspace_name=place.names.metrics_workspace,
            resource_group_name=place.resource_group,
            location=args.location,
            tags=place.tags,
            opts=ResourceOptions(parent=self, protect=place.protect),
        )
        self._collect(workspace)
        for group in args.rules:
            self._judge(group, workspace)
        self.workspace_id = workspace.id
        self.query_endpoint = workspace.metrics.prometheus_query_endpoint
        self.register_outputs({"workspaceId": self.workspace_id, "queryEndpoint": self.query_endpoint})

    def _collect(self, workspace: AzureMonitorWorkspace) -> None:
        args, place = self._args, self._args.place
        endpoint = DataCollectionEndpoint(
            "metrics-endpoint",
            data_collection_endpoint_name=place.names.data_collection_endpoint("metrics"),
            resource_group_name=place.resource_group,
            location=args.location,
            tags=place.tags,
            kind="Linux",
            network_acls=DataCollectionEndpointNetworkAclsArgs(public_network_access="Enabled"),
            opts=ResourceOptions(parent=self),
        )
        rule = DataCollectionRule(
            "metrics-collection",
            data_collection_rule_name=place.names.data_collection_rule("metrics"),
            resource_group_name=place.resource_group,
            location=args.location,
            tags=place.tags,
            kind="Linux",
            data_collection_endpoint_id=endpoint.id,
            data_sources=DataCollectionRuleDataSourcesArgs(
                prometheus_forwarder=[PrometheusForwarderDataSourceArgs(name="prometheus", streams=[_STREAM])]
            ),
            destinations=DataCollectionRuleDestinationsArgs(
                monitoring_accounts=[
                    MonitoringAccountDestinationArgs(name=_DESTINATION, account_resource_id=workspace.id)
                ]
            ),
            data_flows=[DataFlowArgs(streams=[_STREAM], destinations=[_DESTINATION])],
            opts=ResourceOptions(parent=self),
        )
        tell_errors("metrics-collection-diagnostics", rule, args.workspace_id, place, parent=self)
        DataCollectionRuleAssociation(
            "metrics-of-cluster",
            association_name=place.names.data_collection_rule("metrics"),
            resource_uri=args.cluster_id,
            data_collection_rule_id=rule.id,
            opts=ResourceOptions(parent=self),
        )
        if needs_configuration_endpoint(args):
            DataCollectionRuleAssociation(
                "configuration-of-cluster",
                # Azure takes this name and no other for an endpoint.
                association_name="configurationAccessEndpoint",
                resource_uri=args.cluster_id,
                data_collection_endpoint_id=endpoint.id,
                opts=ResourceOptions(parent=self),
            )

    def _judge(self, group: RuleGroup, workspace: AzureMonitorWorkspace) -> None:
        args, place = self._args, self._args.place
        PrometheusRuleGroup(
            f"rules-{group.name}",
            rule_group_name=group_name(group, args.cluster_name),
            resource_group_name=place.resource_group,
            location=args.location,
            tags=place.tags,
            enabled=True,
            interval=group.interval,
            cluster_name=args.cluster_name,
            scopes=[workspace.id, args.cluster_id],
            rules=rule_args(group, args.action_group_id),
            opts=ResourceOptions(parent=self),
        )
