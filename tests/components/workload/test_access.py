"""The way to the API server: which kubeconfigs are taken, and what is made of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from components.workload.access import KubeconfigError, entra_kubeconfig, server
from rehearsal.cloud.values import placed
from tests.declared import TENANT

SERVER = "https://aks-shop-test-1a2b3c4d.hcp.westeurope.azmk8s.io:443"
AKS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "aks-shop", "cluster": {"certificate-authority-data": "Q0E=", "server": SERVER}}],
    "contexts": [{"name": "aks-shop", "context": {"cluster": "aks-shop", "user": "clusterUser_rg_aks-shop"}}],
    "current-context": "aks-shop",
    "users": [
        {
            "name": "clusterUser_rg_aks-shop",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "command": "kubelogin",
                    "args": ["get-token", "--login", "devicecode", "--server-id", "the-server", "--client-id", "x"],
                }
            },
        }
    ],
}
"""As AKS hands it out for a cluster with managed Entra ID."""


def encoded(config: object) -> str:
    return base64.b64encode(yaml.safe_dump(config).encode()).decode()


def converted(config: object = AKS, login: Any = "azurecli") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entra_kubeconfig(encoded(config), tenant_id=TENANT, login=login))
    return found


@pytest.mark.parametrize("login", ["azurecli", "workloadidentity"])
def test_nobody_is_asked_to_sign_in(login: str) -> None:
    run = converted(login=login)["users"][0]["user"]["exec"]
    assert run["command"] == "kubelogin"
    assert run["args"] == ["get-token", "--login", login, "--server-id", "the-server", "--tenant-id", TENANT]
    assert run["interactiveMode"] == "Never"


def test_the_server_and_its_authority_are_kept_and_are_the_current_ones() -> None:
    found = converted()
    assert found["clusters"] == [{"name": "cluster", "cluster": AKS["clusters"][0]["cluster"]}]
    assert found["contexts"] == [{"name": "cluster", "context": {"cluster": "cluster", "user": "cluster"}}]
    assert found["users"][0]["name"] == found["current-context"] == "cluster"
    assert server(json.dumps(found)) == SERVER


def test_who_lacks_kubelogin_is_told_what_it_is_and_how_to_get_it() -> None:
    hint = converted()["users"][0]["user"]["exec"]["installHint"]
    for part in ("kubelogin", "az aks install-cli", "KubeloginInstaller@0", "docs/cluster-access.md"):
        assert part in hint


@pytest.mark.parametrize("key", ["token", "client-certificate-data", "client-key-data", "password", "auth-provider"])
def test_a_kubeconfig_that_holds_a_credential_is_refused(key: str) -> None:
    for user in ({key: "hush"}, {**AKS["users"][0]["user"], key: "hush"}):
        with pytest.raises(KubeconfigError, match=f"holds a credential \\({key}\\)") as raised:
            converted(placed(AKS, "users[0].user", user))
        assert "hush" not in str(raised.value)
        assert "local accounts off" in str(raised.value)


def test_a_kubeconfig_that_asks_entra_for_nothing_is_refused() -> None:
    for user in ({}, {"exec": {"command": "kubelogin"}}, {"exec": {"args": ["get-token", "--server-id"]}}):
        with pytest.raises(KubeconfigError, match="does not ask Entra ID"):
            converted(placed(AKS, "users[0].user", user))


@pytest.mark.parametrize("section", ["clusters", "users"])
def test_a_kubeconfig_of_none_or_several_is_refused(section: str) -> None:
    for entries in ([], AKS[section] * 2, [{"name": "x"}], "x", None):
        with pytest.raises(KubeconfigError, match=f"exactly one of its {section}"):
            converted({**AKS, section: entries})


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"[a: b").decode(), encoded(["a"])])
def test_what_is_no_kubeconfig_is_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(KubeconfigError, match="no kubeconfig"):
        entra_kubeconfig(text, tenant_id=TENANT, login="azurecli")
