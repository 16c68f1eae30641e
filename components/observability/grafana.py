"""Managed Grafana: reads the environment's metrics and logs, and is administered by the operators.

Its identity may query the metrics workspace (Monitoring Data Reader) and read monitoring data of the environment's
resource group (Monitoring Reader); without both, data sources exist and every query is refused. Dashboards are
data files (`dashboards/`), published by a script of the pipelines: Azure has no resource for a dashboard inside
Managed Grafana.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.dashboard import (
    AzureMonitorWorkspaceIntegrationArgs,
    Dashboard,
    DashboardDefinition,
    DashboardDefinitionPropertiesArgs,
    Grafana,
    GrafanaIntegrationsArgs,
    ManagedGrafanaPropertiesArgs,
    ManagedServiceIdentityArgs,
    ResourceSkuArgs,
)
from pulumi_azure_native.monitor import DiagnosticSetting, DiagnosticsLogSettingsArgs

from components.access import grant
from components.naming import stable_hash
from components.observability import dashboards
from components.placement import Placement


@dataclass(frozen=True)
class GrafanaArgs:
    place: Placement
    location: str
    version: str
    """Major version; an upgrade cannot be taken back."""
    zone_redundant: bool
    """Fixed at creation."""
    metrics_workspace_id: Input[str]
    log_workspace_id: Input[str]
    own_log_workspace: bool
    """Whether the log workspace lies in the environment's resource group."""
    resource_group_id: Input[str]
    admin_groups: Sequence[str]
    in_portal: bool
    """Whether the dashboards also appear in the Azure portal (a preview of Azure's)."""


def for_portal(content: Mapping[str, Any], workspace_id: str) -> dict[str, Any]:
    """A dashboard whose variable `workspace` names this environment's; elsewhere the publisher fills it in."""
    variables = [
        {**each, "query": workspace_id, "current": {"text": workspace_id, "value": workspace_id}}
        if each["name"] == "workspace"
        else each
        for each in dashboards.variables(content)
    ]
    return {**content, "templating": {**content.get("templating", {}), "list": variables}}


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)


class ManagedGrafana(ComponentResource):
    """One Grafana. `endpoint` is its address."""

    id: Output[str]
    endpoint: Output[str]

    def __init__(self, name: str, args: GrafanaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:ManagedGrafana", name, None, opts)
        place = args.place
        grafana = Grafana(
            "grafana",
            workspace_name=place.names.grafana,
            resource_group_name=place.resource_group,
            location=args.location,
            tags=place.tags,
            sku=ResourceSkuArgs(name="Standard"),
            identity=ManagedServiceIdentityArgs(type="SystemAssigned"),
            properties=ManagedGrafanaPropertiesArgs(
                # No keys: people and the publisher come with Entra tokens.
                api_key="Disabled",
                deterministic_outbound_ip="Disabled",
                public_network_access="Enabled",
                zone_redundancy="Enabled" if args.zone_redundant else "Disabled",
                grafana_major_version=args.version,
                # The whole list: Azure overwrites it with each write.
                grafana_integrations=GrafanaIntegrationsArgs(
                    azure_monitor_workspace_integrations=[
                        AzureMonitorWorkspaceIntegrationArgs(
                            azure_monitor_workspace_resource_id=args.metrics_workspace_id
                        )
                    ]
                ),
            ),
            opts=ResourceOptions(parent=self),
        )
        self.id = grafana.id
        self.endpoint = grafana.properties.endpoint
        self._grant(args, grafana)
        DiagnosticSetting(
            "grafana-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=grafana.id,
            workspace_id=args.log_workspace_id,
            logs=[DiagnosticsLogSettingsArgs(category="GrafanaLoginEvents", enabled=True)],
            opts=ResourceOptions(parent=self),
        )
        if args.in_portal:
            self._show_in_portal(place, Output.from_input(args.log_workspace_id))
        self.register_outputs({"id": self.id, "endpoint": self.endpoint})

    def _grant(self, args: GrafanaArgs, grafana: Grafana) -> None:
        reader = grafana.identity.apply(lambda found: found.principal_id if found else "")
        names = args.place.names
        rights: list[tuple[str, str, Input[str]]] = [
            ("grafana-queries-metrics", "Monitoring Data Reader", args.metrics_workspace_id),
            ("grafana-reads-monitoring", "Monitoring Reader", args.resource_group_id),
        ]
        if not args.own_log_workspace:
            rights.append(("grafana-reads-logs", "Log Analytics Reader", args.log_workspace_id))
        for purpose, role, scope in rights:
            grant(purpose, role, to=reader, on=scope, names=names, parent=self)
        for group in args.admin_groups:
            purpose = f"operators-{stable_hash(group)}-administer-grafana"
            grant(purpose, "Grafana Admin", to=group, on=grafana.id, names=names, kind="Group", parent=self)

    def _show_in_portal(self, place: Placement, workspace_id: Output[str]) -> None:
        for each in dashboards.load():
            name = each.file.removesuffix(".json")
            shown = Dashboard(
                f"dashboard-{name}",
                dashboard_name=place.names.dashboard(name),
                resource_group_name=place.resource_group,
                location=place.location,
                tags={
                    **place.tags,
                    # Makes it appear on the page of the cluster.
                    "GrafanaDashboardResourceType": "microsoft.ContainerService/managedClusters",
                },
                opts=ResourceOptions(parent=self),
            )
            DashboardDefinition(
                f"dashboard-{name}-definition",
                dashboard_name=shown.name,
                definition_name="default",
                resource_group_name=place.resource_group,
                properties=DashboardDefinitionPropertiesArgs(
                    serialized_data=workspace_id.apply(partial(for_portal, each.content)).apply(_text)
                ),
                opts=ResourceOptions(parent=self),
            )
