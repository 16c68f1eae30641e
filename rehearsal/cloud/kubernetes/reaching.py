"""Whether a kubeconfig leads to an API server, and whether that lets its bearer in.

A private API server has a name that only its own network knows. Seen from outside, the look-up fails; the stand-in
says so in the words of the provider, so that a rehearsal shows what a first `up` would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.values import lookup
from rehearsal.cloud.world import Resource, World

_CLUSTER = "azure-native:containerservice:ManagedCluster"


def reach(world: World, configuration: Mapping[str, Any], *, inside_network: bool) -> Resource:
    """The cluster that a provider's configuration leads to. Refuses with `Unreachable` or `Unauthorized`."""
    way, user = _way(configuration.get("kubeconfig"))
    server = str(way["server"])
    host = server.removeprefix("https://").partition(":")[0].partition("/")[0]
    cluster = next((found for found in world.of_type(_CLUSTER) if host in _hosts(found)), None)
    if cluster is None or (_private(cluster) and not inside_network):
        raise _unreachable(
            f'unable to load schema information from the API server: Get "{server}/openapi/v2?timeout=32s": '
            f"dial tcp: lookup {host}: no such host"
        )
    guarded = cluster.inputs.get("disableLocalAccounts") is True
    if lookup(user, "exec.command") != "kubelogin" and (guarded or not user):
        raise _unreachable(
            "unable to load schema information from the API server: the server has asked for the client to provide "
            "credentials",
            "Unauthorized",
        )
    return cluster


def active_cluster(kubeconfig: object) -> Mapping[str, Any] | None:
    """What a kubeconfig says of the cluster of its current context; None when it says nothing that can be read."""
    try:
        return _way(kubeconfig)[0]
    except CloudError:
        return None


def _way(kubeconfig: object) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The cluster and the user of the current context."""
    try:
        found: Any = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else None
        context = _entry(found["contexts"], found["current-context"])["context"]
        cluster = _entry(found["clusters"], context["cluster"])["cluster"]
        return {"server": "", **cluster}, _entry(found["users"], context["user"]).get("user") or {}
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        raise _unreachable("unable to load Kubernetes client configuration from kubeconfig file") from None


def _entry(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _hosts(cluster: Resource) -> set[str]:
    return {str(cluster.outputs[key]) for key in ("fqdn", "privateFQDN") if cluster.outputs.get(key)}


def _private(cluster: Resource) -> bool:
    return lookup(cluster.inputs, "apiServerAccessProfile.enablePrivateCluster") is True


def _unreachable(reason: str, code: str = "Unreachable") -> CloudError:
    return CloudError(code, f"configured Kubernetes cluster is unreachable: {reason}")
