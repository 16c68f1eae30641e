"""From stack exports to what is drawn. Knows which resource stands where and what connects it; knows no geometry.

Whatever has no picture of its own ends in a box of its component that counts it, so that nothing is invisible.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rehearsal.delivery.rights import ACR_PULL, role
from rehearsal.exposure import public_endpoint
from rehearsal.graph import Graph, Resource
from rehearsal.topology import facts, watching
from rehearsal.topology.networks import (
    api_server,
    first_nodes,
    homeless,
    is_inside,
    networks,
    outside,
)
from rehearsal.topology.nodes import Environment, Estate, Guard, Link, Node, Outside, Reference
from rehearsal.topology.stack import Stack, foreign
from rehearsal.topology.way import pulled, way
from rehearsal.words import count, last

_WATCHING: Final = ("logs", "metrics")
_REFERENCE: Final = "pulumi:pulumi:StackReference"
_PLACES: Final = ("NAT gateway", "Load balancer", *(service.label for service in facts.SERVICES.values()))


def estate(exports: Mapping[str, Mapping[str, Any]]) -> Estate:
    """All stacks, and which leans on which."""
    stacks = {name: Stack(name, replace(Graph.of(export), stack=name)) for name, export in exports.items()}
    owners = {id_: stack.name for stack in stacks.values() for id_ in stack.by_id}
    leans = {name: _leans_on(name, export) for name, export in exports.items()}
    delivered = way(stacks)
    on_the_way = delivered.covered() if delivered else frozenset()
    return Estate(
        tuple(
            _environment(
                stack, owners, on_the_way, [f"leans on {other}" for other in leans[name] if other not in stacks]
            )
            for name, stack in stacks.items()
        ),
        tuple(_reference(stacks[name], other, owners) for name in stacks for other in leans[name] if other in stacks),
        delivered,
    )


def _leans_on(name: str, export: Mapping[str, Any]) -> tuple[str, ...]:
    """The stacks that this one has a reference to."""
    states = export["deployment"].get("resources") or []
    found = {last(state.get("id")) for state in states if state["type"] == _REFERENCE and not state.get("delete")}
    return tuple(sorted(found - {name}))


def _environment(
    stack: Stack, owners: Mapping[str, str], on_the_way: frozenset[str], leans: Iterable[str]
) -> Environment:
    inner = (*networks(stack), *homeless(stack))
    hub = outside(stack)
    links = (*_links(stack), *watching.metrics(stack), *_logs(stack, inner))
    strangers = tuple(_strangers(stack, links, owners))
    watch = watching.group(stack, [node for kind, node in strangers if kind in _WATCHING])
    own = (*_ways_out(stack), *_services(stack), *(node for kind, node in strangers if kind not in _WATCHING))
    group = next(iter(stack.of(facts.GROUP)), None)
    services = (*sorted(own, key=_place), *([watch] if watch else []))
    covered = _covered((*inner, *services), hub)
    home = stack.node("environment", group) if group else None
    covered.update(home.covers if home else ())
    covered.update(each.urn for each in stack.of(*facts.DIAGNOSTICS) if inner and each.get("workspaceId"))
    return Environment(
        name=stack.name,
        tier=str(group.get("tags.tier", "")) if group else "",
        facts=(*(_home(group) if group else ()), *leans),
        guard=home.guard if home else Guard.NONE,
        tooltip=f"environment {stack.name}\n{home.tooltip if home else 'no resource group'}",
        covers=tuple(sorted(covered)),
        inner=inner,
        services=services,
        more=tuple(_more(stack, covered | on_the_way)),
        links=links,
        outside=hub,
    )


def _home(group: Resource) -> tuple[str, ...]:
    parts = group.id.split("/")
    subscription = f"subscription {parts[2]}" if len(parts) > 2 else ""
    return tuple(filter(None, (group.name, str(group.get("location", "")), subscription)))


def _place(node: Node) -> tuple[Any, ...]:
    """Top to bottom in a fixed order, so that environments compare line by line."""
    known = [place for place, label in enumerate(_PLACES) if node.label.startswith(label)]
    return (*known, len(_PLACES))[0], node.name, node.key


def _services(stack: Stack) -> Iterator[Node]:
    """What stands beside the networks: services of a known kind, and whatever else faces the internet."""
    used = {str(each.get("id")).lower() for gateway in stack.of(facts.GATEWAY) for each in _addresses(gateway)}
    for resource in stack.resources:
        if not resource.custom or resource.id.lower() in used or resource.kind in watching.KINDS:
            continue
        if resource.kind == facts.CLUSTER:
            if not is_inside(stack, resource):
                yield api_server(stack, resource)
        elif resource.kind in facts.SERVICES or public_endpoint(resource):
            yield stack.node(
                "service",
                resource,
                with_=[each for each in stack.graph.children(resource) if each.kind.endswith(":Replication")],
                label=stack.label(resource),
                facts=facts.facts(resource),
                access=facts.access(resource),
            )


def _ways_out(stack: Stack) -> Iterator[Node]:
    for gateway in stack.of(facts.GATEWAY):
        addresses = [found for each in _addresses(gateway) if (found := stack.at(each.get("id")))]
        yield stack.node(
            "egress",
            gateway,
            with_=addresses,
            label="NAT gateway",
            facts=tuple(f"from {each.get('ipAddress', each.name)}" for each in addresses),
            outward=True,
        )
    for cluster in stack.of(facts.CLUSTER):
        if cluster.get("networkProfile.outboundType", "loadBalancer") == "loadBalancer":
            yield Node(
                key=f"{cluster.urn} way out",
                role="egress",
                label="Load balancer",
                name=f"of {cluster.name}",
                facts=("public address made by AKS",),
                outward=True,
                tooltip=f"The load balancer by which the nodes of {cluster.name} leave; made by AKS",
            )


def _addresses(gateway: Resource) -> list[Mapping[str, Any]]:
    found = gateway.get("publicIpAddresses", [])
    return found if isinstance(found, list) else []


def _links(stack: Stack) -> Iterator[Link]:
    for cluster in stack.of(facts.CLUSTER):
        nodes = (first_nodes(stack, cluster),)
        if not is_inside(stack, cluster):
            yield Link("control", nodes, cluster.urn, "", f"{cluster.name}: nodes and API server")
        if cluster.get("networkProfile.outboundType", "loadBalancer") == "loadBalancer":
            yield Link("egress", nodes, f"{cluster.urn} way out", "out", f"nodes of {cluster.name} leave here")
        for _, registry in (each for each in pulled(stack) if each[0] is cluster):
            told = f"The kubelets of {cluster.name} pull images from {last(registry)} (role AcrPull)"
            yield Link("pull", nodes, stack.key(registry), "AcrPull", told)
    for gateway in stack.of(facts.GATEWAY):
        leaving = [
            subnet.urn
            for subnet in stack.of(facts.SUBNET)
            if str(subnet.get("natGateway.id", "")).lower() == gateway.id.lower()
        ]
        yield Link("egress", tuple(leaving), gateway.urn, "out", f"what leaves by {gateway.name}")
    for point in stack.of(facts.END_POINT):
        for connection in point.get("privateLinkServiceConnections", []):
            target = str(connection.get("privateLinkServiceId", ""))
            told = f"{point.name} leads to {last(target)}"
            yield Link("private", (point.urn,), stack.key(target), "", told)


def _logs(stack: Stack, inner: Sequence[Node]) -> Iterator[Link]:
    """One line for all diagnostic settings that write to a workspace; the sign in a box says that it is among them."""
    foot = tuple(node.key for node in inner[-1:])
    for workspace, settings in sorted(stack.diagnostics.items()):
        sources = sorted(f"{last(each.get('resourceUri'))} ({stack.origin(each)})" for each in settings)
        told = "\n".join((f"{len(settings)} diagnostic settings write to {last(workspace)}, of", *sources))
        yield Link("logs", foot, stack.key(workspace), f"{len(settings)} logs", told)


def pulls(stack: Stack) -> Iterator[Resource]:
    """The grants to pull images."""
    for grant in stack.of(facts.GRANT):
        if role(grant) == ACR_PULL:
            yield grant


_LENT: Final = {
    "pull": facts.SERVICES[facts.REGISTRY].label,
    "logs": facts.SERVICES[facts.WORKSPACE].label,
    "metrics": facts.SERVICES[facts.METRICS].label,
}


def _strangers(stack: Stack, links: Iterable[Link], owners: Mapping[str, str]) -> Iterator[tuple[str, Node]]:
    """What this stack uses and does not own, by how: a registry lent by another stack, a workspace that existed."""
    seen = set()
    for link in links:
        if link.target not in stack.graph.by_urn and link.target.startswith("/") and link.target not in seen:
            seen.add(link.target)
            yield link.kind, foreign("service", _LENT.get(link.kind, "Reached privately"), link.target, owners)


def _covered(nodes: Iterable[Node], hub: Outside | None) -> set[str]:
    covered = {urn for top in nodes for node in top.all() for urn in node.covers}
    covered.update(hub.covers if hub else ())
    return covered


def _more(stack: Stack, covered: set[str]) -> Iterator[Node]:
    """One box for each component that has something without a picture, with how many of what."""
    left: defaultdict[str, list[Resource]] = defaultdict(list)
    tops = {each.urn for each in stack.graph.children(None) if not each.custom}
    for resource in stack.resources:
        component = resource if resource.urn in tops else stack.graph.component(resource)
        if resource.urn not in covered:
            left[component.urn if component else ""].append(resource)
    for urn, found in sorted(left.items()):
        counted = [each for each in found if each.custom]
        counts = Counter(each.short_type for each in counted)
        name = urn.rsplit("::", 1)[-1] if urn else "no component"
        many = count(len(counted), "resource")
        yield Node(
            key=f"more {urn}",
            role="more",
            name=name,
            aside=many,
            facts=tuple(f"{count} × {kind}" for kind, count in sorted(counts.items())),
            tooltip="\n".join((f"{name}: {many}", *(f"{each.short_type} {_both(stack, each)}" for each in found))),
            covers=tuple(each.urn for each in found),
        )


def _both(stack: Stack, resource: Resource) -> str:
    """Some physical names are GUIDs: where it comes from then says more."""
    return f"{resource.name} ({stack.origin(resource)})" if resource.custom else stack.origin(resource)


def _reference(stack: Stack, target: str, owners: Mapping[str, str]) -> Reference:
    lenders = {owners.get(str(grant.get("scope", "")).lower()) for grant in pulls(stack)}
    images = " and pulls its images" if target in lenders else ""
    label = f"{stack.name} reads the contract of {target}{images}"
    return Reference(stack.name, target, label, f"{label}\n(stack reference)")
