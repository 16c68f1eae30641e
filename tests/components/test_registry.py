"""The registry of a tier, by itself."""

from __future__ import annotations

from typing import Any

import pytest

from components.access import PrivateLink
from components.placement import Placement
from components.registry import RegistryArgs, TierRegistry, sku
from tests.declared import SUBSCRIPTION, WORKSPACE, Declared, declared

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/vnet/subnets/snet"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.azurecr.io"


def registry(**wanted: Any) -> Declared:
    def build(place: Placement) -> None:
        TierRegistry("registry", RegistryArgs(place, workspace_id=WORKSPACE, **{"access": "public", **wanted}))

    return declared(build, SUBNET, SUBNET.rpartition("/subnets")[0], ZONE)


def test_nobody_signs_in_with_a_password_or_without_a_name() -> None:
    inputs = registry().one("containerregistry:Registry")
    assert inputs["adminUserEnabled"] is False
    assert inputs["anonymousPullEnabled"] is False


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "Standard"),
        ({"soft_delete_days": 30}, "Standard"),
        ({"untagged_retention_days": 7}, "Premium"),
        ({"zone_redundant": True}, "Premium"),
        ({"replicas": ("northeurope",)}, "Premium"),
        ({"access": "restricted", "allowed_ranges": ["198.51.100.0/24"]}, "Premium"),
        ({"access": "private", "link": PrivateLink(SUBNET, ZONE)}, "Premium"),
    ],
)
def test_the_sku_is_the_least_that_has_what_is_asked_for(wanted: dict[str, Any], expected: str) -> None:
    """Whether it is enough, the stand-in judges: it refuses what a sku does not have."""
    assert registry(**wanted).one("containerregistry:Registry")["sku"] == {"name": expected}


def test_a_private_registry_is_closed_and_has_an_end_point() -> None:
    found = registry(access="private", link=PrivateLink(SUBNET, ZONE))
    assert found.one("containerregistry:Registry")["publicNetworkAccess"] == "Disabled"
    endpoint = found.one("network:PrivateEndpoint")
    assert endpoint["subnet"] == {"id": SUBNET}
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["registry"]
    assert found.one("network:PrivateDnsZoneGroup")["privateDnsZoneConfigs"][0]["privateDnsZoneId"] == ZONE


def test_a_private_registry_without_a_way_to_it_is_refused() -> None:
    with pytest.raises(AssertionError, match="needs a private link"):
        registry(access="private")


def test_a_restricted_registry_lets_in_the_named_ranges_and_no_others() -> None:
    inputs = registry(access="restricted", allowed_ranges=["198.51.100.0/24"]).one("containerregistry:Registry")
    assert inputs["networkRuleSet"] == {
        "defaultAction": "Deny",
        "ipRules": [{"action": "Allow", "iPAddressOrRange": "198.51.100.0/24"}],
    }


def test_a_public_registry_has_no_list_that_looks_like_a_firewall() -> None:
    inputs = registry(allowed_ranges=["198.51.100.0/24"]).one("containerregistry:Registry")
    assert "networkRuleSet" not in inputs


@pytest.mark.parametrize("access", ["public", "private"])
def test_trusted_services_always_come_in(access: str) -> None:
    """An import from another registry and Defender's scan come that way."""
    inputs = registry(access=access, link=PrivateLink(SUBNET, ZONE)).one("containerregistry:Registry")
    assert inputs["networkRuleBypassOptions"] == "AzureServices"


def test_replicas_stand_where_they_were_asked_for() -> None:
    found = registry(replicas=("swedencentral", "northeurope")).of("containerregistry:Replication")
    assert {each["location"] for each in found.values()} == {"northeurope", "swedencentral"}


def test_logins_and_pushes_are_logged() -> None:
    setting = registry().one("monitor:DiagnosticSetting")
    assert setting["workspaceId"] == WORKSPACE
    assert {each["category"] for each in setting["logs"]} == {
        "ContainerRegistryLoginEvents",
        "ContainerRegistryRepositoryEvents",
    }
    assert setting["metrics"] == [{"category": "AllMetrics", "enabled": True}]


def test_a_sku_is_never_basic() -> None:
    assert sku(RegistryArgs(place=None, access="public", workspace_id=WORKSPACE)) == "Standard"  # type: ignore[arg-type]
