"""The cluster, by itself: what each of its blocks says, and whom it is granted to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

import settings
from components import addressing
from components.cluster import LOGGED, Cluster, ClusterArgs, NodePool, Window, profiles
from components.network import Network, NetworkArgs
from components.placement import Placement
from components.registry import RegistryArgs, TierRegistry
from tests.declared import GROUP, NAMES, SUBSCRIPTION, TAGS, TENANT, WORKSPACE, Declared, declared

POOL = NodePool("Standard_D4ds_v5", 2, 5, "ephemeral", 128, 110)
WINDOW = Window("Sunday", "02:00", 4, "+01:00")
ZONE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/"
ZONE += "privatelink.westeurope.azmk8s.io"
ARGS = ClusterArgs(
    place=Placement(NAMES, "rg-test", "westeurope", TAGS, protect=False),
    version="1.36",
    tier="Standard",
    access="public",
    authorized_ranges=[],
    admin_groups=(GROUP,),
    tenant_id=TENANT,
    zones=("1", "2", "3"),
    system_pool=POOL,
    user_pools={"apps": POOL},
    upgrade_channel="patch",
    upgrade_window=WINDOW,
    node_os_channel="NodeImage",
    node_os_window=replace(WINDOW, day="Saturday"),
    image_cleaner_hours=48,
    run_command=False,
    egress="loadBalancer",
    pod_range="10.244.0.0/16",
    service_range="10.245.0.0/16",
    virtual_network_id="",
    nodes_subnet_id="",
    api_server_subnet_id=None,
    api_server_zone_id=None,
    registry_id="",
    workspace_id=WORKSPACE,
)


def cluster(**wanted: Any) -> Declared:
    """A cluster in a network, with a registry; `wanted` replaces arguments of both by name."""
    private = wanted.get("access") == "private"

    def build(place: Placement) -> None:
        purposes = ("nodes", "api-server") if private else ("nodes",)
        plan = addressing.plan("10.20.0.0/20")
        network = Network(
            "network",
            NetworkArgs(
                place,
                "10.20.0.0/20",
                {purpose: plan[purpose] for purpose in purposes},
                egress=wanted.get("egress", ARGS.egress),
                zones=(),
                workspace_id=WORKSPACE,
            ),
        )
        registry = TierRegistry("registry", RegistryArgs(place, "public", WORKSPACE))
        args = replace(
            ARGS,
            place=place,
            virtual_network_id=network.id,
            nodes_subnet_id=network.subnet_ids["nodes"],
            api_server_subnet_id=network.subnet_ids.get("api-server"),
            registry_id=registry.id,
            **wanted,
        )
        Cluster("cluster", args)

    return declared(build, ZONE)


def body(**wanted: Any) -> dict[str, Any]:
    return dict(cluster(**wanted).one("containerservice:ManagedCluster"))


def grants(**wanted: Any) -> set[str]:
    return set(cluster(**wanted).of("authorization:RoleAssignment"))


# ---------------------------------------------------------------- who comes in


def test_only_entra_ids_sign_in_and_azure_rbac_decides() -> None:
    found = body()
    assert found["disableLocalAccounts"] is True
    assert found["enableRBAC"] is True
    assert found["aadProfile"] == {
        "managed": True,
        "enableAzureRBAC": True,
        "tenantID": TENANT,
        "adminGroupObjectIDs": [GROUP],
    }


def test_a_private_api_server_lives_in_its_subnet_and_has_no_public_name() -> None:
    found = body(access="private")["apiServerAccessProfile"]
    assert found["enablePrivateCluster"] is True
    assert found["enablePrivateClusterPublicFQDN"] is False
    assert found["enableVnetIntegration"] is True
    assert found["subnetId"].endswith("/subnets/snet-api-server")
    assert found["privateDNSZone"] == "system"
    assert "authorizedIPRanges" not in found


def test_a_private_api_server_is_named_in_the_estates_zone() -> None:
    assert body(access="private", api_server_zone_id=ZONE)["apiServerAccessProfile"]["privateDNSZone"] == ZONE


def test_a_public_api_server_admits_the_ranges_it_is_given() -> None:
    found = body(authorized_ranges=["198.51.100.0/24"])["apiServerAccessProfile"]
    assert found["authorizedIPRanges"] == ["198.51.100.0/24"]
    assert found["enablePrivateCluster"] is False


@pytest.mark.parametrize("allowed", [True, False])
def test_run_command_is_off_unless_it_is_asked_for(allowed: bool) -> None:
    assert body(run_command=allowed)["apiServerAccessProfile"]["disableRunCommand"] is not allowed


def test_admins_may_fetch_credentials() -> None:
    """Without the role a member of an admin group is administrator of a cluster that it cannot reach."""
    found = {
        name: inputs
        for name, inputs in cluster().of("authorization:RoleAssignment").items()
        if name.startswith("admins")
    }
    assert [(each["principalId"], each["principalType"]) for each in found.values()] == [(GROUP, "Group")]


# ---------------------------------------------------------------- identities


def test_control_plane_and_kubelets_have_an_identity_each() -> None:
    found = body()
    assert found["identity"]["type"] == "UserAssigned"
    (control_plane,) = found["identity"]["userAssignedIdentities"]
    kubelet = found["identityProfile"]["kubeletidentity"]
    assert control_plane.endswith("-control-plane")
    assert kubelet["resourceId"].endswith("-kubelet")
    assert kubelet["objectId"] != kubelet["clientId"]


def test_a_public_cluster_needs_its_nodes_subnet_and_its_kubelet_identity_and_no_more() -> None:
    assert {name for name in grants() if name.startswith("control-plane")} == {
        "control-plane-assigns-kubelet",
        "control-plane-joins-nodes",
    }


def test_a_private_cluster_needs_its_api_servers_subnet_too() -> None:
    assert {name for name in grants(access="private") if name.startswith("control-plane")} == {
        "control-plane-assigns-kubelet",
        "control-plane-joins-nodes",
        "control-plane-joins-api-server",
    }


def test_with_a_zone_of_the_estates_the_control_plane_may_link_it() -> None:
    assert {name for name in grants(access="private", api_server_zone_id=ZONE) if name.startswith("control-plane")} == {
        "control-plane-assigns-kubelet",
        "control-plane-joins-network",
        "control-plane-writes-zone",
    }


def test_kubelets_pull_from_the_registry_they_are_given() -> None:
    found = cluster()
    (registry,) = [each.id for each in found.cloud.resources.values() if each.type_.endswith(":Registry")]
    pull = found.one("authorization:RoleAssignment", "kubelet-pulls")
    assert pull["scope"] == registry
    assert pull["principalType"] == "ServicePrincipal"


# ---------------------------------------------------------------- network


@pytest.mark.parametrize(
    ("egress", "outbound"),
    [
        ("loadBalancer", "loadBalancer"),
        ("natGateway", "userAssignedNATGateway"),
        ("hubRouteTable", "userDefinedRouting"),
    ],
)
def test_nodes_leave_by_the_egress_that_the_network_has(egress: Any, outbound: str) -> None:
    assert profiles.network(replace(ARGS, egress=egress)).outbound_type == outbound


def test_every_egress_of_the_settings_has_an_outbound_type() -> None:
    known = get_args(settings.Network.model_fields["egress"].annotation)
    assert {profiles.network(replace(ARGS, egress=egress)).outbound_type for egress in known} == {
        "loadBalancer",
        "userAssignedNATGateway",
        "userDefinedRouting",
    }


def test_pods_have_addresses_of_their_own_and_cilium_guards_them() -> None:
    found = body()["networkProfile"]
    assert (found["networkPlugin"], found["networkPluginMode"]) == ("azure", "overlay")
    assert (found["networkDataplane"], found["networkPolicy"]) == ("cilium", "cilium")
    assert found["loadBalancerSku"] == "standard"
    assert found["dnsServiceIP"] == "10.245.0.10"


# ---------------------------------------------------------------- pools


def test_the_one_inline_pool_is_the_system_pool_and_takes_nothing_else_in() -> None:
    (pool,) = body()["agentPoolProfiles"]
    assert pool["mode"] == "System"
    assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]


def test_user_pools_are_resources_of_their_own() -> None:
    found = cluster(user_pools={"apps": POOL, "batch": POOL}).of("containerservice:AgentPool")
    assert {inputs["agentPoolName"] for inputs in found.values()} == {"apps", "batch"}
    assert {inputs["mode"] for inputs in found.values()} == {"User"}


def test_no_pool_says_how_many_nodes_it_has() -> None:
    """The autoscaler owns the count; a declared one would be taken back to with every update."""
    found = cluster()
    pools = [
        *found.one("containerservice:ManagedCluster")["agentPoolProfiles"],
        *found.of("containerservice:AgentPool").values(),
    ]
    assert not [pool for pool in pools if "count" in pool]
    assert all(pool["enableAutoScaling"] and (pool["minCount"], pool["maxCount"]) == (2, 5) for pool in pools)


def test_pools_spread_over_the_zones_and_keep_their_disk_close() -> None:
    pool = profiles.pool(ARGS, POOL)
    assert pool["availability_zones"] == ["1", "2", "3"]
    assert (pool["os_disk_type"], pool["os_disk_size_gb"]) == ("Ephemeral", 128)
    assert pool["enable_node_public_ip"] is False


def test_a_region_without_zones_gets_pools_without_zones() -> None:
    assert profiles.pool(replace(ARGS, zones=()), POOL)["availability_zones"] is None


def test_labels_and_taints_of_a_pool_reach_it() -> None:
    batch = replace(POOL, labels={"purpose": "batch"}, taints=("purpose=batch:NoSchedule",))
    found = cluster(user_pools={"batch": batch}).one("containerservice:AgentPool")
    assert found["nodeLabels"] == {"purpose": "batch"}
    assert found["nodeTaints"] == ["purpose=batch:NoSchedule"]


# ---------------------------------------------------------------- upgrades


@pytest.mark.parametrize(
    ("channel", "cluster_ignores", "pool_ignores"),
    [
        ("none", [], []),
        ("patch", [], []),
        ("stable", ["kubernetesVersion"], ["orchestratorVersion"]),
        ("rapid", ["kubernetesVersion"], ["orchestratorVersion"]),
    ],
)
def test_what_azure_scales_and_upgrades_by_itself_is_not_taken_back(
    channel: Any, cluster_ignores: list[str], pool_ignores: list[str]
) -> None:
    args = replace(ARGS, upgrade_channel=channel)
    of_a_pool = ["count", *pool_ignores]
    assert profiles.pool_changed_by_azure(args) == of_a_pool
    inline = [f"agentPoolProfiles[0].{path}" for path in of_a_pool]
    assert profiles.changed_by_azure(args) == [*inline, *cluster_ignores]


def test_upgrades_keep_to_their_windows() -> None:
    found = cluster().of("containerservice:MaintenanceConfiguration")
    days = {name: inputs["maintenanceWindow"]["schedule"]["weekly"]["dayOfWeek"] for name, inputs in found.items()}
    assert days == {"aksManagedAutoUpgradeSchedule": "Sunday", "aksManagedNodeOSUpgradeSchedule": "Saturday"}
    window = found["aksManagedAutoUpgradeSchedule"]["maintenanceWindow"]
    assert (window["startTime"], window["durationHours"], window["utcOffset"]) == ("02:00", 4, "+01:00")


def test_both_upgrade_channels_are_those_of_the_settings() -> None:
    assert body(upgrade_channel="stable", node_os_channel="SecurityPatch")["autoUpgradeProfile"] == {
        "upgradeChannel": "stable",
        "nodeOSUpgradeChannel": "SecurityPatch",
    }


# ---------------------------------------------------------------- sensors and add-ons


def test_the_sensor_the_cleaner_and_workload_identity_are_on() -> None:
    found = body()["securityProfile"]
    assert found["defender"]["securityMonitoring"] == {"enabled": True}
    assert found["defender"]["logAnalyticsWorkspaceResourceId"] == WORKSPACE
    assert found["imageCleaner"] == {"enabled": True, "intervalHours": 48}
    assert found["workloadIdentity"] == {"enabled": True}
    assert body()["oidcIssuerProfile"] == {"enabled": True}


def test_policy_secrets_metrics_and_logs_are_on() -> None:
    found = body()
    addons = found["addonProfiles"]
    assert set(addons) == {"azureKeyvaultSecretsProvider", "azurepolicy", "omsagent"}
    assert all(addon["enabled"] for addon in addons.values())
    assert addons["azureKeyvaultSecretsProvider"]["config"]["enableSecretRotation"] == "true"
    assert addons["omsagent"]["config"] == {"logAnalyticsWorkspaceResourceID": WORKSPACE, "useAADAuth": "true"}
    assert found["azureMonitorProfile"] == {"metrics": {"enabled": True}}


def test_nobody_changes_nodes_behind_the_back_of_aks() -> None:
    found = body()
    assert found["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}
    assert found["nodeResourceGroup"] == NAMES.node_resource_group


@pytest.mark.parametrize("tier", ["Free", "Standard", "Premium"])
def test_the_service_level_is_that_of_the_settings(tier: str) -> None:
    assert body(tier=tier)["sku"] == {"name": "Base", "tier": tier}


def test_the_control_plane_logs_into_tables_of_its_own() -> None:
    setting = cluster().one("monitor:DiagnosticSetting", "cluster-diagnostics")
    assert {each["category"] for each in setting["logs"]} == set(LOGGED)
    assert {"guard", "kube-apiserver", "kube-audit-admin"} <= set(LOGGED)
    assert setting["logAnalyticsDestinationType"] == "Dedicated"
