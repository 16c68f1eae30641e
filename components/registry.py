"""The container registry of a tier.

Nonproduction deletes untagged manifests after a while; production never does, because an image that runs by digest
may have lost its tag: there a deleted image can be restored for some days instead (Azure refuses both policies in
one registry). The sku follows from what is asked for.

What it does not do: it grants nobody anything (who pulls or pushes says so itself), and it has no scanner of its
own: Defender for Containers scans whatever is pushed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.containerregistry import (
    IPRuleArgs,
    NetworkRuleSetArgs,
    PoliciesArgs,
    Registry,
    Replication,
    RetentionPolicyArgs,
    SkuArgs,
    SoftDeletePolicyArgs,
)
from pulumi_azure_native.monitor import (
    DiagnosticSetting,
    DiagnosticsLogSettingsArgs,
    DiagnosticsMetricSettingsArgs,
)

from components.access import PrivateLink, connect_privately
from components.placement import Placement


@dataclass(frozen=True)
class RegistryArgs:
    place: Placement
    access: Literal["public", "restricted", "private"]
    workspace_id: Input[str]
    allowed_ranges: Input[Sequence[str]] = ()
    """Public ranges in CIDR notation that may reach a restricted registry."""
    untagged_retention_days: int = 0
    soft_delete_days: int = 0
    zone_redundant: bool = False
    replicas: tuple[str, ...] = ()
    link: PrivateLink | None = None
    """Where the private end point goes; needed when access is private."""


def sku(args: RegistryArgs) -> Literal["Standard", "Premium"]:
    """The least sku that has what is asked for: firewall, private end points, retention, zones and replicas are
    Premium's. Basic is left out: its throughput does not carry a pipeline."""
    premium = args.access != "public" or args.untagged_retention_days or args.zone_redundant or args.replicas
    return "Premium" if premium else "Standard"


def policies(args: RegistryArgs) -> PoliciesArgs:
    """What happens to manifests that lose their last tag, or are deleted."""
    retention = RetentionPolicyArgs(status="enabled", days=args.untagged_retention_days)
    soft_delete = SoftDeletePolicyArgs(status="enabled", retention_days=args.soft_delete_days)
    return PoliciesArgs(
        retention_policy=retention if args.untagged_retention_days else None,
        soft_delete_policy=soft_delete if args.soft_delete_days else None,
    )


class TierRegistry(ComponentResource):
    """One registry. `login_server` is its host name, `access` as in `RegistryArgs`."""

    id: Output[str]
    name: Output[str]
    login_server: Output[str]
    access: str

    def __init__(self, name: str, args: RegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:registry:TierRegistry", name, None, opts)
        place = args.place
        registry = Registry(
            "registry",
            registry_name=place.names.registry,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            sku=SkuArgs(name=sku(args)),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            public_network_access="Disabled" if args.access == "private" else "Enabled",
            network_rule_set=_firewall(args),
            # Imports between registries and Defender's scans come as trusted services.
            network_rule_bypass_options="AzureServices",
            zone_redundancy="Enabled" if args.zone_redundant else None,
            policies=policies(args),
            opts=ResourceOptions(parent=self, protect=place.protect),
        )
        for region in sorted(args.replicas):
            Replication(
                f"replica-{region}",
                replication_name=region,
                registry_name=registry.name,
                resource_group_name=place.resource_group,
                location=region,
                tags=place.tags,
                opts=ResourceOptions(parent=self),
            )
        if args.access == "private":
            assert args.link, "a private registry needs a private link"
            connect_privately("registry", registry.id, group="registry", link=args.link, place=place, parent=self)
        DiagnosticSetting(
            "registry-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=registry.id,
            workspace_id=args.workspace_id,
            logs=[
                DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in ("ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents")
            ],
            metrics=[DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)],
            opts=ResourceOptions(parent=self),
        )
        self.id, self.name, self.login_server = registry.id, registry.name, registry.login_server
        self.access = args.access
        self.register_outputs({"id": self.id, "loginServer": self.login_server})


def _firewall(args: RegistryArgs) -> NetworkRuleSetArgs | None:
    if args.access != "restricted":
        return None
    ranges = Output.from_input(args.allowed_ranges)
    return NetworkRuleSetArgs(
        default_action="Deny",
        ip_rules=ranges.apply(lambda found: [IPRuleArgs(i_p_address_or_range=cidr, action="Allow") for cidr in found]),
    )


@dataclass(frozen=True)
class BorrowedRegistryArgs:
    place: Placement
    registry_id: Input[str]
    link: PrivateLink


class BorrowedRegistry(ComponentResource):
    """The way to a private registry that another environment owns: an end point in this environment's network."""

    def __init__(self, name: str, args: BorrowedRegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:registry:BorrowedRegistry", name, None, opts)
        connect_privately("registry", args.registry_id, group="registry", link=args.link, place=args.place, parent=self)
        self.register_outputs({})
