"""What a cluster needs around it: subnets with room, and ways out; and what an upgrade may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.azure.cluster_network import OVERLAY_NAME, is_overlay
from rehearsal.cloud.azure.cluster_rights import check_rights, pool_subnets
from rehearsal.cloud.azure.network import delegated_to, overlap, parse_range, prefixes, spaces_of, subnet_of
from rehearsal.cloud.azure.pool_rules import order_of
from rehearsal.cloud.kinds import Request, refuse_unless

CLUSTER_DELEGATION: Final = "Microsoft.ContainerService/managedClusters"


def _subnets(request: Request) -> None:
    subnets = pool_subnets(request)
    if not subnets:
        return
    networks = {arm.parent_of(subnet).lower() for subnet in subnets}
    refuse_unless(
        len(networks) == 1,
        "InvalidParameter",
        f"Cluster {request.name}: all pools must lie in one virtual network.",
    )
    refuse_unless(
        len(subnets) == len(list(request.blocks("agentPoolProfiles"))),
        "InvalidParameter",
        f"Cluster {request.name}: either every pool has a vnetSubnetID, or none.",
    )
    for subnet in subnets:
        check_node_subnet(request, subnet)
        if is_overlay(request):
            parts = (
                arm.name_of(subnet),
                arm.name_of(arm.parent_of(subnet)),
                arm.name_of(str(arm.group_of(subnet))),
            )
            for part in parts:
                refuse_unless(
                    len(part) <= OVERLAY_NAME,
                    "InvalidParameter",
                    f"Cluster {request.name}: '{part}' has {len(part)} characters; with an overlay "
                    "network, subnet, "
                    f"network and its group have at most {OVERLAY_NAME}.",
                )
    pools = list(request.blocks("agentPoolProfiles"))
    for pool in pools:
        check_room(request, pool, overlay=is_overlay(request))


def check_node_subnet(request: Request, subnet_id: str) -> None:
    subnet = subnet_of(request.world, subnet_id)
    if subnet is not None:
        refuse_unless(
            not delegated_to(subnet),
            "SubnetIsDelegated",
            f"{request.name}: nodes cannot lie in {subnet_id}, which is delegated to {delegated_to(subnet)}.",
        )


def check_room(request: Request, pool: Mapping[str, Any], *, overlay: bool) -> None:
    """A node takes one address; without an overlay each of its pods takes one more."""
    subnet = subnet_of(request.world, str(pool.get("vnetSubnetID")))
    if subnet is None or not prefixes(subnet):
        return
    room = sum(parse_range(text).num_addresses for text in prefixes(subnet)) - 5
    nodes = int(pool.get("maxCount") or pool.get("count") or 1)
    needed = nodes * (1 if overlay else 1 + int(pool.get("maxPods") or 30))
    refuse_unless(
        needed <= room,
        "InsufficientSubnetSize",
        f"Pool {pool.get('name', request.name)}: {nodes} nodes need {needed} addresses; its subnet has {room}.",
    )


def _ranges_do_not_meet(request: Request) -> None:
    networks = {arm.parent_of(subnet) for subnet in pool_subnets(request)}
    for key, code in (
        ("serviceCidr", "ServiceCidrOverlapExistingSubnetsCidr"),
        ("podCidr", "PodCidrOverlapVnetCidr"),
    ):
        text = request.get(f"networkProfile.{key}")
        for network in networks if text is not None else ():
            for space in spaces_of(request.world, network):
                refuse_unless(
                    not overlap(parse_range(text), space),
                    code,
                    f"Cluster {request.name}: {key} {text} overlaps the address space {space} of {network}.",
                )


def _way_out(request: Request) -> None:
    outbound = request.get("networkProfile.outboundType", "loadBalancer")
    needs = {
        "userAssignedNATGateway": ("natGateway", "NatGatewayNotAssociatedWithSubnet"),
        "userDefinedRouting": ("routeTable", "ExistingRouteTableNotAssociatedWithSubnet"),
    }
    if outbound in needs:
        block, code = needs[outbound]
        refuse_unless(
            bool(pool_subnets(request)),
            code,
            f"Cluster {request.name}: outboundType {outbound} needs a subnet of one's own.",
        )
        for subnet_id in pool_subnets(request):
            subnet = subnet_of(request.world, subnet_id)
            refuse_unless(
                subnet is None or subnet.get(block) is not None,
                code,
                f"Cluster {request.name}: outboundType {outbound} needs a {block} on {subnet_id}.",
            )


def _api_server_subnet(request: Request) -> None:
    subnet_id = request.get("apiServerAccessProfile.subnetId")
    if subnet_id is None:
        return
    subnet = subnet_of(request.world, subnet_id)
    if subnet is not None:
        refuse_unless(
            CLUSTER_DELEGATION in delegated_to(subnet),
            "APIServerSubnetNotDelegated",
            f"Cluster {request.name}: {subnet_id} must be delegated to {CLUSTER_DELEGATION}.",
        )
        refuse_unless(
            any(parse_range(text).num_addresses >= 16 for text in prefixes(subnet)),
            "InsufficientSubnetSize",
            f"Cluster {request.name}: {subnet_id} must be /28 or larger.",
        )
    for other in request.world.users_of(subnet_id):
        # Grants and locks lie under the subnet and are no workload of it.
        refuse_unless(
            arm.same(other.id, request.id),
            "APIServerSubnetInUse",
            f"Cluster {request.name}: {subnet_id} is also used by {other.id}; it must hold API servers only.",
        )
    networks = {arm.parent_of(value).lower() for value in pool_subnets(request)}
    refuse_unless(
        not networks or arm.parent_of(subnet_id).lower() in networks,
        "InvalidParameter",
        f"Cluster {request.name}: the API server's subnet must lie in the nodes' network.",
    )


def _upgrade_is_a_step_up(request: Request) -> None:
    before = request.old.outputs.get("currentKubernetesVersion") if request.old is not None else None
    after = request.get("kubernetesVersion")
    if before is None or after is None or after == request.old.inputs.get("kubernetesVersion"):  # type: ignore[union-attr]
        return
    old, new = order_of(str(before)), order_of(after)
    refuse_unless(new >= old, "OperationNotAllowed", f"Cluster {request.name}: {before} cannot go back to {after}.")
    refuse_unless(
        new[1] - old[1] <= 1,
        "OperationNotAllowed",
        f"Cluster {request.name}: from {before} to {after} skips a minor version.",
    )


def _no_new_inline_pool(request: Request) -> None:
    if request.old is None:
        return
    before = {pool.get("name") for pool in request.old.inputs.get("agentPoolProfiles") or []}
    for name in _pool_names(request):
        known = name in before or request.world.find(f"{request.id}/agentPools/{name}") is not None
        refuse_unless(known, "BadRequest", f"A new agent pool was introduced: {name}. Make it an AgentPool of its own.")


def _pool_names(request: Request) -> Iterator[object]:
    return (pool.get("name") for pool in request.blocks("agentPoolProfiles"))


WORLD: Final[tuple[Callable[[Request], Any], ...]] = (
    _subnets,
    _ranges_do_not_meet,
    _way_out,
    _api_server_subnet,
    check_rights,
    _upgrade_is_a_step_up,
    _no_new_inline_pool,
)
