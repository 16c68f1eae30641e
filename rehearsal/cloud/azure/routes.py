"""What hangs on subnets and leads out of them: security groups, routes, NAT, public addresses, peerings."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.azure.network import overlap, parse_range, spaces_of
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

PUBLIC_IP: Final = "azure-native:network:PublicIPAddress"
_NETWORK: Final = "Microsoft.Network"


def _made(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded", "resourceGuid": guid(request.id, "network")}


def _address(request: Request) -> dict[str, Any]:
    # 203.0.113.0/24 and 198.51.100.0/24 are set aside for documentation (RFC 5737): no real host has them.
    number = int(hashlib.sha256(request.id.lower().encode()).hexdigest(), 16) % 506
    base, host = ("203.0.113", number + 1) if number < 253 else ("198.51.100", number - 252)
    label = request.get("dnsSettings.domainNameLabel")
    computed = {**_made(request), "ipAddress": f"{base}.{host}"}
    if label is not None:
        fqdn = f"{label}.{request.get('location')}.cloudapp.azure.com"
        computed["dnsSettings"] = {**request.inputs["dnsSettings"], "fqdn": fqdn}
    return computed


def _standard_is_static(request: Request) -> None:
    refuse_unless(
        request.may_be("sku.name", "Standard", "StandardV2"),
        "IPv4BasicSkuPublicIpCountLimitReached",
        f"{request.name}: public addresses of sku Basic are retired; use Standard.",
    )
    refuse_unless(
        request.may_be("publicIPAllocationMethod", "Static"),
        "StandardSkuPublicIPAddressesMustBeStatic",
        f"{request.name}: a public address of sku Standard must have publicIPAllocationMethod Static.",
    )


def _gateway_is_standard(request: Request) -> None:
    refuse_unless(
        request.may_be("sku.name", "Standard", "StandardV2"),
        "InvalidNatGatewaySku",
        f"{request.name}: a NAT gateway has sku Standard.",
    )
    refuse_unless(
        len(request.get("zones", ())) <= 1 or request.may_be("sku.name", "StandardV2"),
        "NatGatewayWithMultipleZonesNotSupported",
        f"{request.name}: a Standard NAT gateway lies in one zone or in none.",
    )


def _gateway_addresses_are_free(request: Request) -> None:
    for block in request.blocks("publicIpAddresses"):
        address = str(block.get("id"))
        for other in request.world.users_of(address):
            if not arm.same(other.id, request.id):
                raise CloudError("PublicIPAddressInUse", f"{address} is already used by {other.id}.")


def _rules_are_distinct(request: Request) -> None:
    seen: dict[tuple[Any, Any], Any] = {}
    for rule in request.blocks("securityRules"):
        priority, direction = rule.get("priority"), rule.get("direction")
        refuse_unless(
            not isinstance(priority, int) or 100 <= priority <= 4096,
            "SecurityRuleInvalidPriority",
            f"Rule '{rule.get('name')}' has priority {priority}; allowed are 100 to 4096.",
        )
        refuse_unless(
            (priority, direction) not in seen,
            "SecurityRuleConflict",
            f"Rules '{seen.get((priority, direction))}' and '{rule.get('name')}' share priority "
            f"{priority} {direction}.",
        )
        seen[(priority, direction)] = rule.get("name")


def _next_hop_has_an_address(request: Request) -> None:
    for route in request.blocks("routes"):
        if UNKNOWN in (route.get("nextHopType"), route.get("nextHopIpAddress")):
            continue
        appliance = route.get("nextHopType") == "VirtualAppliance"
        refuse_unless(
            appliance == (route.get("nextHopIpAddress") is not None),
            "InvalidRouteNextHopIpAddress",
            f"Route '{route.get('name')}': nextHopIpAddress belongs to nextHopType VirtualAppliance, and only to it.",
        )
        if isinstance(route.get("addressPrefix"), str) and "/" in route["addressPrefix"]:
            parse_range(route["addressPrefix"], "InvalidRouteAddressPrefix")


def _peers_do_not_overlap(request: Request) -> None:
    remote = str(request.get("remoteVirtualNetwork.id"))
    for mine in spaces_of(request.world, arm.parent_of(request.id)):
        for theirs in spaces_of(request.world, remote):
            refuse_unless(
                not overlap(mine, theirs),
                "VnetAddressSpacesOverlap",
                f"Cannot peer {arm.parent_of(request.id)} {mine} with {remote} {theirs}: their ranges overlap.",
            )


def _peering(request: Request) -> dict[str, Any]:
    return {
        "provisioningState": "Succeeded",
        "peeringState": "Initiated",
        "resourceGuid": guid(request.id, "peering"),
    }


KINDS: Final = (
    Kind(
        token="azure-native:network:NetworkSecurityGroup",
        arm_type=f"{_NETWORK}/networkSecurityGroups",
        path=("networkSecurityGroupName",),
        reference_code="InvalidResourceReference",
        compute=_made,
        shape=(_rules_are_distinct,),
        in_use="InUseNetworkSecurityGroupCannotBeDeleted",
    ),
    Kind(
        token="azure-native:network:RouteTable",
        arm_type=f"{_NETWORK}/routeTables",
        path=("routeTableName",),
        reference_code="InvalidResourceReference",
        compute=_made,
        shape=(_next_hop_has_an_address,),
        in_use="InUseRouteTableCannotBeDeleted",
    ),
    Kind(
        token=PUBLIC_IP,
        arm_type=f"{_NETWORK}/publicIPAddresses",
        path=("publicIpAddressName",),
        reference_code="InvalidResourceReference",
        compute=_address,
        shape=(_standard_is_static,),
        fixed={"zones": "ResourceAvailabilityZonesCannotBeModified"},
        in_use="PublicIPAddressCannotBeDeleted",
    ),
    Kind(
        token="azure-native:network:NatGateway",
        arm_type=f"{_NETWORK}/natGateways",
        path=("natGatewayName",),
        reference_code="InvalidResourceReference",
        links={"publicIpAddresses[*].id": f"{_NETWORK}/publicIPAddresses"},
        compute=_made,
        shape=(_gateway_is_standard,),
        world=(_gateway_addresses_are_free,),
        fixed={"zones": "ResourceAvailabilityZonesCannotBeModified"},
        in_use="InUseNatGatewayCannotBeDeleted",
    ),
    Kind(
        token="azure-native:network:VirtualNetworkPeering",
        arm_type=f"{_NETWORK}/virtualNetworks/virtualNetworkPeerings",
        path=("virtualNetworkName", "virtualNetworkPeeringName"),
        located=False,
        required=("remoteVirtualNetwork",),
        reference_code="InvalidResourceReference",
        links={"remoteVirtualNetwork.id": f"{_NETWORK}/virtualNetworks"},
        compute=_peering,
        world=(_peers_do_not_overlap,),
    ),
)
