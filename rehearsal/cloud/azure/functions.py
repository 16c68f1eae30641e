"""The functions (invokes) of azure-native that the stand-in answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azure.cluster import TYPE
from rehearsal.cloud.values import guid
from rehearsal.cloud.world import Resource, World


def _client_config(world: World, args: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    return {
        "subscriptionId": subscription,
        "tenantId": world.estate.tenant_id,
        "clientId": guid(subscription, "deployer", "client"),
        "objectId": guid(subscription, "deployer", "principal"),
    }


def _cluster(world: World, args: Mapping[str, Any], subscription: str) -> Resource:
    group = arm.group_id(subscription, str(args.get("resourceGroupName")))
    id = arm.resource_id(group, TYPE, [str(args.get("resourceName"))])
    found = world.find(id)
    if found is None:
        raise CloudError("ResourceNotFound", f"The Resource '{id}' was not found.")
    return found


def _user_credentials(world: World, args: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    cluster = _cluster(world, args, subscription)
    # With Entra ID there is no key in it: kubelogin fetches a token.
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin"}}
    return _kubeconfig(cluster, "clusterUser", user)


def _admin_credentials(world: World, args: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    cluster = _cluster(world, args, subscription)
    if cluster.inputs.get("disableLocalAccounts") is True:
        raise CloudError(
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )
    return _kubeconfig(cluster, "clusterAdmin", {"token": guid(cluster.id, "admin").replace("-", "")})


def _kubeconfig(cluster: Resource, role: str, user: Mapping[str, Any]) -> dict[str, Any]:
    host = cluster.outputs.get("privateFQDN") or cluster.outputs.get("fqdn")
    name = f"{role}_{cluster.inputs.get('resourceGroupName')}_{cluster.name}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster.name, "cluster": {"server": f"https://{host}:443"}}],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": name}}],
        "current-context": cluster.name,
        "users": [{"name": name, "user": user}],
    }
    value = base64.b64encode(json.dumps(config, sort_keys=True).encode()).decode()
    return {"kubeconfigs": [{"name": role, "value": value}]}


INVOKES: Final[Mapping[str, Callable[[World, Mapping[str, Any], str], dict[str, Any]]]] = {
    "azure-native:authorization:getClientConfig": _client_config,
    "azure-native:containerservice:listManagedClusterUserCredentials": _user_credentials,
    "azure-native:containerservice:listManagedClusterAdminCredentials": _admin_credentials,
}
