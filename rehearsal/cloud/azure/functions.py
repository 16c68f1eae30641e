"""The functions (invokes) of azure-native that the stand-in answers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final

import yaml

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.azure.cluster import TYPE
from rehearsal.cloud.values import guid, lookup
from rehearsal.cloud.world import Resource, World

# Entra's applications of AKS, the same in every directory of the public cloud: whom tokens are for, and who asks.
_SERVER_ID: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"
_CLIENT_ID: Final = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"


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
    user: dict[str, Any] = {"token": guid(cluster.id, "user").replace("-", "")}
    if lookup(cluster.inputs, "aadProfile.managed") is True:
        # With Entra ID there is no key in it: kubelogin fetches a token, and asks a person for it unless told not to.
        arguments = {
            "--environment": "AzurePublicCloud",
            "--server-id": _SERVER_ID,
            "--client-id": _CLIENT_ID,
            "--tenant-id": world.estate.tenant_id,
            "--login": "devicecode",
        }
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "args": ["get-token", *chain.from_iterable(arguments.items())],
                "command": "kubelogin",
                "env": None,
                "provideClusterInfo": False,
            }
        }
    return _kubeconfig(cluster, "clusterUser", user, public=args.get("serverFqdn") == "public")


def _admin_credentials(world: World, args: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    cluster = _cluster(world, args, subscription)
    if cluster.inputs.get("disableLocalAccounts") is True:
        raise CloudError(
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )
    return _kubeconfig(cluster, "clusterAdmin", {"token": guid(cluster.id, "admin").replace("-", "")})


def _kubeconfig(cluster: Resource, role: str, user: Mapping[str, Any], *, public: bool = False) -> dict[str, Any]:
    private = None if public else cluster.outputs.get("privateFQDN")
    host = private or cluster.outputs.get("fqdn")
    authority = base64.b64encode(f"certificate authority of {cluster.id}".encode()).decode()
    name = f"{role}_{cluster.inputs.get('resourceGroupName')}_{cluster.name}"
    server = {"certificate-authority-data": authority, "server": f"https://{host}:443"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster.name, "cluster": server}],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": name}}],
        "current-context": cluster.name,
        "users": [{"name": name, "user": user}],
    }
    value = base64.b64encode(yaml.safe_dump(config).encode()).decode()
    return {"kubeconfigs": [{"name": role, "value": value}]}


INVOKES: Final[Mapping[str, Callable[[World, Mapping[str, Any], str], dict[str, Any]]]] = {
    "azure-native:authorization:getClientConfig": _client_config,
    "azure-native:containerservice:listManagedClusterUserCredentials": _user_credentials,
    "azure-native:containerservice:listManagedClusterAdminCredentials": _admin_credentials,
}
