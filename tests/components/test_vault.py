"""A key vault, by itself."""

from __future__ import annotations

from typing import Any

import pytest

from components.access import PrivateLink
from components.placement import Placement
from components.vault import SecretStore, VaultArgs
from tests.declared import SUBSCRIPTION, TENANT, WORKSPACE, Declared, declared

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/vnet/subnets/snet"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.vaultcore.azure.net"


def vault(**wanted: Any) -> Declared:
    def build(place: Placement) -> None:
        args = {
            "physical_name": "kv-app-test-abc123",
            "tenant_id": TENANT,
            "access": "public",
            "soft_delete_days": 30,
            "workspace_id": WORKSPACE,
            "allowed_subnet_ids": (SUBNET,),
            **wanted,
        }
        SecretStore("workload-vault", VaultArgs(place, **args))

    return declared(build, SUBNET, SUBNET.rpartition("/subnets")[0], ZONE)


def properties(**wanted: Any) -> dict[str, Any]:
    found: dict[str, Any] = vault(**wanted).one("keyvault:Vault")["properties"]
    return found


def test_rights_come_from_azure_rbac_and_nowhere_else() -> None:
    found = properties()
    assert found["enableRbacAuthorization"] is True
    assert "accessPolicies" not in found


def test_a_deleted_vault_can_be_brought_back_and_nobody_can_purge_it() -> None:
    found = properties(soft_delete_days=45)
    assert found["enableSoftDelete"] is True
    assert found["softDeleteRetentionInDays"] == 45
    assert found["enablePurgeProtection"] is True


def test_a_private_vault_is_closed_and_has_an_end_point() -> None:
    found = vault(access="private", link=PrivateLink(SUBNET, ZONE))
    assert found.one("keyvault:Vault")["properties"]["publicNetworkAccess"] == "Disabled"
    assert found.one("keyvault:Vault")["properties"]["networkAcls"]["defaultAction"] == "Deny"
    endpoint = found.one("network:PrivateEndpoint")
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["vault"]
    assert found.one("network:PrivateDnsZoneGroup")["privateDnsZoneConfigs"][0]["privateDnsZoneId"] == ZONE


def test_a_private_vault_without_a_way_to_it_is_refused() -> None:
    with pytest.raises(AssertionError, match="needs a private link"):
        vault(access="private")


def test_a_restricted_vault_lets_in_named_ranges_and_the_nodes() -> None:
    rules = properties(access="restricted", allowed_ranges=("198.51.100.0/24",))["networkAcls"]
    assert rules["defaultAction"] == "Deny"
    assert rules["ipRules"] == [{"value": "198.51.100.0/24"}]
    assert rules["virtualNetworkRules"] == [{"id": SUBNET}]


def test_a_public_vault_names_nobody() -> None:
    rules = properties(allowed_ranges=("198.51.100.0/24",))["networkAcls"]
    assert rules["defaultAction"] == "Allow"
    assert not rules.get("ipRules")
    assert not rules.get("virtualNetworkRules")


def test_every_use_of_a_secret_is_logged() -> None:
    setting = vault().one("monitor:DiagnosticSetting")
    assert "AuditEvent" in {each["category"] for each in setting["logs"]}
    assert setting["workspaceId"] == WORKSPACE
    assert setting["logAnalyticsDestinationType"] == "Dedicated"


def test_no_secret_is_declared() -> None:
    """It would stand in the state."""
    assert not vault().of("keyvault:Secret")
