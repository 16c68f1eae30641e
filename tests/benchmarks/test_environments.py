"""Further environments are such as a growing estate could really add."""

from __future__ import annotations

import copy
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import settings
from benchmarks.environments import NoRoomError, generated
from rehearsal.program import stack_files
from validation import stackfile

ROOT = Path(__file__).resolve().parents[2]
COUNT = 20


@pytest.fixture(scope="module")
def shipped() -> dict[str, dict[str, Any]]:
    return {name: stackfile.read(path) for name, path in stack_files(ROOT).items()}


@pytest.fixture(scope="module")
def parsed(shipped: dict[str, dict[str, Any]]) -> dict[str, settings.Settings]:
    """The shipped ones and the generated ones; refuses what is not valid."""
    everything = shipped | generated(shipped, COUNT)
    return {name: settings.parse(name, config, rehearsal=True) for name, config in everything.items()}


def test_there_are_as_many_as_asked_for(shipped: dict[str, dict[str, Any]]) -> None:
    for count in (0, 1, COUNT):
        assert len(generated(shipped, count).keys() - shipped.keys()) == count


def test_no_two_environments_share_an_address(parsed: dict[str, settings.Settings]) -> None:
    ranges = [IPv4Network(each.network.address_space) for each in parsed.values()]
    ranges += [
        IPv4Network(cidr) for each in parsed.values() if each.network.hub for cidr in each.network.hub.address_spaces
    ][:1]
    assert not [pair for pair in combinations(ranges, 2) if pair[0].overlaps(pair[1])]


def test_no_two_environments_share_a_name_that_is_unique_in_azure(parsed: dict[str, settings.Settings]) -> None:
    names = [each.planned_names for each in parsed.values()]
    for unique in ("resource_group", "registry", "workload_vault", "workspace", "cluster"):
        assert len({getattr(each, unique) for each in names}) == len(names)


def test_tiers_take_turns(parsed: dict[str, settings.Settings]) -> None:
    further = [each.tier for name, each in parsed.items() if name.startswith("e")]
    assert further == ["nonproduction", "production"] * (COUNT // 2)


def test_delivery_keeps_its_one_owner(parsed: dict[str, settings.Settings]) -> None:
    owners = [name for name, each in parsed.items() if each.delivery.home]
    assert len(owners) == 1
    assert all(each.stacks.delivery in (None, *owners) for each in parsed.values())


def test_the_shipped_ones_stay_as_they_are(shipped: dict[str, dict[str, Any]]) -> None:
    before = repr(shipped)
    generated(shipped, COUNT)
    assert repr(shipped) == before


def test_what_does_not_fit_the_private_range_is_refused(shipped: dict[str, dict[str, Any]]) -> None:
    large = copy.deepcopy(shipped)
    for number, config in enumerate(large.values()):
        config["aks-cicd:network"]["addressSpace"] = f"10.{32 * (number + 1)}.0.0/12"
    with pytest.raises(NoRoomError, match=r"No free /12"):
        generated(large, 40)
