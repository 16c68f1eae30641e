"""Each check of `make verify` tells an environment that works from one that does not, by what the services answer."""

from __future__ import annotations

import copy
import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from operations.checking import BAD, OK, SKIPPED, Place
from operations.errors import OperationsError
from operations.verify import VERIFY, logs, metrics, signing, stack
from rehearsal.cloud.azure.streams import TABLES
from tests.conftest import Rehearsed
from tests.operations import verified
from tests.operations.recorded import Recorded, names, outcome, place
from tests.signing import CERTIFICATE
from tests.stackfiles import ROOT
from validation import certificates

Answers = list[dict[str, Any]]
ALL = names(VERIFY)
OF_STAGING_ALONE = {"table-plans"}
BY_THE_ENGINE = {"no-drift"}
BY_THE_SETTINGS = {"signing"}
ASKING = sorted({*ALL} - BY_THE_ENGINE - BY_THE_SETTINGS)


@pytest.fixture(scope="module")
def exports(rehearsed: Mapping[str, Rehearsed]) -> Mapping[str, Any]:
    return {name: verified.filled(one.export) for name, one in rehearsed.items()}


def stack_of(name: str) -> str:
    return "staging" if name in OF_STAGING_ALONE else "prod"


def looked(exports: Mapping[str, Any], name: str, change: Callable[[Answers], object] | None = None) -> Any:
    of = stack_of(name)
    answers = copy.deepcopy(verified.good(exports[of], place(of, Recorded([])).settings))
    if change:
        change(answers)
    return outcome(VERIFY, name, place(of, Recorded(answers), export=exports[of]))


class TestAnEnvironmentThatWorks:
    @pytest.mark.parametrize("name", ASKING)
    def test_is_well(self, name: str, exports: Mapping[str, Any]) -> None:
        found = looked(exports, name)
        assert (found.state, found.words) == (OK, (found.check.about,))

    @pytest.mark.parametrize("name", ASKING)
    def test_is_skipped_by_name_without_a_login(self, name: str, exports: Mapping[str, Any]) -> None:
        of = stack_of(name)
        found = outcome(VERIFY, name, place(of, Recorded([]), export=exports[of]), frozenset())
        assert found.state == SKIPPED


UNEXPECTED: Mapping[str, dict[str, Any]] = {
    "a refusal": {"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": "no"}}},
    "words": {"status": 200, "body": "all is well", "type": "text/plain"},
    "another form": {"status": 200, "body": {"value": [{"surprise": 1}], "properties": {"surprise": 1}}},
    "nothing": {"status": 200, "body": {}},
}


class TestAnAnswerThatIsNotUnderstood:
    @pytest.mark.parametrize("name", ASKING)
    @pytest.mark.parametrize("kind", UNEXPECTED)
    def test_is_never_taken_for_good(self, name: str, kind: str, exports: Mapping[str, Any]) -> None:
        def change(found: Answers) -> None:
            for each in found:
                each.update({"status": 200, "type": "application/json"} | UNEXPECTED[kind])

        found = looked(exports, name, change)
        assert found.state == BAD
        assert all("Traceback" not in words for words in found.words)


def edit(end: str, **new: Any) -> Callable[[Answers], None]:
    """Changes the properties in the answer to the first path of that end."""

    def change(found: Answers) -> None:
        first = next(each for each in found if each["at"].endswith(end))
        first["body"]["properties"].update(new)

    return change


def says(asks: str, body: Any, status: int = 200) -> Callable[[Answers], None]:
    """Other words in answer to every question whose path or query holds this."""

    def change(found: Answers) -> None:
        hit = [each for each in found if asks in each["at"] or asks == each.get("asks")]
        assert hit, asks
        for each in hit:
            each.update(body=body, status=status)

    return change


def alter(asks: str, how: Callable[[Any], object]) -> Callable[[Answers], None]:
    def change(found: Answers) -> None:
        how(next(each["body"] for each in found if asks in each["at"]))

    return change


RULE = "alert-shop-prod-defender-alert"
GRANT = {"id": "a", "properties": {"roleDefinitionId": f"/x/{verified.PULL}", "scope": "/x", "principalId": "x"}}
AMISS: Mapping[str, tuple[str, Callable[[Answers], object], str]] = {
    "a rule that is off": ("alert-rules", edit(RULE, enabled=False), f"{RULE} is switched off"),
    "a rule that is gone": ("alert-rules", says(RULE, {"error": {}}, 404), f"{RULE} is gone"),
    "a rule that fails": (
        "alert-rules",
        edit(
            f"{RULE}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
            availabilityState="Degraded",
            summary="The query failed.",
        ),
        f"{RULE} is Degraded: The query failed.",
    ),
    "a rule in a group that is off": (
        "alert-rules",
        edit("NodeRecordingRulesRuleGroup-aks-shop-prod", rules=[{"record": "a:b", "enabled": False}]),
        "a:b are switched off",
    ),
    "a lock that is gone": ("locks", says("lock-shop-prod-registry", {"error": {}}, 404), "is gone or weaker"),
    "a weaker lock": ("locks", edit("lock-shop-prod-registry", level="ReadOnly"), "is gone or weaker"),
    "a plan that is off": ("plans", edit("/Containers", pricingTier="Free"), "the plan Containers is Free"),
    "an extension that is off": (
        "plans",
        edit("/Containers", extensions=[{"name": "ContainerSensor", "isEnabled": "False"}]),
        "lacks ContainerSensor",
    ),
    "a table on another plan": ("table-plans", edit("/ContainerLogV2", plan="Analytics"), "is Analytics"),
    "metrics that do not arrive": (
        "metrics",
        says("by (job)", verified.counted(({"job": "node"}, 3))),
        "no metrics of cadvisor, kube-state-metrics, kubelet",
    ),
    "a node without the sensor": (
        "sensor",
        says("microsoft-defender-collector-ds", verified.counted(({}, 7))),
        "the sensor runs on 7 of 8 nodes",
    ),
    "no sensor": ("sensor", says("microsoft-defender-collector-ds", verified.counted()), "on 0 of 8 nodes"),
    "no node": ("sensor", says("kube_node_status_condition", verified.counted()), "no node is seen"),
    "no workload": ("workload", says("up{namespace=", verified.counted()), "no pod of the namespace shop"),
    "no data source": ("grafana", says("/api/datasources", []), "no data source of metrics"),
    "a data source that sees nothing": (
        "grafana",
        says("/proxy/uid/", verified.counted()),
        "Grafana sees no metrics",
    ),
    "a table without rows": (
        "logs",
        alter("loganalytics.io", lambda body: body["tables"][0]["rows"].pop(0)),
        "no row of ContainerLogV2 in a day",
    ),
    "no rows at all": (
        "logs",
        alter("loganalytics.io", lambda body: body["tables"][0]["rows"].clear()),
        "nothing at all has arrived",
    ),
    "a kubelet that may not pull": (
        "pull",
        lambda found: says(_registry(found, own=True), {"value": []})(found),
        "may not pull from its own registry",
    ),
    "a kubelet that may pull from the wrong tier": (
        "pull",
        lambda found: says(_registry(found, own=False), {"value": [GRANT]})(found),
        "on the registry that images are promoted from",
    ),
    "another subject": (
        "federation",
        edit("/connection-deploy-prod", subject="sc://contoso/Shop/deploy-prod"),
        "deploy-prod is not the one that its identity trusts",
    ),
    "a credential that is gone": (
        "federation",
        says("/connection-deploy-prod", {"error": {}}, 404),
        "deploy-prod is not the one that its identity trusts",
    ),
    "a connection that was never used": ("federation", says("/executionhistory", {"value": []}), "was never used"),
    "a connection that does not sign in": (
        "federation",
        says("/executionhistory", {"value": [{"data": {"result": "failed"}}]}),
        "did not sign in lately",
    ),
    "a connection that is not ready": (
        "federation",
        lambda found: [each["body"].update(isReady=False) for each in found if "/endpoints/" in each["at"]],
        "is not ready",
    ),
    "a gate that is gone": ("gates", alter("checks/configurations", lambda body: body["value"].pop()), "is gone"),
    "a gate that is off": (
        "gates",
        alter("checks/configurations", lambda body: body["value"][0].update(isDisabled=True)),
        "is switched off",
    ),
    "a gate that was changed": (
        "gates",
        alter("checks/configurations", lambda body: body["value"][0].update(version=2)),
        "was changed by hand",
    ),
    "an approver who was added": (
        "approvers",
        alter("memberships", lambda body: body["value"].append({"memberDescriptor": "aad.somebody"})),
        "1 more may approve",
    ),
    "approvers that are nobody": (
        "approvers",
        alter("memberships", lambda body: body["value"].clear()),
        "the directory's group is no approver",
    ),
    "a pool that pipelines do not see": ("agents", says("/queues", {"value": []}), "the project has no queue"),
    "a release that failed": (
        "releases",
        alter("/definitions", lambda body: body["value"][2]["latestCompletedBuild"].update(result="failed")),
        "failed: docs/pipelines.md",
    ),
    "no release yet": (
        "releases",
        alter("/definitions", lambda body: body["value"][1].pop("latestCompletedBuild")),
        "ci has never run to an end",
    ),
}


def _registry(found: Answers, *, own: bool) -> str:
    """The path of the kubelet's roles on its own registry, or on the other."""
    one, other = (each["at"] for each in found if "ContainerRegistry" in each["at"] and "roleAssignments" in each["at"])
    return str(one if own else other)


class TestWhatIsAmiss:
    @pytest.mark.parametrize("case", AMISS)
    def test_is_told_in_one_line_with_its_remedy(self, case: str, exports: Mapping[str, Any]) -> None:
        name, change, said = AMISS[case]
        found = looked(exports, name, change)
        assert found.state == BAD
        assert [words for words in found.words if said in words], found.words
        assert all("\n" not in words and ": " in words for words in found.words)

    def test_every_check_that_asks_a_cloud_has_a_bad_case(self) -> None:
        assert {name for name, _, _ in AMISS.values()} == {*ASKING}

    def test_an_environment_that_was_never_brought_up_is_told(self) -> None:
        with pytest.raises(OperationsError, match="is not up yet"):
            place("prod", Recorded([]), export={"deployment": {"resources": [{"type": "x"}]}})


class TestThePreview:
    def answer(self, exports: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any, script: str) -> Any:
        binary = tmp_path / "pulumi"
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        here = place("prod", Recorded([]), export=exports["prod"])
        return outcome(VERIFY, "no-drift", Place(**{**vars(here), "root": tmp_path}))

    def test_that_changes_nothing_is_well(
        self, exports: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        wanted = "preview --non-interactive --stack prod --refresh --expect-no-changes"
        assert self.answer(exports, monkeypatch, tmp_path, f'[ "$*" = "{wanted}" ]').state == OK

    def test_that_finds_a_change_is_quoted(
        self, exports: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        found = self.answer(exports, monkeypatch, tmp_path, "echo 'error: no changes were expected'; exit 1")
        assert found.words[0].startswith("error: no changes were expected: look at what it says: pulumi preview")

    def test_that_cannot_be_made_is_told(
        self, exports: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        here = place("prod", Recorded([]), export=exports["prod"])
        assert outcome(VERIFY, "no-drift", here).state == BAD
        assert stack.SECONDS > 600


class TestWhatIsSaidHereAndElsewhere:
    def test_tables_are_those_that_the_project_knows(self) -> None:
        wanted = {*logs.ALWAYS, *logs.RELEASED, *logs.REGISTRY}
        assert wanted - TABLES == {"DeliveryRuns_CL"}

    def test_series_are_those_that_the_add_on_collects_by_default(self) -> None:
        known = (ROOT / "tests/observability/collected-by-default.txt").read_text().split()
        read = set(re.findall(r"kube_\w+", metrics.SENSOR + metrics.NODES))
        assert read <= {*known}

    def test_every_check_is_named_on_the_page_of_what_is_unproven_and_no_other(self) -> None:
        page = (ROOT / "docs/unproven.md").read_text()
        rows = [line.rsplit("|", 2)[1] for line in page.splitlines() if line.startswith("| ")]
        named = {name for cell in rows for name in re.findall(r"`make verify CHECK=([\w-]+)`", cell)}
        assert named == {*ALL}


class TestTheCertificateOfTheSigningKey:
    END = certificates.read(CERTIFICATE).not_valid_after_utc

    def test_that_is_good_for_a_month_is_well(self) -> None:
        assert list(signing.judge_certificates((CERTIFICATE,), self.END - datetime.timedelta(days=31))) == []

    @pytest.mark.parametrize("days", [29, -1])
    def test_that_ends_before_is_told_with_the_day(self, days: int) -> None:
        (amiss,) = signing.judge_certificates((CERTIFICATE,), self.END - datetime.timedelta(days=days))
        assert f"ends on {self.END:%Y-%m-%d}" in str(amiss)
        assert "Rotation" in str(amiss)

    def test_is_not_asked_for_where_nothing_is_signed(self, exports: Mapping[str, Any]) -> None:
        (check,) = (each for each in VERIFY.checks if each.name == "signing")
        assert not check.applies(place("staging", Recorded([]), export=exports["staging"]))
