"""The handful of properties a person looks for, by type of resource; and which resources face the internet.

One table each: a new type of resource gets a line here, and nothing else changes. A type without a line is
shown with its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rehearsal.graph import Resource

Facts = Callable[[Resource], Iterable[str]]


def details(resource: Resource) -> str:
    """What matters about the resource, in a few words; empty where nothing is known to."""
    facts = DETAILS.get(resource.kind)
    return ", ".join(filter(None, facts(resource))) if facts else ""


def public_endpoint(resource: Resource) -> str:
    """The host or address at which the internet reaches the resource; empty if it does not."""
    endpoint = PUBLIC.get(resource.kind)
    reached = endpoint(resource) if endpoint else ""
    return f"{reached} (listed addresses only)" if reached and _restricted(resource) else reached


def last(id_: Any) -> str:
    """The name at the end of an ARM id."""
    return str(id_).rstrip("/").rsplit("/", 1)[-1] if id_ else ""


def _closed(resource: Resource, path: str) -> bool:
    """Azure leaves open what is not closed: only a plain "Disabled" counts."""
    return str(resource.get(path, "")).lower() == "disabled"


def _restricted(resource: Resource) -> bool:
    rules = ("networkRuleSet.defaultAction", "properties.networkAcls.defaultAction")
    listed = resource.get("apiServerAccessProfile.authorizedIPRanges")
    return bool(listed) or any(resource.get(path) == "Deny" for path in rules)


def _access(resource: Resource, path: str) -> str:
    if _closed(resource, path):
        return "private"
    return "restricted" if _restricted(resource) else "public"


def _count(values: Any, one: str) -> str:
    number = len(values or [])
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _after(label: str, value: Any, unit: str = "") -> str:
    return f"{label} {value}{unit}" if value not in (None, "", [], {}) else ""


def _joined(values: Any) -> str:
    return " ".join(map(str, values)) if isinstance(values, list) else ""


def _cluster(resource: Resource) -> Iterable[str]:
    ranges = resource.get("apiServerAccessProfile.authorizedIPRanges", [])
    private = resource.get("apiServerAccessProfile.enablePrivateCluster", False)
    return (
        _after("Kubernetes", resource.get("kubernetesVersion")),
        _after("tier", resource.get("sku.tier")),
        "API server private" if private else f"API server public{_after(', from', _joined(ranges))}",
        *(f"pool {pool.get('name')}: {_pool(pool)}" for pool in resource.get("agentPoolProfiles", [])),
    )


def _pool(pool: Mapping[str, Any]) -> str:
    scaled = f"{pool.get('minCount')}–{pool.get('maxCount')} nodes"
    return " ".join(
        filter(
            None,
            (
                str(pool.get("vmSize", "")),
                scaled if pool.get("enableAutoScaling") else f"{pool.get('count')} nodes",
                _after("zones", _joined(pool.get("availabilityZones"))),
            ),
        )
    )


def _registry(resource: Resource) -> Iterable[str]:
    retention = resource.get("policies.retentionPolicy", {})
    soft_delete = resource.get("policies.softDeletePolicy", {})
    return (
        str(resource.get("sku.name", "")),
        _access(resource, "publicNetworkAccess"),
        f"retention {retention.get('days')} d" if retention.get("status") == "enabled" else "",
        f"soft delete {soft_delete.get('retentionDays')} d" if soft_delete.get("status") == "enabled" else "",
    )


def _private_endpoint(resource: Resource) -> Iterable[str]:
    return (_after("to", last(resource.get("privateLinkServiceConnections.0.privateLinkServiceId"))),)


def _diagnostics(resource: Resource) -> Iterable[str]:
    source = str(resource.get("resourceUri", "")) or resource.id.split("/providers/Microsoft.Insights/")[0]
    return (f"from {last(source)} to {last(resource.get('workspaceId'))}",)


DETAILS: Final[Mapping[str, Facts]] = {
    # Clusters
    "containerservice:ManagedCluster": _cluster,
    "containerservice:AgentPool": lambda r: (str(r.get("mode", "")), _pool(r.properties)),
    "containerservice:MaintenanceConfiguration": lambda r: (
        _after("from", r.get("maintenanceWindow.startTime")),
        _after("for", r.get("maintenanceWindow.durationHours"), " h"),
    ),
    # Registries and vaults
    "containerregistry:Registry": _registry,
    "keyvault:Vault": lambda r: (
        _access(r, "properties.publicNetworkAccess"),
        "purge protection" if r.get("properties.enablePurgeProtection") else "no purge protection",
    ),
    # Network
    "network:VirtualNetwork": lambda r: (_joined(r.get("addressSpace.addressPrefixes")),),
    "network:Subnet": lambda r: (str(r.get("addressPrefix", "")),),
    "network:PublicIPAddress": lambda r: (str(r.get("ipAddress", "")),),
    "network:PrivateEndpoint": _private_endpoint,
    "network:NetworkSecurityGroup": lambda r: (_count(r.get("securityRules"), "rule"),),
    # Identities and grants
    "managedidentity:FederatedIdentityCredential": lambda r: (_after("subject", r.get("subject")),),
    "authorization:ManagementLockByScope": lambda r: (str(r.get("level", "")),),
    "authorization:ManagementLockAtResourceLevel": lambda r: (str(r.get("level", "")),),
    "authorization:ManagementLockAtResourceGroupLevel": lambda r: (str(r.get("level", "")),),
    # Observability
    "operationalinsights:Workspace": lambda r: (
        _after("retention", r.get("retentionInDays"), " d"),
        _after("cap", r.get("workspaceCapping.dailyQuotaGb"), " GB a day"),
    ),
    "operationalinsights:Table": lambda r: (_after("retention", r.get("retentionInDays"), " d"),),
    "dashboard:Grafana": lambda r: (str(r.get("sku.name", "")), _access(r, "properties.publicNetworkAccess")),
    "alertsmanagement:PrometheusRuleGroup": lambda r: (_count(r.get("rules"), "rule"),),
    "monitor:PrometheusRuleGroup": lambda r: (_count(r.get("rules"), "rule"),),
    "insights:DiagnosticSetting": _diagnostics,
    "monitor:DiagnosticSetting": _diagnostics,
    # Threat protection
    "security:Pricing": lambda r: (str(r.get("pricingTier", "")), str(r.get("subPlan", ""))),
    # Delivery
    "index:BuildDefinition": lambda r: (str(r.get("repository.ymlPath", "")),),
    "index:ServiceEndpointAzureRM": lambda r: (str(r.get("serviceEndpointAuthenticationScheme", "")),),
    "index:BranchPolicyMinReviewers": lambda r: (_after("reviewers", r.get("settings.reviewerCount")),),
    "index:CheckApproval": lambda r: (_count(r.get("approvers"), "approver"),),
}


def _unless_closed(path: str, host: str) -> Callable[[Resource], str]:
    return lambda r: "" if _closed(r, path) else str(r.get(host, r.name))


def _api_server(resource: Resource) -> str:
    private = resource.get("apiServerAccessProfile.enablePrivateCluster", False)
    return "" if private else str(resource.get("fqdn", resource.name))


PUBLIC: Final[Mapping[str, Callable[[Resource], str]]] = {
    "containerservice:ManagedCluster": _api_server,
    "containerregistry:Registry": _unless_closed("publicNetworkAccess", "loginServer"),
    "keyvault:Vault": _unless_closed("properties.publicNetworkAccess", "properties.vaultUri"),
    "network:PublicIPAddress": lambda r: str(r.get("ipAddress", r.name)),
    "dashboard:Grafana": _unless_closed("properties.publicNetworkAccess", "properties.endpoint"),
    "operationalinsights:Workspace": _unless_closed("publicNetworkAccessForIngestion", "name"),
    "insights:Component": _unless_closed("publicNetworkAccessForIngestion", "name"),
    "monitor:AzureMonitorWorkspace": _unless_closed("publicNetworkAccess", "name"),
}
