"""What an AKS cluster says of itself, block by block; pure.

One inline system pool and no other: Azure diffs inline pools by position, and all other pools are resources of
their own. No pool declares a node count: the autoscaler owns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi import Input, Output, Resource
from pulumi_azure_native import containerservice as aks

from components.addressing import dns_service_address
from components.placement import Placement


@dataclass(frozen=True)
class NodePool:
    vm_size: str
    min_nodes: int
    max_nodes: int
    os_disk: Literal["ephemeral", "managed"]
    os_disk_gb: int
    max_pods: int
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()
    """`key=value:effect`, as kubectl writes it."""


@dataclass(frozen=True)
class Window:
    """A weekly window for upgrades. `start` is HH:MM, local to `utc_offset` (`+01:00`)."""

    day: str
    start: str
    hours: int
    utc_offset: str


@dataclass(frozen=True)
class ClusterArgs:
    place: Placement
    version: str
    """major.minor; AKS picks the newest patch."""
    tier: Literal["Free", "Standard", "Premium"]
    access: Literal["public", "private"]
    authorized_ranges: Input[list[str]]
    """Who may reach a public API server, in CIDR notation; empty for everybody."""
    admin_groups: tuple[str, ...]
    tenant_id: str
    zones: tuple[str, ...]
    system_pool: NodePool
    user_pools: Mapping[str, NodePool]
    upgrade_channel: Literal["none", "patch", "stable", "rapid"]
    upgrade_window: Window
    node_os_channel: Literal["None", "SecurityPatch", "NodeImage"]
    node_os_window: Window
    image_cleaner_hours: int
    run_command: bool
    egress: Literal["loadBalancer", "natGateway", "hubRouteTable"]
    pod_range: str
    service_range: str
    virtual_network_id: Input[str]
    nodes_subnet_id: Input[str]
    api_server_subnet_id: Input[str] | None
    """Where a private API server appears; None when it is public."""
    api_server_zone_id: str | None
    """An existing DNS zone for a private API server; None lets AKS make its own."""
    registry_id: Input[str]
    workspace_id: Input[str]
    after: tuple[Resource, ...] = ()
    """What must stand before nodes can start, such as their way to the internet."""


METRICS = aks.ManagedClusterAzureMonitorProfileArgs(
    metrics=aks.ManagedClusterAzureMonitorProfileMetricsArgs(enabled=True)
)
"""Managed Prometheus."""

OIDC = aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True)

LOCKED_NODE_GROUP = aks.ManagedClusterNodeResourceGroupProfileArgs(restriction_level="ReadOnly")
"""Nobody changes nodes behind AKS's back."""

_OUTBOUND = {
    "loadBalancer": "loadBalancer",
    "natGateway": "userAssignedNATGateway",
    "hubRouteTable": "userDefinedRouting",
}
_MINOR_VERSION_CHANGES = ("stable", "rapid")
"""Upgrade channels that move a cluster to another minor version by themselves."""


def sku(args: ClusterArgs) -> aks.ManagedClusterSKUArgs:
    return aks.ManagedClusterSKUArgs(name="Base", tier=args.tier)


def identity(control_plane_id: Input[str]) -> aks.ManagedClusterIdentityArgs:
    return aks.ManagedClusterIdentityArgs(
        type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[control_plane_id]
    )


def kubelet(id: Input[str], client_id: Input[str], object_id: Input[str]) -> dict[str, aks.UserAssignedIdentityArgs]:
    """The name of the entry is Azure's own, spelt as Azure spells it."""
    return {"kubeletidentity": aks.UserAssignedIdentityArgs(resource_id=id, client_id=client_id, object_id=object_id)}


def directory(args: ClusterArgs) -> aks.ManagedClusterAADProfileArgs:
    """Entra ID signs people in, Azure RBAC decides what they may do; the admin groups administer."""
    return aks.ManagedClusterAADProfileArgs(
        managed=True,
        enable_azure_rbac=True,
        tenant_id=args.tenant_id,
        admin_group_object_ids=sorted(args.admin_groups),
    )


def security(args: ClusterArgs) -> aks.ManagedClusterSecurityProfileArgs:
    return aks.ManagedClusterSecurityProfileArgs(
        # The sensor needs its workspace named: without it Azure makes a default one, and the next preview differs.
        defender=aks.ManagedClusterSecurityProfileDefenderArgs(
            log_analytics_workspace_resource_id=args.workspace_id,
            security_monitoring=aks.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(enabled=True),
        ),
        image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(
            enabled=True, interval_hours=args.image_cleaner_hours
        ),
        workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
    )


def pool(args: ClusterArgs, of: NodePool) -> dict[str, Any]:
    """What system and user pools have in common; both take the same arguments by the same names."""
    return {
        "vm_size": of.vm_size,
        "os_type": "Linux",
        "os_sku": "AzureLinux",
        "os_disk_type": of.os_disk.capitalize(),
        "os_disk_size_gb": of.os_disk_gb,
        "enable_auto_scaling": True,
        "min_count": of.min_nodes,
        "max_count": of.max_nodes,
        "max_pods": of.max_pods,
        "availability_zones": sorted(args.zones) or None,
        "vnet_subnet_id": args.nodes_subnet_id,
        "enable_node_public_ip": False,
        "orchestrator_version": args.version,
        "upgrade_settings": aks.AgentPoolUpgradeSettingsArgs(max_surge="33%", drain_timeout_in_minutes=30),
        "tags": args.place.tags,
    }


def system_pool(args: ClusterArgs) -> aks.ManagedClusterAgentPoolProfileArgs:
    """The one inline pool: for what AKS itself runs, and for nothing else."""
    return aks.ManagedClusterAgentPoolProfileArgs(
        name="system",
        mode="System",
        type="VirtualMachineScaleSets",
        node_taints=["CriticalAddonsOnly=true:NoSchedule"],
        **pool(args, args.system_pool),
    )


def network(args: ClusterArgs) -> aks.ContainerServiceNetworkProfileArgs:
    """Azure CNI overlay with Cilium, which is dataplane and network policy at once: Azure takes both or neither."""
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",
        load_balancer_sku="standard",
        outbound_type=_OUTBOUND[args.egress],
        pod_cidr=args.pod_range,
        service_cidr=args.service_range,
        dns_service_ip=dns_service_address(args.service_range),
    )


def api_server(args: ClusterArgs) -> aks.ManagedClusterAPIServerAccessProfileArgs:
    if args.access == "public":
        ranges = Output.from_input(args.authorized_ranges)
        return aks.ManagedClusterAPIServerAccessProfileArgs(
            enable_private_cluster=False,
            authorized_ip_ranges=ranges.apply(lambda found: found or None),
            disable_run_command=not args.run_command,
        )
    return aks.ManagedClusterAPIServerAccessProfileArgs(
        enable_private_cluster=True,
        enable_private_cluster_public_fqdn=False,
        enable_vnet_integration=True,
        subnet_id=args.api_server_subnet_id,
        private_dns_zone=args.api_server_zone_id or "system",
        disable_run_command=not args.run_command,
    )


def network_rights(args: ClusterArgs) -> dict[str, tuple[str, Input[str]]]:
    """Role and scope of each right that the control plane needs in the network, by the grant's name.

    The subnets that it puts machines and load balancers into; with a DNS zone of the estate's also that zone and the
    whole network, because AKS links the two by itself (AKS documentation, private clusters).
    """
    if args.api_server_zone_id:
        return {
            "control-plane-joins-network": ("Network Contributor", args.virtual_network_id),
            "control-plane-writes-zone": ("Private DNS Zone Contributor", args.api_server_zone_id),
        }
    rights: dict[str, tuple[str, Input[str]]] = {
        "control-plane-joins-nodes": ("Network Contributor", args.nodes_subnet_id)
    }
    if args.api_server_subnet_id is not None:
        rights["control-plane-joins-api-server"] = ("Network Contributor", args.api_server_subnet_id)
    return rights


def addons(args: ClusterArgs) -> dict[str, aks.ManagedClusterAddonProfileArgs]:
    """Keys and values as AKS spells them; all values are text."""
    return {
        "azureKeyvaultSecretsProvider": aks.ManagedClusterAddonProfileArgs(
            enabled=True, config={"enableSecretRotation": "true", "rotationPollInterval": "2m"}
        ),
        "azurepolicy": aks.ManagedClusterAddonProfileArgs(enabled=True),
        "omsagent": aks.ManagedClusterAddonProfileArgs(
            enabled=True,
            config={"logAnalyticsWorkspaceResourceID": args.workspace_id, "useAADAuth": "true"},
        ),
    }


def upgrades(args: ClusterArgs) -> aks.ManagedClusterAutoUpgradeProfileArgs:
    return aks.ManagedClusterAutoUpgradeProfileArgs(
        upgrade_channel=args.upgrade_channel, node_os_upgrade_channel=args.node_os_channel
    )


def schedules(args: ClusterArgs) -> dict[str, Window]:
    """The two windows that AKS knows by these names, of the cluster and of the nodes' images."""
    return {
        "aksManagedAutoUpgradeSchedule": args.upgrade_window,
        "aksManagedNodeOSUpgradeSchedule": args.node_os_window,
    }


def window(of: Window) -> aks.MaintenanceWindowArgs:
    weekly = aks.WeeklyScheduleArgs(day_of_week=of.day, interval_weeks=1)
    return aks.MaintenanceWindowArgs(
        schedule=aks.ScheduleArgs(weekly=weekly),
        duration_hours=of.hours,
        start_time=of.start,
        utc_offset=of.utc_offset,
    )


def changed_by_azure(args: ClusterArgs) -> list[str]:
    """What AKS changes by itself under this upgrade channel, so that a preview does not take it back.

    The autoscaler's count counts, although nothing declares one: a refresh writes into the state what it finds, and the
    next preview would take it away. Versions do not with `patch`: a cluster that says major.minor keeps saying it, and
    the settings can still raise it.
    """
    return [f"agentPoolProfiles[0].{path}" for path in pool_changed_by_azure(args)] + (
        ["kubernetesVersion"] if args.upgrade_channel in _MINOR_VERSION_CHANGES else []
    )


def pool_changed_by_azure(args: ClusterArgs) -> list[str]:
    return ["count", *(["orchestratorVersion"] if args.upgrade_channel in _MINOR_VERSION_CHANGES else [])]
