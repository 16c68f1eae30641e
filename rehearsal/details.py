"""The handful of properties a person looks for, by type of resource.

One table: a new type of resource gets a line here (what watches: in `monitors`), and nothing else changes. A type
without a line is shown with its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rehearsal.exposure import access
from rehearsal.graph import Resource
from rehearsal.monitors import MONITORS
from rehearsal.words import after, counted, joined, last

Facts = Callable[[Resource], Iterable[str]]


def details(resource: Resource) -> str:
    """What matters about the resource, in a few words; empty where nothing is known to."""
    facts = DETAILS.get(resource.kind)
    return ", ".join(filter(None, facts(resource))) if facts else ""


def _cluster(resource: Resource) -> Iterable[str]:
    ranges = resource.get("apiServerAccessProfile.authorizedIPRanges", [])
    private = resource.get("apiServerAccessProfile.enablePrivateCluster", False)
    return (
        after("Kubernetes", resource.get("kubernetesVersion")),
        after("tier", resource.get("sku.tier")),
        "API server private" if private else f"API server public{after(', from', joined(ranges))}",
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
                after("zones", joined(pool.get("availabilityZones"))),
            ),
        )
    )


def _registry(resource: Resource) -> Iterable[str]:
    retention = resource.get("policies.retentionPolicy", {})
    soft_delete = resource.get("policies.softDeletePolicy", {})
    return (
        str(resource.get("sku.name", "")),
        access(resource, "publicNetworkAccess"),
        f"retention {retention.get('days')} d" if retention.get("status") == "enabled" else "",
        f"soft delete {soft_delete.get('retentionDays')} d" if soft_delete.get("status") == "enabled" else "",
    )


def _private_endpoint(resource: Resource) -> Iterable[str]:
    return (after("to", last(resource.get("privateLinkServiceConnections.0.privateLinkServiceId"))),)


def _agents(pool: Resource) -> Iterable[str]:
    images = " ".join(str(each.get("wellKnownImageName", "?")) for each in pool.get("fabricProfile.images", []))
    subnet = last(pool.get("fabricProfile.networkProfile.subnetId"))
    return (
        after("at most", pool.get("maximumConcurrency")),
        str(pool.get("fabricProfile.sku.name", "")),
        images,
        after("in", subnet) or "IN NO NETWORK OF OURS",
    )


def _extension(resource: Resource) -> Iterable[str]:
    """Its settings are named with dots."""
    settings = resource.get("configurationSettings", {})
    apart = settings.get("multiTenancy.enforce") == "true"
    return (str(resource.get("extensionType", "")), "tenants apart" if apart else "TENANTS NOT APART")


def _written(role: Resource) -> set[str]:
    """The kinds of objects that a role may change."""
    rules = [rule for rule in role.get("rules", []) if {"*", "create", "update", "patch"} & set(rule.get("verbs", ()))]
    return {str(each) for rule in rules for each in rule.get("resources", ())}


DETAILS: Final[Mapping[str, Facts]] = {
    # Clusters
    "containerservice:ManagedCluster": _cluster,
    "containerservice:AgentPool": lambda r: (str(r.get("mode", "")), _pool(r.properties)),
    "containerservice:MaintenanceConfiguration": lambda r: (
        after("from", r.get("maintenanceWindow.startTime")),
        after("for", r.get("maintenanceWindow.durationHours"), " h"),
    ),
    # Registries and vaults
    "containerregistry:Registry": _registry,
    "keyvault:Vault": lambda r: (
        access(r, "properties.publicNetworkAccess"),
        "purge protection" if r.get("properties.enablePurgeProtection") else "no purge protection",
    ),
    # Network
    "network:VirtualNetwork": lambda r: (joined(r.get("addressSpace.addressPrefixes")),),
    "network:Subnet": lambda r: (str(r.get("addressPrefix", "")),),
    "network:PublicIPAddress": lambda r: (str(r.get("ipAddress", "")),),
    "network:PrivateEndpoint": _private_endpoint,
    "network:NetworkSecurityGroup": lambda r: (counted(r.get("securityRules"), "rule"),),
    # Identities and grants
    "authorization:ManagementLockByScope": lambda r: (str(r.get("level", "")),),
    "authorization:ManagementLockAtResourceLevel": lambda r: (str(r.get("level", "")),),
    "authorization:ManagementLockAtResourceGroupLevel": lambda r: (str(r.get("level", "")),),
    # The pull model
    "kubernetesconfiguration:Extension": _extension,
    "source.toolkit.fluxcd.io:GitRepository": lambda r: (
        after("follows", r.get("spec.ref.branch")),
        after("of", r.get("spec.url")),
    ),
    "kustomize.toolkit.fluxcd.io:Kustomization": lambda r: (
        after("applies", r.get("spec.path")),
        after("as", r.get("spec.serviceAccountName")) or "AS FLUX ITSELF",
        after("after", joined([each.get("name") for each in r.get("spec.dependsOn", [])])),
        "pruned" if r.get("spec.prune") else "NOT PRUNED",
    ),
    "rbac.authorization.k8s.io:Role": lambda r: (after("may write", joined(sorted(_written(r)))),),
    "index:GitPermissions": lambda r: (
        joined(sorted(key for key, value in r.get("permissions", {}).items() if str(value).lower() == "allow")),
    ),
    # In the cluster
    "core:Namespace": lambda r: (
        after("pod security", r.get("metadata.labels", {}).get("pod-security.kubernetes.io/enforce")),
    ),
    "core:ResourceQuota": lambda r: (
        " ".join(f"{key} {value}" for key, value in sorted(r.get("spec.hard", {}).items())),
    ),
    "core:ConfigMap": lambda r: (counted(r.get("data"), "key"),),
    "networking.k8s.io:NetworkPolicy": lambda r: (joined(r.get("spec.policyTypes")).lower(),),
    "secrets-store.csi.x-k8s.io:SecretProviderClass": lambda r: (after("from", r.get("spec.parameters.keyvaultName")),),
    # Delivery
    "index:Project": lambda r: (
        " ".join(name for name, on in sorted(r.get("features", {}).items()) if on == "enabled"),
        str(r.get("visibility", "")),
    ),
    "index:ProjectPipelineSettings": lambda r: (
        "tokens of runs reach this project only" if r.get("enforceJobScope") else "TOKENS REACH EVERY PROJECT",
        "and repositories that are named" if r.get("enforceReferencedRepoScopedToken") else "AND EVERY REPOSITORY",
    ),
    "index:Extension": lambda r: (str(r.get("publisherId", "")),),
    "index:VariableGroup": lambda r: (
        counted(r.get("variables"), "variable"),
        "OPEN TO EVERY PIPELINE" if r.get("allowAccess") else "",
    ),
    "devopsinfrastructure:Pool": _agents,
    **MONITORS,
}
