"""Estates that differ from the shipped one in ways that a drawing must bear, made from the shipped stacks' exports."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Export = dict[str, Any]
Exports = dict[str, Export]

HOSTILE = "</text><script>alert(1)</script>&\"'\x00\u202e]]>"
LONG = "a-name-that-somebody-found-reasonable-and-that-nobody-will-ever-read-to-its-end"


def states(export: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = export["deployment"]["resources"]
    return found


def one(export: Mapping[str, Any], type_: str, name: str) -> dict[str, Any]:
    """The state of the resource with this short type and logical name."""
    ends = (f":{type_}", f"::{name}")
    return next(each for each in states(export) if each["type"].endswith(ends[0]) and each["urn"].endswith(ends[1]))


def renamed(export: Mapping[str, Any], stack: str, to: str) -> Export:
    """The same environment under another name; its references still lead to staging."""
    text = re.sub(rf"(?<![a-z/]){stack}(?![a-z])", to, json.dumps(export))
    return json.loads(text.replace(f"shop{stack}", f"shop{to}"))  # type: ignore[no-any-return]


def without(export: Mapping[str, Any], component: str) -> Export:
    """Without a component and all below it."""
    kept = [each for each in states(export) if f"::{component}" not in each["urn"].replace("$", "::")]
    return {**export, "deployment": {**export["deployment"], "resources": kept}}


def added(export: Mapping[str, Any], *more: dict[str, Any]) -> Export:
    result = copy.deepcopy(dict(export))
    states(result).extend(more)
    return result


def component_of_the_future(stack: str, kinds: int) -> list[dict[str, Any]]:
    """A component whose type nobody knows yet, with resources of many kinds and one that faces the internet."""
    root = f"urn:pulumi:{stack}::aks-cicd::"
    parent = f"{root}aks-cicd:future:Things::things"
    things = [
        {
            "urn": f"{root}aks-cicd:future:Things$future:index:Kind{n}::thing-{n}",
            "type": f"future:index:Kind{n}",
            "custom": True,
            "id": f"thing/{n}",
            "parent": parent,
        }
        for n in range(kinds)
    ]
    address = {
        "urn": f"{root}aks-cicd:future:Things$azure-native:network:PublicIPAddress::address",
        "type": "azure-native:network:PublicIPAddress",
        "custom": True,
        "id": "/address",
        "parent": parent,
        "outputs": {"name": "pip-things", "ipAddress": "203.0.113.9"},
    }
    return [{"urn": parent, "type": "aks-cicd:future:Things", "custom": False, "parent": ""}, *things, address]


def reference(stack: str, target: str) -> dict[str, Any]:
    name = f"organization/aks-cicd/{target}"
    type_ = "pulumi:pulumi:StackReference"
    return {"urn": f"urn:pulumi:{stack}::aks-cicd::{type_}::{name}", "type": type_, "custom": True, "id": name}


def _pools(export: Export, many: int) -> Export:
    first = one(export, "AgentPool", "pool-apps")
    pools = []
    for n in range(many):
        pool = copy.deepcopy(first)
        pool["urn"], pool["id"] = f"{first['urn']}-{n}", f"{first['id']}-{n}"
        pool["outputs"] |= {"name": f"pool{n}", "vmSize": "Standard_NC24ads_A100_v4", "minCount": 100, "maxCount": 1000}
        pools.append(pool)
    return added(export, *pools)


def borrowing(staging: Export) -> Export:
    """A further nonproduction environment without a registry of its own: it pulls from that of staging."""
    registry = one(staging, "Registry", "registry")["id"]
    export = renamed(without(staging, "aks-cicd:registry:TierRegistry"), "staging", "qa")
    one(export, "RoleAssignment", "kubelet-pulls")["outputs"]["scope"] = registry
    return added(export, reference("qa", "staging"))


def restricted(staging: Export) -> Export:
    """Every public end point that can be answers listed addresses only."""
    export = copy.deepcopy(staging)
    ranges = ["203.0.113.0/24", "198.51.100.0/24"]
    one(export, "Registry", "registry")["outputs"]["networkRuleSet"] = {"defaultAction": "Deny"}
    one(export, "Vault", "ci-vault")["outputs"]["properties"]["networkAcls"]["defaultAction"] = "Deny"
    one(export, "ManagedCluster", "cluster")["outputs"]["apiServerAccessProfile"] = {"authorizedIPRanges": ranges}
    return export


def by_load_balancer(staging: Export) -> Export:
    export = without(staging, "azure-native:network:NatGateway")
    one(export, "ManagedCluster", "cluster")["outputs"]["networkProfile"]["outboundType"] = "loadBalancer"
    return export


def _named(export: Export, name: str) -> Export:
    """Every name that a drawing shows is this one."""
    result = copy.deepcopy(export)
    for state in states(result):
        if "name" in state.get("outputs", {}):
            state["outputs"]["name"] = name
    cluster = one(result, "ManagedCluster", "cluster")["outputs"]
    for profile in cluster["agentPoolProfiles"]:
        profile["name"] = name
    cluster["privateFQDN"] = cluster["fqdn"] = name
    one(result, "VirtualNetwork", "network")["outputs"]["addressSpace"] = {"addressPrefixes": [name]}
    one(result, "ResourceGroup", "environment")["outputs"] |= {"location": name, "tags": {"tier": name}}
    return result


def _six(staging: Export, prod: Export) -> Exports:
    regions = {name: renamed(prod, "prod", name) for name in ("prodeu", "produs", "prodap")}
    return {"staging": staging, "qa": borrowing(staging), "prod": prod, **regions}


VARIANTS: Mapping[str, Callable[[Export, Export], Exports]] = {
    "shipped": lambda staging, prod: {"staging": staging, "prod": prod},
    "one public stack": lambda staging, prod: {"staging": staging},
    "one private stack, its upstream not drawn": lambda staging, prod: {"prod": prod},
    "six stacks": _six,
    "eight pools": lambda staging, prod: {"staging": staging, "prod": _pools(prod, 6)},
    "registry of another stack": lambda staging, prod: {"staging": staging, "qa": borrowing(staging)},
    "no network": lambda staging, prod: {"staging": without(staging, "aks-cicd:network:Network")},
    "no cluster": lambda staging, prod: {"prod": without(prod, "aks-cicd:cluster:Cluster")},
    "existing workspace": lambda staging, prod: {"prod": without(prod, "aks-cicd:observability:Logs")},
    "load balancer": lambda staging, prod: {"staging": by_load_balancer(staging)},
    "restricted": lambda staging, prod: {"staging": restricted(staging), "prod": prod},
    "component of the future": lambda staging, prod: {
        "staging": added(staging, *component_of_the_future("staging", 12)),
        "prod": prod,
    },
    "long names": lambda staging, prod: {LONG: _named(staging, LONG), "prod": _named(prod, LONG)},
    "hostile names": lambda staging, prod: {HOSTILE: _named(staging, HOSTILE), "prod": _named(prod, HOSTILE)},
    "wide letters": lambda staging, prod: {"staging": _named(staging, "納品システム" * 4), "prod": prod},
    "empty stack": lambda staging, prod: {"new": {"version": 3, "deployment": {}}},
    "no stack": lambda staging, prod: {},
}
