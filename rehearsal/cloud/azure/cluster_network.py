"""What can be said of a cluster's network from its inputs alone: dataplane, ranges, ways out, API server."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Final

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azure.network import overlap, parse_range
from rehearsal.cloud.kinds import Request, refuse_unless

OUTBOUND: Final = (
    "loadBalancer",
    "userDefinedRouting",
    "managedNATGateway",
    "userAssignedNATGateway",
    "none",
)
# Node labels carry these names when pods have an overlay network, and a label ends at 63 characters.
OVERLAY_NAME: Final = 63


def is_overlay(request: Request) -> bool:
    return bool(request.get("networkProfile.networkPluginMode") == "overlay")


def _dataplane(request: Request) -> None:
    plane, policy = "networkProfile.networkDataplane", "networkProfile.networkPolicy"
    refuse_unless(
        (request.get(plane) != "cilium" or request.may_be(policy, "cilium"))
        and (request.get(policy) != "cilium" or request.may_be(plane, "cilium")),
        "InvalidNetworkPolicy" if request.get(plane) == "cilium" else "InvalidNetworkDataplane",
        f"Cluster {request.name}: networkDataplane cilium and networkPolicy cilium go together only.",
    )
    refuse_unless(
        request.get(plane) != "cilium" or request.may_be("networkProfile.networkPlugin", "azure"),
        "InvalidParameter",
        f"Cluster {request.name}: networkDataplane cilium needs networkPlugin azure.",
    )
    refuse_unless(
        not is_overlay(request) or request.may_be("networkProfile.networkPlugin", "azure"),
        "InvalidParameter",
        f"Cluster {request.name}: networkPluginMode overlay needs networkPlugin azure.",
    )


def _ranges(request: Request) -> None:
    pod, service = request.get("networkProfile.podCidr"), request.get("networkProfile.serviceCidr")
    address = request.get("networkProfile.dnsServiceIP")
    if pod is not None and service is not None:
        refuse_unless(
            not overlap(parse_range(pod), parse_range(service)),
            "PodCIDRServiceCIDROverlap",
            f"Cluster {request.name}: podCidr {pod} and serviceCidr {service} overlap.",
        )
    if service is not None and address is not None:
        services = parse_range(service, "ServiceCidrInvalid")
        try:
            host = ipaddress.ip_address(address)
        except ValueError as problem:
            raise CloudError("DNSServiceIPInvalid", f"dnsServiceIP '{address}' is not an address.") from problem
        refuse_unless(
            host in services and int(host) - int(services.network_address) > 1,
            "DNSServiceIPOutOfServiceCidr",
            f"Cluster {request.name}: dnsServiceIP {address} must lie in serviceCidr {service}, above its "
            "first address.",
        )
    refuse_unless(
        service is None or parse_range(service).prefixlen >= 12,
        "ServiceCidrTooLarge",
        f"Cluster {request.name}: serviceCidr {service} is larger than /12.",
    )


def _outbound(request: Request) -> None:
    kind = request.get("networkProfile.outboundType", "loadBalancer")
    refuse_unless(
        kind in OUTBOUND,
        "InvalidOutboundType",
        f"Cluster {request.name}: outboundType '{kind}' is not one of {', '.join(OUTBOUND)}.",
    )
    for block, owners in (
        ("loadBalancerProfile", ("loadBalancer", None)),
        ("natGatewayProfile", ("managedNATGateway",)),
    ):
        refuse_unless(
            request.get(f"networkProfile.{block}") is None or request.may_be("networkProfile.outboundType", *owners),
            "InvalidParameter",
            f"Cluster {request.name}: {block} belongs to outboundType {owners[0]}, not {kind}.",
        )


def _access(request: Request) -> None:
    private = request.get("apiServerAccessProfile.enablePrivateCluster") is True
    ranges = request.texts("apiServerAccessProfile.authorizedIPRanges")
    refuse_unless(
        not (private and ranges),
        "BadRequest",
        f"Cluster {request.name}: authorizedIPRanges do not apply to a private cluster.",
    )
    for text in ranges:
        parse_range(text, "InvalidAuthorizedIPRanges")
    refuse_unless(
        request.may_be("apiServerAccessProfile.enablePrivateCluster", True)
        or not request.given("apiServerAccessProfile.privateDNSZone"),
        "BadRequest",
        f"Cluster {request.name}: privateDNSZone belongs to a private cluster.",
    )
    refuse_unless(
        not request.get("apiServerAccessProfile.enableVnetIntegration")
        or request.given("apiServerAccessProfile.subnetId"),
        "BadRequest",
        f"Cluster {request.name}: enableVnetIntegration in a network of one's own needs subnetId.",
    )


SHAPE: Final[tuple[Callable[[Request], Any], ...]] = (_dataplane, _ranges, _outbound, _access)
