"""A small valid landscape on the stand-in, built resource by resource, for tests to bend in one place.

`LANDSCAPE` is in order of creation. A test takes everything before a resource, changes one property of that
resource, and looks at what the stand-in says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from rehearsal.cloud import Cloud, CloudError, Estate
from rehearsal.cloud.values import placed
from tests.rehearsal import landscape_azuredevops, landscape_monitoring

TENANT: Final = "72f988bf-0000-4000-8000-000000000001"
SUBSCRIPTION: Final = "10000000-0000-4000-8000-000000000001"
OTHER_SUBSCRIPTION: Final = "10000000-0000-4000-8000-000000000002"
GROUP: Final = "20000000-0000-4000-8000-000000000001"
USER: Final = "20000000-0000-4000-8000-000000000002"
APPLICATION: Final = "20000000-0000-4000-8000-000000000003"
NOBODY: Final = "20000000-0000-4000-8000-00000000dead"
REGION: Final = "westeurope"
HUB: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"

_GROUP_ID: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test"
_NET: Final = f"{_GROUP_ID}/providers/Microsoft.Network"
VNET: Final = f"{_NET}/virtualNetworks/vnet-test"
NODES: Final = f"{VNET}/subnets/nodes"
API: Final = f"{VNET}/subnets/api"
ENDPOINTS: Final = f"{VNET}/subnets/endpoints"
_ID: Final = f"{_GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
CONTROL: Final = f"{_ID}/id-control"
KUBELET: Final = f"{_ID}/id-kubelet"
REGISTRY: Final = f"{_GROUP_ID}/providers/Microsoft.ContainerRegistry/registries/acrtest1"
VAULT: Final = f"{_GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv-test-1"
WORKSPACE: Final = f"{_GROUP_ID}/providers/Microsoft.OperationalInsights/workspaces/log-test"
CLUSTER: Final = f"{_GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/aks-test"
ZONE: Final = f"{_NET}/privateDnsZones/privatelink.azurecr.io"
CLUSTER_ZONE: Final = f"{_NET}/privateDnsZones/privatelink.{REGION}.azmk8s.io"
ADDRESS: Final = f"{_NET}/publicIPAddresses/pip-test"


def role(guid: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


ACR_PULL: Final = role("7f951dda-4ed3-4680-a7ca-43fe172d538d")
READER: Final = role("acdd72a7-3385-48ef-bd42-f606fba81ae7")
NETWORK_CONTRIBUTOR: Final = role("4d97b98b-1d4f-4787-a291-c67834d212e7")
IDENTITY_OPERATOR: Final = role("f1a07417-d97a-45cb-824c-7a7467783830")
ZONE_CONTRIBUTOR: Final = role("b12aa53e-6015-4669-85d0-8515ebb3ae7f")


def estate(**more: Any) -> Estate:
    given: dict[str, Any] = {
        "tenant_id": TENANT,
        "subscriptions": frozenset({SUBSCRIPTION}),
        "resource_ids": frozenset({HUB, f"{HUB}/subnets/agents"}),
        "groups": frozenset({GROUP}),
        "users": frozenset({USER}),
        "service_principals": frozenset({APPLICATION}),
    }
    return Estate(**(given | more))


def principal(id: str) -> str:
    """The object id that an identity of the landscape has; it depends on its id alone."""
    cloud = Cloud(estate())
    cloud.create(*_of("group"))
    name = id.rsplit("/", 1)[1]
    answer = cloud.create("azure-native:managedidentity:UserAssignedIdentity", "x", _in_group(resourceName=name))
    return str(answer.outputs["principalId"])


def _in_group(**inputs: Any) -> dict[str, Any]:
    return {"resourceGroupName": "rg-test", "location": REGION, **inputs}


def _below(**inputs: Any) -> dict[str, Any]:
    return {"resourceGroupName": "rg-test", **inputs}


def _subnet(name: str, range_: str, **inputs: Any) -> dict[str, Any]:
    return _below(virtualNetworkName="vnet-test", subnetName=name, addressPrefix=range_, **inputs)


def _grant(number: int, who: str, role_id: str, scope: str) -> dict[str, Any]:
    return {
        "roleAssignmentName": f"30000000-0000-4000-8000-{number:012}",
        "principalId": who,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": role_id,
        "scope": scope,
    }


def _of(key: str) -> tuple[str, str, dict[str, Any]]:
    type_, inputs = LANDSCAPE[key]
    return f"azure-native:{type_}", key, inputs


def _landscape() -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "group": ("resources:ResourceGroup", {"resourceGroupName": "rg-test", "location": REGION}),
        "control": ("managedidentity:UserAssignedIdentity", _in_group(resourceName="id-control")),
        "kubelet": ("managedidentity:UserAssignedIdentity", _in_group(resourceName="id-kubelet")),
        "vnet": (
            "network:VirtualNetwork",
            _in_group(virtualNetworkName="vnet-test", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}),
        ),
        "nsg": (
            "network:NetworkSecurityGroup",
            _in_group(
                networkSecurityGroupName="nsg-test",
                securityRules=[{"name": "deny", "priority": 100, "direction": "Inbound", "access": "Deny"}],
            ),
        ),
        "address": (
            "network:PublicIPAddress",
            _in_group(publicIpAddressName="pip-test", publicIPAllocationMethod="Static", sku={"name": "Standard"}),
        ),
        "nat": (
            "network:NatGateway",
            _in_group(natGatewayName="nat-test", sku={"name": "Standard"}, publicIpAddresses=[{"id": ADDRESS}]),
        ),
        "routes": (
            "network:RouteTable",
            _in_group(
                routeTableName="rt-test",
                routes=[
                    {
                        "name": "out",
                        "addressPrefix": "0.0.0.0/0",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.9.0.4",
                    }
                ],
            ),
        ),
        "nodes": (
            "network:Subnet",
            _subnet(
                "nodes",
                "10.0.0.0/22",
                networkSecurityGroup={"id": f"{_NET}/networkSecurityGroups/nsg-test"},
                natGateway={"id": f"{_NET}/natGateways/nat-test"},
                routeTable={"id": f"{_NET}/routeTables/rt-test"},
            ),
        ),
        "api": (
            "network:Subnet",
            _subnet(
                "api",
                "10.0.4.0/28",
                delegations=[{"name": "aks", "serviceName": "Microsoft.ContainerService/managedClusters"}],
            ),
        ),
        "endpoints": ("network:Subnet", _subnet("endpoints", "10.0.5.0/24")),
        "peering": (
            "network:VirtualNetworkPeering",
            _below(
                virtualNetworkName="vnet-test", virtualNetworkPeeringName="to-hub", remoteVirtualNetwork={"id": HUB}
            ),
        ),
        "zone": ("privatedns:PrivateZone", _below(privateZoneName="privatelink.azurecr.io", location="global")),
        "link": (
            "privatedns:VirtualNetworkLink",
            _below(
                privateZoneName="privatelink.azurecr.io",
                virtualNetworkLinkName="to-vnet",
                location="global",
                registrationEnabled=False,
                virtualNetwork={"id": VNET},
            ),
        ),
        "cluster_zone": (
            "privatedns:PrivateZone",
            _below(privateZoneName=f"privatelink.{REGION}.azmk8s.io", location="global"),
        ),
        "registry": (
            "containerregistry:Registry",
            _in_group(
                registryName="acrtest1",
                sku={"name": "Premium"},
                adminUserEnabled=False,
                publicNetworkAccess="Disabled",
                policies={"softDeletePolicy": {"status": "disabled", "retentionDays": 7}},
            ),
        ),
        "replication": (
            "containerregistry:Replication",
            _below(registryName="acrtest1", replicationName="northeurope", location="northeurope"),
        ),
        "vault": (
            "keyvault:Vault",
            _in_group(
                vaultName="kv-test-1",
                properties={
                    "tenantId": TENANT,
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": True,
                    "enablePurgeProtection": True,
                    "softDeleteRetentionInDays": 30,
                    "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7/32"}]},
                },
            ),
        ),
        "key": (
            "keyvault:Key",
            _below(
                vaultName="kv-test-1",
                keyName="state",
                properties={
                    "kty": "RSA",
                    "keySize": 3072,
                    "rotationPolicy": {
                        "lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P1Y"}}]
                    },
                },
            ),
        ),
        "storage": (
            "storage:StorageAccount",
            _in_group(
                accountName="sttest1",
                kind="StorageV2",
                sku={"name": "Standard_GRS"},
                allowBlobPublicAccess=False,
                networkRuleSet={"defaultAction": "Deny", "ipRules": [{"iPAddressOrRange": "203.0.113.7"}]},
            ),
        ),
        "blobs": (
            "storage:BlobServiceProperties",
            _below(
                accountName="sttest1",
                blobServicesName="default",
                isVersioningEnabled=True,
                deleteRetentionPolicy={"enabled": True, "days": 30},
            ),
        ),
        "container": (
            "storage:BlobContainer",
            _below(accountName="sttest1", containerName="state", publicAccess="None"),
        ),
        "workspace": (
            "operationalinsights:Workspace",
            _in_group(workspaceName="log-test", sku={"name": "PerGB2018"}, retentionInDays=90),
        ),
        "endpoint": (
            "network:PrivateEndpoint",
            _in_group(
                privateEndpointName="pe-registry",
                subnet={"id": ENDPOINTS},
                privateLinkServiceConnections=[
                    {"name": "registry", "privateLinkServiceId": REGISTRY, "groupIds": ["registry"]}
                ],
            ),
        ),
        "records": (
            "network:PrivateDnsZoneGroup",
            _below(
                privateEndpointName="pe-registry",
                privateDnsZoneGroupName="default",
                privateDnsZoneConfigs=[{"name": "registry", "privateDnsZoneId": ZONE}],
            ),
        ),
        "may_join": ("authorization:RoleAssignment", _grant(1, "control", NETWORK_CONTRIBUTOR, VNET)),
        "may_use_kubelet": ("authorization:RoleAssignment", _grant(2, "control", IDENTITY_OPERATOR, KUBELET)),
        "may_write_zone": ("authorization:RoleAssignment", _grant(3, "control", ZONE_CONTRIBUTOR, CLUSTER_ZONE)),
        "may_pull": ("authorization:RoleAssignment", _grant(4, "kubelet", ACR_PULL, REGISTRY)),
        "cluster": (
            "containerservice:ManagedCluster",
            _in_group(
                resourceName="aks-test",
                dnsPrefix="aks-test",
                kubernetesVersion="1.36",
                nodeResourceGroup="rg-test-nodes",
                sku={"name": "Base", "tier": "Standard"},
                disableLocalAccounts=True,
                enableRBAC=True,
                aadProfile={"managed": True, "enableAzureRBAC": True, "tenantID": TENANT},
                identity={"type": "UserAssigned", "userAssignedIdentities": [CONTROL]},
                identityProfile={"kubeletidentity": {"resourceId": KUBELET}},
                oidcIssuerProfile={"enabled": True},
                securityProfile={
                    "workloadIdentity": {"enabled": True},
                    "imageCleaner": {"enabled": True, "intervalHours": 168},
                    "defender": {
                        "logAnalyticsWorkspaceResourceId": WORKSPACE,
                        "securityMonitoring": {"enabled": True},
                    },
                },
                apiServerAccessProfile={
                    "enablePrivateCluster": True,
                    "privateDNSZone": CLUSTER_ZONE,
                    "enableVnetIntegration": True,
                    "subnetId": API,
                },
                autoUpgradeProfile={"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
                addonProfiles={
                    "azurepolicy": {"enabled": True},
                    "omsagent": {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": WORKSPACE}},
                },
                networkProfile={
                    "networkPlugin": "azure",
                    "networkPluginMode": "overlay",
                    "networkDataplane": "cilium",
                    "networkPolicy": "cilium",
                    "outboundType": "userAssignedNATGateway",
                    "podCidr": "192.168.0.0/16",
                    "serviceCidr": "172.16.0.0/16",
                    "dnsServiceIP": "172.16.0.10",
                },
                agentPoolProfiles=[
                    {
                        "name": "system",
                        "mode": "System",
                        "vmSize": "Standard_D4ds_v5",
                        "osDiskType": "Ephemeral",
                        "osDiskSizeGB": 100,
                        "enableAutoScaling": True,
                        "minCount": 2,
                        "maxCount": 5,
                        "count": 2,
                        "availabilityZones": ["1", "2", "3"],
                        "upgradeSettings": {"maxSurge": "33%"},
                        "vnetSubnetID": NODES,
                    }
                ],
            ),
        ),
        "pool": (
            "containerservice:AgentPool",
            _below(
                resourceName="aks-test",
                agentPoolName="apps",
                mode="User",
                vmSize="Standard_D4ds_v5",
                enableAutoScaling=True,
                minCount=0,
                maxCount=5,
                vnetSubnetID=NODES,
            ),
        ),
        "window": (
            "containerservice:MaintenanceConfiguration",
            _below(
                resourceName="aks-test",
                configName="aksManagedNodeOSUpgradeSchedule",
                maintenanceWindow={
                    "durationHours": 4,
                    "startTime": "01:00",
                    "utcOffset": "+00:00",
                    "schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}},
                },
            ),
        ),
        "credential": (
            "managedidentity:FederatedIdentityCredential",
            _below(
                resourceName="id-control",
                federatedIdentityCredentialResourceName="fc-test",
                issuer="https://login.example.com/tenant/v2.0",
                subject="opaque",
                audiences=["api://AzureADTokenExchange"],
            ),
        ),
        "diagnostics": (
            "monitor:DiagnosticSetting",
            {
                "name": "to-workspace",
                "resourceUri": REGISTRY,
                "workspaceId": WORKSPACE,
                "logs": [{"category": "ContainerRegistryLoginEvents", "enabled": True}],
                "metrics": [{"category": "AllMetrics", "enabled": True}],
            },
        ),
        "flux": (
            "kubernetesconfiguration:Extension",
            {
                "resourceGroupName": "rg-test",
                "clusterRp": "Microsoft.ContainerService",
                "clusterResourceName": "managedClusters",
                "clusterName": "aks-test",
                "extensionName": "flux",
                "extensionType": "microsoft.flux",
                "autoUpgradeMinorVersion": True,
                "configurationSettings": {"multiTenancy.enforce": "true"},
            },
        ),
        **landscape_monitoring.samples(SUBSCRIPTION, _GROUP_ID),
        "agents_subnet": (
            "network:Subnet",
            _subnet(
                "agents",
                "10.0.6.0/28",
                delegations=[{"name": "pool", "serviceName": "Microsoft.DevOpsInfrastructure/pools"}],
            ),
        ),
        "may_run": ("authorization:RoleAssignment", _grant(5, APPLICATION, NETWORK_CONTRIBUTOR, VNET)),
        **landscape_azuredevops.agents(_GROUP_ID),
        "policy": (
            "authorization:PolicyAssignment",
            {
                "policyAssignmentName": "restricted-pods",
                "scope": VAULT,
                "policyDefinitionId": "/providers/Microsoft.Authorization/policySetDefinitions"
                "/42b8ef37-b724-4e24-bbc8-7a7708edfe00",
                "parameters": {"effect": {"value": "deny"}},
            },
        ),
        "lock": (
            "authorization:ManagementLockByScope",
            {"lockName": "keep", "scope": VAULT, "level": "CanNotDelete"},
        ),
    }


LANDSCAPE: Final[Mapping[str, tuple[str, dict[str, Any]]]] = _landscape()


def type_of(key: str) -> str:
    return f"azure-native:{LANDSCAPE[key][0]}"


def inputs_of(key: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The inputs of a resource of the landscape, changed at some paths. None takes a property away."""
    inputs: Any = LANDSCAPE[key][1]
    if inputs.get("principalId") in LANDSCAPE:
        inputs = {**inputs, "principalId": principal(f"{_ID}/id-{inputs['principalId']}")}
    for path, value in (changes or {}).items():
        inputs = placed(inputs, path, value)
    return dict(inputs)


def make(cloud: Cloud, key: str, changes: Mapping[str, Any] | None = None) -> str:
    return cloud.create(type_of(key), key, inputs_of(key, changes), subscription=SUBSCRIPTION).id


def before(key: str, without: frozenset[str] = frozenset()) -> Cloud:
    """A cloud with everything that comes before a resource of the landscape."""
    cloud = Cloud(estate())
    for other in LANDSCAPE:
        if other == key:
            return cloud
        if other not in without:
            make(cloud, other)
    raise KeyError(key)


def whole(without: frozenset[str] = frozenset()) -> Cloud:
    cloud = before("lock", without)
    if "lock" not in without:
        make(cloud, "lock")
    return cloud


@contextmanager
def refused(code: str, part: str = "") -> Iterator[None]:
    """The block must end in a refusal with this code, whose text contains `part`."""
    with pytest.raises(CloudError) as caught:
        yield
    assert caught.value.code == code, str(caught.value)
    assert part in str(caught.value), str(caught.value)
