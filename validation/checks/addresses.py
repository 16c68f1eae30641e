"""Ranges, the way out, and who may come in from where."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from components import addressing
from validation.checking import camel, check, pools, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Agents, Cluster, Network, Registry, Stacks, Vault, Vaults


_NOT_PUBLIC = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))

AZURES_OWN = tuple(
    IPv4Network(cidr)
    for cidr in (
        # No virtual network may hold these: loopback, link-local, Azure's DNS and probes, multicast and above.
        *("127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "224.0.0.0/3"),
        # No cluster may: AKS uses them inside.
        *("172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"),
    )
)


@check
def ranges_do_not_overlap(network: Network) -> Iterator[Problem]:
    ranges = {
        "network.addressSpace": network.address_space,
        "network.podRange": network.pod_range,
        "network.serviceRange": network.service_range,
    }
    for number, cidr in enumerate(network.hub.address_spaces if network.hub else ()):
        ranges[f"network.hub.addressSpaces[{number}]"] = cidr
    for first, second in addressing.overlaps(ranges):
        if not (first.startswith("network.hub") and second.startswith("network.hub")):
            yield problem(
                second,
                ranges[second],
                f"a range that does not overlap with aks-cicd:{first} ({ranges[first]})",
                "move one of the two",
            )


@check
def ranges_are_not_azures_own(network: Network) -> Iterator[Problem]:
    for key, cidr in (
        ("addressSpace", network.address_space),
        ("podRange", network.pod_range),
        ("serviceRange", network.service_range),
    ):
        taken = [own for own in AZURES_OWN if own.overlaps(IPv4Network(cidr))]
        if taken:
            yield problem(
                f"network.{key}",
                cidr,
                f"a range without {', '.join(map(str, taken))}, which Azure or AKS keeps for itself",
                "choose another range, such as one in 10.0.0.0/8",
            )


@check
def address_space_has_a_usable_size(network: Network) -> Iterator[Problem]:
    largest, smallest = addressing.LARGEST_SPACE, addressing.SMALLEST_SPACE
    if not _usable(network.address_space):
        yield problem(
            "network.addressSpace",
            network.address_space,
            f"a range from /{smallest} to /{largest}",
            "choose a range of such a size",
        )


@check
def service_range_has_a_usable_size(network: Network) -> Iterator[Problem]:
    # AKS refuses services' ranges larger than /12; our DNS service address is the tenth of the range.
    if not 12 <= IPv4Network(network.service_range).prefixlen <= 27:
        yield problem("network.serviceRange", network.service_range, "a range from /27 to /12", "change its size")


@check
def subnets_lie_in_the_address_space(network: Network) -> Iterator[Problem]:
    own = own_subnets(network)
    planned = addressing.plan(network.address_space, own) if _usable(network.address_space) else own
    for name, cidr in own.items():
        key = f"network.subnets.{camel(name)}"
        if not addressing.within(cidr, network.address_space):
            yield problem(key, cidr, f"a range within {network.address_space}", "move it inside, or widen the space")
        if IPv4Network(cidr).prefixlen > 28:
            yield problem(key, cidr, "a range of /28 or larger", "widen it: Azure keeps five addresses of each")
    for first, second in addressing.overlaps(planned):
        if first in own or second in own:
            named = second if second in own else first
            other = first if named == second else second
            yield problem(
                f"network.subnets.{camel(named)}",
                planned[named],
                f"a range that does not overlap with the subnet {other} ({planned[other]})",
                f"move it, or set network.subnets.{camel(other)} too",
            )


@check
def nodes_fit_their_subnet(network: Network, cluster: Cluster) -> Iterator[Problem]:
    if not _usable(network.address_space):
        return
    own = own_subnets(network)
    needed = _nodes_in_an_upgrade(cluster)
    subnet = addressing.plan(network.address_space, own)[addressing.NODES]
    if needed > addressing.holds(subnet):
        key, said = ("subnets.nodes", subnet) if addressing.NODES in own else ("addressSpace", network.address_space)
        yield problem(
            f"network.{key}",
            said,
            f"a range that leaves {needed} nodes an address, those of an upgrade included (it leaves "
            f"{addressing.holds(subnet)} in {subnet})",
            "widen the range, or lower maxNodes",
        )


@check
def agents_fit_their_subnet(network: Network, agents: Agents) -> Iterator[Problem]:
    if agents.kind != "managed" or not _usable(network.address_space):
        return
    subnet = addressing.plan(network.address_space, own_subnets(network))[addressing.AGENTS]
    if IPv4Network(subnet).prefixlen <= 28 and agents.maximum > addressing.holds(subnet):
        yield problem(
            "agents.maximum",
            agents.maximum,
            f"at most {addressing.holds(subnet)}: each has an address in {subnet}",
            "lower it, or set network.subnets.agents to a wider range",
        )


@check
def pods_fit_their_range(network: Network, cluster: Cluster) -> Iterator[Problem]:
    # The overlay hands every node a /24 of the pods' range.
    nodes = _nodes_in_an_upgrade(cluster)
    prefix = IPv4Network(network.pod_range).prefixlen
    if 2 ** (24 - prefix) < nodes:
        yield problem(
            "network.podRange",
            network.pod_range,
            f"a range that holds a /24 for each of {nodes} nodes, those of an upgrade included",
            "widen the range, or lower maxNodes",
        )


@check
def hub_route_table_goes_with_its_egress(network: Network) -> Iterator[Problem]:
    table = network.hub.route_table_id if network.hub else None
    if network.egress == "hubRouteTable" and not table:
        yield problem(
            "network.hub.routeTableId",
            None,
            "the id of a route table, because aks-cicd:network.egress is hubRouteTable",
            "name the table that leads to the hub's firewall, or choose another egress",
        )
    if table and network.egress != "hubRouteTable":
        yield problem(
            "network.hub.routeTableId",
            table,
            "set only with aks-cicd:network.egress hubRouteTable",
            "set the egress to hubRouteTable, or remove the table",
        )


@check
def allow_lists_hold_the_clusters_own_address(
    network: Network, cluster: Cluster, registry: Registry | None
) -> Iterator[Problem]:
    # Nodes and kubelets reach a public API server and a restricted registry from the egress address: when nobody
    # knows that address, the list shuts them out.
    by_list = bool(cluster.authorized_ranges) or (registry is not None and registry.access == "restricted")
    unknown = network.egress == "hubRouteTable" and network.hub and not network.hub.egress_addresses
    if by_list and unknown:
        yield problem(
            "network.hub.egressAddresses",
            None,
            "the public addresses of the hub's firewall, because nodes come from there",
            "list them, or use natGateway as egress",
        )
    if network.egress == "loadBalancer" and registry and registry.access == "restricted":
        yield problem(
            "registry.access",
            registry.access,
            "public or private with aks-cicd:network.egress loadBalancer",
            "use natGateway as egress: the load balancer's address is AKS's own and not known beforehand",
        )


@check
def allow_lists_go_with_restricted_access(vaults: Vaults, registry: Registry | None) -> Iterator[Problem]:
    named: dict[str, Vault | Registry | None] = {
        "vaults.workload": vaults.workload,
        "vaults.ci": vaults.ci,
        "registry": registry,
    }
    for key, section in named.items():
        if section and section.access == "restricted" and not section.allowed_ranges:
            yield problem(
                f"{key}.allowedRanges",
                None,
                "at least one public range",
                "list who may come in, or use private",
            )
        if section and section.access != "restricted" and section.allowed_ranges:
            yield problem(
                f"{key}.allowedRanges",
                section.allowed_ranges,
                f"empty with aks-cicd:{key}.access {section.access}",
                "set access to restricted, or remove the ranges",
            )


@check
def allowed_ranges_are_public(
    network: Network, cluster: Cluster, vaults: Vaults, registry: Registry | None
) -> Iterator[Problem]:
    # Firewalls of registries, vaults and API servers see public addresses only; Azure refuses others.
    lists = {
        "cluster.authorizedRanges": cluster.authorized_ranges,
        "vaults.workload.allowedRanges": vaults.workload.allowed_ranges,
    }
    if vaults.ci:
        lists["vaults.ci.allowedRanges"] = vaults.ci.allowed_ranges
    if registry:
        lists["registry.allowedRanges"] = registry.allowed_ranges
    if network.hub:
        lists["network.hub.egressAddresses"] = network.hub.egress_addresses
    for key, ranges in lists.items():
        for number, cidr in enumerate(ranges):
            if any(IPv4Network(cidr).overlaps(private) for private in _NOT_PUBLIC):
                yield problem(
                    f"{key}[{number}]",
                    cidr,
                    "a public range" if "/" in cidr else "a public address",
                    "use the address that the internet sees you with",
                )


@check
def zones_named_are_used(
    network: Network, cluster: Cluster, vaults: Vaults, registry: Registry | None, stacks: Stacks
) -> Iterator[Problem]:
    zones = network.private_dns_zones
    private = {
        "registry": stacks.registry_private or (registry is not None and registry.access == "private"),
        "vault": any(vault and vault.access == "private" for vault in (vaults.workload, vaults.ci)),
        "api_server": cluster.access == "private",
    }
    for name, used in private.items():
        if getattr(zones, name) and not used:
            yield problem(
                f"network.privateDnsZones.{camel(name)}",
                getattr(zones, name),
                "set only when what it names is private",
                "remove it, or make the access private",
            )


def _usable(space: str) -> bool:
    """Whether an address space has a size that subnets can be planned in."""
    return addressing.LARGEST_SPACE <= IPv4Network(space).prefixlen <= addressing.SMALLEST_SPACE


def _nodes_in_an_upgrade(cluster: Cluster) -> int:
    """A third more than at most, because an upgrade surges by a third; with the overlay a node takes one address."""
    return sum(pool.max_nodes + -(-pool.max_nodes // 3) for _, pool in pools(cluster))


def own_subnets(network: Network) -> dict[str, str]:
    """The subnets' ranges that the settings name, by the planned name."""
    said = {name.replace("_", "-"): cidr for name, cidr in network.subnets.model_dump().items()}
    return {name: cidr for name, cidr in said.items() if cidr}
