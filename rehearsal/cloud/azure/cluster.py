"""The managed cluster: what it answers. What it refuses is in `cluster_rules` and `cluster_world`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.azure.cluster_rules import SHAPE
from rehearsal.cloud.azure.cluster_world import WORLD
from rehearsal.cloud.azure.pool_rules import VERSIONS
from rehearsal.cloud.kinds import Kind, Request
from rehearsal.cloud.values import guid

CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
TYPE: Final = "Microsoft.ContainerService/managedClusters"
_NETWORK: Final = "Microsoft.Network"
_WORKSPACE: Final = "Microsoft.OperationalInsights/workspaces"
_DEFAULT_VERSION: Final = "1.35"
_NO_CHANGE: Final = "PropertyChangeNotAllowed"

# Add-ons that bring a managed identity of their own into the node resource group, with its name's beginning.
_ADDON_IDENTITIES: Final = {
    "azureKeyvaultSecretsProvider": "azurekeyvaultsecretsprovider",
    "azurepolicy": "azurepolicy",
    "omsagent": "omsagent",
}

# The service refuses to change these in place. Source: AKS's answers in public issue threads and its docs.
POOL_FIXED: Final = (
    "vmSize",
    "osDiskSizeGB",
    "osDiskType",
    "osType",
    "vnetSubnetID",
    "podSubnetID",
    "availabilityZones",
    "maxPods",
    "kubeletDiskType",
    "enableFIPS",
    "enableEncryptionAtHost",
    "proximityPlacementGroupID",
    "scaleSetPriority",
)
_NETWORK_FIXED: Final = (
    "networkPlugin",
    "networkPluginMode",
    "networkDataplane",
    "networkPolicy",
    "podCidr",
    "podCidrs",
    "serviceCidr",
    "serviceCidrs",
    "dnsServiceIP",
    "ipFamilies",
    "loadBalancerSku",
    "outboundType",
)


def patched(version: object) -> str:
    """The version a cluster really runs: `major.minor` is an alias for the newest patch."""
    text = version if isinstance(version, str) else _DEFAULT_VERSION
    return VERSIONS.get(text, text)


def running(request: Request) -> object:
    """The version of the control plane: an update that says nothing new of it leaves the one that runs."""
    wanted, old = request.get("kubernetesVersion"), request.old
    if old is not None and old.inputs.get("kubernetesVersion") == wanted:
        return old.outputs.get("currentKubernetesVersion") or patched(wanted)
    return patched(wanted)


def node_group(request: Request) -> str:
    given = request.get("nodeResourceGroup")
    default = f"MC_{request.get('resourceGroupName')}_{request.name}_{request.get('location')}"[:80]
    return str(given or default)


def _node_identity(request: Request, name: str) -> dict[str, str]:
    id = arm.resource_id(
        arm.group_id(request.subscription, node_group(request)),
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        [name],
    )
    return {"resourceId": id, "clientId": guid(id, "client"), "objectId": guid(id, "principal")}


def _kubelet(request: Request) -> dict[str, str]:
    own = request.get("identityProfile.kubeletidentity.resourceId")
    if own is None:
        return _node_identity(request, f"{request.name}-agentpool")
    found = request.world.find(own)
    if found is None:
        return {"resourceId": own, "clientId": guid(own, "client"), "objectId": guid(own, "principal")}
    return {
        "resourceId": own,
        "clientId": str(found.outputs["clientId"]),
        "objectId": str(found.outputs["principalId"]),
    }


def _addons(request: Request) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for name, profile in request.get("addonProfiles", {}).items():
        enabled = isinstance(profile, Mapping) and profile.get("enabled") is True
        beginning = _ADDON_IDENTITIES.get(name)
        identity = {"identity": _node_identity(request, f"{beginning}-{request.name}")} if enabled and beginning else {}
        answer[name] = {**profile, **identity} if isinstance(profile, Mapping) else profile
    return answer


def _pool(pool: Mapping[str, Any], version: object) -> dict[str, Any]:
    return {
        **pool,
        "currentOrchestratorVersion": patched(pool.get("orchestratorVersion") or version),
        "nodeImageVersion": f"AKS{pool.get('osSKU') or 'Ubuntu'}-202601.01.0",
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
    }


def _cluster(request: Request) -> dict[str, Any]:
    region = str(request.get("location", "")).lower().replace(" ", "")
    stem = f"{request.get('dnsPrefix') or request.get('fqdnSubdomain')}-{guid(request.id, 'host')[:8]}"
    version = request.get("kubernetesVersion")
    private = request.get("apiServerAccessProfile.enablePrivateCluster") is True
    computed: dict[str, Any] = {
        "fqdn": f"{stem}.hcp.{region}.azmk8s.io",
        "azurePortalFQDN": f"{stem}.portal.hcp.{region}.azmk8s.io",
        "currentKubernetesVersion": running(request),
        "nodeResourceGroup": node_group(request),
        "identityProfile": {"kubeletidentity": _kubelet(request)},
        "agentPoolProfiles": [_pool(pool, version) for pool in request.blocks("agentPoolProfiles")],
        "maxAgentPools": 100,
        "powerState": {"code": "Running"},
        "provisioningState": "Succeeded",
        "resourceUID": guid(request.id, "resource").replace("-", "")[:24],
    }
    if private:
        computed["privateFQDN"] = f"{stem}.{guid(request.id, 'private')}.privatelink.{region}.azmk8s.io"
        if request.get("apiServerAccessProfile.enablePrivateClusterPublicFQDN") is False:
            del computed["fqdn"]
    if request.given("addonProfiles"):
        computed["addonProfiles"] = _addons(request)
    if request.given("oidcIssuerProfile"):
        profile = dict(request.get("oidcIssuerProfile") or {})
        if profile.get("enabled") is True:
            issuer = guid(request.id, "issuer")
            tenant = request.world.estate.tenant_id
            profile["issuerURL"] = f"https://{region}.oic.prod-aks.azure.com/{tenant}/{issuer}/"
        computed["oidcIssuerProfile"] = profile
    return computed


def _implies(request: Request) -> frozenset[str]:
    """The node group, what AKS puts there, and the inline pools."""
    group = arm.group_id(request.subscription, node_group(request))
    pools = (f"{request.id}/agentPools/{pool.get('name')}" for pool in request.blocks("agentPoolProfiles"))
    addons = (profile["identity"]["resourceId"] for profile in _addons(request).values() if "identity" in profile)
    return frozenset({group, _kubelet(request)["resourceId"], *pools, *addons})


KINDS: Final = (
    Kind(
        token=CLUSTER,
        arm_type=TYPE,
        path=("resourceName",),
        compute=_cluster,
        implies=_implies,
        links={
            "agentPoolProfiles[*].vnetSubnetID": f"{_NETWORK}/virtualNetworks/subnets",
            "apiServerAccessProfile.subnetId": f"{_NETWORK}/virtualNetworks/subnets",
            "apiServerAccessProfile.privateDNSZone": f"{_NETWORK}/privateDnsZones",
            "identity.userAssignedIdentities[*]": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "identityProfile.kubeletidentity.resourceId": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "securityProfile.defender.logAnalyticsWorkspaceResourceId": _WORKSPACE,
        },
        shape=SHAPE,
        world=WORLD,
        fixed={
            "dnsPrefix": _NO_CHANGE,
            "fqdnSubdomain": _NO_CHANGE,
            "nodeResourceGroup": _NO_CHANGE,
            "location": _NO_CHANGE,
            "apiServerAccessProfile.enablePrivateCluster": _NO_CHANGE,
            "apiServerAccessProfile.privateDNSZone": _NO_CHANGE,
            **{f"networkProfile.{key}": _NO_CHANGE for key in _NETWORK_FIXED},
            **{f"agentPoolProfiles[*].{key}": _NO_CHANGE for key in POOL_FIXED},
        },
    ),
)
