"""What the settings may not combine, and why. Each check names the sections it needs as its parameters and runs
when those are valid, so that one bad section does not hide a bad combination of others.

A check yields problems; nothing is raised here. Facts about Azure carry their reason beside them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from components import addressing, regions
from components.naming import Names
from validation.problems import Problem, below
from validation.reader import takes

if TYPE_CHECKING:
    from settings import (
        Agents,
        Alerts,
        Azure,
        Cluster,
        Defender,
        Logs,
        Monitoring,
        Network,
        Overrides,
        Pool,
        Registry,
        Settings,
        Stacks,
        Vault,
        Vaults,
    )

Check = Callable[..., Iterator[Problem]]
_CHECKS: list[Check] = []
_PREFIX = "aks-cicd:"


def check(function: Check) -> Check:
    _CHECKS.append(function)
    return function


def run(sections: Mapping[str, Any]) -> list[Problem]:
    """All problems of all checks whose sections are there."""
    found: list[Problem] = []
    for function in _CHECKS:
        needed = inspect.signature(function).parameters
        if needed.keys() <= sections.keys():
            found += function(**{name: sections[name] for name in needed})
    return found


def _problem(key: str, value: Any, allowed: str, mend: str) -> Problem:
    return Problem(_PREFIX + key, value, allowed, mend)


# ---------------------------------------------------------------- stacks


@check
def stacks_lean_one_way(stack: str, stacks: Stacks) -> Iterator[Problem]:
    for field, said in (
        ("delivery", stacks.delivery),
        ("promotesFrom", stacks.promotes_from),
        ("registry", stacks.registry),
    ):
        if said == stack:
            yield _problem(
                f"stacks.{field}",
                said,
                "the name of another stack",
                "name the stack it leans on, or leave out what the environment owns itself",
            )


@check
def delivery_lives_in_nonproduction(tier: str, stacks: Stacks) -> Iterator[Problem]:
    if tier == "production" and stacks.delivery is None:
        yield _problem(
            "stacks.delivery",
            None,
            "the nonproduction stack that owns the Azure DevOps project",
            "name it; whoever administers delivery must not do so by way of production",
        )


@check
def promotion_goes_to_production(tier: str, stacks: Stacks) -> Iterator[Problem]:
    if tier == "nonproduction" and stacks.promotes_from:
        yield _problem("stacks.promotesFrom", stacks.promotes_from, "set in production only", "remove it")
    if tier == "production" and not (stacks.promotes_from or stacks.registry):
        yield _problem(
            "stacks.promotesFrom",
            None,
            "the nonproduction stack whose images are promoted (or `registry`: a production stack)",
            "name the stack that images come from",
        )


# ---------------------------------------------------------------- agents and what they must reach


@check
def private_api_server_has_agents_inside(cluster: Cluster, agents: Agents) -> Iterator[Problem]:
    if cluster.access == "private" and agents.kind == "hosted":
        yield _problem(
            "agents.kind",
            agents.kind,
            "managed, because aks-cicd:cluster.access is private",
            "set agents.kind to managed: Microsoft-hosted agents cannot reach a private API server",
        )


@check
def hosted_agents_reach_the_api_server(cluster: Cluster, agents: Agents) -> Iterator[Problem]:
    if agents.kind == "hosted" and cluster.authorized_ranges:
        yield _problem(
            "cluster.authorizedRanges",
            cluster.authorized_ranges,
            "empty with aks-cicd:agents.kind hosted",
            "remove the ranges, or set agents.kind to managed: hosted agents have no stable address",
        )


@check
def hosted_agents_reach_the_ci_vault(vaults: Vaults, agents: Agents) -> Iterator[Problem]:
    if agents.kind == "hosted" and vaults.ci and vaults.ci.access != "public":
        yield _problem(
            "vaults.ci.access",
            vaults.ci.access,
            "public with aks-cicd:agents.kind hosted",
            "set it to public, or agents.kind to managed: a vault's trusted services exclude Azure DevOps",
        )


@check
def hosted_agents_reach_the_registry(tier: str, registry: Registry | None, agents: Agents) -> Iterator[Problem]:
    if tier == "nonproduction" and agents.kind == "hosted" and registry and registry.access != "public":
        yield _problem(
            "registry.access",
            registry.access,
            "public with aks-cicd:agents.kind hosted",
            "set it to public, or agents.kind to managed: CI pushes images from its agent",
        )


@check
def managed_agents_have_a_way_out(network: Network, agents: Agents) -> Iterator[Problem]:
    # Our subnets have no default outbound access, and the cluster's load balancer serves its nodes only.
    if agents.kind == "managed" and network.egress == "loadBalancer":
        yield _problem(
            "network.egress",
            network.egress,
            "natGateway or hubRouteTable with aks-cicd:agents.kind managed",
            "use natGateway: a load balancer lets the cluster's nodes out, and not the agents' subnet",
        )


# ---------------------------------------------------------------- addresses


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
            yield _problem(
                second,
                ranges[second],
                f"a range that does not overlap with {_PREFIX}{first} ({ranges[first]})",
                "move one of the two",
            )


@check
def ranges_are_not_azures_own(network: Network) -> Iterator[Problem]:
    for key, cidr in (
        ("addressSpace", network.address_space),
        ("podRange", network.pod_range),
        ("serviceRange", network.service_range),
    ):
        taken = [own for own in _AZURES_OWN if own.overlaps(IPv4Network(cidr))]
        if taken:
            yield _problem(
                f"network.{key}",
                cidr,
                f"a range without {', '.join(map(str, taken))}, which Azure or AKS keeps for itself",
                "choose another range, such as one in 10.0.0.0/8",
            )


@check
def address_space_has_a_usable_size(network: Network) -> Iterator[Problem]:
    largest, smallest = addressing.LARGEST_SPACE, addressing.SMALLEST_SPACE
    if not _usable(network.address_space):
        yield _problem(
            "network.addressSpace",
            network.address_space,
            f"a range from /{smallest} to /{largest}",
            "choose a range of such a size",
        )


@check
def service_range_has_a_usable_size(network: Network) -> Iterator[Problem]:
    # AKS refuses services' ranges larger than /12; our DNS service address is the tenth of the range.
    if not 12 <= IPv4Network(network.service_range).prefixlen <= 27:
        yield _problem("network.serviceRange", network.service_range, "a range from /27 to /12", "change its size")


@check
def subnets_lie_in_the_address_space(network: Network) -> Iterator[Problem]:
    own = own_subnets(network)
    planned = addressing.plan(network.address_space, own) if _usable(network.address_space) else own
    for name, cidr in own.items():
        key = f"network.subnets.{_camel(name)}"
        if not addressing.within(cidr, network.address_space):
            yield _problem(key, cidr, f"a range within {network.address_space}", "move it inside, or widen the space")
        if IPv4Network(cidr).prefixlen > 28:
            yield _problem(key, cidr, "a range of /28 or larger", "widen it: Azure keeps five addresses of each")
    for first, second in addressing.overlaps(planned):
        if first in own or second in own:
            named = second if second in own else first
            other = first if named == second else second
            yield _problem(
                f"network.subnets.{_camel(named)}",
                planned[named],
                f"a range that does not overlap with the subnet {other} ({planned[other]})",
                f"move it, or set network.subnets.{_camel(other)} too",
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
        yield _problem(
            f"network.{key}",
            said,
            f"a range that leaves {needed} nodes an address, those of an upgrade included (it leaves "
            f"{addressing.holds(subnet)} in {subnet})",
            "widen the range, or lower maxNodes",
        )


@check
def pods_fit_their_range(network: Network, cluster: Cluster) -> Iterator[Problem]:
    # The overlay hands every node a /24 of the pods' range.
    nodes = _nodes_in_an_upgrade(cluster)
    prefix = IPv4Network(network.pod_range).prefixlen
    if 2 ** (24 - prefix) < nodes:
        yield _problem(
            "network.podRange",
            network.pod_range,
            f"a range that holds a /24 for each of {nodes} nodes, those of an upgrade included",
            "widen the range, or lower maxNodes",
        )


@check
def hub_route_table_goes_with_its_egress(network: Network) -> Iterator[Problem]:
    table = network.hub.route_table_id if network.hub else None
    if network.egress == "hubRouteTable" and not table:
        yield _problem(
            "network.hub.routeTableId",
            None,
            "the id of a route table, because aks-cicd:network.egress is hubRouteTable",
            "name the table that leads to the hub's firewall, or choose another egress",
        )
    if table and network.egress != "hubRouteTable":
        yield _problem(
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
        yield _problem(
            "network.hub.egressAddresses",
            None,
            "the public addresses of the hub's firewall, because nodes come from there",
            "list them, or use natGateway as egress",
        )
    if network.egress == "loadBalancer" and registry and registry.access == "restricted":
        yield _problem(
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
            yield _problem(
                f"{key}.allowedRanges",
                None,
                "at least one public range",
                "list who may come in, or use private",
            )
        if section and section.access != "restricted" and section.allowed_ranges:
            yield _problem(
                f"{key}.allowedRanges",
                section.allowed_ranges,
                f"empty with {_PREFIX}{key}.access {section.access}",
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
                yield _problem(
                    f"{key}[{number}]",
                    cidr,
                    "a public range" if "/" in cidr else "a public address",
                    "use the address that the internet sees you with",
                )


@check
def zones_named_are_used(
    network: Network, cluster: Cluster, vaults: Vaults, registry: Registry | None
) -> Iterator[Problem]:
    zones = network.private_dns_zones
    private = {
        "registry": registry is not None and registry.access == "private",
        "vault": any(vault and vault.access == "private" for vault in (vaults.workload, vaults.ci)),
        "api_server": cluster.access == "private",
    }
    for name, used in private.items():
        if getattr(zones, name) and not used:
            yield _problem(
                f"network.privateDnsZones.{_camel(name)}",
                getattr(zones, name),
                "set only when what it names is private",
                "remove it, or make the access private",
            )


# ---------------------------------------------------------------- cluster


@check
def zones_exist_in_the_region(azure: Azure, cluster: Cluster, registry: Registry | None) -> Iterator[Problem]:
    if azure.location in regions.WITH_ZONES:
        return
    mend = "remove it, or choose a region with zones, such as westeurope or swedencentral"
    if cluster.zones:
        yield _problem("cluster.zones", cluster.zones, f"empty: {azure.location} has no availability zones", mend)
    if registry and registry.zone_redundant:
        yield _problem("registry.zoneRedundant", True, f"false: {azure.location} has no availability zones", mend)


@check
def grafanas_zones_exist_in_its_region(azure: Azure, monitoring: Monitoring) -> Iterator[Problem]:
    location = monitoring.metrics_location or azure.location
    if monitoring.grafana.zone_redundant and location not in regions.WITH_ZONES:
        yield _problem(
            "monitoring.grafana.zoneRedundant",
            True,
            f"false: {location} has no availability zones",
            "remove it, or set monitoring.metricsLocation to a region with zones",
        )


@check
def zones_are_named_once(cluster: Cluster) -> Iterator[Problem]:
    if len(set(cluster.zones)) != len(cluster.zones):
        yield _problem("cluster.zones", cluster.zones, "each zone once", "remove the repetition")


@check
def pools_can_hold_what_they_must(tier: str, cluster: Cluster) -> Iterator[Problem]:
    for key, pool in _pools(cluster):
        if pool.min_nodes > pool.max_nodes:
            yield _problem(
                f"{key}.minNodes",
                pool.min_nodes,
                f"at most maxNodes ({pool.max_nodes})",
                "lower it or raise maxNodes",
            )
        if tier == "production" and pool.min_nodes < 2:
            yield _problem(
                f"{key}.minNodes",
                pool.min_nodes,
                "2 or more in production",
                "raise it: one node is no redundancy",
            )


@check
def ephemeral_disks_fit_their_size(cluster: Cluster) -> Iterator[Problem]:
    for key, pool in _pools(cluster):
        room = local_disk_gb(pool.vm_size)
        if pool.os_disk == "ephemeral" and not room:
            yield _problem(
                f"{key}.osDisk",
                pool.os_disk,
                f"managed with the size {pool.vm_size}: its name tells of no local disk",
                "set osDisk to managed, or choose a size with a local disk (a `d` in its name)",
            )
        elif pool.os_disk == "ephemeral" and room < pool.os_disk_gb:
            yield _problem(
                f"{key}.osDiskGb",
                pool.os_disk_gb,
                f"at most {room} with an ephemeral disk: what {pool.vm_size} has locally",
                "lower it, choose a size with a larger local disk, or set osDisk to managed",
            )


@check
def production_is_no_experiment(tier: str, cluster: Cluster) -> Iterator[Problem]:
    if tier == "production" and cluster.sku == "Free":
        yield _problem(
            "cluster.sku", cluster.sku, "Standard or Premium in production", "use Standard: Free has no service level"
        )
    if tier == "production" and cluster.run_command:
        yield _problem(
            "cluster.runCommand",
            True,
            "false in production",
            "remove it: run command lets whoever holds an Azure role act inside a closed cluster",
        )


@check
def authorized_ranges_need_a_public_api_server(cluster: Cluster) -> Iterator[Problem]:
    if cluster.access == "private" and cluster.authorized_ranges:
        yield _problem(
            "cluster.authorizedRanges",
            cluster.authorized_ranges,
            "empty with aks-cicd:cluster.access private",
            "remove them: they do not apply to a private end point",
        )


# ---------------------------------------------------------------- registry, vaults, logs


@check
def registry_is_its_own_or_anothers(registry: Registry | None, stacks: Stacks) -> Iterator[Problem]:
    if stacks.registry and registry:
        yield _problem(
            "registry",
            _said(registry),
            f"left out with aks-cicd:stacks.registry {stacks.registry}",
            "remove one of the two: an environment has its own registry or uses another's",
        )
    if not stacks.registry and not registry:
        yield _problem(
            "registry",
            None,
            "a mapping with the key access at least, or left out with aks-cicd:stacks.registry",
            "say how open it is: registry.access",
        )


@check
def no_live_image_is_purged(tier: str, azure: Azure, registry: Registry | None) -> Iterator[Problem]:
    if registry is None:
        return
    if tier == "production" and registry.untagged_retention_days:
        yield _problem(
            "registry.untaggedRetentionDays",
            registry.untagged_retention_days,
            "0 in production",
            "use softDeleteDays: an image that runs by digest may have lost its tag",
        )
    if tier == "nonproduction" and registry.soft_delete_days:
        yield _problem(
            "registry.softDeleteDays",
            registry.soft_delete_days,
            "0 in nonproduction",
            "use untaggedRetentionDays; Azure refuses both at once",
        )
    if registry.soft_delete_days and registry.replicas:
        yield _problem(
            "registry.softDeleteDays",
            registry.soft_delete_days,
            "0 with replicas",
            "remove one of the two: soft delete does not work in a geo-replicated registry",
        )
    if azure.location in registry.replicas or len(set(registry.replicas)) != len(registry.replicas):
        yield _problem(
            "registry.replicas",
            registry.replicas,
            f"each region once, without {azure.location}",
            "remove the repetition",
        )


@check
def ci_vault_lives_with_delivery(stacks: Stacks, vaults: Vaults) -> Iterator[Problem]:
    if stacks.delivery and vaults.ci:
        yield _problem(
            "vaults.ci",
            _said(vaults.ci),
            f"left out: the CI vault lives in {stacks.delivery}",
            "remove it, or remove stacks.delivery",
        )
    if not stacks.delivery and not vaults.ci:
        yield _problem(
            "vaults.ci",
            None,
            "a mapping with the key access at least, because delivery lives here",
            "say how open it is: vaults.ci.access",
        )


@check
def logs_go_to_one_workspace(logs: Logs) -> Iterator[Problem]:
    for key, said in (("retentionDays", logs.retention_days), ("dailyCapGb", logs.daily_cap_gb)):
        if logs.workspace_id and said:
            yield _problem(
                f"logs.{key}",
                said,
                "left out with aks-cicd:logs.workspaceId",
                "remove it: an existing workspace keeps its own",
            )
    if not logs.workspace_id and not logs.retention_days:
        yield _problem(
            "logs.retentionDays",
            None,
            takes(logs, "retention_days"),
            "say how long logs are kept, or name a workspace",
        )


@check
def existing_workspace_says_where_it_is(logs: Logs) -> Iterator[Problem]:
    if logs.location and not logs.workspace_id:
        yield _problem(
            "logs.location",
            logs.location,
            "left out without aks-cicd:logs.workspaceId",
            "remove it: a workspace of our own lies in the environment's region",
        )
    if logs.basic_tables and logs.workspace_id:
        yield _problem(
            "logs.basicTables",
            logs.basic_tables,
            "left out with aks-cicd:logs.workspaceId",
            "remove it: the plans of an existing workspace are its owner's",
        )
    if len(set(logs.basic_tables)) != len(logs.basic_tables):
        yield _problem("logs.basicTables", logs.basic_tables, "each table once", "remove the repetition")


@check
def alerts_reach_somebody(alerts: Alerts) -> Iterator[Problem]:
    if not (alerts.emails or alerts.webhooks):
        yield _problem(
            "alerts.emails",
            None,
            "at least one receiver, by e-mail or webhook",
            "name who is told when something fires",
        )


@check
def receivers_have_names_of_their_own(alerts: Alerts) -> Iterator[Problem]:
    # Azure takes a name once in an action group, whatever the kind of receiver, and without regard to case.
    taken: dict[str, str] = {}
    for kind, receivers in (("emails", alerts.emails), ("webhooks", alerts.webhooks)):
        for name in receivers:
            key = below(f"alerts.{kind}", name)
            if name.lower() in taken:
                allowed = f"another name than {_PREFIX}{taken[name.lower()]}"
                yield _problem(key, receivers[name], allowed, "rename one of the two receivers")
            taken.setdefault(name.lower(), key)


@check
def managed_plans_have_a_contact(defender: Defender) -> Iterator[Problem]:
    if defender.plans == "managed" and not defender.contacts:
        yield _problem(
            "defender.contacts",
            None,
            "at least one e-mail address with aks-cicd:defender.plans managed",
            "name whom Defender for Cloud writes to",
        )
    if defender.plans != "managed" and defender.contacts:
        yield _problem(
            "defender.contacts",
            defender.contacts,
            f"left out with aks-cicd:defender.plans {defender.plans}",
            "remove them: the contact belongs to whoever owns the plans",
        )


# ---------------------------------------------------------------- names and placeholders


def planned_names(stack: str, workload: str, azure: Azure, generation: int, names: Overrides) -> Names:
    own = {key: value for key, value in names.model_dump().items() if value}
    return Names(workload, stack, azure.subscription_id, generation, own)


@check
def names_fit_their_limits(
    stack: str, workload: str, azure: Azure, generation: int, names: Overrides
) -> Iterator[Problem]:
    for misfit in planned_names(stack, workload, azure, generation, names).misfits():
        rule = misfit.rule
        yield _problem(
            f"names.{_camel(misfit.what)}",
            misfit.name,
            f"{rule.shortest} to {rule.longest} {rule.words} (it has {len(misfit.name)} characters)",
            "shorten or correct the name",
        )


@check
def names_beside_each_other_differ(
    stack: str, workload: str, azure: Azure, generation: int, names: Overrides
) -> Iterator[Problem]:
    # Two vaults cannot share a name, and AKS makes the nodes' group itself.
    planned = planned_names(stack, workload, azure, generation, names)
    for first, second in (("resource_group", "node_resource_group"), ("ci_vault", "workload_vault")):
        if getattr(planned, first).lower() == getattr(planned, second).lower():
            yield _problem(
                f"names.{_camel(second)}",
                getattr(planned, second),
                f"another name than {_PREFIX}names.{_camel(first)}",
                "rename one of the two",
            )


PLACEHOLDER_GUID = "00000000-0000-0000-0000-"
PLACEHOLDER_RANGES = tuple(IPv4Network(cidr) for cidr in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
PLACEHOLDER_HOSTS = re.compile(r"(?i)(?:[.@/]|\A)example(?:\.(?:com|net|org))?(?:[:/]|\Z)")
"""The reserved placeholders: GUIDs that start with zeros, the documentation ranges of RFC 5737, and the example
domains of RFC 2606. Shipped stack files use these and no others."""


def is_placeholder(value: str) -> bool:
    if PLACEHOLDER_GUID in value or PLACEHOLDER_HOSTS.search(value):
        return True
    try:
        network = IPv4Network(value)
    except ValueError:
        return False
    return any(network.overlaps(reserved) for reserved in PLACEHOLDER_RANGES) and network.prefixlen >= 24


def placeholders(project: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Reserved placeholders that still stand in a file that is meant for a real cloud."""
    for path, value in leaves(config):
        if is_placeholder(value):
            yield Problem(
                f"{project}:{path}",
                value,
                "a value of your own; this one is a reserved placeholder",
                "replace it (the rehearsal alone accepts placeholders)",
            )


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string below a node, with its path."""
    if isinstance(node, BaseModel):
        node = dict(node)
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from leaves(value, below(path, str(key)))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from leaves(value, below(path, number))
    elif isinstance(node, str):
        yield path, node


# ---------------------------------------------------------------- what is allowed, but worth a word


def warnings(settings: Settings) -> Iterator[str]:
    if settings.defender.plans == "none":
        yield "Nobody scans images and nobody watches the sensor (aks-cicd:defender.plans is none)."
    if settings.production:
        if settings.cluster.access == "public":
            yield "The production API server is public (aks-cicd:cluster.access)."
        for key, vault in (("workload", settings.vaults.workload), ("ci", settings.vaults.ci)):
            if vault and vault.access == "public":
                yield f"A production vault is public (aks-cicd:vaults.{key}.access)."
        if settings.registry and settings.registry.access == "public":
            yield "The production registry is public (aks-cicd:registry.access)."
        if settings.registry and not settings.registry.soft_delete_days:
            yield "What is deleted from the production registry is gone at once (aks-cicd:registry.softDeleteDays)."
        if len(settings.cluster.zones) < 2:
            yield "The production cluster does not spread over zones (aks-cicd:cluster.zones)."
    if settings.cluster.access == "public" and not settings.cluster.authorized_ranges:
        yield "The API server answers the whole internet, Entra ID alone guards it (aks-cicd:cluster.authorizedRanges)."
    if settings.cluster.upgrades.channel == "none":
        yield "Nobody upgrades Kubernetes but you (aks-cicd:cluster.upgrades.channel is none)."


# ---------------------------------------------------------------- helpers

_NOT_PUBLIC = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


_AZURES_OWN = tuple(
    IPv4Network(cidr)
    for cidr in (
        # No virtual network may hold these: loopback, link-local, Azure's DNS and probes, multicast and above.
        *("127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "224.0.0.0/3"),
        # No cluster may: AKS uses them inside.
        *("172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"),
    )
)


def _usable(space: str) -> bool:
    """Whether an address space has a size that subnets can be planned in."""
    return addressing.LARGEST_SPACE <= IPv4Network(space).prefixlen <= addressing.SMALLEST_SPACE


def _nodes_in_an_upgrade(cluster: Cluster) -> int:
    """A third more than at most, because an upgrade surges by a third; with the overlay a node takes one address."""
    return sum(pool.max_nodes + -(-pool.max_nodes // 3) for _, pool in _pools(cluster))


def own_subnets(network: Network) -> dict[str, str]:
    """The subnets' ranges that the settings name, by the planned name."""
    said = {name.replace("_", "-"): cidr for name, cidr in network.subnets.model_dump().items()}
    return {name: cidr for name, cidr in said.items() if cidr}


def local_disk_gb(vm_size: str) -> int:
    """What a VM size holds on its local disk, in GiB, as far as its name tells.

    Sizes with a `d` among their features have a local disk; the D, E and F families of versions 2 to 5 have 37.5 GiB
    for each virtual CPU. Of other families only whether there is a disk is told, and Azure judges the size.
    """
    found = re.fullmatch(r"Standard_([A-Z]+)(\d+)(?:-\d+)?([a-z]*)(?:_.*)?", vm_size)
    if not found or "d" not in found[3]:
        return 0
    return int(int(found[2]) * 37.5) if found[1] in ("D", "E", "F") else 2048


def _pools(cluster: Cluster) -> Iterator[tuple[str, Pool]]:
    yield "cluster.systemPool", cluster.system_pool
    for name, pool in cluster.user_pools.items():
        yield below("cluster.userPools", name), pool


def _said(section: BaseModel) -> Any:
    """A section as it stands in the file."""
    return section.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _camel(name: str) -> str:
    head, *rest = re.split(r"[_-]", name)
    return head + "".join(part.capitalize() for part in rest)
