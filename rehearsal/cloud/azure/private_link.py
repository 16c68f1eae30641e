"""Private endpoints, and the private DNS zones that make their names resolve."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azure.network import prefixes, subnet_of
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

ZONE: Final = "azure-native:privatedns:PrivateZone"
ENDPOINT: Final = "azure-native:network:PrivateEndpoint"
REGISTRY: Final = "azure-native:containerregistry:Registry"
_NETWORK: Final = "Microsoft.Network"

# Target type -> group id -> zone. Source: Microsoft's pages on private DNS zone values and on each service.
# `{region}` is the location of the target.
GROUPS: Final[dict[str, dict[str, str]]] = {
    "microsoft.containerregistry/registries": {"registry": "privatelink.azurecr.io"},
    "microsoft.keyvault/vaults": {"vault": "privatelink.vaultcore.azure.net"},
    "microsoft.monitor/accounts": {"prometheusMetrics": "privatelink.{region}.prometheus.monitor.azure.com"},
    "microsoft.dashboard/grafana": {"grafana": "privatelink.grafana.azure.com"},
    "microsoft.containerservice/managedclusters": {"management": "privatelink.{region}.azmk8s.io"},
}


def _connections(request: Request) -> Iterator[Mapping[str, Any]]:
    yield from request.blocks("privateLinkServiceConnections")
    yield from request.blocks("manualPrivateLinkServiceConnections")


def _one_known_group(request: Request) -> None:
    refuse_unless(
        request.given("privateLinkServiceConnections") or request.given("manualPrivateLinkServiceConnections"),
        "InvalidRequestFormat",
        f"Private endpoint {request.name} has no connection.",
    )
    for connection in _connections(request):
        target, groups = connection.get("privateLinkServiceId"), connection.get("groupIds")
        if not isinstance(target, str) or not isinstance(groups, (list, tuple)):
            continue
        allowed = GROUPS.get(arm.type_of(target).lower())
        if allowed is None:
            raise CloudError(
                "PrivateEndpointResourceTypeNotSupported", f"The stand-in knows no private link for {target}."
            )
        for group in groups:
            refuse_unless(
                not isinstance(group, str) or group in allowed,
                "PrivateEndpointInvalidGroupId",
                f"Group id '{group}' does not fit {target}; allowed are {', '.join(allowed)}.",
            )
        refuse_unless(len(groups) == 1, "PrivateEndpointInvalidGroupId", f"{target} takes exactly one group id.")


def _target_allows_it(request: Request) -> None:
    for connection in _connections(request):
        target = request.world.find(str(connection.get("privateLinkServiceId")))
        if target is not None and target.type_ == REGISTRY:
            refuse_unless(
                target.inputs.get("sku", {}).get("name") == "Premium",
                "PrivateEndpointFeatureNotSupported",
                f"{target.id} must have sku Premium to have a private endpoint.",
            )


def _subnet_has_room(request: Request) -> None:
    subnet = subnet_of(request.world, str(request.get("subnet.id")))
    if subnet is not None:
        refuse_unless(
            not subnet.get("delegations"),
            "PrivateEndpointCannotBeCreatedInSubnetThatIsDelegated",
            f"Private endpoint {request.name} cannot lie in {request.get('subnet.id')}: it is delegated.",
        )


def _zone_of(request: Request, target_id: str, group: str) -> str:
    target = request.world.find(target_id)
    region = str(target.inputs.get("location", "")) if target is not None else ""
    template = GROUPS[arm.type_of(target_id).lower()][group]
    return template.format(region=region.lower().replace(" ", ""))


def _endpoint(request: Request) -> dict[str, Any]:
    subnet = subnet_of(request.world, str(request.get("subnet.id"))) or {}
    ranges = prefixes(subnet) or ["192.0.2.0/24"]
    network = ipaddress.ip_network(ranges[0])
    room = max(network.num_addresses - 6, 1)
    # Azure keeps the first four addresses of a subnet; which free one it hands out is its own affair.
    address = str(network[min(4 + int(guid(request.id)[:4], 16) % room, network.num_addresses - 1)])
    configs = []
    for connection in _connections(request):
        target, groups = connection.get("privateLinkServiceId"), connection.get("groupIds")
        if isinstance(target, str) and isinstance(groups, (list, tuple)) and groups and isinstance(groups[0], str):
            zone = _zone_of(request, target, groups[0]).removeprefix("privatelink.")
            configs.append({"fqdn": f"{arm.name_of(target)}.{zone}", "ipAddresses": [address]})
    card = arm.resource_id(
        str(arm.group_of(request.id)),
        f"{_NETWORK}/networkInterfaces",
        [f"{request.name}.nic.{guid(request.id)}"],
    )
    return {
        "provisioningState": "Succeeded",
        "networkInterfaces": [{"id": card}],
        "customDnsConfigs": configs,
    }


def _zones_fit_the_endpoint(request: Request) -> None:
    endpoint = request.world.find(arm.parent_of(request.id))
    if endpoint is None:
        return
    wanted = set()
    for key in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for connection in endpoint.inputs.get(key) or []:
            for group in connection["groupIds"]:
                wanted.add(_zone_of(request, str(connection["privateLinkServiceId"]), group))
    for block in request.blocks("privateDnsZoneConfigs"):
        zone = arm.name_of(str(block.get("privateDnsZoneId")))
        # Without the region of a target of the estate, its zone is only known up to the region.
        unsure = any(".." in name for name in wanted)
        refuse_unless(
            zone in wanted or unsure or not wanted,
            "InvalidPrivateDnsZoneConfig",
            f"Zone '{zone}' cannot hold the records of {endpoint.id}; it needs {', '.join(sorted(wanted))}.",
        )


def _lies_everywhere(request: Request) -> None:
    refuse_unless(
        str(request.get("location", "global")).lower() == "global",
        "LocationNotAvailableForResourceType",
        f"{request.name}: private DNS is a global service; its location is 'global'.",
    )


def _one_link_per_network(request: Request) -> None:
    vnet = str(request.get("virtualNetwork.id"))
    for other in request.world.under(arm.parent_of(request.id)):
        if other.type_ == request.kind.token and not arm.same(other.id, request.id):
            refuse_unless(
                vnet.lower() not in other.refers_to,
                "Conflict",
                f"{arm.parent_of(request.id)} is already linked to {vnet} by {other.name}.",
            )


def _same_name_once(request: Request) -> None:
    """A network cannot be linked to two zones of one name: it would not know which to ask."""
    vnet, zone = str(request.get("virtualNetwork.id")), arm.name_of(arm.parent_of(request.id))
    for other in request.world.of_type(request.kind.token):
        elsewhere = not arm.same(arm.parent_of(other.id), arm.parent_of(request.id))
        if elsewhere and vnet.lower() in other.refers_to and arm.same(arm.name_of(arm.parent_of(other.id)), zone):
            raise CloudError("Conflict", f"{vnet} is already linked to another zone named {zone}: {other.id}.")


def _zone(request: Request) -> dict[str, Any]:
    return {
        "provisioningState": "Succeeded",
        "internalId": guid(request.id, "zone"),
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfRecordSets": 1,
    }


def _link(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded", "virtualNetworkLinkState": "Completed"}


def _records(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded"}


KINDS: Final = (
    Kind(
        token=ZONE,
        arm_type=f"{_NETWORK}/privateDnsZones",
        path=("privateZoneName",),
        compute=_zone,
        shape=(_lies_everywhere,),
        nested="CannotDeleteResource",
    ),
    Kind(
        token="azure-native:privatedns:VirtualNetworkLink",
        arm_type=f"{_NETWORK}/privateDnsZones/virtualNetworkLinks",
        path=("privateZoneName", "virtualNetworkLinkName"),
        required=("virtualNetwork",),
        links={"virtualNetwork.id": f"{_NETWORK}/virtualNetworks"},
        compute=_link,
        shape=(_lies_everywhere,),
        world=(_one_link_per_network, _same_name_once),
        fixed={"virtualNetwork": "BadRequest"},
    ),
    Kind(
        token=ENDPOINT,
        arm_type=f"{_NETWORK}/privateEndpoints",
        path=("privateEndpointName",),
        required=("subnet",),
        reference_code="InvalidResourceReference",
        links={"subnet.id": f"{_NETWORK}/virtualNetworks/subnets"},
        compute=_endpoint,
        shape=(_one_known_group,),
        world=(_target_allows_it, _subnet_has_room),
        fixed={"privateLinkServiceConnections": "PrivateEndpointUpdateNotAllowed"},
    ),
    Kind(
        token="azure-native:network:PrivateDnsZoneGroup",
        arm_type=f"{_NETWORK}/privateEndpoints/privateDnsZoneGroups",
        path=("privateEndpointName", "privateDnsZoneGroupName"),
        located=False,
        links={"privateDnsZoneConfigs[*].privateDnsZoneId": f"{_NETWORK}/privateDnsZones"},
        compute=_records,
        world=(_zones_fit_the_endpoint,),
    ),
)
