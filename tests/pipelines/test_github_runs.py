"""What becomes of a run on GitHub is read as on Azure DevOps: gates, results, and what is still to be recorded."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.scripts import run_record
from pipelines.scripts.github_runs import WorkflowRuns
from pipelines.scripts.http_json import Answer, HttpError
from pipelines.scripts.run_events import Here, of_others, of_pull_requests, of_run

REPOSITORY = "contoso/shop"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RELEASE = {"commit": "c" * 40, "digest": "sha256:0"}


def at(minute: int, hour: int = 11) -> str:
    return f"2026-11-24T{hour:02}:{minute:02}:00Z"


class Fake:
    """Answers by path; every path that is asked for must be known."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers, self.asked = dict(answers), list[str]()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        short = path.removeprefix(f"/repos/{REPOSITORY}/")
        self.asked.append(f"{short}?{urllib.parse.urlencode(query or {})}")
        if short not in self.answers:
            raise HttpError(f"GET {short}: 404", 404)
        return Answer(self.answers[short], {})


def step(
    number: int, name: str, conclusion: str | None = "success", start: int = 0, end: int | None = 1
) -> dict[str, Any]:
    ended = conclusion is not None and end is not None
    return {
        "number": number,
        "name": name,
        "status": "completed" if ended else "in_progress",
        "conclusion": conclusion,
        "started_at": at(start),
        "completed_at": at(end) if ended and end is not None else None,
    }


def job(id: int, name: str, conclusion: str | None, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    times = {"created_at": at(0), "started_at": at(1), "completed_at": at(30) if conclusion else None}
    return {"id": id, "name": name, "status": status, "conclusion": conclusion, "steps": [*steps], **times, **more}


def run(id: int, conclusion: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "created_at": at(0),
        "run_started_at": at(0),
        "updated_at": at(40),
        "head_sha": "a" * 40,
        "workflow_id": 5,
        "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{id}",
        "triggering_actor": {"login": "somebody"},
        "repository": {"full_name": REPOSITORY},
        **more,
    }


COMMIT = {"commit": {"author": {"name": "Author"}, "committer": {"date": at(0, 9)}}}
DEPLOYED = (
    step(1, "Deploy, by digest", end=5),
    step(2, "Telemetry gate", start=6, end=20),
    step(3, "Run record", None),
)


def here(
    jobs: list[dict[str, Any]], consents: Any = (), stage: str = "", more: Mapping[str, Any] | None = None
) -> Here:
    answers = {
        "actions/runs/9": run(9),
        "actions/runs/9/jobs": {"jobs": jobs},
        "actions/runs/9/approvals": [*consents],
        f"commits/{'c' * 40}": COMMIT,
        **(more or {}),
    }
    service: Any = Fake(answers)
    return Here(WorkflowRuns(service, REPOSITORY, 9), 9, stage, NOW)


def brief(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(row["Environment"], row["Event"], row["Gate"], row["Result"]) for row in rows]


class TestTheRecordOfAnEnvironmentIsAStepOfItsOwnJob:
    def test_what_went_well_says_who_waits_next(self) -> None:
        there = here([job(1, "cd / staging / release", None, *DEPLOYED)], stage="staging")
        rows = of_run(there, "cd", "staging", RELEASE, ["prod"])
        assert brief(rows) == [
            ("staging", "started", "", ""),
            ("staging", "waiting", "telemetry", ""),
            ("staging", "passed", "telemetry", ""),
            ("staging", "finished", "", "succeeded"),
            ("prod", "waiting", "approval", ""),
        ]
        assert {row["Author"] for row in rows} == {"Author"}
        assert {row["CommitId"] for row in rows} == {"c" * 40}
        assert {row["CommitTime"] for row in rows} == {"2026-11-24T09:00:00.000Z"}
        assert {row["Url"] for row in rows} == {f"https://github.com/{REPOSITORY}/actions/runs/9"}

    def test_a_step_that_failed_is_a_failure_although_the_job_goes_on(self) -> None:
        steps = (step(1, "Deploy, by digest"), step(2, "Telemetry gate", "failure"), step(3, "Run record", None))
        there = here([job(1, "cd / staging / release", None, *steps)], stage="staging")
        assert brief(of_run(there, "cd", "staging", RELEASE, ["prod"]))[-1] == ("staging", "finished", "", "failed")

    def test_what_was_rolled_back_is_told(self) -> None:
        steps = (step(1, "Deploy, by digest", "failure"), step(2, "Roll back"), step(3, "Run record", None))
        there = here([job(1, "cd / staging / release", None, *steps)], stage="staging")
        assert brief(of_run(there, "cd", "staging", RELEASE, []))[-1] == ("staging", "finished", "", "rolledback")

    def test_a_cancelled_job_is_cancelled(self) -> None:
        steps = (step(1, "Deploy, by digest", "cancelled"), step(2, "Run record", None))
        there = here([job(1, "cd / staging / release", None, *steps)], stage="staging")
        assert brief(of_run(there, "cd", "staging", RELEASE, []))[-1] == ("staging", "finished", "", "canceled")


CONSENT = {"state": "approved", "environments": [{"name": "prod"}], "user": {"login": "boss"}}


class TestGates:
    def prod(self, consents: Any, *jobs: dict[str, Any], now: str | None = "success", **more: Any) -> list[Any]:
        staging = job(1, "cd / staging / release", "success", *DEPLOYED[:2])
        there = here(
            [staging, *jobs, job(2, "cd / prod / release", now, **more), job(3, "cd / record", None)], consents
        )
        return brief(of_others(there, "staging", {"staging": "staging", "prod": "prod"}, RELEASE))

    def test_a_consent_was_waited_for_until_the_job_began(self) -> None:
        assert self.prod([CONSENT]) == [
            ("prod", "waiting", "approval", ""),
            ("prod", "passed", "approval", ""),
            ("prod", "finished", "", "succeeded"),
        ]

    def test_nobody_has_let_it_in_yet(self) -> None:
        found = self.prod([], now=None, status="waiting", started_at=None)
        assert found == [("prod", "waiting", "approval", ""), ("prod", "finished", "", "canceled")]

    def test_somebody_has_turned_it_away(self) -> None:
        found = self.prod([{**CONSENT, "state": "rejected"}], now="failure")
        assert found == [("prod", "waiting", "approval", ""), ("prod", "finished", "", "failed")]

    def test_a_consent_to_another_environment_is_none(self) -> None:
        found = self.prod([{**CONSENT, "environments": [{"name": "validate-prod"}]}])
        assert found == [("prod", "finished", "", "succeeded")]

    def test_a_person_in_between_is_a_gate_of_the_environment(self) -> None:
        found = self.prod([], job(4, "cd / prod / validate", "success"))
        assert found == [
            ("prod", "waiting", "validation", ""),
            ("prod", "passed", "validation", ""),
            ("prod", "finished", "", "succeeded"),
        ]


class TestRunsOfPullRequests:
    def forwarded(self, record: dict[str, Any], notes: list[dict[str, Any]]) -> tuple[list[Any], list[str]]:
        pulls = [
            run(3, "success", updated_at=at(59, 9)),
            run(4, "failure", updated_at=at(30, 10), head_sha="b" * 40),
            run(5, "success", updated_at=at(30, 11)),
        ]
        there = here(
            [],
            more={
                "actions/workflows/5/runs": {"workflow_runs": [run(9), run(7, "success", run_started_at=at(0, 10))]},
                "actions/runs/7/jobs": {"jobs": [job(70, "ci / record", "success", record)]},
                "actions/runs/7/approvals": [],
                "check-runs/70/annotations": notes,
                "actions/workflows/pr.yml": {"id": 6},
                "actions/workflows/6/runs": {"workflow_runs": pulls},
            },
        )
        rows = of_pull_requests(there)
        service: Any = there.builds.service  # type: ignore[attr-defined]
        return [(row["RunId"], row["Event"], row["Result"], row["CommitId"][:1]) for row in rows], service.asked

    def test_those_since_the_last_run_that_sent_any_are_sent(self) -> None:
        rows, asked = self.forwarded(step(3, "Run record"), [])
        assert rows == [("4", "started", "", "b"), ("4", "finished", "failed", "b")]
        assert any("created=%3E%3D2026-11-23T10%3A00%3A00Z" in each for each in asked), "no more than is needed"

    def test_a_record_that_only_warned_has_sent_none(self) -> None:
        notes = [{"annotation_level": "warning", "message": "run record: not written: 503"}]
        rows, _ = self.forwarded(step(3, "Run record"), notes)
        assert [row[0] for row in rows] == ["3", "3", "4", "4"]

    def test_other_warnings_do_not_count(self) -> None:
        rows, _ = self.forwarded(step(3, "Run record"), [{"annotation_level": "warning", "message": "deprecated"}])
        assert [row[0] for row in rows] == ["4", "4"]


def test_a_long_list_is_read_to_its_end() -> None:
    class Paged(Fake):
        def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
            page = int((query or {})["page"])
            return Answer(
                {"workflow_runs": [run(page * 1000 + n, "success") for n in range(100 if page < 3 else 7)]}, {}
            )

    service: Any = Paged({})
    found = WorkflowRuns(service, REPOSITORY).finished(6, datetime(2026, 11, 24, tzinfo=UTC), NOW)
    assert len(found) == 207


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set; give the step env: GITHUB_TOKEN: ${{ github.token }}"),
        ({"GITHUB_RUN_ID": ""}, "GITHUB_RUN_ID is not set"),
        ({"GITHUB_REPOSITORY": "shop"}, "GITHUB_REPOSITORY is wrong"),
    ],
)
def test_what_the_runner_does_not_say_is_a_warning_and_fails_nothing(
    told: Mapping[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    known = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_TOKEN": "t",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "GITHUB_RUN_ID": "9",
        "GITHUB_REPOSITORY": REPOSITORY,
    }
    for name, value in {**known, **told}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "release.json").write_text(json.dumps(RELEASE))
    given = ["write", "--pipeline", "ci", "--endpoint", "https://dce.example", "--rule", "dcr-0"]
    assert run_record.main(given, token=lambda: "t", now=lambda: NOW, pause=lambda _: None) == 0
    assert f"::warning::run record: not written: {said}" in capsys.readouterr().out
