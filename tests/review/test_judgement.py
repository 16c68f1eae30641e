"""What is said, and what is not: nothing twice, nothing that does not happen, and names instead of ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal.run import UNKNOWN
from review import exports
from review.compare import Decision, compare
from review.document import document
from review.judgement import Judgement, judge
from review.judgement.verdict import verdict
from review.markdown import markdown
from review.model import Op
from review.page import page
from review.picture import picture
from review.text import text
from tests.conftest import Rehearsed
from tests.rehearsal.handmade import export, resource
from tests.review.edits import edited as changed
from tests.review.edits import resources, setting, without

REGISTRY = "azure-native:containerregistry:Registry"
FILE = "azuredevops:index/gitRepositoryFile:GitRepositoryFile"
GROUP = "azure-native:network:NetworkSecurityGroup"
SUBNET = "azure-native:network:Subnet"
MARK = "4dabf18193072939515e22adb298388d"


def judged(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Judgement:
    return judge(exports.changes(export(*before), export(*after)))


def test_what_stays_in_the_cloud_is_neither_lost_nor_cheaper() -> None:
    plan = resource("azure-native:security:Pricing", "plan", retainOnDelete=True, inputs={"pricingTier": "Standard"})

    found = judged([plan], [])

    assert found.acks == ()
    assert found.costs == ()
    assert [each.text for each in found.losses] == ["stays in the cloud, and nobody manages it any more"]


@pytest.mark.parametrize("alone", [True, False])
def test_a_filter_that_goes_with_its_subnet_is_not_told_by_itself(alone: bool) -> None:
    guard = resource(GROUP, "guard")
    subnet = resource(SUBNET, "subnet", inputs={"networkSecurityGroup": {"id": "/guard"}})
    bare = resource(SUBNET, "subnet")

    found = judged([guard, subnet], [bare] if alone else [])

    assert ("access:staging/NetworkSecurityGroup.guard" in found.acks) is alone


def test_a_secret_that_is_none_any_more_is_told_and_not_shown() -> None:
    sealed = {MARK: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    before, after = (resource(REGISTRY, "registry", inputs={"note": value}) for value in (sealed, "hunter2"))

    found = judged([before], [after])

    assert found.acks == ("secret:staging/Registry.registry",)
    (change,) = found.changes.changes
    assert [(each.before, each.after) for each in change.differences] == [("[secret]", "(in plain text)")]
    (back,) = judged([after], [before]).changes.changes
    assert [(each.before, each.after) for each in back.differences] == [("(in plain text)", "[secret]")]


def test_who_belongs_to_another_stack_is_called_by_name(rehearsed: Mapping[str, Rehearsed]) -> None:
    prod, staging = (rehearsed[stack].export for stack in ("prod", "staging"))
    first = resources(prod)[:1]

    alone = judge(compare(first, resources(prod)))
    together = judge(compare(first, resources(prod), around=[staging]))

    told, unnamed = (
        [each.text for each in found.weaker if each.sign == "right" and each.text.startswith("cd may use")]
        for found in (together, alone)
    )
    assert len(told) > 3
    assert unnamed == []


def test_a_verdict_does_not_promise_what_is_not_known() -> None:
    old, new = (resource(REGISTRY, "registry", inputs={"encryption": {"status": value}}) for value in ("off", "on"))

    (known,) = (verdict([judged([old | {"inputs": {}}], [old | {"inputs": {"tags": {"a": "b"}}}])]),)
    doubtful = verdict([judged([old], [new])])

    assert str(known) == "Nothing is lost, and no security gets weaker: 1 to update."
    assert str(doubtful) == "No security gets weaker: 1 resource may be replaced, which is not known, 1 to update."


def test_that_something_may_be_replaced_is_told_only_where_that_would_lose_something() -> None:
    for type_, told in ((REGISTRY, 1), ("azure-native:monitor:DiagnosticSetting", 0)):
        old, new = (resource(type_, "it", inputs={"whatNobodyKnows": value}) for value in (1, 2))

        found = judged([old], [new])

        assert len(found.losses) == told
        assert [each.doubtful for each in found.changes.changes[0].differences] == [True]


def test_what_says_the_same_many_times_is_one_line() -> None:
    files = [
        resource(FILE, f"seed-{number:02}", retainOnDelete=True, inputs={"file": f"{number}"}) for number in range(9)
    ]
    found = judged(files, [])

    made = document([found])

    (losses, _, _) = made.parts
    assert [point.subject for point in losses.points] == ["9 × GitRepositoryFile"]
    (group,) = made.groups
    assert [(line.op, line.told) for line in group.lines] == [("delete", "9 × GitRepositoryFile")]
    assert group.lines[0].note == "0, 1, 2, 3, 4, 5, and 3 more"
    for rendered in (text(made), markdown(made), page(made)):
        assert rendered.count("9 × GitRepositoryFile") == 2
    few = document([judged(files[:3], [])])
    assert len(few.parts[0].points) == 3


def test_what_has_to_be_acknowledged_is_never_folded() -> None:
    many = [resource(REGISTRY, f"registry-{number}") for number in range(9)]

    made = document([judged(many, [])])

    assert len(made.parts[0].points) == len(made.open) == 9


def test_the_picture_shows_what_would_be(rehearsed: Mapping[str, Rehearsed]) -> None:
    prod = rehearsed["prod"].export
    opened = exports.changes(prod, changed(prod, setting("Registry", "registry", publicNetworkAccess="Enabled")))
    gone = exports.changes(prod, changed(prod, without("AgentPool", "pool-batch")))

    assert ">PUBLIC<" in picture([opened])
    assert ">PUBLIC<" not in picture([exports.changes(prod, prod)])
    assert "− gone: AgentPool batch" in picture([gone])


def test_a_value_that_is_known_only_afterwards_is_told_as_such() -> None:
    old, new = (resource(REGISTRY, "registry", inputs={"location": value}) for value in ("westeurope", UNKNOWN))
    found = compare([old], [new], {old["urn"]: Decision(Op.REPLACE, forcing=("location",))})

    assert "location: westeurope → (known only afterwards)" in text(document([judge(found)]))


def test_secrets_are_counted_as_not_compared_only_where_nobody_did() -> None:
    sealed = {MARK: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    state = resource(REGISTRY, "registry", inputs={"note": sealed})
    by_engine = {state["urn"]: Decision(Op.NONE)}

    assert compare([state], [state]).sealed == 1
    assert compare([state], [state], by_engine, sealed=True).sealed == 1
    assert compare([state], [state], by_engine).sealed == 0
