"""Roll-back to the last good revision, by real helm and kubectl against a real API server."""

from __future__ import annotations

import datetime
import re
import subprocess

import pytest

from pipelines.scripts import roll_back
from pipelines.scripts.commands import CommandError
from pipelines.scripts.rollout import Revision, last_good
from tests.pipelines.control_plane import wait
from tests.pipelines.delivery import BAD, GOOD, NEWER, TESTS, Delivery, outputs
from tests.pipelines.fake_node import Image
from tests.pipelines.tooling import tool

Captured = pytest.CaptureFixture[str]
both = pytest.mark.parametrize("model", ["helm", "kubectl"])

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def history(*statuses: str) -> list[Revision]:
    return [Revision(number, status, NOW) for number, status in enumerate(statuses, 1)]


@pytest.mark.parametrize(
    ("statuses", "confirmed", "found"),
    [
        ([], None, None),
        (["deployed"], None, 1),
        (["superseded", "deployed"], None, 2),
        (["superseded", "failed"], None, 1),
        (["superseded", "failed", "failed"], None, 1),
        (["deployed", "pending-upgrade"], None, 1),
        (["failed"], None, None),
        (["pending-install"], None, None),
        # 2 was deployed, failed its tests, and its roll-back was cut short: nobody confirmed it.
        (["superseded", "superseded", "failed"], 1, 1),
        (["superseded", "deployed"], 1, 1),
        # What was confirmed is gone, or is of a release that was removed since.
        (["superseded", "deployed"], 7, 2),
        (["failed", "deployed"], 1, 2),
    ],
)
def test_the_last_good_revision_worked_and_passed_everything_if_any_did(
    statuses: list[str], confirmed: int | None, found: int | None
) -> None:
    good = last_good(history(*statuses), confirmed)
    assert (good.number if good else None) == found


@pytest.mark.parametrize(
    ("to", "confirmed", "said"),
    [
        ("7", None, "revision 7 is not good, so that revision 3 (deployed) stays; that worked: 1, 3"),
        ("2", None, "revision 2 is not good, so that revision 3 (deployed) stays; that worked: 1, 3"),
        ("none", 3, "revision 3 passed everything, and none would remove it; use --to 3"),
        (
            "last-good",
            None,
            "no revision ever passed everything, so that revision 3 (deployed) stays; that worked: 1, 3",
        ),
        ("last-good", 2, "no revision ever passed everything, so that revision 3 (deployed) stays; that worked: 1, 3"),
    ],
)
def test_a_revision_that_was_never_good_is_refused(to: str, confirmed: int | None, said: str) -> None:
    with pytest.raises(CommandError, match=f"^{re.escape(said)}$"):
        roll_back.choose(history("superseded", "failed", "deployed"), to, confirmed)


@pytest.mark.parametrize("to", ["", "  ", "$(deploy.previousRevision)", "last-good"])
def test_a_variable_that_was_never_set_means_the_revision_that_passed_everything(to: str) -> None:
    listed = history("superseded", "superseded", "deployed")
    assert roll_back.choose(listed, roll_back.goal(to), 2) == listed[1]


@both
def test_a_release_that_fails_is_replaced_by_the_last_good_one(
    delivery: Delivery, capsys: Captured, model: str
) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    assert delivery.confirm(model=model) == 0
    more = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: only-in-the-bad-one}\n"
    delivery.change_chart("templates/z.yaml", "", more)
    assert delivery.deploy(BAD, model=model, timeout=3) == 1
    assert "configmap/only-in-the-bad-one" in delivery.there()
    capsys.readouterr()
    assert delivery.roll_back("1", model=model) == 0
    said = capsys.readouterr().out
    assert said == "shop: revision 2 (failed) was rolled back: 3 is 1 again, and serves\n"
    assert delivery.runs() == GOOD
    assert "configmap/only-in-the-bad-one" not in delivery.there()
    assert delivery.kubectl("get", "configmap", "shop-confirmed", "--output=jsonpath={.data.revision}") == "3"
    assert delivery.roll_back("3", model=model) == 0
    assert capsys.readouterr().out == "shop: revision 3 still runs: nothing to roll back\n"


@both
def test_a_first_deployment_that_fails_is_removed(delivery: Delivery, capsys: Captured, model: str) -> None:
    assert delivery.deploy(BAD, model=model, timeout=3) == 1
    capsys.readouterr()
    assert delivery.roll_back("none", model=model) == 0
    assert "revision 1 had no good one before it, and was removed" in capsys.readouterr().out
    wait(lambda: delivery.there() == [])
    assert delivery.roll_back("none", model=model) == 0
    assert "there is no release, and nothing to roll back" in capsys.readouterr().out
    assert delivery.deploy(GOOD, model=model) == 0


@both
def test_a_deployment_that_was_killed_half_way_is_rolled_back(delivery: Delivery, model: str) -> None:
    assert delivery.deploy(GOOD, model=model) == 0
    delivery.killed(BAD, model=model)
    assert delivery.roll_back("1", model=model) == 0
    assert delivery.runs() == GOOD


def test_a_revision_that_nobody_confirmed_is_not_gone_back_to(delivery: Delivery, capsys: Captured) -> None:
    assert delivery.deploy(GOOD) == 0
    assert delivery.confirm() == 0
    assert delivery.deploy(NEWER) == 0  # its tests fail, and its roll-back never runs
    assert delivery.deploy(BAD, timeout=3) == 1
    to = [outputs(line).get("previousRevision") for line in capsys.readouterr().out.splitlines()]
    assert [each for each in to if each] == ["none", "1", "1"]
    assert delivery.roll_back("1") == 0
    assert delivery.runs() == GOOD


def test_a_deployment_that_ended_before_it_changed_anything_leaves_nothing_to_roll_back(
    delivery: Delivery, capsys: Captured
) -> None:
    assert delivery.roll_back("") == 0
    assert "there is no release, and nothing to roll back" in capsys.readouterr().out
    assert delivery.deploy(GOOD) == 0
    assert delivery.confirm() == 0
    delivery.cluster.images.pop(NEWER)
    capsys.readouterr()
    assert delivery.deploy(NEWER) == 1
    assert outputs(capsys.readouterr().out) == {}
    assert delivery.roll_back("") == 0
    assert capsys.readouterr().out == "shop: revision 1 still runs: nothing to roll back\n"
    assert (delivery.runs(), delivery.statuses()) == (GOOD, {1: "deployed"})


def test_a_deployment_whose_agent_was_lost_with_its_variables_is_rolled_back(delivery: Delivery) -> None:
    assert delivery.deploy(GOOD) == 0
    assert delivery.confirm() == 0
    delivery.killed(BAD)
    assert delivery.roll_back("") == 0
    assert delivery.runs() == GOOD


def test_what_a_release_before_this_one_passed_counts_no_more(delivery: Delivery, capsys: Captured) -> None:
    assert delivery.deploy(GOOD) == 0
    assert delivery.confirm() == 0
    subprocess.run([tool("helm"), "uninstall", "shop", "--namespace", delivery.namespace], check=True)
    assert delivery.deploy(NEWER) == 0
    capsys.readouterr()
    assert delivery.roll_back("last-good") == 1
    assert "no revision ever passed everything" in capsys.readouterr().err


def test_a_roll_back_that_fails_calls_for_a_person(delivery: Delivery, capsys: Captured) -> None:
    assert delivery.deploy(GOOD) == 0
    assert delivery.deploy(NEWER) == 0
    delivery.cluster.images[GOOD] = Image(serves=False)
    assert delivery.roll_back("1", timeout=3) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"error: shop: is not rolled back and needs a person: helm rollback .*CrashLoopBackOff.*\n", said
    )
    assert TESTS not in said


def test_what_is_not_deployed_cannot_be_confirmed(delivery: Delivery, capsys: Captured) -> None:
    assert delivery.confirm() == 1
    assert "there is no release; only what is deployed can be confirmed" in capsys.readouterr().err
    assert delivery.deploy(BAD, timeout=3) == 1
    capsys.readouterr()
    assert delivery.confirm() == 1
    assert "revision 1 is failed" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["0", "-1", "v1", "latest", "$(a) 1"])
def test_what_is_no_revision_is_refused(capsys: Captured, to: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        roll_back.main(["--name", "shop", "--namespace", "shop", f"--to={to}"])
    assert stopped.value.code == 2
    assert "allowed: the number of a revision, none or last-good" in capsys.readouterr().err
