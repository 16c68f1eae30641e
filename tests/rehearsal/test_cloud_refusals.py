"""What the stand-in refuses when a resource is made: one bent property at a time, with Azure's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from rehearsal.cloud import Cloud, CloudError
from rehearsal.cloud.azure import KINDS
from rehearsal.cloud.azure.pool_rules import VERSIONS
from rehearsal.cloud.names import NAMES
from tests.rehearsal.landscape import (
    ACR_PULL,
    API,
    CLUSTER,
    ENDPOINTS,
    GROUP,
    HUB,
    LANDSCAPE,
    NOBODY,
    NODES,
    OTHER_SUBSCRIPTION,
    REGISTRY,
    SUBSCRIPTION,
    USER,
    VAULT,
    VNET,
    WORKSPACE,
    before,
    estate,
    inputs_of,
    make,
    refused,
    role,
    type_of,
    whole,
)

DEFINITIONS: Final = "/providers/Microsoft.Authorization/policyDefinitions"
_POOL: Final = "agentPoolProfiles[0]"
_NET: Final = "networkProfile"


def _second_pool(subnet: str | None) -> dict[str, Any]:
    return {**LANDSCAPE["cluster"][1]["agentPoolProfiles"][0], "name": "more", "vnetSubnetID": subnet}


# The resource, what is bent, the code, and words that the refusal must contain.
BENT: Final[dict[str, tuple[str, Mapping[str, Any], str, str]]] = {
    # Any type
    "a resource without a location": ("vnet", {"location": None}, "LocationRequired", ""),
    "a resource in a group that does not exist": (
        "vnet",
        {"resourceGroupName": "rg-gone"},
        "ResourceGroupNotFound",
        "rg-gone",
    ),
    "a child of a parent that does not exist": (
        "nodes",
        {"virtualNetworkName": "vnet-gone"},
        "ParentResourceNotFound",
        "vnet-gone",
    ),
    "an id of a subscription that nobody knows": (
        "diagnostics",
        {"workspaceId": WORKSPACE.replace(SUBSCRIPTION, OTHER_SUBSCRIPTION)},
        "SubscriptionNotFound",
        "",
    ),
    "a resource without what its type requires": (
        "vnet",
        {"addressSpace": None},
        "InvalidRequestContent",
        "addressSpace",
    ),
    "an id that is malformed": (
        "diagnostics",
        {"workspaceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroup/rg-test"},
        "LinkedInvalidPropertyId",
        "workspaceId",
    ),
    "an id that leads nowhere": (
        "diagnostics",
        {"workspaceId": f"{WORKSPACE}-gone"},
        "ResourceNotFound",
        "log-test-gone",
    ),
    "an id that leads nowhere, in a network": (
        "nodes",
        {"routeTable.id": f"{VNET}/../rt"},
        "LinkedInvalidPropertyId",
        "",
    ),
    "a network id that does not exist": (
        "nodes",
        {"networkSecurityGroup.id": HUB.replace("virtualNetworks", "networkSecurityGroups")},
        "InvalidResourceReference",
        "",
    ),
    "an id of the wrong type": ("diagnostics", {"workspaceId": VAULT}, "LinkedInvalidPropertyId", "workspaces"),
    "a property in snake case inside a dictionary": (
        "cluster",
        {"securityProfile.image_cleaner": {"enabled": True}},
        "InvalidRequestContent",
        "image_cleaner",
    ),
    "more than fifty tags": ("vnet", {"tags": {f"t{n}": "" for n in range(51)}}, "InvalidTagsCount", ""),
    "a tag name with a slash": ("vnet", {"tags": {"a/b": ""}}, "InvalidTagNameCharacters", ""),
    "a tag value of 257 characters": ("vnet", {"tags": {"a": "x" * 257}}, "InvalidTagValueLength", ""),
    # Locks
    "a lock of an unknown level": ("lock", {"level": "DoNotTouch"}, "InvalidLockLevel", ""),
    "a lock on nothing": ("lock", {"scope": f"{VAULT}x"}, "ResourceNotFound", ""),
    # Grants
    "a grant to nobody": ("may_pull", {"principalId": NOBODY}, "PrincipalNotFound", NOBODY),
    "a grant to a name instead of an id": ("may_pull", {"principalId": "operators"}, "InvalidPrincipalId", ""),
    "a grant to a group as service principal": ("may_pull", {"principalId": GROUP}, "UnmatchedPrincipalType", "Group"),
    "a grant to a user as service principal": ("may_pull", {"principalId": USER}, "UnmatchedPrincipalType", "User"),
    "a grant to an identity as group": ("may_pull", {"principalType": "Group"}, "UnmatchedPrincipalType", ""),
    "a grant to a fresh identity without a type": (
        "may_pull",
        {"principalType": None},
        "PrincipalNotFound",
        "principalType",
    ),
    "a grant of a role that does not exist": (
        "may_pull",
        {"roleDefinitionId": role(NOBODY)},
        "RoleDefinitionDoesNotExist",
        NOBODY,
    ),
    "a grant of something that is no role": ("may_pull", {"roleDefinitionId": VAULT}, "InvalidRoleDefinitionId", ""),
    "a grant by a malformed role id": (
        "may_pull",
        {"roleDefinitionId": f"{VAULT}{ACR_PULL}"},
        "LinkedInvalidPropertyId",
        "",
    ),
    "a grant on nothing": ("may_pull", {"scope": f"{REGISTRY}x"}, "ResourceNotFound", ""),
    "a grant with a condition and no version": ("may_pull", {"condition": "true"}, "InvalidConditionVersion", ""),
    "a grant with a condition that is none": (
        "may_pull",
        {"condition": "@Request[a:b] is like 'c'", "conditionVersion": "2.0"},
        "InvalidCondition",
        "not understood from 'is like",
    ),
    # Federated credentials
    "an issuer without https": ("credential", {"issuer": "http://login.example.com"}, "BadRequest", "https"),
    "two audiences": ("credential", {"audiences": ["a", "b"]}, "BadRequest", "audience"),
    "an empty subject": ("credential", {"subject": ""}, "BadRequest", "subject"),
    "an issuer of a cluster that does not exist": (
        "credential",
        {"issuer": "https://westeurope.oic.prod-aks.azure.com/x/y/"},
        "BadRequest",
        "issuer",
    ),
    # Network
    "a range with host bits": ("vnet", {"addressSpace.addressPrefixes": ["10.0.0.1/16"]}, "InvalidCIDRNotation", ""),
    "overlapping address spaces": (
        "vnet",
        {"addressSpace.addressPrefixes": ["10.0.0.0/16", "10.0.1.0/24"]},
        "NetcfgOverlappingAddressPrefixes",
        "",
    ),
    "an inline subnet outside its network": (
        "vnet",
        {"subnets": [{"name": "a", "addressPrefix": "10.1.0.0/24"}]},
        "NetcfgSubnetRangeOutsideVnet",
        "",
    ),
    "inline subnets that overlap": (
        "vnet",
        {"subnets": [{"name": "a", "addressPrefix": "10.0.0.0/24"}, {"name": "b", "addressPrefix": "10.0.0.0/25"}]},
        "NetcfgSubnetRangesOverlap",
        "",
    ),
    "a subnet without a range": ("nodes", {"addressPrefix": None}, "NetcfgInvalidSubnet", ""),
    "a subnet with host bits": ("nodes", {"addressPrefix": "10.0.0.1/22"}, "NetcfgInvalidSubnet", ""),
    "a subnet of /30": ("nodes", {"addressPrefix": "10.0.0.0/30"}, "NetcfgInvalidSubnet", "/29"),
    "a subnet outside its network": ("nodes", {"addressPrefix": "10.1.0.0/22"}, "NetcfgSubnetRangeOutsideVnet", ""),
    "a subnet over another": ("api", {"addressPrefix": "10.0.1.0/28"}, "NetcfgSubnetRangesOverlap", "nodes"),
    "a delegation to an unknown service": (
        "api",
        {"delegations[0].serviceName": "Microsoft.ContainerService/clusters"},
        "SubnetDelegationServiceNameInvalid",
        "",
    ),
    "two rules of one priority": (
        "nsg",
        {"securityRules[1]": {"name": "b", "priority": 100, "direction": "Inbound"}},
        "SecurityRuleConflict",
        "",
    ),
    "a rule of priority 99": ("nsg", {"securityRules[0].priority": 99}, "SecurityRuleInvalidPriority", ""),
    "a basic public address": ("address", {"sku.name": "Basic"}, "IPv4BasicSkuPublicIpCountLimitReached", ""),
    "a public address without a sku": ("address", {"sku": None}, "IPv4BasicSkuPublicIpCountLimitReached", ""),
    "a dynamic public address": (
        "address",
        {"publicIPAllocationMethod": "Dynamic"},
        "StandardSkuPublicIPAddressesMustBeStatic",
        "",
    ),
    "a NAT gateway without a sku": ("nat", {"sku": None}, "InvalidNatGatewaySku", ""),
    "a NAT gateway in two zones": ("nat", {"zones": ["1", "2"]}, "NatGatewayWithMultipleZonesNotSupported", ""),
    "a route to an appliance without an address": (
        "routes",
        {"routes[0].nextHopIpAddress": None},
        "InvalidRouteNextHopIpAddress",
        "",
    ),
    "a route to a range with host bits": (
        "routes",
        {"routes[0].addressPrefix": "10.0.0.1/8"},
        "InvalidRouteAddressPrefix",
        "",
    ),
    # Private link
    "an endpoint with the group id of another service": (
        "endpoint",
        {"privateLinkServiceConnections[0].groupIds": ["vault"]},
        "PrivateEndpointInvalidGroupId",
        "registry",
    ),
    "an endpoint with two group ids": (
        "endpoint",
        {"privateLinkServiceConnections[0].groupIds": ["registry", "registry"]},
        "PrivateEndpointInvalidGroupId",
        "one",
    ),
    "an endpoint without a connection": (
        "endpoint",
        {"privateLinkServiceConnections": None},
        "InvalidRequestFormat",
        "",
    ),
    "an endpoint to something without private link": (
        "endpoint",
        {"privateLinkServiceConnections[0].privateLinkServiceId": VNET},
        "PrivateEndpointResourceTypeNotSupported",
        "",
    ),
    "an endpoint in a delegated subnet": (
        "endpoint",
        {"subnet.id": API},
        "PrivateEndpointCannotBeCreatedInSubnetThatIsDelegated",
        "",
    ),
    "a zone that lies in a region": ("zone", {"location": "westeurope"}, "LocationNotAvailableForResourceType", ""),
    "a second link of a zone to one network": (
        "link",
        {"virtualNetworkLinkName": "again"},
        "Conflict",
        "already linked",
    ),
    "records in the zone of another service": (
        "records",
        {
            "privateDnsZoneConfigs[0].privateDnsZoneId": LANDSCAPE["cluster"][1]["apiServerAccessProfile"][
                "privateDNSZone"
            ]
        },
        "InvalidPrivateDnsZoneConfig",
        "privatelink.azurecr.io",
    ),
    # Registry
    "a registry of an unknown sku": ("registry", {"sku.name": "Ultra"}, "SkuNotSupported", "Ultra"),
    "a closed registry below Premium": ("registry", {"sku.name": "Standard"}, "SkuNotSupported", "publicNetworkAccess"),
    **{
        f"{path} below Premium": (
            "registry",
            {"sku.name": "Standard", "publicNetworkAccess": "Enabled", path: value},
            "SkuNotSupported",
            path,
        )
        for path, value in {
            "policies.retentionPolicy.status": "enabled",
            "policies.trustPolicy.status": "enabled",
            "policies.quarantinePolicy.status": "enabled",
            "policies.exportPolicy.status": "disabled",
            "networkRuleSet.defaultAction": "Deny",
            "networkRuleSet.ipRules": [{"iPAddressOrRange": "203.0.113.0/28"}],
            "dataEndpointEnabled": True,
            "zoneRedundancy": "Enabled",
            "encryption.status": "enabled",
        }.items()
    },
    "anonymous pull in a Basic registry": (
        "registry",
        {"sku.name": "Basic", "publicNetworkAccess": "Enabled", "anonymousPullEnabled": True},
        "SkuNotSupported",
        "anonymousPullEnabled",
    ),
    "retention together with soft delete": (
        "registry",
        {"policies.retentionPolicy.status": "enabled", "policies.softDeletePolicy.status": "enabled"},
        "PolicyConflict",
        "",
    ),
    "a policy status with a capital": (
        "registry",
        {"policies.retentionPolicy.status": "Enabled"},
        "InvalidPolicyStatus",
        "Enabled",
    ),
    "retention of 366 days": ("registry", {"policies.retentionPolicy.days": 366}, "InvalidPolicyDays", "365"),
    "soft delete of 91 days": ("registry", {"policies.softDeletePolicy.retentionDays": 91}, "InvalidPolicyDays", "90"),
    "no export from an open registry": (
        "registry",
        {"policies.exportPolicy.status": "disabled", "publicNetworkAccess": "Enabled"},
        "ExportPolicyNotSupported",
        "",
    ),
    "a registry rule for a private range": (
        "registry",
        {"networkRuleSet.ipRules": [{"iPAddressOrRange": "10.0.0.0/8"}]},
        "InvalidNetworkRule",
        "public",
    ),
    "a replication at home": ("replication", {"location": "westeurope"}, "InvalidReplicationLocation", ""),
    # Vault
    "a policy that there is not": (
        "policy",
        {"policyDefinitionId": f"{DEFINITIONS}/42b8ef37-b724-4e24-bbc8-7a7708edfe00"},
        "PolicyDefinitionNotFound",
        "could not be found",
    ),
    "a policy with a parameter that it does not have": (
        "policy",
        {"parameters.allowedImages": {"value": "x"}},
        "UndefinedPolicyParameter",
        "allowedImages",
    ),
    "a policy without a parameter that it needs": (
        "policy",
        {"policyDefinitionId": f"{DEFINITIONS}/febd0533-8e55-448f-b837-bd0e06f16469"},
        "MissingPolicyParameter",
        "allowedContainerImagesRegex",
    ),
    "a policy with an effect that it does not know": (
        "policy",
        {"parameters.effect.value": "refuse"},
        "PolicyParameterValueNotAllowed",
        "effect",
    ),
    "a key of an unknown kind": ("key", {"properties.kty": "oct"}, "BadParameter", "kty"),
    "a key of an odd size": ("key", {"properties.keySize": 1024}, "BadParameter", "keySize"),
    "a vault of another tenant": ("vault", {"properties.tenantId": NOBODY}, "BadRequest", "tenant"),
    "a vault without a tenant": ("vault", {"properties.tenantId": None}, "BadRequest", "tenantId"),
    "a vault of an unknown sku": ("vault", {"properties.sku.name": "Standard"}, "BadRequest", "sku"),
    "a vault without soft delete": ("vault", {"properties.enableSoftDelete": False}, "BadRequest", "enableSoftDelete"),
    "a vault with purge protection false": (
        "vault",
        {"properties.enablePurgeProtection": False},
        "BadRequest",
        "enablePurgeProtection",
    ),
    "a vault with soft delete of 6 days": (
        "vault",
        {"properties.softDeleteRetentionInDays": 6},
        "BadRequest",
        "softDeleteRetentionInDays",
    ),
    "a vault with soft delete of 91 days": (
        "vault",
        {"properties.softDeleteRetentionInDays": 91},
        "BadRequest",
        "softDeleteRetentionInDays",
    ),
    "a vault with neither roles nor policies": (
        "vault",
        {"properties.enableRbacAuthorization": False},
        "BadRequest",
        "accessPolicies",
    ),
    "a vault rule for a private range": (
        "vault",
        {"properties.networkAcls.ipRules": [{"value": "192.168.1.0/24"}]},
        "BadRequest",
        "public",
    ),
    "a vault rule that is no address": (
        "vault",
        {"properties.networkAcls.ipRules": [{"value": "agents"}]},
        "BadRequest",
        "agents",
    ),
    # Keys and storage
    "a key that is renewed before it never expires": (
        "key",
        {"properties.rotationPolicy.lifetimeActions[0].trigger": {"timeBeforeExpiry": "P30D"}},
        "BadParameter",
        "timeBeforeExpiry",
    ),
    "storage of an unknown kind": ("storage", {"kind": "StorageV3"}, "InvalidParameter", "StorageV3"),
    "storage of an unknown sku": ("storage", {"sku.name": "Standard"}, "InvalidParameter", "Standard_GRS"),
    "a storage rule for a private range": (
        "storage",
        {"networkRuleSet.ipRules": [{"iPAddressOrRange": "10.0.0.0/24"}]},
        "InvalidValuesForRequestParameters",
        "private",
    ),
    "a storage rule for one address as a range": (
        "storage",
        {"networkRuleSet.ipRules": [{"iPAddressOrRange": "203.0.113.7/32"}]},
        "InvalidValuesForRequestParameters",
        "/30",
    ),
    "blobs that are kept for more than a year": (
        "blobs",
        {"deleteRetentionPolicy.days": 366},
        "InvalidXmlNodeValue",
        "1 to 365",
    ),
    "a container that anybody may read": ("container", {"publicAccess": "Blob"}, "PublicAccessNotPermitted", ""),
    # Workspace and diagnostics
    "a workspace of a retired sku": ("workspace", {"sku.name": "Standalone"}, "InvalidParameter", "PerGB2018"),
    "a workspace that keeps 29 days": ("workspace", {"retentionInDays": 29}, "InvalidParameter", "30 to 730"),
    "a workspace that keeps 731 days": ("workspace", {"retentionInDays": 731}, "InvalidParameter", "30 to 730"),
    "a workspace with a cap of nothing": (
        "workspace",
        {"workspaceCapping": {"dailyQuotaGb": 0}},
        "InvalidParameter",
        "dailyQuotaGb",
    ),
    "a log category of another service": (
        "diagnostics",
        {"logs[0].category": "AuditEvent"},
        "BadRequest",
        "Category 'AuditEvent' is not supported.",
    ),
    "an unknown category group": (
        "diagnostics",
        {"logs": [{"categoryGroup": "everything", "enabled": True}]},
        "BadRequest",
        "everything",
    ),
    "a category together with a group": ("diagnostics", {"logs[0].categoryGroup": "allLogs"}, "BadRequest", "either"),
    "a category twice": (
        "diagnostics",
        {"logs[1]": {"category": "ContainerRegistryLoginEvents", "enabled": True}},
        "BadRequest",
        "twice",
    ),
    "an unknown metric": ("diagnostics", {"metrics[0].category": "SomeMetrics"}, "BadRequest", "SomeMetrics"),
    "a retention in a diagnostic setting": (
        "diagnostics",
        {"logs[0].retentionPolicy": {"enabled": True, "days": 30}},
        "BadRequest",
        "retention",
    ),
    "a diagnostic setting without a destination": ("diagnostics", {"workspaceId": None}, "BadRequest", "destination"),
    "a diagnostic setting of nothing": ("diagnostics", {"logs": None, "metrics": None}, "BadRequest", "neither"),
    "an unknown destination type": (
        "diagnostics",
        {"logAnalyticsDestinationType": "Shared"},
        "BadRequest",
        "Dedicated",
    ),
    "diagnostics of what has none": (
        "diagnostics",
        {"resourceUri": NODES},
        "ResourceTypeNotSupported",
        "subnets",
    ),
    # Cluster: names, versions, tiers
    "a cluster without a dns prefix": ("cluster", {"dnsPrefix": None}, "InvalidParameter", "dnsPrefix"),
    "a dns prefix of 55 characters": ("cluster", {"dnsPrefix": "a" * 55}, "InvalidParameter", "54"),
    "a dns prefix that ends in a dash": ("cluster", {"dnsPrefix": "aks-"}, "InvalidParameter", "dnsPrefix"),
    "a node group of 64 characters with an overlay": (
        "cluster",
        {"nodeResourceGroup": "n" * 64},
        "InvalidParameter",
        "63",
    ),
    "a version that is no longer supported": (
        "cluster",
        {"kubernetesVersion": "1.33"},
        "K8sVersionNotSupported",
        "1.33",
    ),
    "a version that is no version": ("cluster", {"kubernetesVersion": "latest"}, "K8sVersionNotSupported", "latest"),
    "a pool newer than its cluster": (
        "cluster",
        {f"{_POOL}.orchestratorVersion": "1.37"},
        "NodePoolMcVersionIncompatible",
        "",
    ),
    "a cluster of an unknown tier": ("cluster", {"sku.tier": "Paid"}, "InvalidParameter", "sku"),
    "long-term support below Premium": ("cluster", {"supportPlan": "AKSLongTermSupport"}, "BadRequest", "Premium"),
    # The network of a cluster
    "cilium dataplane without cilium policy": (
        "cluster",
        {f"{_NET}.networkPolicy": "calico"},
        "InvalidNetworkPolicy",
        "cilium",
    ),
    "cilium policy without cilium dataplane": (
        "cluster",
        {f"{_NET}.networkDataplane": "azure"},
        "InvalidNetworkDataplane",
        "cilium",
    ),
    "cilium without azure networking": (
        "cluster",
        {f"{_NET}.networkPlugin": "kubenet"},
        "InvalidParameter",
        "networkPlugin",
    ),
    "overlay without azure networking": (
        "cluster",
        {f"{_NET}.networkPlugin": "none", f"{_NET}.networkDataplane": None, f"{_NET}.networkPolicy": None},
        "InvalidParameter",
        "overlay",
    ),
    "pods over services": ("cluster", {f"{_NET}.podCidr": "172.16.0.0/12"}, "PodCIDRServiceCIDROverlap", ""),
    "pods over the network": ("cluster", {f"{_NET}.podCidr": "10.0.0.0/16"}, "PodCidrOverlapVnetCidr", ""),
    "services over the network": (
        "cluster",
        {f"{_NET}.serviceCidr": "10.0.128.0/20", f"{_NET}.dnsServiceIP": "10.0.128.10"},
        "ServiceCidrOverlapExistingSubnetsCidr",
        "",
    ),
    "services larger than /12": (
        "cluster",
        {f"{_NET}.serviceCidr": "172.0.0.0/11", f"{_NET}.dnsServiceIP": "172.0.0.10"},
        "ServiceCidrTooLarge",
        "",
    ),
    "a dns address outside the services": (
        "cluster",
        {f"{_NET}.dnsServiceIP": "172.17.0.10"},
        "DNSServiceIPOutOfServiceCidr",
        "",
    ),
    "a dns address that is the first": (
        "cluster",
        {f"{_NET}.dnsServiceIP": "172.16.0.1"},
        "DNSServiceIPOutOfServiceCidr",
        "first",
    ),
    "a dns address that is no address": ("cluster", {f"{_NET}.dnsServiceIP": "dns"}, "DNSServiceIPInvalid", ""),
    "an unknown way out": ("cluster", {f"{_NET}.outboundType": "tunnel"}, "InvalidOutboundType", "tunnel"),
    "a load balancer profile with NAT": (
        "cluster",
        {f"{_NET}.loadBalancerProfile": {"managedOutboundIPs": {"count": 1}}},
        "InvalidParameter",
        "loadBalancerProfile",
    ),
    "user-defined routing without a route table": (
        "cluster",
        {f"{_NET}.outboundType": "userDefinedRouting", f"{_POOL}.vnetSubnetID": ENDPOINTS},
        "ExistingRouteTableNotAssociatedWithSubnet",
        "routeTable",
    ),
    "own NAT without a gateway on the subnet": (
        "cluster",
        {f"{_POOL}.vnetSubnetID": ENDPOINTS},
        "NatGatewayNotAssociatedWithSubnet",
        "natGateway",
    ),
    "own NAT without a subnet": (
        "cluster",
        {f"{_POOL}.vnetSubnetID": None},
        "NatGatewayNotAssociatedWithSubnet",
        "subnet",
    ),
    "authorised ranges on a private cluster": (
        "cluster",
        {"apiServerAccessProfile.authorizedIPRanges": ["203.0.113.0/28"]},
        "BadRequest",
        "authorizedIPRanges",
    ),
    "a private zone for a public cluster": (
        "cluster",
        {"apiServerAccessProfile.enablePrivateCluster": False},
        "BadRequest",
        "privateDNSZone",
    ),
    "an authorised range with host bits": (
        "cluster",
        {"apiServerAccessProfile": {"authorizedIPRanges": ["203.0.113.1/28"]}},
        "InvalidAuthorizedIPRanges",
        "",
    ),
    "an integrated API server without a subnet": (
        "cluster",
        {"apiServerAccessProfile.subnetId": None},
        "BadRequest",
        "subnetId",
    ),
    "an API server in an undelegated subnet": (
        "cluster",
        {"apiServerAccessProfile.subnetId": ENDPOINTS},
        "APIServerSubnetNotDelegated",
        "delegated",
    ),
    "an API server outside the nodes' network": (
        "cluster",
        {"apiServerAccessProfile.subnetId": f"{HUB}/subnets/agents"},
        "InvalidParameter",
        "API server",
    ),
    "pools in two networks": (
        "cluster",
        {"agentPoolProfiles[1]": _second_pool(f"{HUB}/subnets/agents")},
        "InvalidParameter",
        "one virtual network",
    ),
    "pools of which one has no subnet": (
        "cluster",
        {"agentPoolProfiles[1]": _second_pool(None)},
        "InvalidParameter",
        "every pool",
    ),
    "nodes in the API server's subnet": ("cluster", {f"{_POOL}.vnetSubnetID": API}, "SubnetIsDelegated", ""),
    "more nodes than addresses": (
        "cluster",
        {f"{_POOL}.maxCount": 1000, f"{_NET}.networkPluginMode": None, f"{_NET}.podCidr": None},
        "InsufficientSubnetSize",
        "",
    ),
    "a private zone of another region": (
        "cluster",
        {
            "apiServerAccessProfile.privateDNSZone": LANDSCAPE["records"][1]["privateDnsZoneConfigs"][0][
                "privateDnsZoneId"
            ]
        },
        "InvalidPrivateDNSZone",
        "azmk8s.io",
    ),
    "a private zone by name": (
        "cluster",
        {"apiServerAccessProfile.privateDNSZone": "mine"},
        "InvalidParameter",
        "privateDNSZone",
    ),
    # Cluster: sign-in and security
    "no local accounts and no Entra ID": ("cluster", {"aadProfile": None}, "BadRequest", "aadProfile"),
    "Azure RBAC without managed Entra ID": ("cluster", {"aadProfile.managed": False}, "BadRequest", "enableAzureRBAC"),
    "Entra ID of another tenant": ("cluster", {"aadProfile.tenantID": NOBODY}, "BadRequest", "tenantID"),
    "workload identity without an issuer": (
        "cluster",
        {"oidcIssuerProfile.enabled": False},
        "BadRequest",
        "oidcIssuerProfile",
    ),
    "a cluster without an identity": (
        "cluster",
        {"identity": None, "identityProfile": None},
        "InvalidParameter",
        "identity",
    ),
    "a user-assigned cluster that names no identity": (
        "cluster",
        {"identity.userAssignedIdentities": None},
        "InvalidParameter",
        "names no identity",
    ),
    "a cluster with two identities": (
        "cluster",
        {
            "identity.userAssignedIdentities[1]": LANDSCAPE["cluster"][1]["identityProfile"]["kubeletidentity"][
                "resourceId"
            ]
        },
        "InvalidParameter",
        "exactly one",
    ),
    "an own kubelet identity under a system-assigned plane": (
        "cluster",
        {"identity": {"type": "SystemAssigned"}},
        "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
        "",
    ),
    "a kubelet identity with another's client id": (
        "cluster",
        {"identityProfile.kubeletidentity.clientId": NOBODY},
        "InvalidParameter",
        "clientId",
    ),
    "Defender without a workspace": (
        "cluster",
        {"securityProfile.defender.logAnalyticsWorkspaceResourceId": None},
        "InvalidParameter",
        "Defender",
    ),
    "an image cleaner every 23 hours": (
        "cluster",
        {"securityProfile.imageCleaner.intervalHours": 23},
        "InvalidParameter",
        "24",
    ),
    "an add-on setting that is no string": (
        "cluster",
        {"addonProfiles.omsagent.config.useAADAuth": True},
        "InvalidRequestContent",
        "useAADAuth",
    ),
    "an unknown upgrade channel": (
        "cluster",
        {"autoUpgradeProfile.upgradeChannel": "weekly"},
        "InvalidParameter",
        "weekly",
    ),
    "an unknown node channel": (
        "cluster",
        {"autoUpgradeProfile.nodeOSUpgradeChannel": "Weekly"},
        "InvalidParameter",
        "Weekly",
    ),
    "node-image upgrades with another node channel": (
        "cluster",
        {"autoUpgradeProfile": {"upgradeChannel": "node-image", "nodeOSUpgradeChannel": "SecurityPatch"}},
        "InvalidParameter",
        "NodeImage",
    ),
    # Pools
    "a cluster without pools": ("cluster", {"agentPoolProfiles": None}, "InvalidParameter", "agentPoolProfiles"),
    "a cluster without a system pool": ("cluster", {f"{_POOL}.mode": "User"}, "InvalidParameter", "System"),
    "two pools of one name": (
        "cluster",
        {"agentPoolProfiles[1]": LANDSCAPE["cluster"][1]["agentPoolProfiles"][0]},
        "InvalidParameter",
        "two pools",
    ),
    "an inline pool with a capital": ("cluster", {f"{_POOL}.name": "System"}, "InvalidParameter", "agentPools"),
    "a system pool of none": ("cluster", {f"{_POOL}.minCount": 0}, "InvalidParameter", "minCount"),
    "a minimum above the maximum": (
        "cluster",
        {f"{_POOL}.minCount": 6, f"{_POOL}.count": None},
        "InvalidParameter",
        "above",
    ),
    "a count outside the bounds": ("cluster", {f"{_POOL}.count": 9}, "InvalidParameter", "count 9"),
    "scaling without a maximum": ("cluster", {f"{_POOL}.maxCount": None}, "InvalidParameter", "maxCount"),
    "bounds without scaling": (
        "cluster",
        {f"{_POOL}.enableAutoScaling": False},
        "InvalidParameter",
        "enableAutoScaling",
    ),
    "a fourth zone": ("cluster", {f"{_POOL}.availabilityZones": ["4"]}, "AvailabilityZoneNotSupported", ""),
    "a zone twice": ("cluster", {f"{_POOL}.availabilityZones": ["1", "1"]}, "AvailabilityZoneNotSupported", ""),
    "an ephemeral disk without a local one": (
        "cluster",
        {f"{_POOL}.vmSize": "Standard_D4s_v5"},
        "EphemeralOSDiskNotSupported",
        "",
    ),
    "an ephemeral disk that does not fit": (
        "cluster",
        {f"{_POOL}.osDiskSizeGB": 151},
        "VMTemporaryDiskTooSmall",
        "150",
    ),
    "a disk of 29 GB": ("cluster", {f"{_POOL}.osDiskSizeGB": 29}, "InvalidParameter", "osDiskSizeGB"),
    "a system pool of one core": ("cluster", {f"{_POOL}.vmSize": "Standard_D1ds_v5"}, "SystemPoolSkuTooLow", ""),
    "a size that is none": ("cluster", {f"{_POOL}.vmSize": "large"}, "VMSizeNotSupported", "large"),
    "a retired image": ("cluster", {f"{_POOL}.osSKU": "CBLMariner"}, "InvalidOSSKU", "AzureLinux"),
    "a system pool on Windows": ("cluster", {f"{_POOL}.osType": "Windows"}, "InvalidParameter", "Linux"),
    "251 pods on a node": ("cluster", {f"{_POOL}.maxPods": 251}, "InvalidParameter", "maxPods"),
    "a label that AKS keeps for itself": (
        "cluster",
        {f"{_POOL}.nodeLabels": {"kubernetes.azure.com/role": "x"}},
        "InvalidParameter",
        "label",
    ),
    "a surge that is no number": (
        "cluster",
        {f"{_POOL}.upgradeSettings.maxSurge": "some"},
        "InvalidParameter",
        "maxSurge",
    ),
    "surge together with unavailability": (
        "cluster",
        {f"{_POOL}.upgradeSettings.maxUnavailable": "1"},
        "InvalidParameter",
        "maxUnavailable",
    ),
    "a drain of no time": (
        "cluster",
        {f"{_POOL}.upgradeSettings.drainTimeoutInMinutes": 0},
        "InvalidParameter",
        "drain",
    ),
    "a soak of 31 minutes": (
        "cluster",
        {f"{_POOL}.upgradeSettings.nodeSoakDurationInMinutes": 31},
        "InvalidParameter",
        "Soak",
    ),
    "a pool in another network": ("pool", {"vnetSubnetID": f"{HUB}/subnets/agents"}, "InvalidParameter", "network"),
    "a pool outside its cluster's network": ("pool", {"vnetSubnetID": None}, "InvalidParameter", "network"),
    "a pool newer than the control plane": (
        "pool",
        {"orchestratorVersion": "1.37"},
        "NodePoolMcVersionIncompatible",
        "",
    ),
    "a pool in a delegated subnet": ("pool", {"vnetSubnetID": API}, "SubnetIsDelegated", ""),
    "a pool with more nodes than addresses": (
        "pool",
        {"vnetSubnetID": ENDPOINTS, "maxCount": 252},
        "InsufficientSubnetSize",
        "",
    ),
    # Extensions
    "an extension of no cluster that there is": ("flux", {"clusterName": "aks-x"}, "ParentResourceNotFound", "aks-x"),
    "an extension of another sort of cluster": (
        "flux",
        {"clusterRp": "Microsoft.Kubernetes"},
        "InvalidParameter",
        "AKS",
    ),
    "an extension that nobody knows": (
        "flux",
        {"extensionType": "microsoft.fluxx"},
        "ExtensionTypeRegistrationGetFailed",
        "fluxx",
    ),
    "a version of an extension that upgrades itself": ("flux", {"version": "1.0"}, "InvalidParameter", "version"),
    "Flux in a namespace of its own": (
        "flux",
        {"scope": {"cluster": {"releaseNamespace": "flux"}}},
        "InvalidParameter",
        "flux-system",
    ),
    "Flux for one namespace": ("flux", {"scope": {"namespace": {}}}, "InvalidParameter", "whole cluster"),
    "a setting that Flux does not have": (
        "flux",
        {"configurationSettings": {"multitenancy": "true"}},
        "InvalidParameter",
        "multitenancy",
    ),
    "a setting of Flux that is no text": (
        "flux",
        {"configurationSettings": {"multiTenancy.enforce": True}},
        "InvalidParameter",
        "every value is a text",
    ),
    "a switch of Flux that is neither on nor off": (
        "flux",
        {"configurationSettings": {"multiTenancy.enforce": "yes"}},
        "InvalidParameter",
        "true and false",
    ),
    "workload identity as nobody": (
        "flux",
        {"configurationSettings": {"workloadIdentity.enable": "true", "workloadIdentity.azureClientId": NOBODY}},
        "ExtensionOperationFailed",
        "dentity",
    ),
    # Maintenance
    "a window of 3 hours": ("window", {"maintenanceWindow.durationHours": 3}, "InvalidParameter", "4 to 24"),
    "a window of 25 hours": ("window", {"maintenanceWindow.durationHours": 25}, "InvalidParameter", "4 to 24"),
    "a window that starts at 24:00": ("window", {"maintenanceWindow.startTime": "24:00"}, "InvalidParameter", "HH:MM"),
    "a window without a window": ("window", {"maintenanceWindow": None}, "InvalidParameter", "maintenanceWindow"),
    "a default window without a time": (
        "window",
        {"configName": "default", "maintenanceWindow": None},
        "InvalidParameter",
        "timeInWeek",
    ),
    "a window in no time zone": ("window", {"maintenanceWindow.utcOffset": "CET"}, "InvalidParameter", "utcOffset"),
    "a window of two schedules": (
        "window",
        {"maintenanceWindow.schedule.daily": {"intervalDays": 1}},
        "InvalidParameter",
        "exactly one",
    ),
    "daily cluster upgrades": (
        "window",
        {"configName": "aksManagedAutoUpgradeSchedule", "maintenanceWindow.schedule": {"daily": {"intervalDays": 1}}},
        "InvalidParameter",
        "daily",
    ),
}

# A name that each type refuses, beside the length rules that every type has.
BAD_NAMES: Final[dict[str, str]] = {
    "key": "signing_key",
    "policy": "restricted:pods",
    "group": "rg test",
    "flux": "flux/2",
    "control": "id.control",
    "vnet": "-vnet",
    "nsg": "nsg test",
    "address": "pip-",
    "nat": "nat/1",
    "routes": "routes.",
    "nodes": "nodes!",
    "peering": "to hub",
    "zone": "azurecr",
    "link": "to-vnet-",
    "registry": "acr-test",
    "replication": "north-europe",
    "vault": "kv--test",
    "storage": "st-test",
    "blobs": "other",
    "container": "State",
    "workspace": "log_test",
    "endpoint": "-pe",
    "records": "-default",
    "may_pull": "pull",
    "cluster": "-aks",
    "pool": "Apps",
    "window": "nightly",
    "credential": "-fc",
    "diagnostics": "to/workspace",
    "table": "Deploy-ments_CL",
    "search": "failed/pulls",
    "solution": "SecurityCenterFree",
    "metrics": "amw_test",
    "ingestion": "dce_test",
    "scrape": "dcr-",
    "scraped": "to?cluster",
    "actions": "ag/test",
    "health": "health.",
    "usage": "cpu%",
    "logged": "failed pulls?",
    "rules": "rules: nodes",
    "insights": "appi&test",
    "grafana": "1-grafana",
    "reach": "to-metrics-",
    "dashboard": "1-delivery",
    "definition": "delivery",
    "plan": "Clusters",
    "cheap": "cheap/tables",
    "contact": "security",
    "export": "to#logs",
    "center": "-center",
    "center_project": "-project",
    "agents": "pool_1",
    "lock": "keep?",
}


@pytest.mark.parametrize("what", BENT)
def test_what_azure_refuses_is_refused(what: str) -> None:
    key, changes, code, part = BENT[what]
    cloud = before(key)
    if what == "a second link of a zone to one network":
        make(cloud, "link")
    with refused(code, part):
        make(cloud, key, changes)


@pytest.mark.parametrize("key", LANDSCAPE)
def test_what_is_valid_is_accepted(key: str) -> None:
    cloud = before(key)
    assert make(cloud, key).lower() in cloud.resources


def test_every_known_type_has_a_sample_and_a_name_rule() -> None:
    assert {type_of(key) for key in LANDSCAPE} == set(KINDS)
    assert {kind.arm_type for kind in KINDS.values()} == set(NAMES)


@pytest.mark.parametrize("key", BAD_NAMES)
def test_a_name_with_wrong_characters_is_refused(key: str) -> None:
    kind = KINDS[type_of(key)]
    with refused(NAMES[kind.arm_type].code, BAD_NAMES[key]):
        make(before(key), key, {kind.name_input: BAD_NAMES[key]})


@pytest.mark.parametrize("key", [key for key in BAD_NAMES if NAMES[KINDS[type_of(key)].arm_type].longest < 250])
def test_a_name_that_is_one_character_too_long_is_refused(key: str) -> None:
    kind = KINDS[type_of(key)]
    rule = NAMES[kind.arm_type]
    with refused(rule.code, str(rule.longest)):
        make(before(key), key, {kind.name_input: "a" * (rule.longest + 1)})


def test_every_type_refuses_a_bad_name() -> None:
    assert {type_of(key) for key in BAD_NAMES} == set(KINDS)


def test_an_unknown_type_is_an_error_that_names_it_and_where_to_add_it() -> None:
    with refused("NotImplemented", "does not know azure-native:x:Y; add it to rehearsal/cloud/"):
        Cloud(estate()).create("azure-native:x:Y", "y", {})


def test_an_unknown_function_is_an_error_that_names_it() -> None:
    with refused("NotImplemented", "azure-native:x:getY"):
        Cloud(estate()).invoke("azure-native:x:getY", {})


@pytest.mark.parametrize("key", LANDSCAPE)
def test_the_same_thing_cannot_be_made_twice(key: str) -> None:
    cloud = whole()
    with pytest.raises(CloudError) as caught:
        make(cloud, key)
    assert caught.value.code in ("Conflict", "ScopeLocked")
    assert "already existing" in caught.value.message


def test_an_inline_pool_and_a_pool_of_its_own_cannot_share_a_name() -> None:
    with refused("Conflict", "agentPools/system"):
        make(before("pool"), "pool", {"agentPoolName": "system"})


@pytest.mark.parametrize(("key", "code"), [("registry", "AlreadyInUse"), ("vault", "VaultAlreadyExists")])
def test_a_globally_unique_name_can_be_had_once_only(key: str, code: str) -> None:
    cloud = whole(frozenset({"lock"}))
    make(cloud, "group", {"resourceGroupName": "rg-other"})
    with refused(code):
        make(cloud, key, {"resourceGroupName": "rg-other"})


def test_a_globally_unique_name_of_the_estate_is_taken_too() -> None:
    cloud = Cloud(estate(resource_ids=frozenset({REGISTRY.replace("rg-test", "rg-old")})))
    make(cloud, "group")
    with refused("AlreadyInUse", "rg-old"):
        make(cloud, "registry")


def test_a_workspace_name_can_come_back_in_another_group() -> None:
    cloud = before("diagnostics")
    make(cloud, "group", {"resourceGroupName": "rg-other"})
    make(cloud, "workspace", {"resourceGroupName": "rg-other"})


def test_one_grant_under_two_names_is_refused() -> None:
    with refused("RoleAssignmentExists"):
        make(whole(), "may_pull", {"roleAssignmentName": "30000000-0000-4000-8000-0000000000ff"})


def test_a_grant_may_reach_a_namespace_of_a_cluster_that_exists() -> None:
    changes = {"roleAssignmentName": "30000000-0000-4000-8000-0000000000ff"}
    make(whole(), "may_pull", changes | {"scope": f"{CLUSTER}/namespaces/shop"})
    with refused("ResourceNotFound"):
        make(whole(), "may_pull", changes | {"scope": f"{CLUSTER}x/namespaces/shop"})


def test_a_grant_to_a_group_of_the_directory_is_accepted_with_its_type() -> None:
    make(before("may_pull"), "may_pull", {"principalId": GROUP, "principalType": "Group"})


def test_two_credentials_of_one_subject_are_refused() -> None:
    with refused("BadRequest", "already has issuer"):
        make(whole(), "credential", {"federatedIdentityCredentialResourceName": "fc-again"})


def test_a_twenty_first_credential_is_refused() -> None:
    cloud = before("credential")
    for number in range(20):
        changes = {"federatedIdentityCredentialResourceName": f"fc-{number}", "subject": str(number)}
        make(cloud, "credential", changes)
    with refused("BadRequest", "20"):
        make(cloud, "credential")


def test_a_credential_for_a_cluster_that_exists_is_accepted() -> None:
    cloud = before("credential")
    issuer = cloud.resources[CLUSTER.lower()].outputs["oidcIssuerProfile"]["issuerURL"]
    make(cloud, "credential", {"issuer": issuer, "subject": "system:serviceaccount:shop:web"})


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("may_join", "LinkedAuthorizationFailed"),
        ("may_use_kubelet", "CustomKubeletIdentityMissingPermissionError"),
        ("may_write_zone", "CustomPrivateDNSZoneMissingPermissionError"),
    ],
)
def test_a_cluster_whose_control_plane_lacks_a_right_is_refused(missing: str, code: str) -> None:
    with refused(code):
        make(before("cluster", frozenset({missing})), "cluster")


def test_a_right_on_the_subnets_alone_is_not_enough_for_a_private_zone() -> None:
    cloud = before("cluster", frozenset({"may_join"}))
    for number, subnet in enumerate((NODES, API)):
        name = f"30000000-0000-4000-8000-0000000000{number:02}"
        make(cloud, "may_join", {"roleAssignmentName": name, "scope": subnet})
    with refused("CustomPrivateDNSZoneMissingPermissionError", "Network Contributor"):
        make(cloud, "cluster")


def test_an_own_private_zone_needs_a_user_assigned_control_plane() -> None:
    changes = {"identity": {"type": "SystemAssigned"}, "identityProfile": None}
    with refused("CustomPrivateDNSZoneMissingPermissionError", "user-assigned"):
        make(before("cluster"), "cluster", changes)


def test_overlay_names_must_fit_a_node_label() -> None:
    cloud = before("cluster")
    name = "n" * 64
    make(cloud, "endpoints", {"subnetName": name, "addressPrefix": "10.0.8.0/24", "natGateway": {"id": _nat()}})
    subnet = f"{VNET}/subnets/{name}"
    with refused("InvalidParameter", "63"):
        make(cloud, "cluster", {"agentPoolProfiles[0].vnetSubnetID": subnet})


def _nat() -> str:
    return VNET.replace("virtualNetworks/vnet-test", "natGateways/nat-test")


def test_the_api_server_needs_sixteen_addresses() -> None:
    cloud = before("cluster", frozenset({"api"}))
    make(cloud, "api", {"addressPrefix": "10.0.4.0/29"})
    with refused("InsufficientSubnetSize", "/28"):
        make(cloud, "cluster")


def test_the_api_servers_subnet_holds_nothing_else() -> None:
    cloud = whole()
    with refused("APIServerSubnetInUse"):
        make(cloud, "cluster", {"resourceName": "aks-two", "dnsPrefix": "two", "nodeResourceGroup": "rg-two"})


def test_an_endpoint_needs_a_premium_registry() -> None:
    cloud = before("endpoint", frozenset({"registry", "replication"}))
    make(cloud, "registry", {"sku.name": "Standard", "publicNetworkAccess": "Enabled"})
    with refused("PrivateEndpointFeatureNotSupported"):
        make(cloud, "endpoint")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sku.name": "Standard", "publicNetworkAccess": "Enabled"}, "SkuNotSupported"),
        ({"policies.softDeletePolicy.status": "enabled"}, "SoftDeletePolicyNotSupported"),
    ],
)
def test_only_a_premium_registry_without_soft_delete_is_replicated(changes: Mapping[str, Any], code: str) -> None:
    cloud = before("replication", frozenset({"registry"}))
    make(cloud, "registry", changes)
    with refused(code):
        make(cloud, "replication")


def test_two_zones_of_one_name_cannot_serve_one_network() -> None:
    cloud = whole()
    make(cloud, "group", {"resourceGroupName": "rg-other"})
    make(cloud, "zone", {"resourceGroupName": "rg-other"})
    with refused("Conflict", "another zone"):
        make(cloud, "link", {"resourceGroupName": "rg-other"})


def test_networks_that_overlap_cannot_be_peered() -> None:
    cloud = whole()
    make(cloud, "vnet", {"virtualNetworkName": "vnet-two"})
    with refused("VnetAddressSpacesOverlap"):
        make(
            cloud,
            "peering",
            {"virtualNetworkPeeringName": "to-two", "remoteVirtualNetwork.id": VNET.replace("vnet-test", "vnet-two")},
        )


def test_a_public_address_serves_one_gateway() -> None:
    with refused("PublicIPAddressInUse"):
        make(whole(), "nat", {"natGatewayName": "nat-two"})


def test_one_category_goes_to_one_workspace_once() -> None:
    with refused("Conflict", "already used in diagnostic setting 'to-workspace'"):
        make(whole(), "diagnostics", {"name": "again"})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_supported_version_is_accepted_as_minor_and_as_patch(version: str) -> None:
    for text in (version, VERSIONS[version]):
        make(before("cluster"), "cluster", {"kubernetesVersion": text})


def test_a_grant_that_others_hold_by_inheritance_counts() -> None:
    cloud = before("cluster", frozenset({"may_join"}))
    make(cloud, "may_join", {"scope": VNET.split("/providers/")[0]})
    make(cloud, "cluster")


def test_inputs_are_not_altered_by_what_the_stand_in_computes() -> None:
    inputs = inputs_of("cluster")
    before("cluster").create(type_of("cluster"), "cluster", inputs)
    assert inputs == inputs_of("cluster")
