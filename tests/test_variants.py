"""Environments that are not shipped but must work: the whole program under settings that estates really have."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import Rehearsed, shipped
from tests.declared import Declared, environment

MANAGED = {"kind": "managed", "servicePrincipalId": "00000000-0000-0000-0000-0000000000d1"}
HUB = "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-hub/providers/Microsoft.Network"
TABLE = "/subscriptions/00000000-0000-0000-0000-000000000010/resourceGroups/rg-zone/providers/Microsoft.Network"
WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-logs"
    "/providers/Microsoft.OperationalInsights/workspaces/log-central"
)


def changed(stack: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The shipped config with values set or (None) removed, by dotted path below `aks-cicd:`."""
    config = copy.deepcopy(shipped(stack))
    for path, value in changes.items():
        section, *rest = path.split(".")
        node: Any = config
        for key, deeper in zip([f"aks-cicd:{section}", *rest], [*rest, None], strict=True):
            if deeper is None:
                node.pop(key, None) if value is None else node.__setitem__(key, value)
            else:
                node = node.setdefault(key, {})
    return config


def staging_with(**changes: Any) -> Declared:
    return environment(
        "staging", changed("staging", {path.replace("__", "."): value for path, value in changes.items()})
    )


@pytest.fixture
def told(rehearsed: Mapping[str, Rehearsed]) -> dict[str, dict[str, Any]]:
    """What staging and prod told in the engine's run."""
    return {
        stack: dict(next(each for each in run.graph.resources if each.type == "pulumi:pulumi:Stack").outputs)
        for stack, run in rehearsed.items()
    }


def test_an_existing_workspace_serves_sensor_logs_and_diagnostics() -> None:
    found = staging_with(logs={"workspaceId": WORKSPACE})
    assert not found.of("operationalinsights:Workspace")
    assert {each["workspaceId"] for each in found.of("monitor:DiagnosticSetting").values()} == {WORKSPACE}
    defender = found.one("containerservice:ManagedCluster")["securityProfile"]["defender"]
    assert defender["logAnalyticsWorkspaceResourceId"] == WORKSPACE


def test_an_existing_workspace_is_not_locked(told: dict[str, dict[str, Any]]) -> None:
    """It is not ours to lock."""
    found = environment("prod", changed("prod", {"logs": {"workspaceId": WORKSPACE}}), told)
    assert set(found.of("authorization:ManagementLockByScope")) == {"registry-lock", "workload-vault-lock"}


def test_an_authorised_list_holds_the_address_that_nodes_come_from() -> None:
    """Without it the nodes of a cluster with a NAT gateway cannot reach their own API server."""
    found = staging_with(cluster__authorizedRanges=["198.51.100.0/24"], agents=MANAGED)
    (address,) = [each.outputs["ipAddress"] for each in found.cloud.resources.values() if "PublicIP" in each.type_]
    ranges = found.one("containerservice:ManagedCluster")["apiServerAccessProfile"]["authorizedIPRanges"]
    assert ranges == ["198.51.100.0/24", f"{address}/32"]


def test_an_authorised_list_holds_the_address_of_the_hubs_firewall() -> None:
    hub = {
        "virtualNetworkId": f"{HUB}/virtualNetworks/vnet-hub",
        "addressSpaces": ["10.0.0.0/16"],
        "routeTableId": f"{TABLE}/routeTables/rt",
        "egressAddresses": ["203.0.113.9"],
    }
    found = staging_with(
        network__hub=hub,
        network__egress="hubRouteTable",
        agents=MANAGED,
        cluster__authorizedRanges=["198.51.100.0/24"],
    )
    ranges = found.one("containerservice:ManagedCluster")["apiServerAccessProfile"]["authorizedIPRanges"]
    assert ranges == ["198.51.100.0/24", "203.0.113.9/32"]


def test_a_restricted_registry_admits_the_kubelets() -> None:
    found = staging_with(registry={"access": "restricted", "allowedRanges": ["198.51.100.0/24"]}, agents=MANAGED)
    (address,) = [each.outputs["ipAddress"] for each in found.cloud.resources.values() if "PublicIP" in each.type_]
    rules = found.one("containerregistry:Registry")["networkRuleSet"]["ipRules"]
    assert [each["iPAddressOrRange"] for each in rules] == ["198.51.100.0/24", f"{address}/32"]


def test_a_restricted_vault_admits_the_nodes_by_their_subnet() -> None:
    found = staging_with(vaults__workload={"access": "restricted", "allowedRanges": ["198.51.100.0/24"]})
    rules = found.one("keyvault:Vault", "workload-vault")["properties"]["networkAcls"]
    assert [each["id"].rpartition("/")[2] for each in rules["virtualNetworkRules"]] == ["snet-nodes"]
    endpoints = found.one("network:Subnet", "nodes-subnet")["serviceEndpoints"]
    assert [each["service"] for each in endpoints] == ["Microsoft.KeyVault"]
    assert not found.of("network:PrivateEndpoint")
    assert "private-endpoints-subnet" not in found.of("network:Subnet")


def test_nonproduction_can_be_private_too() -> None:
    found = staging_with(
        cluster__access="private",
        cluster__reachable=False,
        registry__access="private",
        vaults__ci={"access": "private"},
        agents=MANAGED,
    )
    assert set(found.of("network:Subnet")) == {
        "nodes-subnet",
        "agents-subnet",
        "private-endpoints-subnet",
        "api-server-subnet",
    }
    assert len(found.of("network:PrivateEndpoint")) == 3


def test_production_can_use_the_estates_zones_alone(told: dict[str, dict[str, Any]]) -> None:
    zones = {
        "registry": f"{HUB}/privateDnsZones/privatelink.azurecr.io",
        "vault": f"{HUB}/privateDnsZones/privatelink.vaultcore.azure.net",
        "apiServer": f"{HUB}/privateDnsZones/privatelink.westeurope.azmk8s.io",
    }
    found = environment("prod", changed("prod", {"network.privateDnsZones": zones}), told)
    assert not found.of("privatedns:PrivateZone")
    server = found.one("containerservice:ManagedCluster")["apiServerAccessProfile"]
    assert server["privateDNSZone"] == zones["apiServer"]
    assert "control-plane-writes-zone" in found.of("authorization:RoleAssignment")


def test_a_further_environment_borrows_a_registry_and_owns_no_delivery(told: dict[str, dict[str, Any]]) -> None:
    config = changed(
        "staging",
        {
            "stacks": {"delivery": "staging", "registry": "staging"},
            "registry": None,
            "vaults.ci": None,
            "delivery.home": None,
            "network.addressSpace": "10.40.0.0/20",
            "defender": {"plans": "existing"},
        },
    )
    found = environment("qa", config, told)
    assert not found.of("containerregistry:Registry")
    assert list(found.of("keyvault:Vault")) == ["workload-vault"]
    pull = found.one("authorization:RoleAssignment", "kubelet-pulls")
    assert pull["scope"] == told["staging"]["contract"]["registry"]["id"]


def test_a_second_production_environment_pulls_from_the_registry_of_the_first(told: dict[str, dict[str, Any]]) -> None:
    config = changed(
        "prod",
        {
            "stacks": {"delivery": "staging", "registry": "prod", "registryPrivate": True},
            "registry": None,
            "network.addressSpace": "10.50.0.0/18",
            "defender": {"plans": "existing"},
            "azure.location": "swedencentral",
        },
    )
    found = environment("prod-eu", config, told)
    pull = found.one("authorization:RoleAssignment", "kubelet-pulls")
    assert pull["scope"] == told["prod"]["contract"]["registry"]["id"]
    assert {each["location"] for each in found.of("network:VirtualNetwork").values()} == {"swedencentral"}
    (way,) = found.of("network:PrivateEndpoint")["registry-endpoint"]["privateLinkServiceConnections"]
    assert way["privateLinkServiceId"] == pull["scope"], "the registry of the first answers private end points alone"
    assert "privatelink.azurecr.io" in {each["privateZoneName"] for each in found.of("privatedns:PrivateZone").values()}


def test_a_region_without_zones_works_without_them() -> None:
    found = staging_with(azure__location="westus", cluster__zones=[])
    assert "zones" not in found.one("network:PublicIPAddress")
    assert "availabilityZones" not in found.one("containerservice:ManagedCluster")["agentPoolProfiles"][0]


@pytest.fixture(scope="module")
def estate() -> Declared:
    """An estate with names, tags and ranges of its own, whose load balancer is the way out."""
    return staging_with(
        names={
            "registry": "contosoimages",
            "cluster": "contoso-aks",
            "ciVault": "contoso-ci",
            "resourceGroup": "contoso",
        },
        tags={"data-class": "internal"},
        network__subnets={"nodes": "10.20.8.0/22", "agents": "10.20.0.0/24"},
        network__egress="loadBalancer",
    )


def test_an_estates_own_names_replace_planned_ones(estate: Declared) -> None:
    assert estate.one("containerregistry:Registry")["registryName"] == "contosoimages"
    assert estate.one("containerservice:ManagedCluster")["resourceName"] == "contoso-aks"
    assert estate.one("keyvault:Vault", "ci-vault")["vaultName"] == "contoso-ci"
    assert estate.one("resources:ResourceGroup")["resourceGroupName"] == "contoso"


def test_mandatory_tags_reach_everything(estate: Declared) -> None:
    assert estate.one("containerregistry:Registry")["tags"]["data-class"] == "internal"


def test_the_load_balancer_can_be_the_way_out(estate: Declared) -> None:
    assert estate.one("containerservice:ManagedCluster")["networkProfile"]["outboundType"] == "loadBalancer"


def test_ranges_of_the_estates_own_plan_are_used(estate: Declared) -> None:
    assert estate.of("network:Subnet")["nodes-subnet"]["addressPrefix"] == "10.20.8.0/22"


def test_a_new_generation_has_new_global_names_and_no_others() -> None:
    first, second = staging_with(), staging_with(generation=2)
    renamed = {
        name
        for kind, key in (
            ("containerregistry:Registry", "registryName"),
            ("keyvault:Vault", "vaultName"),
            ("dashboard:Grafana", "workspaceName"),
            ("containerservice:ManagedCluster", "resourceName"),
            ("network:VirtualNetwork", "virtualNetworkName"),
        )
        for name in first.of(kind)
        if first.of(kind)[name][key] != second.of(kind)[name][key]
    }
    assert renamed == {"registry", "ci-vault", "workload-vault", "grafana"}
