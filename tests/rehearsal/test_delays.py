"""Typical times, and the longest chain of what waits for each other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.provisioning import Measured, figures, shown
from rehearsal.cloud import Cloud
from rehearsal.cloud.azure import KINDS as AZURE
from rehearsal.cloud.azuredevops import KINDS as DELIVERY
from rehearsal.cloud.kubernetes import KINDS as OBJECTS
from rehearsal.delays import Delay, Delays, DelaysError, Plan
from tests.rehearsal import landscape
from tests.rehearsal.handmade import STACK, component, export, resource, urn

A, B, C = "azure-native:a:A", "azure-native:b:B", "azuredevops:index/c:C"
DELAYS = Delays({A: Delay(10, "seen"), B: Delay(5, "estimate; so"), "azuredevops:*": Delay(1, "estimate; so")})


def plan(*states: dict[str, Any]) -> Plan:
    return Plan.of(export(*states), DELAYS)


def names(found: Plan) -> list[str]:
    return [link.node.name for link in found.chain]


# The table


def test_every_type_that_the_cloud_knows_has_a_time_and_a_source() -> None:
    delays = Delays.of()
    for type_ in (*AZURE, *DELIVERY, *OBJECTS):
        assert delays[type_].seconds > 0
        assert len(delays[type_].source) > 10


def test_what_is_not_seen_anywhere_is_called_an_estimate() -> None:
    delays = Delays.of()
    assert not delays["azure-native:containerservice:ManagedCluster"].estimated
    assert delays["azure-native:dashboard:Grafana"].estimated


def test_the_narrowest_line_counts_and_a_type_without_one_is_named() -> None:
    assert DELAYS[C].seconds == 1
    assert Delays({**DELAYS.patterns, C: Delay(7, "seen")})[C].seconds == 7
    with pytest.raises(DelaysError, match="no line for azure-native:z:Z"):
        DELAYS["azure-native:z:Z"]


@pytest.mark.parametrize(
    "line", ["{source: seen}", "{seconds: -1, source: seen}", "{seconds: 1}", "{seconds: x, source: seen}"]
)
def test_a_line_without_a_time_or_a_source_is_refused(tmp_path: Path, line: str) -> None:
    table = tmp_path / "delays.yaml"
    table.write_text(f"sources: {{seen: somewhere}}\nseconds:\n  a: {line}\n", "utf-8")
    with pytest.raises(DelaysError, match="needs seconds, 0 or more, and a source: seen"):
        Delays.of(table)


def test_creates_take_their_time_and_deletes_do_not() -> None:
    cloud = landscape.before("vnet")
    Delays({"*": Delay(100, "seen")}).slow(cloud, 0.001)
    started = time.monotonic()
    id = landscape.make(cloud, "vnet")
    assert time.monotonic() - started >= 0.1
    started = time.monotonic()
    cloud.delete(landscape.type_of("vnet"), id)
    assert time.monotonic() - started < 0.1
    cloud.calm()
    started = time.monotonic()
    landscape.make(cloud, "vnet")
    assert time.monotonic() - started < 0.1


# The chain


def test_the_longest_chain_counts_times_not_links() -> None:
    found = plan(
        resource(C, "c1"),
        resource(C, "c2", dependencies=[urn(C, "c1")]),
        resource(C, "c3", dependencies=[urn(C, "c2")]),
        resource(A, "a"),
        resource(B, "b", dependencies=[urn(A, "a")]),
    )
    assert names(found) == ["a", "b"]
    assert found.seconds == 15
    assert found.total == 18
    assert [(link.begins, link.seconds) for link in found.chain] == [(0, 10), (10, 5)]


def test_a_parent_that_is_a_resource_and_a_provider_are_waited_for() -> None:
    provider = urn("pulumi:providers:kubernetes", "k")
    found = plan(
        resource(A, "cluster"),
        resource("pulumi:providers:kubernetes", "k", dependencies=[urn(A, "cluster")]),
        component("x:Y", "part"),
        resource(B, "inside", urn("aks-cicd:x:Y", "part"), provider=f"{provider}::id"),
        resource(C, "below", urn(B, "inside")),
    )
    assert names(found) == ["cluster", "inside", "below"]


def test_what_only_a_depends_on_makes_wait_is_told_and_what_it_costs() -> None:
    found = plan(
        resource(A, "a"),
        resource(B, "needed", dependencies=[urn(A, "a")], propertyDependencies={"x": [urn(A, "a")]}),
        resource(A, "queued", dependencies=[urn(B, "needed")]),
    )
    assert [link.declared for link in found.chain] == [False, False, True]
    assert found.seconds == 25
    assert found.without(urn(A, "queued")).seconds == 15
    assert found.by_data.seconds == 15


def test_a_depends_on_beside_a_property_that_takes_as_long_is_not_blamed() -> None:
    found = plan(
        resource(A, "a1"),
        resource(A, "a2"),
        resource(B, "b", dependencies=[urn(A, "a1"), urn(A, "a2")], propertyDependencies={"x": [urn(A, "a2")]}),
    )
    assert not any(link.declared for link in found.chain)


def test_an_empty_stack_has_no_chain() -> None:
    found = Plan.of({"deployment": {}}, DELAYS)
    assert (found.chain, found.seconds, found.total) == ((), 0.0, 0)
    assert plan().chain == ()
    assert STACK in plan().nodes


# The figures


def test_what_a_slowed_update_took_counts_in_full_length() -> None:
    found = plan(resource(A, "a"), resource(B, "b", dependencies=[urn(A, "a")]))
    measured = Measured("staging", took=1.7, scale=0.1, plan=found)
    assert measured.seconds == pytest.approx(17.0)
    assert measured.times == pytest.approx(17.0 / 15.0)
    assert figures(measured)["times"] == measured.times


@pytest.mark.parametrize(("took", "verdict"), [(1.6, "met"), (1.7, "MISSED")])
def test_the_figures_stand_beside_the_aim(took: float, verdict: str) -> None:
    found = plan(resource(A, "a"), resource(B, "b", dependencies=[urn(A, "a")]))
    text = shown([Measured("staging", took, 0.1, found)])
    assert verdict in text
    assert "depends_on; without it 5 s less" in text
    assert "estimate" in text


def test_a_cloud_that_is_not_slowed_is_as_fast_as_before() -> None:
    cloud = Cloud(landscape.estate())
    Delays.of().slow(cloud, 0.0)
    started = time.monotonic()
    landscape.make(cloud, "group")
    assert time.monotonic() - started < 0.1
