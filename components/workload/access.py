"""The way to a cluster's API server: by Entra ID, and by nothing else.

AKS hands out one kubeconfig for everybody who may use the cluster. It says where the API server is and whose tokens
it takes, and holds no credential; only its way to get a token asks a person to sign in. Here that way becomes one
that needs nobody at the keyboard: `kubelogin`, with the token of whoever runs the program. kubelogin must be on PATH;
docs/cluster-access.md says what is seen when it is not.

What this does not do: it never asks for the administrator's credential. Local accounts are off, and a kubeconfig that
holds a token, a password or a key is refused rather than used.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Literal

import pulumi
import yaml
from pulumi import Input, Output, ResourceOptions
from pulumi_azure_native.containerservice import list_managed_cluster_user_credentials_output
from pulumi_kubernetes import Provider

_HINT = (
    "kubelogin gets the Entra token for the cluster's API server and was not found. "
    "`az aks install-cli` installs it; in a pipeline, KubeloginInstaller@0 does. See docs/cluster-access.md."
)
_CREDENTIALS = frozenset(
    {"auth-provider", "client-certificate-data", "client-key-data", "password", "token", "tokenFile", "username"}
)


class KubeconfigError(pulumi.RunError):
    """What AKS answered is not what a cluster with Entra ID and without local accounts answers."""


def entra_kubeconfig(encoded: str, *, tenant_id: str, login: Literal["azurecli", "workloadidentity"]) -> str:
    """A kubeconfig (JSON, which is YAML) that signs in by kubelogin, from that of the cluster's users (base64).

    `azurecli` takes the token of the signed-in Azure CLI. `workloadidentity` exchanges a federated token; kubelogin
    reads AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE for it. Raises KubeconfigError for anything that holds a
    credential or does not name one cluster that Entra ID guards.
    """
    found = _decoded(encoded)
    cluster, user = _one(found, "clusters", "cluster"), _one(found, "users", "user")
    held = sorted(_CREDENTIALS & user.keys())
    if held:
        raise KubeconfigError(
            f"The kubeconfig of the cluster's users holds a credential ({', '.join(held)}), so the cluster is not "
            "guarded by Entra ID alone: turn local accounts off and managed Entra ID on."
        )
    name = "cluster"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"exec": _kubelogin(_server_id(user), tenant_id, login)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config, sort_keys=True)


def server(kubeconfig: str) -> str:
    """URL of the API server that a kubeconfig of `entra_kubeconfig` leads to."""
    return str(json.loads(kubeconfig)["clusters"][0]["cluster"]["server"])


def connect(
    name: str,
    *,
    resource_group: Input[str],
    cluster_name: Input[str],
    tenant_id: str,
    login: Literal["azurecli", "workloadidentity"],
    parent: pulumi.Resource,
) -> Provider:
    """The provider of a cluster's objects."""
    credentials = list_managed_cluster_user_credentials_output(
        resource_group_name=resource_group,
        resource_name=cluster_name,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    kubeconfig = credentials.apply(
        lambda found: entra_kubeconfig(found.kubeconfigs[0].value, tenant_id=tenant_id, login=login)
    )
    sealed: Output[str] = Output.secret(kubeconfig)
    return Provider(
        name,
        kubeconfig=sealed,
        # Otherwise any change of the kubeconfig, such as a renewed certificate authority, could replace the provider
        # and with it every object. A cluster that is made anew has another host name.
        cluster_identifier=kubeconfig.apply(server),
        # Otherwise a changed ConfigMap is deleted and made anew, and a pod that starts in between fails.
        enable_config_map_mutable=True,
        opts=ResourceOptions(parent=parent),
    )


def _decoded(encoded: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(base64.b64decode(encoded))
    except (binascii.Error, UnicodeDecodeError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict):
        raise KubeconfigError("AKS answered no kubeconfig (YAML, in base64) for the cluster's users.")
    return found


def _one(found: dict[str, Any], section: str, key: str) -> dict[str, Any]:
    entries = found.get(section)
    inner = entries[0].get(key) if isinstance(entries, list) and len(entries) == 1 else None
    if not isinstance(inner, dict):
        raise KubeconfigError(f"The kubeconfig of the cluster's users does not name exactly one of its {section}.")
    return inner


def _server_id(user: dict[str, Any]) -> str:
    """Whom tokens must be issued for: AKS's application, which differs between Azure's clouds."""
    arguments = user.get("exec", {}).get("args") or []
    if "--server-id" not in arguments[:-1]:
        raise KubeconfigError(
            "The kubeconfig of the cluster's users does not ask Entra ID for a token (kubelogin, --server-id)."
        )
    return str(arguments[arguments.index("--server-id") + 1])


def _kubelogin(server_id: str, tenant_id: str, login: str) -> dict[str, Any]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", login, "--server-id", server_id, "--tenant-id", tenant_id],
        "installHint": _HINT,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
