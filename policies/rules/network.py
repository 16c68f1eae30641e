"""Networks: every subnet guarded, nothing open by default, a private way to what is closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get
from policies.rule import MANDATORY, on_resource, on_stack
from policies.rules.cluster import CLUSTER
from policies.rules.pools import POOL
from policies.rules.registry import REGISTRY
from policies.rules.vault import VAULT

SUBNET = "network:Subnet"
GUARD = "network:NetworkSecurityGroup"
ANYBODY = ("*", "Internet", "0.0.0.0/0", "Any")
REMOTE_ADMINISTRATION = {"22", "3389"}
AGENTS = "Microsoft.DevOpsInfrastructure/pools"


@on_resource(
    "subnet-guard",
    SUBNET,
    severity=MANDATORY,
    reason="Traffic into and out of a subnet without a security group is limited by nothing.",
    remedy="Give the subnet a network security group.",
    psrule=("Azure.VNET.UseNSGs",),
)
def every_subnet_is_guarded(type_: str, subnet: Properties) -> Iterator[str]:
    if not get(subnet, "networkSecurityGroup"):
        yield "it has no network security group"


@on_resource(
    "subnet-outbound",
    SUBNET,
    severity=MANDATORY,
    reason="Azure's default way out leaves by an address that nobody knows and no firewall sees.",
    remedy="Set defaultOutboundAccess to false; the egress of the settings is the way out.",
    psrule=("Azure.VNET.PrivateSubnet",),
)
def no_default_way_out(type_: str, subnet: Properties) -> Iterator[str]:
    if get(subnet, "defaultOutboundAccess") is not False:
        yield "machines in it leave by an address of Azure's"


def _rules(guard: Properties) -> Iterator[Properties]:
    yield from each(guard, "securityRules.*")


def _all(rule: Properties, one: str, several: str) -> set[str]:
    return {str(value) for value in (get(rule, one), *each(rule, f"{several}.*")) if value is not None}


@on_resource(
    "guard-open-inbound",
    GUARD,
    severity=MANDATORY,
    reason="A rule that lets everybody in makes the group worthless.",
    remedy="Name the ranges that may come in.",
    psrule=("Azure.NSG.AnyInboundSource",),
)
def nobody_comes_in_unnamed(type_: str, guard: Properties) -> Iterator[str]:
    for rule in _rules(guard):
        sources = _all(rule, "sourceAddressPrefix", "sourceAddressPrefixes")
        inbound = get(rule, "direction") == "Inbound" and get(rule, "access") == "Allow"
        if inbound and sources & set(ANYBODY):
            yield f"its rule {get(rule, 'name')} lets everybody in"


@on_stack(
    "guard-lateral-movement",
    severity=MANDATORY,
    reason="A machine that was taken over must not sign in at its neighbours.",
    remedy="Deny ports 22 and 3389 outbound in the group of every subnet with machines.",
    psrule=("Azure.NSG.LateralTraversal",),
)
def machines_leave_their_neighbours_alone(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for subnet in _with_machines(stack):
        guard = stack.linked(subnet, "networkSecurityGroup.id", GUARD)
        if guard and not any(map(_denies_remote_administration, guard.each("securityRules.*"))):
            yield guard, f"machines in {subnet.name} may sign in at their neighbours"


def _with_machines(stack: Stack) -> tuple[Resource, ...]:
    """The subnets in which nodes or agents stand."""
    of_pools = [stack.linked(pool, "vnetSubnetID", SUBNET) for pool in stack.of(POOL)]
    of_clusters = [stack.linked(cluster, "agentPoolProfiles.*.vnetSubnetID", SUBNET) for cluster in stack.of(CLUSTER)]
    return tuple(
        subnet
        for subnet in stack.of(SUBNET)
        if subnet in (*of_pools, *of_clusters) or AGENTS in subnet.each("delegations.*.serviceName")
    )


def _denies_remote_administration(rule: Properties) -> bool:
    ports = _all(rule, "destinationPortRange", "destinationPortRanges")
    denied = get(rule, "direction") == "Outbound" and get(rule, "access") == "Deny"
    return denied and ("*" in ports or ports >= REMOTE_ADMINISTRATION)


@on_stack(
    "private-endpoint",
    severity=MANDATORY,
    reason="What answers no public address and has no private one answers nobody; without a name, nobody finds it.",
    remedy="Give it a private end point with a group of DNS zones.",
)
def what_is_closed_has_a_private_way(stack: Stack) -> Iterator[tuple[Resource, str]]:
    target = "privateLinkServiceConnections.*.privateLinkServiceId"
    named = {
        endpoint.urn
        for group in stack.of("network:PrivateDnsZoneGroup")
        if (endpoint := stack.linked(group, "privateEndpointName", "network:PrivateEndpoint"))
    }
    found = {
        closed.urn: endpoint
        for endpoint in stack.of("network:PrivateEndpoint")
        if (closed := stack.linked(endpoint, target, REGISTRY, VAULT))
    }
    for one in stack.of(REGISTRY, VAULT):
        access = one.get("publicNetworkAccess" if one.kind == REGISTRY else "properties.publicNetworkAccess")
        if access == "Disabled":
            if one.urn not in found:
                yield one, "it is closed and has no private end point"
            elif found[one.urn].urn not in named:
                yield one, "its private end point has no name in DNS"


@on_resource(
    "tls-version",
    "*",
    severity=MANDATORY,
    reason="TLS before 1.2 can be read by others.",
    remedy="Ask for TLS 1.2 or newer.",
)
def tls_is_new_enough(type_: str, properties: Properties) -> Iterator[str]:
    yield from _old_tls(properties, "")


def _old_tls(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _old_tls(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _old_tls(inner, path)
    elif path.lower().endswith("tlsversion") and re.fullmatch(r"(?i)(?:tls)?_?1[._]?[01]", str(value)):
        yield f"{path} is {value}"
