"""A key vault: RBAC only, soft delete, purge protection. The CI vault and the workload vault are two of these.

What it does not do: it holds no secret values. Whatever is declared as a secret here would stand in the state; the
people who know a secret write it into the vault themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.keyvault import (
    IPRuleArgs,
    NetworkRuleSetArgs,
    SkuArgs,
    SkuFamily,
    SkuName,
    Vault,
    VaultPropertiesArgs,
    VirtualNetworkRuleArgs,
)
from pulumi_azure_native.monitor import (
    DiagnosticSetting,
    DiagnosticsLogSettingsArgs,
    DiagnosticsMetricSettingsArgs,
)

from components.access import PrivateLink, connect_privately
from components.placement import Placement


@dataclass(frozen=True)
class VaultArgs:
    place: Placement
    physical_name: str
    tenant_id: str
    access: Literal["public", "restricted", "private"]
    soft_delete_days: int
    """How long a deleted vault can be brought back, and its name stays taken: 7 to 90, fixed at creation."""
    workspace_id: Input[str]
    allowed_ranges: tuple[str, ...] = ()
    """Public ranges in CIDR notation that may reach a restricted vault."""
    allowed_subnet_ids: tuple[Input[str], ...] = ()
    """Subnets with the Microsoft.KeyVault service end point that may reach a restricted vault."""
    link: PrivateLink | None = None
    """Where the private end point goes; needed when access is private."""


def firewall(args: VaultArgs) -> NetworkRuleSetArgs:
    """Who may come in by the public end point. Azure's trusted services pass always; Azure DevOps is none of them."""
    restricted = args.access == "restricted"
    return NetworkRuleSetArgs(
        bypass="AzureServices",
        default_action="Allow" if args.access == "public" else "Deny",
        ip_rules=[IPRuleArgs(value=cidr) for cidr in args.allowed_ranges if restricted],
        virtual_network_rules=[VirtualNetworkRuleArgs(id=subnet) for subnet in args.allowed_subnet_ids if restricted],
    )


class SecretStore(ComponentResource):
    """One vault. `uri` ends in a slash."""

    id: Output[str]
    name: Output[str]
    uri: Output[str]

    def __init__(self, name: str, args: VaultArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:vault:SecretStore", name, None, opts)
        place = args.place
        vault = Vault(
            name,
            vault_name=args.physical_name,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            properties=VaultPropertiesArgs(
                tenant_id=args.tenant_id,
                sku=SkuArgs(family=SkuFamily.A, name=SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=args.soft_delete_days,
                enable_purge_protection=True,
                public_network_access="Disabled" if args.access == "private" else "Enabled",
                network_acls=firewall(args),
            ),
            opts=ResourceOptions(parent=self, protect=place.protect),
        )
        if args.access == "private":
            assert args.link, "a private vault needs a private link"
            connect_privately(name, vault.id, group="vault", link=args.link, place=place, parent=self)
        DiagnosticSetting(
            f"{name}-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=vault.id,
            workspace_id=args.workspace_id,
            logs=[
                DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in ("AuditEvent", "AzurePolicyEvaluationDetails")
            ],
            metrics=[DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)],
            log_analytics_destination_type="Dedicated",
            opts=ResourceOptions(parent=self),
        )
        self.id, self.name, self.uri = vault.id, vault.name, vault.properties.vault_uri
        self.register_outputs({"id": self.id, "uri": self.uri})
