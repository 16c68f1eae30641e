"""How a stack is read: kinds, values at a path, and what hangs together."""

from __future__ import annotations

from typing import Any

import pytest

from policies.model import UNKNOWN, NotKnownError, Resource, Stack, arm_type, each, get, kind

GROUP = "/subscriptions/s/resourceGroups/g/providers"
NETWORK = f"{GROUP}/Microsoft.Network/virtualNetworks/net"


def resource(name: str, type_: str, id: str = "", made_from: str = "", **properties: Any) -> Resource:
    """`made_from` names the one resource that the input `of` is made from."""
    urn = f"urn:pulumi:test::aks-cicd::{type_}::{name}"
    sources = {"of": frozenset({made_from})} if made_from else {}
    return Resource(urn, type_, properties, properties, id=id, made_from=sources)


@pytest.mark.parametrize(
    ("type_", "known_as"),
    [
        ("azure-native:network:Subnet", "network:Subnet"),
        ("azure-native:network/v20240501:Subnet", "network:Subnet"),
        ("azuredevops:index/checkApproval:CheckApproval", "devops:CheckApproval"),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "kubernetes:NetworkPolicy"),
        ("pulumi:pulumi:StackReference", "pulumi:StackReference"),
        ("aks-cicd:cluster:Cluster", "aks-cicd:Cluster"),
    ],
)
def test_a_kind_is_the_type_without_provider_and_version(type_: str, known_as: str) -> None:
    assert kind(type_) == known_as


SAID = {"pools": [{"name": "a", "zones": ["1"]}, {"name": "b"}], "tags": {"x": "1", "y": UNKNOWN}, "off": False}


class TestValuesAtAPath:
    @pytest.mark.parametrize(
        ("path", "values"),
        [
            ("pools.*.name", ["a", "b"]),
            ("pools.*.zones.*", ["1"]),
            ("tags.x", ["1"]),
            ("off", [False]),
            ("pools.name", []),
            ("off.*", []),
            ("gone.*.name", []),
        ],
    )
    def test_what_is_missing_has_no_value(self, path: str, values: list[Any]) -> None:
        assert list(each(SAID, path)) == values

    @pytest.mark.parametrize("path", ["tags.y", "tags.*", "tags.y.deeper"])
    def test_what_is_not_known_stops_whoever_asks(self, path: str) -> None:
        with pytest.raises(NotKnownError, match=path.replace("*", ".")):
            list(each(SAID, path))

    def test_one_value_or_none(self) -> None:
        assert get(SAID, "pools.*.name") == "a"
        assert get(SAID, "gone") is None

    def test_of_a_resource_without_any_property_nothing_is_known(self) -> None:
        with pytest.raises(NotKnownError, match=r"quota\.spec"):
            resource("quota", "kubernetes:core/v1:ResourceQuota").get("spec")

    def test_text_is_what_is_there_and_known(self) -> None:
        one = resource("one", "azure-native:network:Subnet", a="x", b=7, c=UNKNOWN)
        assert [one.text(key) for key in "abcd"] == ["x", "7", "", ""]


class TestWhatHangsTogether:
    def linked(self, value: Any, *, ids: bool = True, made_from: str = "") -> str | None:
        """The network or subnet that something names as `of`."""
        network = resource("network", "azure-native:network:VirtualNetwork", NETWORK if ids else "", x=1)
        subnet = resource("subnet", "azure-native:network:Subnet", f"{NETWORK}/subnets/nodes" if ids else "", x=1)
        sources = {"network": network.urn, "subnet": subnet.urn, "": ""}[made_from]
        one = resource("one", "azure-native:authorization:RoleAssignment", made_from=sources, of=value)
        found = Stack([network, subnet, one]).linked(one, "of", "network:VirtualNetwork", "network:Subnet")
        return found.name if found else None

    def test_by_id_without_regard_to_case(self) -> None:
        assert self.linked(NETWORK.upper()) == "network"

    def test_by_the_longest_id_that_it_lies_below(self) -> None:
        assert self.linked(f"{NETWORK}/peerings/hub") == "network"
        assert self.linked(f"{NETWORK}/subnets/nodes/x/y") == "subnet"

    def test_by_the_last_part_of_an_id(self) -> None:
        assert self.linked("net") == "network"
        assert self.linked("nodes") == "subnet"

    def test_a_name_that_only_begins_alike_is_another(self) -> None:
        assert self.linked(f"{NETWORK}-2") is None
        assert self.linked("et") is None

    def test_by_what_it_is_made_from_where_nobody_tells_ids(self) -> None:
        assert self.linked(NETWORK, ids=False, made_from="network") == "network"
        assert self.linked(UNKNOWN, made_from="subnet") == "subnet"
        assert self.linked(NETWORK, ids=False) is None

    def test_an_id_that_is_known_counts_more_than_what_it_is_made_from(self) -> None:
        assert self.linked(f"{GROUP}/Microsoft.Network/virtualNetworks/theirs", made_from="network") is None

    def test_all_that_comes_before_is_found_by_way_of_others(self) -> None:
        first = resource("first", "azure-native:network:Subnet", x=1)
        second = resource("second", "azure-native:network:Subnet", made_from=first.urn, x=1)
        third = Resource("urn:pulumi:test::aks-cicd::t::third", "t", after=frozenset({second.urn, "urn:gone"}))
        stack = Stack([first, second, third])
        assert stack.before(third) == {first.urn, second.urn, "urn:gone"}
        assert stack.before(first) == frozenset()


@pytest.mark.parametrize(
    ("id", "type_"),
    [
        (NETWORK, "Microsoft.Network/virtualNetworks"),
        (f"{NETWORK}/subnets/nodes", "Microsoft.Network/virtualNetworks/subnets"),
        (f"{NETWORK}/providers/Microsoft.Authorization/locks/l", "Microsoft.Authorization/locks"),
        ("/subscriptions/s/resourceGroups/g", ""),
    ],
)
def test_an_id_tells_the_type_of_what_it_names(id: str, type_: str) -> None:
    assert arm_type(id) == type_
