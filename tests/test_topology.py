"""What must hold of both shipped environments, asserted on what the engine really sent to the (stand-in) cloud."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Rehearsed
from tests.graph import ROLE_ASSIGNMENT, Graph

TOPOLOGY = Path(__file__).parent / "topology"

HAS_DIAGNOSTICS = {
    "containerregistry:Registry",
    "containerservice:ManagedCluster",
    "dashboard:Grafana",
    "keyvault:Vault",
    "monitor:DataCollectionRule",
    "network:NetworkSecurityGroup",
    "operationalinsights:Workspace",
}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_topology_is_the_one_on_record(stack: str, rehearsed: Mapping[str, Rehearsed]) -> None:
    """Every resource by component, type and logical name. Whoever adds, removes or moves one records it:
    `RECORD=1 pytest tests/test_topology.py`, and the diff of the file goes into the review.

    Seeds are left out: they are files of this project, which change every day."""
    found = "\n".join(line for line in rehearsed[stack].graph.topology() if "GitRepositoryFile" not in line) + "\n"
    record = TOPOLOGY / f"{stack}.txt"
    if os.environ.get("RECORD"):
        record.write_text(found, "utf-8")
    assert found == record.read_text("utf-8")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_second_preview_is_empty(stack: str, rehearsed: Mapping[str, Rehearsed]) -> None:
    again = rehearsed[stack].again
    assert again.quiet, [step.urn for step in again.changed()]


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_preview_foretells_the_update(stack: str, rehearsed: Mapping[str, Rehearsed]) -> None:
    run = rehearsed[stack]
    assert run.preview.changes == run.update.changes


def test_every_resource_belongs_to_a_component(graph: Graph) -> None:
    alone = {each.kind for each in graph.azure if "::pulumi:pulumi:Stack::" in each.parent}
    assert alone == {"resources:ResourceGroup"}


def test_every_component_has_a_type_of_the_project(graph: Graph) -> None:
    components = [each for each in graph.resources if not each.raw.get("custom")]
    tokens = {each.type for each in components if each.type != "pulumi:pulumi:Stack"}
    assert all(token.startswith("aks-cicd:") and len(token.split(":")) == 3 for token in tokens)


def test_nothing_is_made_by_a_default_provider(graph: Graph) -> None:
    """A default provider would take whatever subscription the shell is signed in to."""
    assert {each.raw["provider"].split("::")[-2] for each in graph.azure} == {"azure"}


def test_everything_with_a_location_says_which(graph: Graph) -> None:
    silent = {each.name for each in graph.azure if "location" in each.outputs and "location" not in each.inputs}
    assert not silent


def test_everything_that_takes_tags_carries_the_same(graph: Graph) -> None:
    expected = graph.one("resources:ResourceGroup").inputs["tags"]
    tagged = [each for each in graph.azure if "tags" in each.inputs]
    assert {"workload", "environment", "tier", "managed-by", "owner"} <= set(expected)
    assert all(each.inputs["tags"] == expected for each in tagged)
    kinds = {each.kind for each in graph.azure}
    untagged = kinds - {each.kind for each in tagged}
    assert untagged <= {
        "authorization:ManagementLockByScope",
        "authorization:PolicyAssignment",
        "authorization:RoleAssignment",
        "containerservice:MaintenanceConfiguration",
        "containerservice:AgentPool",
        "managedidentity:FederatedIdentityCredential",
        "monitor:DataCollectionRuleAssociation",
        "monitor:DiagnosticSetting",
        "network:PrivateDnsZoneGroup",
        "network:Subnet",
        "network:VirtualNetworkPeering",
        "operationalinsights:SavedSearch",
        "operationalinsights:Table",
        "security:Pricing",
        "security:SecurityContact",
    }


def test_every_resource_that_logs_logs_to_the_workspace(graph: Graph) -> None:
    workspace = graph.one("operationalinsights:Workspace").id
    settings = {each.inputs["resourceUri"]: each.inputs for each in graph.of("monitor:DiagnosticSetting")}
    expected = {each.id for each in graph.azure if each.kind in HAS_DIAGNOSTICS}
    assert settings.keys() == expected
    assert {inputs["workspaceId"] for inputs in settings.values()} == {workspace}
    assert all(inputs["logs"] and all(log["enabled"] for log in inputs["logs"]) for inputs in settings.values())


# ---------------------------------------------------------------- who may do what


def test_no_grant_is_wider_than_one_resource_but_grafanas_to_read_monitoring(graph: Graph) -> None:
    """A role on a resource group or a subscription reaches what nobody thought of."""
    wide = [each for each in graph.of(ROLE_ASSIGNMENT) if "/providers/" not in each.inputs["scope"]]
    assert [each.name for each in wide] == ["grafana-reads-monitoring"]
    assert wide[0].inputs["scope"] == graph.one("resources:ResourceGroup").id


def test_the_control_plane_has_its_rights_before_the_cluster_is_made(graph: Graph) -> None:
    before = graph.waits_for(graph.one("containerservice:ManagedCluster"))
    early = [
        each.urn
        for each in graph.of(ROLE_ASSIGNMENT)
        if each.name.startswith("control-plane") or "kubelet" in each.name
    ]
    assert early
    assert set(early) <= before


# ---------------------------------------------------------------- protection


STATE_BEARING = {
    "containerregistry:Registry",
    "containerservice:ManagedCluster",
    "keyvault:Vault",
    "monitor:AzureMonitorWorkspace",
    "operationalinsights:Workspace",
    "resources:ResourceGroup",
}


def test_production_protects_what_holds_state_and_nothing_else(prod: Graph) -> None:
    protected = {each.kind for each in prod.azure if each.protected}
    assert protected == STATE_BEARING
    assert all(each.protected for each in prod.azure if each.kind in STATE_BEARING)


def test_staging_can_be_taken_down(staging: Graph) -> None:
    assert not [each.name for each in staging.azure if each.protected]
    assert not staging.of("authorization:ManagementLockByScope")


def test_production_locks_registry_vault_and_logs(prod: Graph) -> None:
    locks = {
        prod.named(each.inputs["scope"]): each.inputs["level"]
        for each in prod.of("authorization:ManagementLockByScope")
    }
    assert locks == dict.fromkeys(("registry", "workload-vault", "workspace"), "CanNotDelete")


def test_locks_come_last(prod: Graph) -> None:
    """A lock refuses to delete what hangs on the locked resource; as the last one in, it is the first one out."""
    locks = prod.of("authorization:ManagementLockByScope")
    others = {each.urn for each in prod.azure} - {each.urn for each in locks}
    for lock in locks:
        assert others <= prod.waits_for(lock), others - prod.waits_for(lock)


# ---------------------------------------------------------------- what is reachable


def test_nothing_of_production_answers_the_internet(prod: Graph) -> None:
    assert prod.one("containerregistry:Registry").inputs["publicNetworkAccess"] == "Disabled"
    assert prod.one("keyvault:Vault").inputs["properties"]["publicNetworkAccess"] == "Disabled"
    api_server = prod.one("containerservice:ManagedCluster").inputs["apiServerAccessProfile"]
    assert api_server["enablePrivateCluster"] is True
    assert api_server["enablePrivateClusterPublicFQDN"] is False
    assert not prod.of("network:PublicIPAddress")


def test_what_is_private_has_an_end_point_and_a_name(graph: Graph) -> None:
    targets = {
        connection["privateLinkServiceId"]: each
        for each in graph.of("network:PrivateEndpoint")
        for connection in each.inputs["privateLinkServiceConnections"]
    }
    private = [
        each for each in graph.of("containerregistry:Registry") if each.inputs["publicNetworkAccess"] == "Disabled"
    ]
    private += [
        each for each in graph.of("keyvault:Vault") if each.inputs["properties"]["publicNetworkAccess"] == "Disabled"
    ]
    assert {each.id for each in private} == set(targets)
    zones = {each.inputs["privateEndpointName"] for each in graph.of("network:PrivateDnsZoneGroup")}
    assert zones == {each.outputs["name"] for each in targets.values()}
    subnet = graph.one("network:Subnet", "private-endpoints-subnet").id
    assert {each.inputs["subnet"]["id"] for each in targets.values()} == {subnet}


def test_own_zones_of_private_end_points_are_linked_to_the_network(graph: Graph) -> None:
    zones = {each.outputs["name"] for each in graph.of("privatedns:PrivateZone")}
    links = {each.inputs["privateZoneName"]: each.inputs for each in graph.of("privatedns:VirtualNetworkLink")}
    assert links.keys() == zones
    network = graph.one("network:VirtualNetwork").id
    assert all(link["virtualNetwork"]["id"] == network for link in links.values())
    assert not any(link["registrationEnabled"] for link in links.values())


def test_an_existing_zone_is_used_and_not_made_again(prod: Graph) -> None:
    used = {
        config["privateDnsZoneId"]
        for each in prod.of("network:PrivateDnsZoneGroup")
        for config in each.inputs["privateDnsZoneConfigs"]
    }
    assert any("/rg-hub-dns/" in zone for zone in used)
    assert [each.inputs["privateZoneName"] for each in prod.of("privatedns:PrivateZone")] == ["privatelink.azurecr.io"]


def test_every_subnet_is_guarded_and_has_no_default_way_out(graph: Graph) -> None:
    groups = {each.id for each in graph.of("network:NetworkSecurityGroup")}
    subnets = graph.of("network:Subnet")
    assert {each.inputs["networkSecurityGroup"]["id"] for each in subnets} == groups
    assert len(groups) == len(subnets)
    assert all(each.inputs["defaultOutboundAccess"] is False for each in subnets)


def test_subnets_and_peering_are_written_one_after_another(graph: Graph) -> None:
    """Azure refuses two writes to one network at a time."""
    writes = [*graph.of("network:Subnet"), *graph.of("network:VirtualNetworkPeering")]
    before = sorted(len({each.urn for each in writes} & graph.waits_for(write)) for write in writes)
    assert before == list(range(len(writes)))


def test_the_ranges_of_both_environments_are_apart(staging: Graph, prod: Graph) -> None:
    ours, theirs = (
        IPv4Network(graph.one("network:VirtualNetwork").inputs["addressSpace"]["addressPrefixes"][0])
        for graph in (staging, prod)
    )
    assert not ours.overlaps(theirs)


def test_production_leaves_by_the_hub(prod: Graph) -> None:
    going_out = [prod.one("network:Subnet", f"{purpose}-subnet") for purpose in ("nodes", "agents")]
    assert all(each.inputs["routeTable"]["id"].endswith("/rt-to-hub") for each in going_out)
    peering = prod.one("network:VirtualNetworkPeering")
    assert peering.inputs["remoteVirtualNetwork"]["id"].endswith("/vnet-hub")
    cluster = prod.one("containerservice:ManagedCluster")
    assert cluster.inputs["networkProfile"]["outboundType"] == "userDefinedRouting"
    assert peering.urn in prod.waits_for(cluster), "nodes start before their way to the internet stands"


def test_staging_leaves_by_an_address_of_its_own(staging: Graph) -> None:
    gateway = staging.one("network:NatGateway")
    assert gateway.inputs["publicIpAddresses"] == [{"id": staging.one("network:PublicIPAddress").id}]
    assert staging.one("network:Subnet", "nodes-subnet").inputs["natGateway"] == {"id": gateway.id}
    outbound = staging.one("containerservice:ManagedCluster").inputs["networkProfile"]["outboundType"]
    assert outbound == "userAssignedNATGateway"


# ---------------------------------------------------------------- images, secrets, sensors


def test_nonproduction_forgets_untagged_images_and_production_never_does(staging: Graph, prod: Graph) -> None:
    assert staging.one("containerregistry:Registry").inputs["policies"] == {
        "retentionPolicy": {"status": "enabled", "days": 14}
    }
    assert prod.one("containerregistry:Registry").inputs["policies"] == {
        "softDeletePolicy": {"status": "enabled", "retentionDays": 30}
    }


def test_the_ci_vault_lives_in_staging_alone(staging: Graph, prod: Graph) -> None:
    assert [each.name for each in staging.of("keyvault:Vault")] == ["ci-vault", "workload-vault"]
    assert [each.name for each in prod.of("keyvault:Vault")] == ["workload-vault"]


def test_every_cluster_runs_the_defender_sensor_into_its_own_workspace(graph: Graph) -> None:
    profile = graph.one("containerservice:ManagedCluster").inputs["securityProfile"]["defender"]
    assert profile == {
        "logAnalyticsWorkspaceResourceId": graph.one("operationalinsights:Workspace").id,
        "securityMonitoring": {"enabled": True},
    }


def test_every_pool_belongs_to_the_nodes_subnet_and_the_version_of_the_cluster(graph: Graph) -> None:
    cluster = graph.one("containerservice:ManagedCluster")
    pools = [*cluster.inputs["agentPoolProfiles"], *(each.inputs for each in graph.of("containerservice:AgentPool"))]
    assert {pool["vnetSubnetID"] for pool in pools} == {graph.one("network:Subnet", "nodes-subnet").id}
    assert {pool["orchestratorVersion"] for pool in pools} == {cluster.inputs["kubernetesVersion"]}


def test_nothing_waits_for_the_cluster_that_does_not_need_it(graph: Graph) -> None:
    cluster = graph.one("containerservice:ManagedCluster").urn
    waiting = {each.kind for each in graph.azure if cluster in graph.waits_for(each)}
    assert waiting <= {
        "alertsmanagement:PrometheusRuleGroup",
        "authorization:ManagementLockByScope",
        "authorization:PolicyAssignment",
        "authorization:RoleAssignment",
        "containerservice:AgentPool",
        "containerservice:MaintenanceConfiguration",
        "managedidentity:FederatedIdentityCredential",
        "monitor:DataCollectionRuleAssociation",
        "monitor:DiagnosticSetting",
    }


# ---------------------------------------------------------------- what others are told


def test_the_contract_tells_ids_that_exist(rehearsed: Mapping[str, Rehearsed]) -> None:
    for stack, run in rehearsed.items():
        told = _contract(run)
        assert told["environment"] == stack
        for path in ("registry", "cluster", "network", "workloadVault"):
            assert told[path]["id"].lower() in run.graph.by_id, path
        assert told["logWorkspaceId"] == run.graph.one("operationalinsights:Workspace").id


def test_prod_reads_what_staging_really_exported(prod: Graph, rehearsed: Mapping[str, Rehearsed]) -> None:
    reference = next(each for each in prod.resources if each.type == "pulumi:pulumi:StackReference")
    assert reference.outputs["outputs"]["contract"] == _contract(rehearsed["staging"])


def test_no_secret_stands_in_plain_text_and_only_webhooks_and_the_clusters_access_are_secret(
    rehearsed: Mapping[str, Rehearsed],
) -> None:
    for run in rehearsed.values():
        sealed = {each.kind for each in run.graph.azure if "ciphertext" in json.dumps(each.raw)}
        assert sealed <= {"monitor:ActionGroup"}
        assert not [each.name for each in run.graph.resources if "plaintext" in json.dumps(each.raw)]
        assert "ciphertext" not in json.dumps(_contract(run))


# ---------------------------------------------------------------- what is watched


def test_every_cluster_sends_metrics_and_logs(graph: Graph) -> None:
    """A cluster with the add-ons and without the associations sends nothing."""
    cluster = graph.one("containerservice:ManagedCluster").id
    rules = {each.id: each.name for each in graph.of("monitor:DataCollectionRule")}
    associated = {
        rules[each.inputs["dataCollectionRuleId"]]
        for each in graph.of("monitor:DataCollectionRuleAssociation")
        if each.inputs["resourceUri"] == cluster
    }
    assert associated == {"metrics-collection", "container-collection"}


def test_every_alert_tells_the_operators_of_its_environment(graph: Graph) -> None:
    group = graph.one("monitor:ActionGroup").id
    told = [
        [action["actionGroupId"] for action in rule.get("actions", [])]
        for each in graph.of("alertsmanagement:PrometheusRuleGroup")
        for rule in each.inputs["rules"]
        if rule.get("alert")
    ]
    told += [each.inputs["actions"]["actionGroups"] for each in graph.of("monitor:ScheduledQueryRule")]
    told += [
        [action["actionGroupId"] for action in each.inputs["actions"]["actionGroups"]]
        for each in graph.of("monitor:ActivityLogAlert")
    ]
    assert len(told) > 50
    assert all(groups == [group] for groups in told)


def test_defenders_plans_are_adopted_and_kept(rehearsed: Mapping[str, Rehearsed]) -> None:
    """Every subscription has them from its first day, so they cannot be created, and they cannot be deleted."""
    for run in rehearsed.values():
        adopted = {step.name for step in run.preview.steps if step.op == "import"}
        assert adopted == {"plan-containers", "plan-keyvaults"}
        kept = {each.name for each in run.graph.azure if each.raw.get("retainOnDelete")}
        assert kept == {"plan-containers", "plan-keyvaults", "security-contact"}


def test_alerts_and_findings_reach_the_workspace_of_their_environment(graph: Graph) -> None:
    export = graph.one("security:Automation").inputs
    assert [each["workspaceResourceId"] for each in export["actions"]] == [
        graph.one("operationalinsights:Workspace").id
    ]
    assert [each["scopePath"] for each in export["scopes"]] == [graph.one("resources:ResourceGroup").id]


def test_both_environments_own_the_plans_of_different_subscriptions(rehearsed: Mapping[str, Rehearsed]) -> None:
    owned = [_contract(run)["defenderPlansOf"] for run in rehearsed.values()]
    assert len(set(owned)) == 2


# ---------------------------------------------------------------- what the workload finds in its cluster


def test_what_cannot_be_reached_is_left_out_with_a_warning(rehearsed: Mapping[str, Rehearsed]) -> None:
    inside = {
        stack: [each for each in run.graph.resources if each.type.startswith("kubernetes:")]
        for stack, run in rehearsed.items()
    }
    assert inside["staging"]
    assert not inside["prod"]
    assert [warning for warning in rehearsed["prod"].preview.warnings if "aks-cicd:cluster.reachable" in warning]


def test_the_workload_signs_in_as_itself_in_its_own_namespace(graph: Graph) -> None:
    credential = graph.one("managedidentity:FederatedIdentityCredential", "workload-signs-in").inputs
    assert credential["subject"] == "system:serviceaccount:shop:workload"
    issuer = graph.one("containerservice:ManagedCluster").outputs["oidcIssuerProfile"]["issuerURL"]
    assert credential["issuer"] == issuer


def _contract(run: Rehearsed) -> dict[str, Any]:
    stack = next(each for each in run.graph.resources if each.type == "pulumi:pulumi:Stack")
    told: dict[str, Any] = stack.outputs["contract"]
    return told
