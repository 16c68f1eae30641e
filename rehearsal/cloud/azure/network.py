"""Virtual networks and their subnets: ranges, overlaps, delegations."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import World

Range: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

VNET: Final = "azure-native:network:VirtualNetwork"
SUBNET: Final = "azure-native:network:Subnet"
_NETWORK: Final = "Microsoft.Network"

# Services that may own a subnet. Source: Microsoft's page on subnet delegation; those a platform meets.
DELEGATIONS: Final = frozenset(
    {
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.DevOpsInfrastructure/pools",
        "Microsoft.ContainerInstance/containerGroups",
        "Microsoft.App/environments",
        "Microsoft.Web/serverFarms",
        "Microsoft.Web/hostingEnvironments",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.DBforMySQL/flexibleServers",
        "Microsoft.Network/dnsResolvers",
        "Microsoft.Network/applicationGateways",
        "Microsoft.ServiceNetworking/trafficControllers",
        "Microsoft.Sql/managedInstances",
        "Microsoft.Databricks/workspaces",
        "Microsoft.Netapp/volumes",
        "GitHub.Network/networkSettings",
    }
)


def parse_range(text: str, code: str = "InvalidCIDRNotation") -> Range:
    """A range whose host bits are zero; anything else is refused, as Azure does."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        raise CloudError(code, f"The address prefix '{text}' is not a valid range: {problem}.") from problem


def overlap(one: Range, other: Range) -> bool:
    return one.version == other.version and one.overlaps(other)


def prefixes(inputs: Mapping[str, Any]) -> list[str]:
    """The ranges of a subnet, however they are given."""
    many = inputs.get("addressPrefixes")
    found = [*(many if isinstance(many, (list, tuple)) else ()), inputs.get("addressPrefix")]
    return [value for value in found if isinstance(value, str)]


def spaces_of(world: World, vnet_id: str) -> list[Range]:
    """The address space of a network, or nothing when the stand-in does not know it."""
    found = world.find(vnet_id)
    if found is None:
        return []
    return [parse_range(text) for text in found.inputs.get("addressSpace", {}).get("addressPrefixes", [])]


def subnet_of(world: World, subnet_id: str) -> Mapping[str, Any] | None:
    """A subnet's inputs, whether it is a resource of its own or a block of its network."""
    found = world.find(subnet_id)
    if found is not None:
        return found.inputs
    parent = world.find(arm.parent_of(subnet_id))
    blocks = parent.inputs.get("subnets") or [] if parent is not None else []
    return next((block for block in blocks if arm.same(str(block.get("name")), arm.name_of(subnet_id))), None)


def subnets_of(world: World, vnet_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All subnets of a network with their ids."""
    parent = world.find(vnet_id)
    if parent is not None:
        for block in parent.inputs.get("subnets") or []:
            yield f"{parent.id}/subnets/{block.get('name')}", block
    for found in world.under(vnet_id):
        if found.type_ == SUBNET:
            yield found.id, found.inputs


def delegated_to(subnet: Mapping[str, Any]) -> list[str]:
    """The services that own a subnet, as far as they are known."""
    entries = subnet.get("delegations")
    blocks = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, (list, tuple)) else []
    names = [block.get("serviceName") for block in blocks]
    return [name for name in names if isinstance(name, str)]


def _ranges_are_ranges(request: Request) -> None:
    spaces = [parse_range(text) for text in request.texts("addressSpace.addressPrefixes")]
    _disjoint(spaces, "NetcfgOverlappingAddressPrefixes", "address spaces of the network")


def _disjoint(ranges: Iterable[Range], code: str, what: str) -> None:
    seen: list[Range] = []
    for candidate in ranges:
        for other in seen:
            refuse_unless(not overlap(candidate, other), code, f"The {what} {candidate} and {other} overlap.")
        seen.append(candidate)


def _network_holds_its_subnets(request: Request) -> None:
    spaces = [parse_range(text) for text in request.texts("addressSpace.addressPrefixes")]
    blocks = {f"{request.id}/subnets/{block.get('name')}".lower(): block for block in request.blocks("subnets")}
    others = {id.lower(): inputs for id, inputs in subnets_of(request.world, request.id)}
    ranges = []
    for id, inputs in {**others, **blocks}.items():
        for text in prefixes(inputs):
            _inside(parse_range(text), spaces, id)
            ranges.append(parse_range(text))
    _disjoint(ranges, "NetcfgSubnetRangesOverlap", "subnets")


def _inside(candidate: Range, spaces: list[Range], id: str) -> None:
    fits = any(
        candidate.version == space.version and candidate.subnet_of(space)  # type: ignore[arg-type]
        for space in spaces
    )
    refuse_unless(
        fits or not spaces,
        "NetcfgSubnetRangeOutsideVnet",
        f"Subnet '{arm.name_of(id)}' {candidate} is not within the address space of its virtual network.",
    )


def _subnet_has_a_range(request: Request) -> None:
    refuse_unless(
        request.given("addressPrefix") or request.given("addressPrefixes"),
        "NetcfgInvalidSubnet",
        f"Subnet '{request.name}' has no address prefix.",
    )
    for text in prefixes(request.inputs):
        candidate = parse_range(text, "NetcfgInvalidSubnet")
        refuse_unless(
            candidate.version == 6 or candidate.prefixlen <= 29,
            "NetcfgInvalidSubnet",
            f"Subnet '{request.name}' {candidate} is smaller than /29, the smallest that Azure makes.",
        )


def _subnet_delegation_is_known(request: Request) -> None:
    for service in delegated_to(request.inputs):
        refuse_unless(
            service in DELEGATIONS,
            "SubnetDelegationServiceNameInvalid",
            f"The service '{service}' to which subnet '{request.name}' is delegated is not known.",
        )


def _subnet_fits(request: Request) -> None:
    vnet = arm.parent_of(request.id)
    mine = [parse_range(text, "NetcfgInvalidSubnet") for text in prefixes(request.inputs)]
    for candidate in mine:
        _inside(candidate, spaces_of(request.world, vnet), request.id)
    for id, inputs in subnets_of(request.world, vnet):
        if not arm.same(id, request.id):
            for text in prefixes(inputs):
                for candidate in mine:
                    refuse_unless(
                        not overlap(candidate, parse_range(text)),
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{request.name}' {candidate} overlaps with subnet '{arm.name_of(id)}' {text}.",
                    )


def _vnet_outputs(request: Request) -> dict[str, Any]:
    blocks = [{**block, "id": f"{request.id}/subnets/{block.get('name')}"} for block in request.blocks("subnets")]
    computed: dict[str, Any] = {"provisioningState": "Succeeded", "resourceGuid": guid(request.id, "network")}
    return computed | ({"subnets": blocks} if blocks else {})


def _vnet_implies(request: Request) -> frozenset[str]:
    return frozenset(f"{request.id}/subnets/{block.get('name')}" for block in request.blocks("subnets"))


def _subnet_outputs(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded", "purpose": "None"}


KINDS: Final = (
    Kind(
        token=VNET,
        arm_type=f"{_NETWORK}/virtualNetworks",
        path=("virtualNetworkName",),
        required=("addressSpace",),
        reference_code="InvalidResourceReference",
        compute=_vnet_outputs,
        implies=_vnet_implies,
        shape=(_ranges_are_ranges,),
        world=(_network_holds_its_subnets,),
        in_use="InUseVirtualNetworkCannotBeDeleted",
    ),
    Kind(
        token=SUBNET,
        arm_type=f"{_NETWORK}/virtualNetworks/subnets",
        path=("virtualNetworkName", "subnetName"),
        located=False,
        reference_code="InvalidResourceReference",
        links={
            "networkSecurityGroup.id": f"{_NETWORK}/networkSecurityGroups",
            "natGateway.id": f"{_NETWORK}/natGateways",
            "routeTable.id": f"{_NETWORK}/routeTables",
        },
        compute=_subnet_outputs,
        shape=(_subnet_has_a_range, _subnet_delegation_is_known),
        world=(_subnet_fits,),
        in_use="InUseSubnetCannotBeDeleted",
    ),
)
