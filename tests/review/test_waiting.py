"""What only waits for an update is told apart from what changes."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.run import SECRET, UNKNOWN
from review.compare import Decision, compare
from review.model import Changes, Op
from tests.rehearsal.handmade import resource

CLUSTER = "azure-native:containerservice:ManagedCluster"
GRANT = "azure-native:authorization:RoleAssignment"
TEXT = "azuredevops:index/variableGroup:VariableGroup"


def change(op: Op, before: Any, after: Any, *, forces: bool = False) -> Changes:
    """A grant takes its principal from a cluster to which `op` happens, and something takes its name from the grant."""

    def states(version: int, principal: Any, name: Any) -> list[dict[str, Any]]:
        cluster = resource(CLUSTER, "cluster", inputs={"kubernetesVersion": version})
        grant = resource(GRANT, "grant", inputs={"principalId": principal})
        grant["propertyDependencies"] = {"principalId": [cluster["urn"]]}
        text = resource(TEXT, "text", inputs={"name": name})
        text["propertyDependencies"] = {"name": [grant["urn"]]}
        return [cluster, grant, text]

    old, new = states(1, before, "n"), states(2, after, UNKNOWN)
    grant_op = Op.REPLACE if forces else Op.UPDATE
    paths = ("principalId",) if forces else ()
    decided = {
        old[0]["urn"]: Decision(op, forcing=("kubernetesVersion",) if op is Op.REPLACE else ()),
        old[1]["urn"]: Decision(grant_op, forcing=paths, touched=("principalId",)),
        old[2]["urn"]: Decision(Op.UPDATE),
    }
    return compare(old, new, decided)


def told(changes: Changes) -> dict[str, Op]:
    return {each.resource.logical_name: each.op for each in changes.changes}


@pytest.mark.parametrize("forces", [False, True])
def test_of_what_is_only_updated_it_waits_and_so_does_what_follows(forces: bool) -> None:
    found = change(Op.UPDATE, "p1", UNKNOWN, forces=forces)

    assert told(found) == {"cluster": Op.UPDATE}
    assert [(each.resource.logical_name, each.differences[0].path) for each in found.waiting] == [
        ("grant", "principalId"),
        ("text", "name"),
    ]
    assert found.unchanged == 2


def test_of_what_is_replaced_it_changes() -> None:
    found = change(Op.REPLACE, "p1", UNKNOWN, forces=True)

    assert told(found) == {"cluster": Op.REPLACE, "grant": Op.REPLACE, "text": Op.UPDATE}
    assert found.waiting == ()


def test_a_value_that_is_known_to_be_another_changes() -> None:
    found = change(Op.UPDATE, ["p1", "p2"], ["p3", UNKNOWN])

    assert told(found)["grant"] is Op.UPDATE
    assert told(change(Op.UPDATE, ["p1", "p2"], ["p1", UNKNOWN])) == {"cluster": Op.UPDATE}


def test_a_secret_taken_from_what_is_updated_waits() -> None:
    """The engine says that it changed, and not whether that is because nobody knows it yet."""
    assert told(change(Op.UPDATE, SECRET, SECRET)) == {"cluster": Op.UPDATE}
    assert told(change(Op.REPLACE, SECRET, SECRET))["grant"] is Op.UPDATE


def test_what_comes_from_nowhere_is_a_change() -> None:
    old, new = (resource(GRANT, "grant", inputs={"principalId": value}) for value in ("p1", UNKNOWN))

    found = compare([old], [new], {old["urn"]: Decision(Op.UPDATE)})

    assert told(found) == {"grant": Op.UPDATE}


def test_a_secret_that_is_partly_of_what_is_replaced_changes() -> None:
    clusters = [resource(CLUSTER, name) for name in ("updated", "replaced")]
    grant = resource(GRANT, "grant", inputs={"principalId": SECRET})
    grant["propertyDependencies"] = {"principalId": [each["urn"] for each in clusters]}
    old = [*(each | {"inputs": {"size": 1}} for each in clusters), grant]
    new = [*(each | {"inputs": {"size": 2}} for each in clusters), grant]
    decided = {
        clusters[0]["urn"]: Decision(Op.UPDATE),
        clusters[1]["urn"]: Decision(Op.REPLACE, forcing=("size",)),
        grant["urn"]: Decision(Op.UPDATE, touched=("principalId",)),
    }

    assert told(compare(old, new, decided))["grant"] is Op.UPDATE
