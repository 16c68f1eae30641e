"""Stack files ship with placeholders from one reserved set; a real run refuses all of them, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings
from settings import SettingsError
from tests.stackfiles import PREFIX, ROOT, STACKS, edited, shipped, steady
from validation.checks import is_placeholder, leaves

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

RESERVED = [
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-0000000000a1",
    "00000000-0000-0000-0000-FFFFFFFFFFFF",
    "/subscriptions/00000000-0000-0000-0000-000000000030/resourceGroups/rg-hub",
    "192.0.2.0/24",
    "198.51.100.7",
    "198.51.100.128/25",
    "203.0.113.0/24",
    "203.0.113.255/32",
    "example.com",
    "ops@example.com",
    "Ops@Example.ORG",
    "https://git.example.net/shop",
    "https://example.com:8443/hook",
    "registry.example",
    "https://dev.azure.com/example",
    "platform-team@contoso.example",
    "https://workflows.contoso.example/aks-cicd/production",
]
ORDINARY = [
    "10.0.0.0/16",
    "10.244.0.0/16",
    "192.0.3.0/24",
    "192.0.0.0/16",
    "198.51.101.7",
    "0.0.0.0/0",
    "platform-team",
    "westeurope",
    "Standard_D4ds_v5",
    "1.36",
    "4711",
    "00000003-0000-0000-c000-000000000000",
    "https://dev.azure.com/contoso",
    "platform-team@contoso.com",
    "https://workflows.contoso.com/aks-cicd/production",
    "counterexample.com",
    "rg-examples",
    "for example this",
    "",
]


class TestTheReservedSet:
    @pytest.mark.parametrize("value", RESERVED)
    def test_a_reserved_value_is_a_placeholder(self, value: str) -> None:
        assert is_placeholder(value)

    @pytest.mark.parametrize("value", ORDINARY)
    def test_an_ordinary_value_is_none(self, value: str) -> None:
        assert not is_placeholder(value)

    @steady(200)
    @given(st.uuids(version=4))
    def test_no_random_guid_is_a_placeholder(self, guid: Any) -> None:
        assert not is_placeholder(str(guid))

    @steady(200)
    @given(st.ip_addresses(v=4, network="10.0.0.0/8"))
    def test_no_private_address_is_a_placeholder(self, address: Any) -> None:
        assert not is_placeholder(str(address))

    @steady(200)
    @given(
        st.sampled_from(["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]).flatmap(
            lambda net: st.ip_addresses(v=4, network=net)
        )
    )
    def test_every_address_of_the_documentation_ranges_is_one(self, address: Any) -> None:
        assert is_placeholder(str(address))


def ids(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, guid) for key, value in leaves(config) for guid in GUID.findall(value.lower())]


class TestShippedFiles:
    @pytest.mark.parametrize("stack", STACKS)
    def test_every_id_in_them_is_a_reserved_placeholder(self, stack: str) -> None:
        found = ids(shipped(stack))
        assert len(found) >= 3
        assert not [(key, guid) for key, guid in found if not is_placeholder(guid)]

    @pytest.mark.parametrize("stack", STACKS)
    def test_every_public_address_and_mail_domain_in_them_is_a_reserved_placeholder(self, stack: str) -> None:
        outside = re.compile(r"[^@\s]+@[^@\s]+|\bhttps?://\S+")
        found = [value for _, value in leaves(shipped(stack)) if outside.fullmatch(value)]
        assert len(found) >= len(["who is told", "whom Defender writes to"])
        assert not [value for value in found if not is_placeholder(value)]

    @pytest.mark.parametrize("stack", STACKS)
    def test_their_head_tells_of_the_placeholders(self, stack: str) -> None:
        assert "placeholders" in (ROOT / f"Pulumi.{stack}.yaml").read_text().partition("config:")[0]


SETTABLE = {
    "azure.tenantId": "00000000-0000-0000-0000-000000000001",
    "azure.subscriptionId": "00000000-0000-0000-0000-000000000020",
    "cluster.adminGroups": ["00000000-0000-0000-0000-0000000000a2"],
    "registry.allowedRanges": ["203.0.113.0/24"],
    "vaults.workload.allowedRanges": ["198.51.100.0/24"],
    "network.hub.egressAddresses": ["198.51.100.7"],
    "alerts.emails.platform-team": "platform-team@contoso.example",
    "alerts.webhooks.on-call-channel": "https://workflows.contoso.example/aks-cicd/production",
    "defender.contacts": ["security@contoso.example"],
    "delivery.organization": "https://dev.azure.com/example",
    "tags.contact": "ops@example.com",
    "tags.handbook": "https://example.org/handbook",
}


def real(stack: str) -> dict[str, Any]:
    """The shipped file as its owner would fill it in: no placeholder left."""

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        if isinstance(node, str):
            return (
                node.replace("00000000-0000-", "7d3c1a52-4be0-")
                .replace("contoso.example", "contoso.com")
                .replace("azure.com/example", "azure.com/contoso")
            )
        return node

    config: dict[str, Any] = filled(shipped(stack))
    return config


class TestARealRun:
    @pytest.mark.parametrize("stack", STACKS)
    def test_a_file_with_values_of_its_own_is_accepted(self, stack: str) -> None:
        assert settings.parse(stack, real(stack)).stack == stack

    @pytest.mark.parametrize("key", SETTABLE)
    def test_each_placeholder_is_refused_by_its_key(self, key: str) -> None:
        value = SETTABLE[key]
        with pytest.raises(SettingsError) as raised:
            settings.parse("prod", edited(real("prod"), {key: value}))
        said = [problem for problem in raised.value.problems if "placeholder" in problem.allowed]
        entry = f"{PREFIX}{key}[0]" if isinstance(value, list) else PREFIX + key
        assert [problem.key for problem in said] == [entry]

    def test_all_of_them_are_refused_at_once(self) -> None:
        with pytest.raises(SettingsError) as raised:
            settings.parse("prod", edited(shipped("prod"), SETTABLE))
        said = [problem.key for problem in raised.value.problems if "placeholder" in problem.allowed]
        assert len(said) == len(SETTABLE) + len(
            ["hub", "route table", "vault zone", "on-call's e-mail", "agents' service", "approvers"]
        )

    @pytest.mark.parametrize("stack", STACKS)
    def test_none_of_them_is_refused_in_a_rehearsal(self, stack: str) -> None:
        settings.parse(stack, edited(shipped(stack), {"tags.contact": "ops@example.com"}), rehearsal=True)
