"""What a reviewer wants to know of each kind of resource, in few words, and who can reach it.

One table: a kind without a line still appears, with the facts that the textual report has for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rehearsal import watched
from rehearsal.details import details
from rehearsal.exposure import only_entra, public_endpoint
from rehearsal.graph import Resource
from rehearsal.monitors import daily_cap, grafana_version, is_zone_redundant, sampled
from rehearsal.topology.nodes import Access

CLUSTER: Final = "containerservice:ManagedCluster"
FLUX: Final = "kubernetesconfiguration:Extension"
FOLLOWED: Final = "source.toolkit.fluxcd.io:GitRepository"
"""Where a cluster pulls: what does so, and what it fetches."""
POOL: Final = "containerservice:AgentPool"
REGISTRY: Final = "containerregistry:Registry"
VAULT: Final = "keyvault:Vault"
WORKSPACE: Final = watched.LOGS
METRICS: Final = watched.METRICS
TRACES: Final = watched.TRACES
GRAFANA: Final = watched.GRAFANA
COLLECTION_POINT: Final = "monitor:DataCollectionEndpoint"
NETWORK: Final = "network:VirtualNetwork"
SUBNET: Final = "network:Subnet"
GUARD: Final = "network:NetworkSecurityGroup"
GATEWAY: Final = "network:NatGateway"
ADDRESS: Final = "network:PublicIPAddress"
PEERING: Final = "network:VirtualNetworkPeering"
END_POINT: Final = "network:PrivateEndpoint"
ZONE_GROUP: Final = "network:PrivateDnsZoneGroup"
GROUP: Final = "resources:ResourceGroup"
GRANT: Final = "authorization:RoleAssignment"
LOCKS: Final = tuple(
    f"authorization:ManagementLock{where}" for where in ("ByScope", "AtResourceLevel", "AtResourceGroupLevel")
)
DIAGNOSTICS: Final = watched.DIAGNOSTICS


@dataclass(frozen=True)
class Service:
    """A kind of resource that has a box beside the network."""

    label: str
    facts: Callable[[Resource], Iterable[str]]
    restricted: Callable[[Resource], bool] = lambda _: False
    """Whether a public end point of it answers listed addresses only."""


def _days(label: str, days: Any) -> str:
    return f"{label} {days} d" if days else ""


def _registry(registry: Resource) -> Iterable[str]:
    untagged = registry.get("policies.retentionPolicy", {})
    deleted = registry.get("policies.softDeletePolicy", {})
    return (
        str(registry.get("sku.name", "")),
        "zone redundant" if registry.get("zoneRedundancy") == "Enabled" else "",
        _days("untagged kept", untagged.get("days")) if untagged.get("status") == "enabled" else "",
        _days("soft delete", deleted.get("retentionDays")) if deleted.get("status") == "enabled" else "",
        "ADMIN USER ON" if registry.get("adminUserEnabled") else "",
        "ANONYMOUS PULL ON" if registry.get("anonymousPullEnabled") else "",
    )


def _vault(vault: Resource) -> Iterable[str]:
    return (
        _days("soft delete", vault.get("properties.softDeleteRetentionInDays")),
        "purge protection" if vault.get("properties.enablePurgeProtection") else "NO PURGE PROTECTION",
        "Azure RBAC" if vault.get("properties.enableRbacAuthorization") else "ACCESS POLICIES",
    )


def _workspace(workspace: Resource) -> Iterable[str]:
    return (
        _days("kept", workspace.get("retentionInDays")),
        daily_cap(workspace),
        "" if workspace.get("features.disableLocalAuth") else "SHARED KEYS ON",
    )


def _traces(traces: Resource) -> Iterable[str]:
    return (
        f"{sampled(traces)} of traces kept",
        "" if traces.get("disableLocalAuth") else "KEYS ON",
    )


def _grafana(grafana: Resource) -> Iterable[str]:
    return (grafana_version(grafana), "zone redundant" if is_zone_redundant(grafana) else "in one zone")


def _cluster(cluster: Resource) -> Iterable[str]:
    ranges = texts(cluster.get("apiServerAccessProfile.authorizedIPRanges"))
    return (
        f"Kubernetes {cluster.get('kubernetesVersion', '?')}",
        f"{cluster.get('sku.tier', '?')} tier",
        f"upgrades: {cluster.get('autoUpgradeProfile.upgradeChannel', 'none')}",
        "Entra ID + Azure RBAC" if cluster.get("aadProfile.enableAzureRBAC") else "NO AZURE RBAC",
        "local accounts off" if cluster.get("disableLocalAccounts") else "LOCAL ACCOUNTS ON",
        f"answers {', '.join(ranges)}" if ranges else "",
    )


SERVICES: Final[Mapping[str, Service]] = {
    CLUSTER: Service("API server", _cluster, lambda r: bool(r.get("apiServerAccessProfile.authorizedIPRanges"))),
    REGISTRY: Service("Container registry", _registry, lambda r: r.get("networkRuleSet.defaultAction") == "Deny"),
    VAULT: Service("Key vault", _vault, lambda r: r.get("properties.networkAcls.defaultAction") == "Deny"),
    WORKSPACE: Service("Log workspace", _workspace),
    METRICS: Service("Metrics workspace", lambda _: ()),
    TRACES: Service("Application Insights", _traces),
    GRAFANA: Service("Grafana", _grafana),
    COLLECTION_POINT: Service("Collection end point", lambda _: ()),
}
"""In the order in which they stand beside the network."""


def label(resource: Resource) -> str:
    known = SERVICES.get(resource.kind)
    return known.label if known else resource.short_type


def facts(resource: Resource) -> tuple[str, ...]:
    known = SERVICES.get(resource.kind)
    told = known.facts(resource) if known else details(resource).split(", ")
    return tuple(filter(None, told))


def access(resource: Resource) -> Access:
    if not public_endpoint(resource):
        return Access.PRIVATE
    known = SERVICES.get(resource.kind)
    if known and known.restricted(resource):
        return Access.RESTRICTED
    return Access.SIGNED_IN if only_entra(resource) else Access.PUBLIC


def node_facts(cluster: Resource) -> tuple[str, ...]:
    """What all pools of a cluster share: their network, and what the platform runs on them."""
    addons = {name.lower() for name, addon in cluster.get("addonProfiles", {}).items() if addon.get("enabled")}
    runs = (
        ("CNI " + str(cluster.get("networkProfile.networkPluginMode", "")), True),
        (str(cluster.get("networkProfile.networkPolicy", "NO NETWORK POLICY")), True),
        (f"pods {cluster.get('networkProfile.podCidr')}", cluster.get("networkProfile.podCidr")),
        ("Defender sensor", cluster.get("securityProfile.defender.securityMonitoring.enabled")),
        ("Azure Policy", "azurepolicy" in addons),
        ("vault secrets", "azurekeyvaultsecretsprovider" in addons),
        ("container logs", "omsagent" in addons),
        ("Prometheus", cluster.get("azureMonitorProfile.metrics.enabled")),
    )
    return tuple(text.strip() for text, so in runs if so)


def pool_facts(pool: Mapping[str, Any]) -> tuple[str, ...]:
    zones = texts(pool.get("availabilityZones"))
    scaled = pool.get("enableAutoScaling")
    nodes = f"{pool.get('minCount')}–{pool.get('maxCount')}" if scaled else f"{pool.get('count', '?')}"
    return (
        str(pool.get("vmSize", "?")),
        f"{nodes} nodes",
        f"zones {' '.join(zones)}" if zones else "no zones",
    )


_DELEGATES: Final = {
    "Microsoft.ContainerService/managedClusters": "AKS",
    "Microsoft.DevOpsInfrastructure/pools": "DevOps pools",
}


def subnet_badges(subnet: Resource) -> tuple[str, ...]:
    """What guards a subnet, and how it is left."""
    delegates = [str(each.get("serviceName")) for each in subnet.get("delegations", [])]
    return (
        "NSG" if subnet.get("networkSecurityGroup.id") else "NO NSG",
        *(["NAT gateway"] if subnet.get("natGateway.id") else []),
        *(["route table"] if subnet.get("routeTable.id") else []),
        *(f"delegated to {_DELEGATES.get(name, name)}" for name in delegates),
        *(f"to {each.get('service')}" for each in subnet.get("serviceEndpoints", [])),
    )


def texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []
