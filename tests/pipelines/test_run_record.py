"""Run records, against an Azure DevOps and an ingestion API of our own on the loopback interface."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.observability.delivery import schema
from pipelines.scripts import run_record
from pipelines.scripts.run_row import COLUMNS, STREAM
from tests.pipelines.fake_delivery import MONITOR_TOKEN, PROJECT, RULE, SYSTEM_TOKEN, FakeDelivery, Json, at, running

SCRIPT = Path(run_record.__file__)
NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
DIGEST = "sha256:" + "d" * 64

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def delivery(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDelivery]:
    with running(FakeDelivery()) as fake:
        for name, value in variables(fake).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("TF_BUILD", raising=False)
        yield fake


def variables(fake: FakeDelivery) -> dict[str, str]:
    """What an agent sets, and the one that YAML must."""
    return {
        "SYSTEM_COLLECTIONURI": f"{fake.url}/example/",
        "SYSTEM_TEAMPROJECTID": PROJECT,
        "SYSTEM_ACCESSTOKEN": SYSTEM_TOKEN,
        "SYSTEM_STAGENAME": "prod",
        "BUILD_BUILDID": "70",
    }


def record(fake: FakeDelivery, *arguments: str, to: str = RULE) -> list[float]:
    """The pauses that were made. Whatever happens, the exit code is 0."""
    pauses: list[float] = []
    where = ["--endpoint", fake.url, "--rule", to]
    assert run_record.main([*arguments, *where], lambda: MONITOR_TOKEN, lambda: NOW, pauses.append) == 0
    return pauses


def told(fake: FakeDelivery) -> list[tuple[str, ...]]:
    """What happened, in the order of time: time, environment, event, gate, result."""
    keys = ("Environment", "Event", "Gate", "Result")
    return [(row["TimeGenerated"][11:19], *(row[key] for key in keys)) for row in sorted(fake.rows, key=_time)]


def _time(row: Json) -> str:
    return str(row["TimeGenerated"])


# What ran. Each piece of a timeline is made by its name; what lies below it follows.


def task(name: str, result: str | None = "succeeded", kind: str = "AzureCLI", **more: Any) -> Json:
    return _record("Task", name, result, task={"name": kind}, **more)


def job(name: str, *tasks: Json, result: str | None = "succeeded", **phase: Any) -> list[Json]:
    """With the phase around it, which ends alike unless said otherwise."""
    around = _record("Phase", name, phase.get("phase", result))
    own = _record("Job", name, result, startTime=None if result == "skipped" else at("12:10:00"), parentId=around["id"])
    return [around, own, *({**each, "parentId": own["id"]} for each in tasks)]


def approval(began: str, ended: str | None, result: str = "succeeded") -> list[Json]:
    """One approval, with the checks around it."""
    state = result if ended else None
    checks = _record("Checkpoint", "Checkpoint", state, startTime=at(began))
    own = _record("Checkpoint.Approval", "Checkpoint.Approval", state, startTime=at(began), parentId=checks["id"])
    return [checks, {**own, "finishTime": at(ended) if ended else None}]


def stage(name: str, *below: list[Json], result: str | None = "succeeded") -> list[Json]:
    own = _record("Stage", f"What {name} is called", result, identifier=name)
    records = [each for records in below for each in records]
    return [own, *({**each, "parentId": each.get("parentId") or own["id"]} for each in records)]


_numbers = iter(range(1, 10**9))


def _record(kind: str, name: str, result: str | None, **more: Any) -> Json:
    return {
        "id": f"record-{next(_numbers)}",
        "parentId": None,
        "type": kind,
        "name": name,
        "state": "completed" if result else "inProgress",
        "result": result,
        "startTime": at("12:10:00"),
        "finishTime": at("12:20:00") if result else None,
        **more,
    }


RECORDING = job("record", task("Run record", result=None), result=None)
"""The job that asks; it never counts."""


def release(directory: Path) -> Path:
    file = directory / "release.json"
    file.write_text(json.dumps({"schema": 1, "digest": DIGEST, "commit": "e" * 40}))
    return file


def test_the_schema_is_that_of_the_table() -> None:
    assert {column.name: column.type for column in schema().columns} == COLUMNS
    assert [column.name for column in schema().columns] == list(COLUMNS)
    assert schema().stream == STREAM


# A run of CI.


def test_a_run_of_ci_tells_when_it_began_and_how_it_ended(delivery: FakeDelivery, tmp_path: Path) -> None:
    delivery.run(70, "ci", result=None, finishTime=None)
    delivery.timelines[70] = stage("build", job("checks"), job("image"), RECORDING)
    committed = {"author": {"name": "Grace"}, "committer": {"date": "2026-11-23T11:58:00Z"}}
    delivery.commits["e" * 40] = committed
    assert record(delivery, "write", "--pipeline", "ci", "--release", str(release(tmp_path))) == []
    same = {
        "RunId": "70",
        "Pipeline": "ci",
        "Environment": "",
        "Gate": "",
        "CommitId": "e" * 40,
        "CommitTime": "2026-11-23T11:58:00.000Z",
        "Digest": DIGEST,
        "Author": "Grace",
        "Url": "https://dev.azure.com/example/shop/_build/results?buildId=70",
    }
    assert delivery.rows == [
        {"TimeGenerated": "2026-11-23T12:00:00.123Z", "Event": "started", "Result": "", **same},
        {
            "TimeGenerated": "2026-11-23T13:00:00.000Z",
            "Event": "finished",
            "Result": "succeeded",
            "DurationSeconds": 3600,
            **same,
        },
    ]


@pytest.mark.parametrize(
    ("jobs", "result"),
    [
        ([job("checks"), job("image", result="succeededWithIssues")], "succeeded"),
        ([job("checks", result="failed"), job("image", result="skipped")], "failed"),
        ([job("checks", result="abandoned")], "failed"),
        ([job("checks", result="canceled"), job("image", result="skipped")], "canceled"),
        ([job("checks", result="canceled"), job("image", result="failed")], "failed"),
        # A job that may fail: the phase around it has not failed.
        ([job("checks"), job("dashboards", result="failed", phase="succeededWithIssues")], "succeeded"),
    ],
)
def test_the_result_is_that_of_the_jobs_that_ended(delivery: FakeDelivery, jobs: list[list[Json]], result: str) -> None:
    delivery.run(70, "ci")
    delivery.timelines[70] = stage("build", *jobs, RECORDING)
    record(delivery, "write", "--pipeline", "ci")
    assert delivery.rows[-1]["Result"] == result


def test_a_run_that_failed_before_it_made_a_release_is_recorded_all_the_same(
    delivery: FakeDelivery, tmp_path: Path, capsys: Captured
) -> None:
    delivery.run(70, "ci")
    delivery.timelines[70] = stage("build", job("checks", result="failed"), RECORDING)
    record(delivery, "write", "--pipeline", "ci", "--release", str(tmp_path / "release.json"))
    assert [row["Digest"] for row in delivery.rows] == ["", ""]
    assert {row["CommitId"] for row in delivery.rows} == {"c" * 40}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_commit_that_the_token_may_not_see_was_merged_when_the_run_was_queued(
    delivery: FakeDelivery, status: int, capsys: Captured
) -> None:
    delivery.run(70, "ci")
    delivery.refused["/git/"] = status
    assert record(delivery, "write", "--pipeline", "ci") == []
    assert delivery.rows[0]["CommitTime"] == "2026-11-23T11:59:00.123Z"
    assert delivery.rows[0]["Author"] == "Ada"
    assert capsys.readouterr().err == ""


def test_a_repository_elsewhere_is_not_asked_for(delivery: FakeDelivery) -> None:
    delivery.run(70, "ci", repository={"id": "owner/shop", "type": "GitHub"})
    record(delivery, "write", "--pipeline", "ci")
    assert not [path for path in delivery.gets if "/git/" in path]
    assert delivery.rows[0]["CommitTime"] == "2026-11-23T11:59:00.123Z"


# A release.


def test_a_release_tells_of_its_environment_and_its_gates(delivery: FakeDelivery, tmp_path: Path) -> None:
    delivery.run(70, "cd")
    gate = task("Telemetry gate", startTime=at("12:40:00"), finishTime=at("12:55:00"))
    prod = stage("prod", approval("12:15:00", "12:30:00"), job("release", task("Deploy"), gate), RECORDING, result=None)
    delivery.timelines[70] = [*stage("staging", approval("11:00:00", "11:30:00")), *prod]
    arguments = ["--environment", "prod-eu", "--release", str(release(tmp_path))]
    record(delivery, "write", "--pipeline", "cd", *arguments)
    assert told(delivery) == [
        ("12:00:00", "prod-eu", "started", "", ""),
        ("12:15:00", "prod-eu", "waiting", "approval", ""),
        ("12:30:00", "prod-eu", "passed", "approval", ""),
        ("12:40:00", "prod-eu", "waiting", "telemetry", ""),
        ("12:55:00", "prod-eu", "passed", "telemetry", ""),
        ("13:00:00", "prod-eu", "finished", "", "succeeded"),
    ]
    assert [row.get("DurationSeconds") for row in delivery.rows] == [None, None, 900, None, 900, 3600]
    assert {row["Digest"] for row in delivery.rows} == {DIGEST}


def test_several_approvals_are_one_gate_that_opens_with_the_last(delivery: FakeDelivery) -> None:
    """Those of the environment and of each connection are asked for together."""
    delivery.run(70, "cd")
    two = [*approval("12:15:00", "12:20:00"), *approval("12:16:00", "12:35:00")]
    delivery.timelines[70] = stage("prod", two, job("release"), RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert told(delivery)[1:3] == [
        ("12:15:00", "prod", "waiting", "approval", ""),
        ("12:35:00", "prod", "passed", "approval", ""),
    ]


def test_an_approval_without_a_time_of_its_own_has_that_of_its_checks(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    checks, own = approval("12:15:00", "12:20:00")
    delivery.timelines[70] = stage("prod", [checks, {**own, "startTime": None}], job("release"), result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert ("12:15:00", "prod", "waiting", "approval", "") in told(delivery)


def test_manual_validation_is_a_gate_although_it_has_a_stage_of_its_own(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    times = {"startTime": at("12:11:00"), "finishTime": at("12:31:00")}
    asked = task("Approve by hand", kind="ManualValidation", **times)
    delivery.timelines[70] = [
        *stage("validate_prod", job("validate", asked)),
        *stage("prod", job("release"), RECORDING, result=None),
    ]
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert told(delivery)[1:3] == [
        ("12:11:00", "prod", "waiting", "validation", ""),
        ("12:31:00", "prod", "passed", "validation", ""),
    ]


def test_a_gate_that_did_not_open_was_waited_for_and_not_passed(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    gate = task("Telemetry gate", result="failed", startTime=at("12:40:00"))
    delivery.timelines[70] = stage("prod", job("release", gate, result="failed"), RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert told(delivery)[1:] == [
        ("12:40:00", "prod", "waiting", "telemetry", ""),
        ("13:00:00", "prod", "finished", "", "failed"),
    ]


def test_a_gate_that_was_left_out_is_none(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    gate = task("Telemetry gate", result="skipped")
    delivery.timelines[70] = stage("prod", job("release", gate, result="failed"), RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert [event for _, _, event, _, _ in told(delivery)] == ["started", "finished"]


@pytest.mark.parametrize(
    ("rolled_back", "result"), [("succeeded", "rolledback"), ("failed", "failed"), ("skipped", "failed")]
)
def test_a_release_that_was_rolled_back_is_called_so(delivery: FakeDelivery, rolled_back: str, result: str) -> None:
    delivery.run(70, "cd")
    back = job("roll_back", task("Roll back", result=rolled_back), result=rolled_back)
    delivery.timelines[70] = stage("prod", job("release", result="failed"), back, RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert delivery.rows[-1]["Result"] == result


def test_another_environments_trouble_is_not_this_ones(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    gate = task("Telemetry gate", result="failed")
    delivery.timelines[70] = [
        *stage("staging", job("release", gate, result="failed"), job("roll_back", task("Roll back"))),
        *stage("prod", job("release"), RECORDING, result=None),
    ]
    record(delivery, "write", "--pipeline", "cd", "--environment", "prod")
    assert [event for _, _, event, _, _ in told(delivery)] == ["started", "finished"]
    assert delivery.rows[-1]["Result"] == "succeeded"


def test_who_is_waited_for_next_is_the_last_that_is_told(delivery: FakeDelivery) -> None:
    """The alert on overdue gates goes by the last row of a run."""
    delivery.run(70, "cd")
    delivery.timelines[70] = stage("prod", job("release"), RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "staging", "--next", "prod")
    assert told(delivery)[-2:] == [
        ("13:00:00", "staging", "finished", "", "succeeded"),
        ("13:00:01", "prod", "waiting", "approval", ""),
    ]


def test_nobody_waits_after_a_release_that_failed(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    delivery.timelines[70] = stage("prod", job("release", result="failed"), RECORDING, result=None)
    record(delivery, "write", "--pipeline", "cd", "--environment", "staging", "--next", "prod")
    assert told(delivery)[-1][2] == "finished"


# The last stage of a release, which writes to the table of the home of delivery.

STAGING = stage("staging", job("release"))
SKIPPED = job("release", result="skipped")
CLOSE = ("close", "--home", "staging", "--stage", "staging=staging", "--stage", "prod=prod-eu")


@pytest.mark.parametrize(
    ("prod", "rows"),
    {
        "released": (
            stage("prod", approval("12:15:00", "12:19:00"), job("release")),
            [("12:15:00", "waiting", ""), ("12:19:00", "passed", ""), ("12:20:00", "finished", "succeeded")],
        ),
        "refused": (
            stage(
                "prod", approval("12:15:00", "12:19:00", "failed"), job("release", result="skipped"), result="failed"
            ),
            [("12:15:00", "waiting", ""), ("12:20:00", "finished", "canceled")],
        ),
        "nobody came": (
            stage("prod", approval("12:15:00", "12:19:00", "skipped"), result="skipped"),
            [("12:20:00", "finished", "canceled")],
        ),
        "failed": (
            stage("prod", job("release", result="failed"), result="failed"),
            [("12:20:00", "finished", "failed")],
        ),
        "rolled back": (
            stage("prod", job("release", result="failed"), job("back", task("Roll back")), result="failed"),
            [("12:20:00", "finished", "rolledback")],
        ),
        "left out": (stage("prod", result="skipped"), [("12:20:00", "finished", "canceled")]),
    }.values(),
    ids=["released", "refused", "nobody-came", "failed", "rolled-back", "left-out"],
)
def test_what_came_of_an_environment_that_was_waited_for_is_told_in_the_end(
    delivery: FakeDelivery, prod: list[Json], rows: list[tuple[str, str, str]]
) -> None:
    delivery.run(70, "cd")
    delivery.timelines[70] = [*STAGING, *prod, *stage("record", RECORDING, result=None)]
    record(delivery, *CLOSE)
    assert [(time, event, result) for time, _, event, _, result in told(delivery)] == rows
    assert {environment for _, environment, _, _, _ in told(delivery)} == {"prod-eu"}
    assert told(delivery)[-1][2] == "finished"


def test_an_environment_that_was_never_reached_leaves_no_row(delivery: FakeDelivery) -> None:
    delivery.run(70, "cd")
    delivery.timelines[70] = [
        *stage("staging", job("release", result="failed"), result="failed"),
        *stage("prod", job("release", result="skipped"), result="skipped"),
    ]
    record(delivery, *CLOSE)
    assert (delivery.rows, delivery.posts) == ([], 0)


# Pull requests, told of by CI.


def ci(fake: FakeDelivery, number: int, start: str, *steps: Json, status: str = "completed") -> None:
    fake.run(number, "ci", queueTime=at(start), startTime=at(start), status=status)
    fake.timelines[number] = stage("build", job("record", *steps))


RECORDED = (task("Run record"), task("Run record"))


def pr(fake: FakeDelivery, number: int, end: str, **changed: Any) -> None:
    sha = {"pr.sourceSha": f"{number:040x}"}
    fake.run(number, "pr", finishTime=at(end), startTime=at("08:00:00"), triggerInfo=sha, **changed)


def test_runs_of_pull_requests_are_told_of_by_the_next_run_of_ci(delivery: FakeDelivery) -> None:
    ci(delivery, 60, "10:00:00", *RECORDED)
    ci(delivery, 70, "12:00:00", status="inProgress")
    pr(delivery, 1, "09:59:59")
    pr(delivery, 2, "10:05:00", result="failed")
    pr(delivery, 3, "11:59:59", result="canceled")
    pr(delivery, 4, "12:00:01")
    record(delivery, "forward")
    assert [(row["RunId"], row["Event"], row["Result"]) for row in delivery.rows] == [
        ("2", "started", ""),
        ("2", "finished", "failed"),
        ("3", "started", ""),
        ("3", "finished", "canceled"),
    ]
    ended = delivery.rows[1]
    assert ended["TimeGenerated"] == "2026-11-23T10:05:00.123Z"
    assert ended["DurationSeconds"] == 2 * 3600 + 300
    assert (ended["Pipeline"], ended["Environment"], ended["CommitId"]) == ("pr", "", f"{2:040x}")
    assert "CommitTime" not in ended


def test_every_run_of_a_pull_request_is_told_of_once(delivery: FakeDelivery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that ends in the instant in which a run of CI starts."""
    starts = {100: "09:00:00", 110: "09:10:00", 120: "09:20:00", 130: "09:30:00"}
    for number, start in starts.items():
        ci(delivery, number, start, *RECORDED)
    for minute in range(30):
        pr(delivery, minute, f"09:{minute:02}:00", result="partiallySucceeded")
    for number in list(starts)[1:]:
        monkeypatch.setenv("BUILD_BUILDID", str(number))
        record(delivery, "forward")
    ended = [row["RunId"] for row in delivery.rows if row["Result"] == "succeeded"]
    assert ended == [str(minute) for minute in range(1, 30)]


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (task("Run record"), task("Run record", warningCount=1)),
        (task("Run record", result="failed"),),
        (task("Run record"), task("Run record", result="skipped")),
        (task("Run record", result=None),),
    ],
)
def test_what_an_earlier_run_of_ci_could_not_send_the_next_one_sends(
    delivery: FakeDelivery, steps: tuple[Json, ...]
) -> None:
    ci(delivery, 50, "09:00:00", *RECORDED)
    ci(delivery, 60, "10:00:00", *steps)
    ci(delivery, 70, "12:00:00", status="inProgress")
    pr(delivery, 1, "08:30:00")
    pr(delivery, 2, "09:30:00")
    pr(delivery, 3, "11:00:00")
    record(delivery, "forward")
    assert [row["RunId"] for row in delivery.rows if row["Event"] == "finished"] == ["2", "3"]


def test_the_first_run_of_ci_looks_back_two_days(delivery: FakeDelivery) -> None:
    ci(delivery, 70, "12:00:00", status="inProgress")
    delivery.run(1, "pr", finishTime="2026-11-21T11:59:00Z")
    delivery.run(2, "pr", finishTime="2026-11-21T12:01:00Z")
    record(delivery, "forward")
    assert [row["RunId"] for row in delivery.rows if row["Event"] == "finished"] == ["2"]


def test_all_pages_of_runs_are_read(delivery: FakeDelivery) -> None:
    delivery.page = 2
    ci(delivery, 70, "12:00:00", status="inProgress")
    for number in range(1, 8):
        pr(delivery, number, f"11:0{number}:00")
    record(delivery, "forward")
    assert [row["RunId"] for row in delivery.rows if row["Event"] == "finished"] == [str(n) for n in range(1, 8)]


def test_a_run_that_never_began_has_taken_no_time(delivery: FakeDelivery) -> None:
    ci(delivery, 70, "12:00:00", status="inProgress")
    pr(delivery, 1, "11:00:00")
    delivery.runs[1]["startTime"] = None
    record(delivery, "forward")
    assert delivery.rows[-1]["DurationSeconds"] == 0


def test_nothing_is_sent_where_there_was_no_pull_request(delivery: FakeDelivery, capsys: Captured) -> None:
    ci(delivery, 70, "12:00:00", status="inProgress")
    record(delivery, "forward")
    assert delivery.posts == 0
    assert capsys.readouterr().out == "run record: 0 rows sent\n"


# Sending.


def test_what_is_too_much_for_one_call_goes_in_several() -> None:
    rows = [{"RunId": str(number), "Author": "x" * 100_000} for number in range(25)]
    bodies = run_record.bodies(rows)
    assert [row for body in bodies for row in json.loads(body)] == rows
    assert all(len(body) <= 1_000_000 for body in bodies)
    assert len(bodies) == 3
    assert run_record.bodies([]) == []


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 0])
def test_what_passes_by_itself_is_tried_again(delivery: FakeDelivery, status: int, capsys: Captured) -> None:
    delivery.run(70, "ci")
    delivery.late = [status, status]
    assert record(delivery, "write", "--pipeline", "ci") == [2, 4]
    assert len(delivery.rows) == 2
    assert capsys.readouterr().err == ""


def test_patience_has_an_end(delivery: FakeDelivery, capsys: Captured) -> None:
    delivery.run(70, "ci")
    delivery.late = [429] * 99
    assert sum(record(delivery, "write", "--pipeline", "ci")) == run_record.PATIENCE
    assert "429 no thanks (tries: 9)" in capsys.readouterr().err


# Nothing that goes wrong fails the run.

WRITE = ("write", "--pipeline", "ci")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("erase",), "invalid choice: 'erase'"),
        (("write",), "required: --pipeline"),
        (("write", "--pipeline", "pr"), "invalid choice: 'pr'"),
        (("write", "--pipeline", "cd"), "--environment: allowed with --pipeline cd, and needed there"),
        (("write", "--pipeline", "ci", "--environment", "prod"), "--environment: allowed with --pipeline cd"),
        ((*WRITE, "--rule", "$(runRecordsRule)"), "'$(runRecordsRule)'; allowed: the immutable id"),
        ((*WRITE, "--endpoint", "$(runRecordsEndpoint)"), "'$(runRecordsEndpoint)'; allowed: https://<host>"),
        (("close", "--home", "qa", "--stage", "prod=prod"), "--home: 'qa'; allowed: a key that a --stage has"),
        (("close", "--home", "prod", "--stage", "prod"), "'prod'; allowed: <name of the stage in YAML>=<key"),
        (("close", "--home", "prod", "--stage", "prod=prod"), "the run has no stage prod"),
        (("write", "--pipeline", "cd", "--environment", "prod"), "the run has no stage 'prod'"),
    ],
)
def test_a_wrong_argument_is_a_warning(
    delivery: FakeDelivery, arguments: tuple[str, ...], told: str, capsys: Captured
) -> None:
    delivery.run(70, "ci")
    where = {"--endpoint": delivery.url, "--rule": RULE}
    missing = [word for name, value in where.items() if name not in arguments for word in (name, value)]
    assert run_record.main([*arguments, *missing], lambda: MONITOR_TOKEN, lambda: NOW, lambda _: None) == 0
    assert told in warning(capsys)
    assert delivery.posts == 0


def warning(captured: Captured) -> str:
    lines = captured.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: run record: not written: ")
    return lines[0]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SYSTEM_ACCESSTOKEN", "", "SYSTEM_ACCESSTOKEN is not set; give the step env"),
        ("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)", "SYSTEM_ACCESSTOKEN is not set; give the step env"),
        ("SYSTEM_ACCESSTOKEN", "of-somebody-else", "203 <html>Sign in</html> (tries: 1); the token is not accepted"),
        ("SYSTEM_COLLECTIONURI", "", "SYSTEM_COLLECTIONURI is not set; run this in a step of a pipeline"),
        ("SYSTEM_COLLECTIONURI", "http://example.com/", "allowed: https://<host>"),
        ("SYSTEM_TEAMPROJECTID", "a/b", "SYSTEM_TEAMPROJECTID is wrong"),
        ("BUILD_BUILDID", "seventy", "BUILD_BUILDID is wrong"),
        ("BUILD_BUILDID", "71", "404 not found (tries: 1)"),
    ],
)
def test_what_an_agent_does_not_set_is_a_warning(
    delivery: FakeDelivery, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str, capsys: Captured
) -> None:
    delivery.run(70, "ci")
    monkeypatch.setenv(name, value)
    record(delivery, *WRITE)
    assert told in warning(capsys)


@pytest.mark.parametrize("status", [400, 404, 413])
def test_rows_that_are_refused_are_a_warning(delivery: FakeDelivery, status: int, capsys: Captured) -> None:
    delivery.run(70, "ci")
    delivery.late = [status]
    assert record(delivery, *WRITE) == []
    assert f"{status} no thanks (tries: 1)" in warning(capsys)


def test_a_service_that_answers_with_something_else_is_a_warning(delivery: FakeDelivery, capsys: Captured) -> None:
    delivery.run(70, "ci")
    delivery.garbage = True
    record(delivery, *WRITE)
    assert "the answer is not JSON" in warning(capsys)


@pytest.mark.parametrize("gone", ["queueTime", "id"])
def test_an_answer_that_is_not_as_documented_is_a_warning(delivery: FakeDelivery, gone: str, capsys: Captured) -> None:
    delivery.run(70, "ci", startTime=None)
    del delivery.runs[70][gone]
    record(delivery, *WRITE)
    assert "KeyError" in warning(capsys)


def test_a_release_file_that_is_none_is_a_warning(delivery: FakeDelivery, tmp_path: Path, capsys: Captured) -> None:
    delivery.run(70, "ci")
    (tmp_path / "release.json").write_text("{")
    record(delivery, *WRITE, "--release", str(tmp_path / "release.json"))
    assert "JSONDecodeError" in warning(capsys)


def test_no_service_at_all_is_a_warning(
    delivery: FakeDelivery, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("SYSTEM_COLLECTIONURI", "http://127.0.0.1:9/example/")
    assert sum(record(delivery, *WRITE)) == run_record.PATIENCE
    assert "no answer" in warning(capsys)


def test_each_service_gets_its_own_token_and_no_message_does(delivery: FakeDelivery, capsys: Captured) -> None:
    delivery.run(70, "ci")
    record(delivery, *WRITE)
    assert delivery.rows
    delivery.refused["/build/"] = 403
    record(delivery, *WRITE)
    said = capsys.readouterr()
    assert SYSTEM_TOKEN not in said.out + said.err
    assert MONITOR_TOKEN not in said.out + said.err


def test_on_an_agent_it_needs_the_standard_library_and_warns_in_the_agents_way(
    delivery: FakeDelivery, tmp_path: Path
) -> None:
    """Nobody is signed in here, so it ends where it asks for a token to send with."""
    delivery.run(70, "ci")
    environment = {"PATH": str(tmp_path), "TF_BUILD": "True", **variables(delivery)}
    command = [sys.executable, "-S", str(SCRIPT), *WRITE, "--endpoint", delivery.url, "--rule", RULE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("##vso[task.logissue type=warning]run record: not written: az is not on the PATH")
