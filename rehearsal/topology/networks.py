"""The inner part of an environment: its networks with their subnets, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from rehearsal.delivery.index import POOL
from rehearsal.graph import Resource
from rehearsal.topology import facts
from rehearsal.topology.namespaces import namespaces
from rehearsal.topology.nodes import Access, Node, Outside
from rehearsal.topology.stack import Stack
from rehearsal.words import last


def networks(stack: Stack) -> tuple[Node, ...]:
    """Each virtual network of the stack with its subnets in the order of their ranges."""
    subnets = sorted(stack.of(facts.SUBNET), key=_by_range)
    return tuple(
        replace(
            stack.node(
                "network",
                network,
                label="Virtual network",
                aside=" ".join(facts.texts(network.get("addressSpace.addressPrefixes"))),
            ),
            children=tuple(
                _subnet(stack, each) for each in subnets if each.id.lower().startswith(f"{network.id.lower()}/")
            ),
        )
        for network in stack.of(facts.NETWORK)
    )


def homeless(stack: Stack) -> Iterator[Node]:
    """Node pools, agents and private end points in subnets that are not of this stack."""
    for cluster in stack.of(facts.CLUSTER):
        for subnet in sorted(_pools(stack, cluster)):
            if not stack.at(subnet):
                yield _nodes(stack, cluster, subnet)
    for point in stack.of(facts.END_POINT):
        if not stack.at(point.get("subnet.id")):
            yield _end_point(stack, point)
    for pool in stack.of(POOL):
        if not stack.at(_subnet_of(pool)):
            yield _agents(stack, pool)


def nodes_key(cluster: Resource, subnet_id: str) -> str:
    return f"{cluster.urn} in {subnet_id}"


def first_nodes(stack: Stack, cluster: Resource) -> str:
    """Key of the box from which the cluster's connections start: its first pools."""
    return nodes_key(cluster, min(_pools(stack, cluster), default=""))


def api_server(stack: Stack, cluster: Resource) -> Node:
    return stack.node(
        "service",
        cluster,
        label=facts.label(cluster),
        name=str(cluster.get("privateFQDN") or cluster.get("fqdn") or cluster.name),
        facts=facts.facts(cluster),
        access=facts.access(cluster),
    )


def is_inside(stack: Stack, cluster: Resource) -> bool:
    """Whether the API server answers in a subnet of this stack, and nowhere else."""
    subnet = stack.at(cluster.get("apiServerAccessProfile.subnetId"))
    return subnet is not None and facts.access(cluster) == Access.PRIVATE


def outside(stack: Stack) -> Outside | None:
    """What the stack's peerings and route tables lead to, if there are any."""
    peerings = stack.of(facts.PEERING)
    routed = [subnet for subnet in stack.of(facts.SUBNET) if subnet.get("routeTable.id")]
    tables = sorted({str(subnet.get("routeTable.id")) for subnet in routed})
    remotes = sorted({str(peering.get("remoteVirtualNetwork.id", "?")) for peering in peerings})
    if not peerings and not routed:
        return None
    leads = [f"{stack.name} leaves by route table {last(table)}" for table in tables]
    homes = [", ".join(filter(None, (_group(id_), _subscription(id_)))) for id_ in remotes]
    return Outside(
        key=" ".join(remotes or tables).lower(),
        name=", ".join(map(last, remotes)) or "next hop of the route table",
        facts=tuple(filter(None, (*homes, *leads))),
        peered=tuple(sorted({_network_of(stack, peering) for peering in peerings})),
        routed=tuple(sorted(subnet.urn for subnet in routed)),
        tooltip="\n".join(
            ("A network that somebody else owns", *remotes, *tables, *(stack.told(each) for each in peerings))
        ),
        covers=tuple(urn for each in peerings for urn in (each.urn, *stack.above(each))),
    )


def _network_of(stack: Stack, peering: Resource) -> str:
    owner = stack.at(peering.id.lower().split("/virtualnetworkpeerings/")[0])
    return owner.urn if owner else ""


def _group(id_: str) -> str:
    return _after(id_, "resourcegroups")


def _subscription(id_: str) -> str:
    found = _after(id_, "subscriptions")
    return f"subscription {found}" if found else ""


def _after(id_: str, key: str) -> str:
    parts = id_.split("/")
    lower = [part.lower() for part in parts]
    return parts[lower.index(key) + 1] if key in lower[:-1] else ""


def _by_range(subnet: Resource) -> tuple[Any, ...]:
    try:
        network = ip_network(str(subnet.get("addressPrefix", "")), strict=False)
    except ValueError:
        return (1, 0, 0, subnet.name)
    return (0, network.version, int(network.network_address), subnet.name)


def _subnet(stack: Stack, subnet: Resource) -> Node:
    guard = stack.at(subnet.get("networkSecurityGroup.id"))
    id_ = subnet.id.lower()
    inside = [_nodes(stack, cluster, id_) for cluster in stack.of(facts.CLUSTER) if id_ in _pools(stack, cluster)]
    inside += [
        api_server(stack, cluster)
        for cluster in stack.of(facts.CLUSTER)
        if is_inside(stack, cluster) and stack.at(cluster.get("apiServerAccessProfile.subnetId")) == subnet
    ]
    inside += [_agents(stack, pool) for pool in stack.of(POOL) if _subnet_of(pool) == id_]
    inside += [
        _end_point(stack, point)
        for point in stack.of(facts.END_POINT)
        if str(point.get("subnet.id", "")).lower() == id_
    ]
    return replace(
        stack.node(
            "subnet",
            subnet,
            with_=[guard] if guard else [],
            aside=str(subnet.get("addressPrefix", "")),
            badges=facts.subnet_badges(subnet),
        ),
        logged=guard is not None and guard.id.lower() in stack.logged,
        children=tuple(inside),
    )


def _pools(stack: Stack, cluster: Resource) -> Mapping[str, list[tuple[Mapping[str, Any], Resource | None]]]:
    """Pools by subnet id: the inline ones, and those that are resources of their own."""
    own = [
        pool
        for pool in stack.of(facts.POOL)
        if pool.parent == cluster.urn or pool.id.lower().startswith(f"{cluster.id.lower()}/")
    ]
    inline = cluster.get("agentPoolProfiles", [])
    # Azure's answer about a cluster lists every pool, also those declared on their own.
    taken = {pool.name for pool in own}
    found: dict[str, list[tuple[Mapping[str, Any], Resource | None]]] = {}
    for pool, resource in [
        *((pool, None) for pool in inline if pool.get("name") not in taken),
        *((pool.properties, pool) for pool in own),
    ]:
        found.setdefault(str(pool.get("vnetSubnetID") or "").lower(), []).append((pool, resource))
    return found


def _nodes(stack: Stack, cluster: Resource, subnet_id: str) -> Node:
    return Node(
        key=nodes_key(cluster, subnet_id),
        role="cluster",
        label="AKS node pools",
        name=cluster.name,
        facts=facts.node_facts(cluster),
        guard=stack.guard(cluster),
        logged=cluster.id.lower() in stack.logged,
        tooltip=stack.told(cluster),
        children=(
            *(_pool(stack, cluster, pool, resource) for pool, resource in _pools(stack, cluster)[subnet_id]),
            *(namespaces(stack) if _is_home(stack, cluster, subnet_id) else ()),
        ),
    )


def _is_home(stack: Stack, cluster: Resource, subnet_id: str) -> bool:
    """Whether objects in a cluster are shown here. What lies in which of several clusters, an export does not say."""
    return len(stack.of(facts.CLUSTER)) == 1 and first_nodes(stack, cluster) == nodes_key(cluster, subnet_id)


def _pool(stack: Stack, cluster: Resource, pool: Mapping[str, Any], resource: Resource | None) -> Node:
    shown: dict[str, Any] = {
        "name": str(pool.get("name", "?")),
        "aside": str(pool.get("mode", "")).lower(),
        "facts": facts.pool_facts(pool),
    }
    if resource:
        return stack.node("pool", resource, **shown)
    return Node(key=f"{cluster.urn} pool {shown['name']}", role="pool", tooltip=f"node pool {shown['name']}", **shown)


def _subnet_of(pool: Resource) -> str:
    """Where the machines of a managed pool run."""
    return str(pool.get("fabricProfile.networkProfile.subnetId", "")).lower()


def _agents(stack: Stack, pool: Resource) -> Node:
    """Machines that pipelines run on, with what Azure needs for them."""
    beside = [each for each in stack.resources if each.custom and each.parent == pool.parent and each is not pool]
    return stack.node("agents", pool, beside, label="Managed DevOps pool", facts=facts.facts(pool))


def _end_point(stack: Stack, point: Resource) -> Node:
    groups = [group for group in stack.of(facts.ZONE_GROUP) if group.id.lower().startswith(f"{point.id.lower()}/")]
    zones = [zone.get("privateDnsZoneId") for group in groups for zone in group.get("privateDnsZoneConfigs", [])]
    address = str(point.get("customDnsConfigs.0.ipAddresses.0", "no address yet"))
    told = [f"DNS zone {'of this stack' if stack.at(zone) else 'of the estate'}" for zone in zones]
    return stack.node(
        "point",
        point,
        with_=groups,
        label="Private end point",
        facts=(address, *dict.fromkeys(told or ["NO DNS ZONE"])),
    )
