"""The virtual network of an environment: subnets, their guards, the way out, and the way to private end points.

Every subnet has a network security group and no default outbound access: nodes and agents leave by the egress that
the settings choose. DNS zones of private end points are made here and linked, unless the estate has them.

What it does not do: it declares no private end point (each belongs to what it leads to), no firewall (that is the
hub's) and not the hub's half of the peering (the hub's owner makes it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azure_native.monitor import DiagnosticSetting, DiagnosticsLogSettingsArgs
from pulumi_azure_native.network import (
    AddressSpaceArgs,
    DelegationArgs,
    NatGateway,
    NatGatewaySkuArgs,
    NetworkSecurityGroup,
    NetworkSecurityGroupArgs,
    PublicIPAddress,
    PublicIPAddressSkuArgs,
    RouteTableArgs,
    SecurityRuleArgs,
    ServiceEndpointPropertiesFormatArgs,
    Subnet,
    SubResourceArgs,
    VirtualNetwork,
    VirtualNetworkPeering,
)
from pulumi_azure_native.privatedns import PrivateZone, VirtualNetworkLink
from pulumi_azure_native.privatedns import SubResourceArgs as DnsSubResourceArgs

from components.access import PrivateLink
from components.addressing import AGENTS, API_SERVER, NODES, PRIVATE_ENDPOINTS, SUBNETS
from components.network.guards import Rule, rules
from components.placement import Placement

ZONES: Mapping[str, str] = {
    "registry": "privatelink.azurecr.io",
    "vault": "privatelink.vaultcore.azure.net",
}
"""The DNS zone that answers for each kind of private end point (public cloud)."""

_DELEGATIONS: Mapping[str, str] = {
    API_SERVER: "Microsoft.ContainerService/managedClusters",
    AGENTS: "Microsoft.DevOpsInfrastructure/pools",
}
"""Services that put their own machines into a subnet, and have it for themselves."""

_IN_LINE = (NODES, API_SERVER, *(purpose for purpose in SUBNETS if purpose not in (NODES, API_SERVER)))
"""The order in which subnets are written: first those that the cluster waits for, because it takes longest."""

_GOING_OUT = (NODES, AGENTS)
"""Subnets whose machines call the internet."""


@dataclass(frozen=True)
class Peering:
    """A network that somebody else owns."""

    virtual_network_id: str
    address_spaces: tuple[str, ...]
    route_table_id: str | None = None
    egress_addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkArgs:
    place: Placement
    address_space: str
    subnets: Mapping[str, str]
    """Range of each subnet that is wanted; keys of `components.addressing.SUBNETS`, nodes always among them."""
    egress: Literal["loadBalancer", "natGateway", "hubRouteTable"]
    zones: tuple[str, ...]
    """Availability zones that the egress address spreads over; empty where the region has none."""
    workspace_id: Input[str]
    hub: Peering | None = None
    private_zones: Mapping[str, str | None] | None = None
    """Kinds of private end point (keys of `ZONES`) to the id of an existing zone, or None for one of our own."""
    service_endpoints: tuple[str, ...] = ()
    """Services that the nodes reach by their own identity instead of an address, such as Microsoft.KeyVault."""


class Network(ComponentResource):
    """A virtual network with its subnets, its way out and its DNS."""

    id: Output[str]
    subnet_ids: dict[str, Output[str]]
    egress_addresses: Output[list[str]]
    """Public addresses that nodes come from, where they are known: of the NAT gateway or of the hub's firewall."""
    way_out: list[Resource]
    """What must stand before a machine in this network can call the internet."""
    private_links: dict[str, PrivateLink]

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:network:Network", name, None, opts)
        self._args = args
        place = args.place
        network = VirtualNetwork(
            "network",
            virtual_network_name=place.names.virtual_network,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            address_space=AddressSpaceArgs(address_prefixes=[args.address_space]),
            opts=ResourceOptions(parent=self),
        )
        self.id = network.id
        self.way_out = []
        self.egress_addresses = Output.from_input(list(args.hub.egress_addresses) if args.hub else [])
        gateway = self._nat_gateway() if args.egress == "natGateway" else None
        subnets = self._subnets(network, gateway)
        self.subnet_ids = {purpose: subnet.id for purpose, subnet in subnets.items()}
        if args.hub:
            self._peer(args.hub, network, after=list(subnets.values()))
        self.private_links = {
            kind: PrivateLink(self.subnet_ids[PRIVATE_ENDPOINTS], existing or self._zone(kind, network))
            for kind, existing in (args.private_zones or {}).items()
        }
        self.register_outputs({"id": self.id, "egressAddresses": self.egress_addresses})

    def admitting(self, ranges: Sequence[str]) -> Output[list[str]]:
        """An allow-list in CIDR notation that also holds the addresses our own nodes come from; empty stays empty."""
        return self.egress_addresses.apply(lambda own: [*ranges, *(f"{each}/32" for each in own)] if ranges else [])

    def _nat_gateway(self) -> NatGateway:
        place = self._args.place
        address = PublicIPAddress(
            "egress-address",
            public_ip_address_name=place.names.public_ip_address("egress"),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            sku=PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            zones=list(self._args.zones) or None,
            opts=ResourceOptions(parent=self),
        )
        self.egress_addresses = address.ip_address.apply(lambda found: [found] if found else [])
        return NatGateway(
            "nat-gateway",
            nat_gateway_name=place.names.nat_gateway(),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            # No zone: Azure then places it, and the loss of one zone takes no other zone's way out by our choice.
            sku=NatGatewaySkuArgs(name="Standard"),
            public_ip_addresses=[SubResourceArgs(id=address.id)],
            idle_timeout_in_minutes=4,
            opts=ResourceOptions(parent=self),
        )

    def _subnets(self, network: VirtualNetwork, gateway: NatGateway | None) -> dict[str, Subnet]:
        args = self._args
        subnets: dict[str, Subnet] = {}
        for purpose in (known for known in _IN_LINE if known in args.subnets):
            leaves = purpose in _GOING_OUT
            table = args.hub.route_table_id if args.hub and args.egress == "hubRouteTable" else None
            subnets[purpose] = Subnet(
                f"{purpose}-subnet",
                subnet_name=args.place.names.subnet(purpose),
                virtual_network_name=network.name,
                resource_group_name=args.place.resource_group,
                address_prefix=args.subnets[purpose],
                default_outbound_access=False,
                network_security_group=NetworkSecurityGroupArgs(id=self._guard(purpose).id),
                nat_gateway=SubResourceArgs(id=gateway.id) if gateway and leaves else None,
                route_table=RouteTableArgs(id=table) if table and leaves else None,
                delegations=_delegations(purpose),
                # Without it the security group does not apply to private end points.
                private_endpoint_network_policies="Enabled",
                service_endpoints=[
                    ServiceEndpointPropertiesFormatArgs(service=service, locations=["*"])
                    for service in args.service_endpoints
                ]
                if purpose == NODES
                else None,
                # One after another: Azure refuses two writes to one network at a time (AnotherOperationInProgress).
                opts=ResourceOptions(parent=self, depends_on=list(subnets.values())[-1:]),
            )
        return subnets

    def _guard(self, purpose: str) -> NetworkSecurityGroup:
        args, place = self._args, self._args.place
        group = NetworkSecurityGroup(
            f"{purpose}-guard",
            network_security_group_name=place.names.network_security_group(purpose),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            security_rules=[
                _security_rule(rule)
                for rule in rules(purpose, args.subnets, args.hub.address_spaces if args.hub else ())
            ],
            opts=ResourceOptions(parent=self),
        )
        DiagnosticSetting(
            f"{purpose}-guard-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=group.id,
            workspace_id=args.workspace_id,
            logs=[
                DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter")
            ],
            opts=ResourceOptions(parent=self),
        )
        return group

    def _peer(self, hub: Peering, network: VirtualNetwork, after: list[Resource]) -> None:
        peering = VirtualNetworkPeering(
            "to-hub",
            virtual_network_peering_name=self._args.place.names.virtual_network_peering("hub"),
            virtual_network_name=network.name,
            resource_group_name=self._args.place.resource_group,
            remote_virtual_network=SubResourceArgs(id=hub.virtual_network_id),
            allow_virtual_network_access=True,
            allow_forwarded_traffic=True,
            allow_gateway_transit=False,
            use_remote_gateways=False,
            opts=ResourceOptions(parent=self, depends_on=after),
        )
        if self._args.egress == "hubRouteTable":
            self.way_out.append(peering)

    def _zone(self, kind: str, network: VirtualNetwork) -> Output[str]:
        place = self._args.place
        zone = PrivateZone(
            f"{kind}-zone",
            private_zone_name=ZONES[kind],
            resource_group_name=place.resource_group,
            location="Global",
            tags=place.tags,
            opts=ResourceOptions(parent=self),
        )
        VirtualNetworkLink(
            f"{kind}-zone-link",
            virtual_network_link_name=place.names.virtual_network_link(),
            private_zone_name=zone.name,
            resource_group_name=place.resource_group,
            location="Global",
            tags=place.tags,
            virtual_network=DnsSubResourceArgs(id=network.id),
            registration_enabled=False,
            opts=ResourceOptions(parent=self),
        )
        return zone.id


def _delegations(purpose: str) -> list[DelegationArgs] | None:
    service = _DELEGATIONS.get(purpose)
    return [DelegationArgs(name=purpose, service_name=service)] if service else None


def _security_rule(rule: Rule) -> SecurityRuleArgs:
    return SecurityRuleArgs(
        name=rule.name,
        description=rule.reason,
        priority=rule.priority,
        direction=rule.direction,
        access=rule.access,
        protocol=rule.protocol,
        source_port_range="*",
        source_address_prefixes=list(rule.sources) if len(rule.sources) > 1 else None,
        source_address_prefix=rule.sources[0] if len(rule.sources) == 1 else None,
        destination_address_prefix=rule.destination,
        destination_port_ranges=list(rule.ports) if len(rule.ports) > 1 else None,
        destination_port_range=rule.ports[0] if len(rule.ports) == 1 else None,
    )
