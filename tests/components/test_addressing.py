"""The address plan: inside its space, without overlaps, and never moved by what is in use."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from components import addressing
from components.addressing import AGENTS, API_SERVER, NODES, PRIVATE_ENDPOINTS, SUBNETS
from tests.stackfiles import steady


def ranges(largest: int, smallest: int) -> st.SearchStrategy[str]:
    """Any IPv4 range of a prefix length between the two."""
    return st.builds(
        lambda address, prefix: str(IPv4Network((address, prefix), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(largest, smallest),
    )


SPACES = ranges(addressing.LARGEST_SPACE, addressing.SMALLEST_SPACE)


class TestPlannedSubnets:
    @steady(200)
    @given(SPACES)
    def test_they_fill_the_space_without_overlap(self, space: str) -> None:
        """Equal sizes and no overlap: nothing lies outside, and no address is wasted."""
        planned = [IPv4Network(cidr) for cidr in addressing.plan(space).values()]
        assert all(subnet.subnet_of(IPv4Network(space)) for subnet in planned)
        assert not addressing.overlaps(addressing.plan(space))
        assert sum(subnet.num_addresses for subnet in planned) == IPv4Network(space).num_addresses

    @steady(200)
    @given(SPACES)
    @example(f"10.0.0.0/{addressing.SMALLEST_SPACE}")
    def test_each_is_as_large_as_azure_demands(self, space: str) -> None:
        planned = addressing.plan(space)
        assert IPv4Network(planned[API_SERVER]).prefixlen <= 28
        assert all(IPv4Network(cidr).prefixlen <= 29 for cidr in planned.values())

    @steady(100)
    @given(SPACES)
    def test_the_nodes_have_half_of_the_space(self, space: str) -> None:
        assert IPv4Network(addressing.plan(space)[NODES]).prefixlen == IPv4Network(space).prefixlen + 1

    def test_a_plan_moves_in_no_release(self) -> None:
        """A subnet whose range changes is replaced, and with it all that lives in it."""
        assert addressing.plan("10.20.0.0/20") == {
            NODES: "10.20.0.0/21",
            AGENTS: "10.20.8.0/22",
            PRIVATE_ENDPOINTS: "10.20.12.0/23",
            API_SERVER: "10.20.14.0/23",
        }

    @steady(100)
    @given(SPACES, st.dictionaries(st.sampled_from(SUBNETS), ranges(8, 29)))
    def test_own_ranges_win_and_move_no_other(self, space: str, own: dict[str, str]) -> None:
        planned = addressing.plan(space)
        assert addressing.plan(space, own) == planned | own
        assert [*addressing.plan(space, own)] == [*SUBNETS]


class TestOverlaps:
    @steady(200)
    @given(ranges(4, 32), ranges(4, 32))
    def test_two_ranges_overlap_exactly_when_one_holds_the_other(self, one: str, other: str) -> None:
        nested = addressing.within(one, other) or addressing.within(other, one)
        assert bool(addressing.overlaps({"a": one, "b": other})) is nested

    @steady(100)
    @given(ranges(8, 24))
    def test_halves_touch_and_do_not_overlap(self, space: str) -> None:
        low, high = map(str, IPv4Network(space).subnets())
        assert addressing.overlaps({"low": low, "high": high}) == []
        assert addressing.overlaps({"low": low, "all": space, "high": high}) == [("low", "all"), ("all", "high")]

    def test_a_range_lies_within_itself_and_not_in_its_half(self) -> None:
        assert addressing.within("10.0.0.0/16", "10.0.0.0/16")
        assert not addressing.within("10.0.0.0/16", "10.0.0.0/17")
        assert not addressing.within("10.1.0.0/24", "10.0.0.0/16")


class TestWhatASubnetHolds:
    @pytest.mark.parametrize(("cidr", "free"), [("10.0.0.0/24", 251), ("10.0.0.0/28", 11), ("10.0.0.0/29", 3)])
    def test_azure_keeps_five_addresses_of_each(self, cidr: str, free: int) -> None:
        assert addressing.holds(cidr) == free

    @steady(100)
    @given(ranges(8, 28))
    def test_halving_a_subnet_costs_five_addresses(self, cidr: str) -> None:
        low, high = map(str, IPv4Network(cidr).subnets())
        assert addressing.holds(cidr) == addressing.holds(low) + addressing.holds(high) + 5


class TestTheDnsServiceAddress:
    @steady(200)
    @given(ranges(12, 27))
    def test_it_lies_inside_the_range_and_is_neither_first_nor_last(self, services: str) -> None:
        network, address = IPv4Network(services), IPv4Address(addressing.dns_service_address(services))
        assert address in network
        assert address not in (network[0], network[1], network[-1])

    @steady(50)
    @given(ranges(12, 27))
    def test_it_ends_as_the_documentation_has_it(self, services: str) -> None:
        assume(IPv4Network(services).network_address.packed[3] == 0)
        assert addressing.dns_service_address(services).endswith(".10")
