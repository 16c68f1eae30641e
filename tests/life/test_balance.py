"""What the engine believes, held against what the cloud holds: each way in which they can part is found."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal import memory
from rehearsal.cloud import Cloud
from rehearsal.life.balance import weigh
from rehearsal.life.killed import settled
from tests.conftest import Rehearsed, StandingStacks

Exports = dict[str, dict[str, Any]]


@pytest.fixture
def cloud(standing: StandingStacks) -> Cloud:
    return memory.recall(standing.place / memory.PLACE.name)


@pytest.fixture
def exports(rehearsed: Mapping[str, Rehearsed]) -> Exports:
    return {stack: copy.deepcopy(dict(run.export)) for stack, run in rehearsed.items()}


def states(exports: Exports, stack: str = "staging") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exports[stack]["deployment"]["resources"]
    return found


def pool(exports: Exports) -> dict[str, Any]:
    return next(state for state in states(exports) if state["type"].endswith(":AgentPool"))


def test_after_an_update_both_are_the_same(cloud: Cloud, exports: Exports) -> None:
    assert weigh(exports.values(), cloud).even


def test_what_no_state_knows_is_an_orphan_unless_it_stays_on_purpose(cloud: Cloud, exports: Exports) -> None:
    gone = pool(exports)
    states(exports).remove(gone)
    assert weigh(exports.values(), cloud).orphans == (f"{gone['id'].lower()} (AgentPool)",)
    assert weigh(exports.values(), cloud, [gone["id"]]).even


def test_what_the_cloud_lacks_is_only_in_the_state(cloud: Cloud, exports: Exports) -> None:
    cloud.delete(pool(exports)["type"], pool(exports)["id"])
    assert weigh(exports.values(), cloud).ghosts == (f"{pool(exports)['id'].lower()} (AgentPool)",)


def test_what_two_entries_stand_for_is_a_duplicate(cloud: Cloud, exports: Exports) -> None:
    states(exports).append(pool(exports) | {"urn": "another"})
    found = weigh(exports.values(), cloud)
    assert found.duplicates == (f"{pool(exports)['id'].lower()} (AgentPool)",)
    assert "twice in the state" in str(found)


def interrupted(exports: Exports) -> dict[str, Any]:
    """A state in which the engine does not know whether the pool was made."""
    pending = pool(exports)
    states(exports).remove(pending)
    operation = {"resource": {key: value for key, value in pending.items() if key != "id"}, "type": "creating"}
    exports["staging"]["deployment"]["pending_operations"] = [operation]
    return pending


def test_an_operation_whose_end_is_not_known_is_pending(cloud: Cloud, exports: Exports) -> None:
    interrupted(exports)
    assert weigh(exports.values(), cloud).pending == ("pool-apps (creating)",)


def test_a_pending_create_that_the_cloud_has_done_is_taken_into_the_state(cloud: Cloud, exports: Exports) -> None:
    pending = interrupted(exports)
    exports["staging"] = settled(exports["staging"], cloud)
    assert pool(exports)["id"] == pending["id"]
    assert weigh(exports.values(), cloud).even


def test_a_pending_create_that_the_cloud_has_not_done_is_dropped(cloud: Cloud, exports: Exports) -> None:
    pending = interrupted(exports)
    cloud.delete(pending["type"], pending["id"])
    exports["staging"] = settled(exports["staging"], cloud)
    assert weigh(exports.values(), cloud).even
    assert not [state for state in states(exports) if state["urn"] == pending["urn"]]
