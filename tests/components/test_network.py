"""The virtual network, by itself: ranges, guards, ways out, names."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from components import addressing
from components.network import Network, NetworkArgs, Peering
from components.network.guards import rules
from components.placement import Placement
from tests.declared import NAMES, SUBSCRIPTION, WORKSPACE, Declared, declared

SUBNETS = addressing.plan("10.20.0.0/20")
HUB_SUBSCRIPTION = "8d7e6f00-1111-4222-8333-444455556666"
HUB = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network"
TABLE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-zone/providers/Microsoft.Network/routeTables/rt-hub"
ZONE = f"{HUB}/privateDnsZones/privatelink.azurecr.io"


def network(**wanted: Any) -> Declared:
    def build(place: Placement) -> None:
        args = {
            "address_space": "10.20.0.0/20",
            "subnets": SUBNETS,
            "egress": "natGateway",
            "zones": ("1", "2", "3"),
            "workspace_id": WORKSPACE,
            **wanted,
        }
        Network("network", NetworkArgs(place, **args))

    return declared(build, TABLE, ZONE, f"{HUB}/virtualNetworks/vnet-hub")


def peering(**wanted: Any) -> Peering:
    return Peering(f"{HUB}/virtualNetworks/vnet-hub", ("10.0.0.0/16",), **wanted)


@pytest.mark.parametrize("wanted", [("nodes",), ("nodes", "agents"), addressing.SUBNETS])
def test_the_subnets_that_are_asked_for_are_made_with_their_ranges(wanted: tuple[str, ...]) -> None:
    found = network(subnets={purpose: SUBNETS[purpose] for purpose in wanted}).of("network:Subnet")
    assert {inputs["subnetName"]: inputs["addressPrefix"] for inputs in found.values()} == {
        NAMES.subnet(purpose): SUBNETS[purpose] for purpose in wanted
    }


def test_services_that_bring_their_own_machines_have_their_subnet_to_themselves() -> None:
    found = network()
    delegated = {
        name: [each["serviceName"] for each in inputs["delegations"]]
        for name, inputs in found.of("network:Subnet").items()
        if inputs.get("delegations")
    }
    assert delegated == {
        "agents-subnet": ["Microsoft.DevOpsInfrastructure/pools"],
        "api-server-subnet": ["Microsoft.ContainerService/managedClusters"],
    }


def test_nodes_and_agents_leave_by_the_nat_gateway_and_nobody_else_does() -> None:
    found = network()
    leaving = {name for name, inputs in found.of("network:Subnet").items() if inputs.get("natGateway")}
    assert leaving == {"nodes-subnet", "agents-subnet"}


def test_the_egress_address_is_fixed_and_survives_the_loss_of_a_zone() -> None:
    address = network().one("network:PublicIPAddress")
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["zones"] == ["1", "2", "3"]


def test_a_region_without_zones_gets_an_address_without_zones() -> None:
    assert "zones" not in network(zones=()).one("network:PublicIPAddress")


@pytest.mark.parametrize("egress", ["loadBalancer", "hubRouteTable"])
def test_a_nat_gateway_is_made_only_when_it_is_the_egress(egress: str) -> None:
    found = network(egress=egress, hub=peering(route_table_id=TABLE if egress == "hubRouteTable" else None))
    assert not found.of("network:NatGateway")
    assert not found.of("network:PublicIPAddress")


def test_nodes_and_agents_leave_by_the_hub_when_its_route_table_is_the_egress() -> None:
    found = network(egress="hubRouteTable", hub=peering(route_table_id=TABLE)).of("network:Subnet")
    tables = {name: inputs["routeTable"]["id"] for name, inputs in found.items() if inputs.get("routeTable")}
    assert tables == {"nodes-subnet": TABLE, "agents-subnet": TABLE}


def test_the_peering_lets_the_firewalls_traffic_in_and_lends_no_gateway() -> None:
    found = network(egress="loadBalancer", hub=peering()).one("network:VirtualNetworkPeering")
    assert found["allowForwardedTraffic"] is True
    assert found["allowGatewayTransit"] is False
    assert found["useRemoteGateways"] is False


def test_without_a_hub_nothing_is_peered() -> None:
    assert not network().of("network:VirtualNetworkPeering")


def test_zones_are_made_and_linked_unless_the_estate_has_them() -> None:
    found = network(private_zones={"registry": ZONE, "vault": None})
    assert [inputs["privateZoneName"] for inputs in found.of("privatedns:PrivateZone").values()] == [
        "privatelink.vaultcore.azure.net"
    ]
    assert len(found.of("privatedns:VirtualNetworkLink")) == 1


def test_only_the_nodes_have_service_end_points() -> None:
    found = network(service_endpoints=("Microsoft.KeyVault",)).of("network:Subnet")
    having = {name for name, inputs in found.items() if inputs.get("serviceEndpoints")}
    assert having == {"nodes-subnet"}


# ---------------------------------------------------------------- guards


@pytest.mark.parametrize("purpose", addressing.SUBNETS)
def test_rules_of_one_direction_never_share_a_priority(purpose: str) -> None:
    for direction in ("Inbound", "Outbound"):
        priorities = [rule.priority for rule in rules(purpose, SUBNETS) if rule.direction == direction]
        assert all(earlier < later for earlier, later in pairwise(priorities))


@pytest.mark.parametrize("purpose", ["api-server", "private-endpoints", "agents"])
def test_a_guarded_subnet_refuses_neighbours_after_all_that_it_allows(purpose: str) -> None:
    inbound = [rule for rule in rules(purpose, SUBNETS, ("10.0.0.0/16",)) if rule.direction == "Inbound"]
    assert (inbound[-1].access, inbound[-1].sources, inbound[-1].ports) == ("Deny", ("VirtualNetwork",), ("*",))
    assert all(rule.access == "Allow" for rule in inbound[:-1])


def test_nodes_agents_and_the_hub_reach_private_end_points() -> None:
    allowed = rules("private-endpoints", SUBNETS, ("10.0.0.0/16",))[0]
    assert allowed.sources == (SUBNETS["nodes"], SUBNETS["agents"], "10.0.0.0/16")
    assert allowed.ports == ("443",)


def test_nodes_reach_the_api_server_on_both_its_ports_and_its_balancer_probes_it() -> None:
    """AKS documentation, API server VNet integration: 443 and 4443 from nodes, 9988 from the load balancer."""
    found = {rule.sources: set(rule.ports) for rule in rules("api-server", SUBNETS) if rule.access == "Allow"}
    assert found[(SUBNETS["nodes"],)] == {"443", "4443"}
    assert found[("AzureLoadBalancer",)] == {"9988"}


@pytest.mark.parametrize("purpose", ["nodes", "agents"])
def test_a_machine_that_was_taken_over_does_not_log_in_to_its_neighbours(purpose: str) -> None:
    refused = [rule for rule in rules(purpose, SUBNETS) if rule.direction == "Outbound"]
    assert [(rule.access, rule.destination, rule.ports) for rule in refused] == [
        ("Deny", "VirtualNetwork", ("22", "3389"))
    ]


def test_nothing_is_open_to_anybody() -> None:
    for purpose in addressing.SUBNETS:
        allowed = [rule for rule in rules(purpose, SUBNETS) if rule.access == "Allow"]
        assert not [rule for rule in allowed if {"*", "Internet", "0.0.0.0/0"} & set(rule.sources)]


def test_subnets_that_do_not_exist_are_not_named_in_rules() -> None:
    alone = {"nodes": SUBNETS["nodes"], "private-endpoints": SUBNETS["private-endpoints"]}
    assert rules("private-endpoints", alone)[0].sources == (SUBNETS["nodes"],)
