"""What this stack puts into its cluster, one box a namespace: names stand in the tree, here is how much of what."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from rehearsal.details import details
from rehearsal.graph import Resource
from rehearsal.topology.nodes import Node
from rehearsal.topology.stack import Stack

_OWN: Final = "core:Namespace"
_WORDS: Final = {
    "ConfigMap": ("config map", "config maps"),
    "LimitRange": ("limits", "limits"),
    "NetworkPolicy": ("network policy", "network policies"),
    "PodMonitor": ("pod monitor", "pod monitors"),
    "ResourceQuota": ("quota", "quotas"),
    "SecretProviderClass": ("secrets of a vault", "secrets of vaults"),
    "ServiceAccount": ("service account", "service accounts"),
    "ServiceMonitor": ("service monitor", "service monitors"),
}


def namespaces(stack: Stack) -> tuple[Node, ...]:
    """Its own first. Objects without a namespace have no box here; they are counted with their component."""
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in stack.resources:
        if resource.custom and resource.type.startswith("kubernetes:"):
            itself = resource.name if resource.kind == _OWN else ""
            found[str(resource.get("metadata.namespace") or itself)].append(resource)
    own = {each.name for each in stack.of(_OWN)}
    return tuple(
        _namespace(stack, name, found[name]) for name in sorted(filter(None, found), key=lambda n: (n not in own, n))
    )


def _namespace(stack: Stack, name: str, objects: list[Resource]) -> Node:
    own = [each for each in objects if each.kind == _OWN]
    counts = Counter(each.short_type for each in objects if each not in own)
    told = (f"{each.short_type} {each.name}, {stack.origin(each)}" for each in objects)
    return Node(
        key=f"{stack.name} namespace {name}",
        role="namespace",
        name=name,
        aside="namespace",
        facts=(*filter(None, map(details, own)), *(_counted(kind, many) for kind, many in sorted(counts.items()))),
        tooltip="\n".join((f"Namespace {name}", *told)),
        covers=tuple(urn for each in objects for urn in (each.urn, *stack.above(each))),
    )


def _counted(kind: str, many: int) -> str:
    one, more = _WORDS.get(kind, (f"1 × {kind}", f"× {kind}"))
    return one if many == 1 else f"{many} {more}"
