"""Alerts on what Azure itself reports: changes to what guards the environment, resource health, service health.

The activity log is kept by Azure for every subscription; nothing has to be collected for these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.monitor import (
    ActionGroupArgs,
    ActionListArgs,
    ActivityLogAlert,
    AlertRuleAllOfConditionArgs,
    AlertRuleAnyOfOrLeafConditionArgs,
    AlertRuleLeafConditionArgs,
)

from components.placement import Placement

GUARDED: Mapping[str, str] = {
    "cluster-deleted": "Microsoft.ContainerService/managedClusters/delete",
    "registry-deleted": "Microsoft.ContainerRegistry/registries/delete",
    "vault-deleted": "Microsoft.KeyVault/vaults/delete",
    "lock-deleted": "Microsoft.Authorization/locks/delete",
    "role-granted": "Microsoft.Authorization/roleAssignments/write",
    "diagnostics-deleted": "Microsoft.Insights/diagnosticSettings/delete",
}
"""Operations that nobody does unnoticed, by the alert's name."""


@dataclass(frozen=True)
class ActivityArgs:
    place: Placement
    resource_group_id: Input[str]
    subscription_id: str
    action_group_id: Input[str]


class Activity(ComponentResource):
    """Activity-log alerts of an environment, and of the subscription that it lives in."""

    def __init__(self, name: str, args: ActivityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Activity", name, None, opts)
        self._args = args
        for alert, operation in GUARDED.items():
            conditions = {"category": "Administrative", "operationName": operation, "status": "Succeeded"}
            self._alert(alert, args.resource_group_id, f"{operation} succeeded.", conditions)
        self._alert(
            "resource-health",
            args.resource_group_id,
            "A resource of this environment is unavailable or degraded.",
            {"category": "ResourceHealth"},
            {"properties.currentHealthStatus": ("Unavailable", "Degraded")},
        )
        self._alert(
            "service-health",
            Output.concat("/subscriptions/", args.subscription_id),
            f"Azure reports an incident, maintenance or advisory in {args.place.location}.",
            {"category": "ServiceHealth"},
            {"properties.impactedServices[*].ImpactedRegions[*].RegionName": (args.place.location, "Global")},
        )
        self.register_outputs({})

    def _alert(
        self,
        name: str,
        scope: Input[str],
        description: str,
        equal: Mapping[str, str],
        any_of: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        args, place = self._args, self._args.place
        conditions = [AlertRuleAnyOfOrLeafConditionArgs(field=key, equals=value) for key, value in equal.items()]
        for key, values in (any_of or {}).items():
            leaves = [AlertRuleLeafConditionArgs(field=key, equals=value) for value in values]
            conditions.append(AlertRuleAnyOfOrLeafConditionArgs(any_of=leaves))
        ActivityLogAlert(
            f"alert-{name}",
            activity_log_alert_name=place.names.alert(name),
            resource_group_name=place.resource_group,
            location="Global",
            tags=place.tags,
            enabled=True,
            description=description,
            scopes=[scope],
            condition=AlertRuleAllOfConditionArgs(all_of=conditions),
            actions=ActionListArgs(action_groups=[ActionGroupArgs(action_group_id=args.action_group_id)]),
            opts=ResourceOptions(parent=self),
        )
