"""The Log Analytics workspace of an environment: our own, or one that exists.

All diagnostic settings, the Defender sensor and the cluster's agents write to it. Shared keys are off: what writes
or reads does so with an Entra token. What it does not do: it declares no tables, rules or alerts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Resource, ResourceOptions
from pulumi_azure_native.monitor import DiagnosticSetting, DiagnosticsLogSettingsArgs
from pulumi_azure_native.operationalinsights import (
    Workspace,
    WorkspaceCappingArgs,
    WorkspaceFeaturesArgs,
    WorkspaceSkuArgs,
    WorkspaceSkuNameEnum,
)
from pulumi_azure_native.resources import Deployment, DeploymentMode, DeploymentPropertiesArgs

from components.observability.shared import template
from components.placement import Placement


@dataclass(frozen=True)
class LogsArgs:
    place: Placement
    workspace_id: str | None = None
    """A workspace that exists already; then nothing is made."""
    retention_days: int | None = None
    daily_cap_gb: int | None = None
    """GB a day after which ingestion stops until the next; None for no cap."""
    location: str | None = None
    """Region of an existing workspace; what sends to it lives beside it."""
    basic_tables: tuple[str, ...] = ()
    """Tables that cost a fraction to fill and something to query; alerts cannot read them."""


def table_plans_template(workspace: str, tables: Sequence[str]) -> dict[str, Any]:
    """Tables of Azure's own on the Basic plan, as an ARM template: the workspace has them from its first day, and
    the provider refuses to create what is already there."""
    return template(
        [
            {
                "type": "Microsoft.OperationalInsights/workspaces/tables",
                "apiVersion": "2023-09-01",
                "name": f"{workspace}/{table}",
                "properties": {"plan": "Basic"},
            }
            for table in sorted(tables)
        ]
    )


class Logs(ComponentResource):
    """One workspace. `workspace_id` is its resource id."""

    workspace_id: Input[str]
    location: str
    own: list[Resource]
    """The workspace, when it is our own."""

    def __init__(self, name: str, args: LogsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Logs", name, None, opts)
        self.location = args.location or args.place.location
        if args.workspace_id:
            self.workspace_id, self.own = args.workspace_id, []
        else:
            workspace = self._declare(args)
            self.workspace_id, self.own = workspace.id, [workspace]
        self.register_outputs({"workspaceId": self.workspace_id})

    def _declare(self, args: LogsArgs) -> Workspace:
        place = args.place
        cap = WorkspaceCappingArgs(daily_quota_gb=args.daily_cap_gb) if args.daily_cap_gb else None
        workspace = Workspace(
            "workspace",
            workspace_name=place.names.workspace,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            sku=WorkspaceSkuArgs(name=WorkspaceSkuNameEnum.PER_GB2018),
            retention_in_days=args.retention_days,
            workspace_capping=cap,
            features=WorkspaceFeaturesArgs(
                disable_local_auth=True,
                # Whoever may read a resource may read its logs; nobody reads the rest by that.
                enable_log_access_using_only_resource_permissions=True,
            ),
            opts=ResourceOptions(parent=self, protect=place.protect),
        )
        DiagnosticSetting(
            "workspace-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=workspace.id,
            workspace_id=workspace.id,
            logs=[DiagnosticsLogSettingsArgs(category="Audit", enabled=True)],
            opts=ResourceOptions(parent=self),
        )
        if args.basic_tables:
            Deployment(
                "log-table-plans",
                deployment_name=place.names.deployment("log-table-plans"),
                resource_group_name=place.resource_group,
                tags=place.tags,
                properties=DeploymentPropertiesArgs(
                    mode=DeploymentMode.INCREMENTAL,
                    template=table_plans_template(place.names.workspace, args.basic_tables),
                ),
                opts=ResourceOptions(parent=self, depends_on=[workspace]),
            )
        return workspace
