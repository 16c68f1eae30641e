"""Runs of workflows, as the REST API of GitHub tells them to a job's own token, in the shape that `azure_builds` has.

What becomes of a run is read in one way on both platforms (`run_events`, `run_timeline`), so GitHub's answers are put
into the shape of Azure DevOps here: a job of `cd` called `cd / <environment> / …` belongs to the stage of that
environment, a step is a task of its job, and a consent is the checkpoint before the stage. GitHub tells no time of a
consent: a job waits from when it was made, and has its consent when it starts.

Shapes: GitHub REST API 2022-11-28, Actions (workflow runs, workflow jobs) and Checks (annotations). It reads, and
changes nothing.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.scripts.http_json import HttpError, Service
from pipelines.scripts.run_timeline import RECORD, Timeline

PAGES = 20
"""Of at most a hundred each: more are left to nobody's patience."""
LONG = timedelta(days=1)
"""Longer than a run of pull requests takes."""

Json = Mapping[str, Any]

_RESULTS = {
    "success": "succeeded",
    "cancelled": "canceled",
    "skipped": "skipped",
    "neutral": "succeeded",
    None: None,
}
"""Whatever else a conclusion may be is a failure."""


@dataclass(frozen=True)
class WorkflowRuns:
    """The runs of one repository."""

    service: Service
    repository: str
    """`owner/name`."""
    here: int = 0
    """The run that asks: its own job goes on while it does."""

    def run(self, number: int) -> Json:
        return _run(self._object(f"actions/runs/{number}"))

    def timeline(self, number: int) -> Timeline:
        jobs = [*self._pages(f"actions/runs/{number}/jobs", "jobs", filter="latest")]
        asked = self._get(f"actions/runs/{number}/approvals", {}).body
        return Timeline([*self._records(jobs, asked if isinstance(asked, list) else [], own=number == self.here)])

    def definition(self, name: str) -> int:
        """The id of a workflow."""
        return int(self._object(f"actions/workflows/{name}.yml")["id"])

    def before(self, run: Json, most: int) -> Iterator[Json]:
        """Earlier runs of the same workflow, the latest first."""
        path = f"actions/workflows/{run['definition']['id']}/runs"
        for each in self._object(path, per_page=min(most + 1, 100))["workflow_runs"]:
            if each["id"] < run["id"] and each.get("run_started_at"):
                yield _run(each)

    def finished(self, definition: int, since: datetime, until: datetime) -> list[Json]:
        """Runs that ended after `since` and not after `until`, in that order."""
        asked = {"status": "completed", "created": f">={_text(since - LONG)}"}
        path = f"actions/workflows/{definition}/runs"
        found = [_run(each) for each in self._pages(path, "workflow_runs", **asked)]
        ended = [each for each in found if since < datetime.fromisoformat(each["finishTime"]) <= until]
        return sorted(ended, key=lambda each: str(each["finishTime"]))

    def commit(self, repository: str, commit: str) -> Json:
        found: Json = self._object(f"commits/{commit}")["commit"]
        return found

    def _records(self, jobs: list[Json], consents: list[Json], *, own: bool) -> Iterator[dict[str, Any]]:
        stages: dict[str, dict[str, Any]] = {}
        for job in jobs:
            words = [word.strip() for word in str(job["name"]).split(" / ")]
            stage = words[1] if len(words) == 3 else ""
            if stage:
                record = stages.setdefault(stage, {"id": f"stage {stage}", "type": "Stage", "identifier": stage})
                _widen(record, job)
            validates = bool(stage) and words[2] == "validate"
            steps, asks = [*self._steps(job)], own and job.get("status") == "in_progress"
            above = {"parentId": f"stage {stage}"} if stage else {}
            if validates:
                # What a person is asked in between is a gate of the environment and no job of it.
                yield {**_times(job), **above, "id": job["id"], "type": "Task", "task": {"name": "ManualValidation"}}
                continue
            yield {
                **_times(job),
                **above,
                "id": job["id"],
                "type": "Job",
                "name": words[-1],
                **(_so_far(steps) if asks else {}),
            }
            yield from steps
            if stage and words[2] == "release":
                yield from _consent(job, stage, consents)
        yield from stages.values()

    def _steps(self, job: Json) -> Iterator[dict[str, Any]]:
        for step in job.get("steps") or ():
            record = {**_times(step), "id": f"{job['id']} {step['number']}", "parentId": job["id"], "type": "Task"}
            record["name"] = step["name"]
            if step["name"] == RECORD and record["state"] == "completed":
                record["warningCount"] = self._warnings(job)
            yield record

    def _warnings(self, job: Json) -> int:
        """Of the job's record: a step that only warns has succeeded. A token that may not see them has seen none."""
        try:
            found = self._get(f"check-runs/{job['id']}/annotations", {"per_page": 100}).body
        except HttpError as error:
            if error.status in (403, 404):
                return 0
            raise
        said = (each for each in found if each.get("annotation_level") == "warning")
        return sum(str(each.get("message", "")).startswith("run record:") for each in said)

    def _pages(self, what: str, key: str, **asked: str) -> Iterator[Json]:
        for page in range(1, PAGES + 1):
            found = self._object(what, **asked, per_page=100, page=page)[key]
            yield from found
            if len(found) < 100:
                return

    def _object(self, what: str, **asked: str | int) -> Json:
        body = self._get(what, asked).body
        if not isinstance(body, dict):
            raise HttpError(f"GET {what}: the answer is not that of GitHub")
        return body

    def _get(self, what: str, asked: Mapping[str, str | int]) -> Any:
        return self.service.get(f"/repos/{urllib.parse.quote(self.repository)}/{what}", asked)


def _run(said: Json) -> Json:
    ended = said.get("status") == "completed"
    found: dict[str, Any] = {
        "id": said["id"],
        "queueTime": said["created_at"],
        "startTime": said.get("run_started_at") or said["created_at"],
        "result": _result(said.get("conclusion")),
        "sourceVersion": said.get("head_sha"),
        "triggerInfo": {"pr.sourceSha": said.get("head_sha")},
        "requestedFor": {"displayName": (said.get("triggering_actor") or said.get("actor") or {}).get("login")},
        "definition": {"id": said.get("workflow_id")},
        "repository": {"type": "GitHub Actions", "id": (said.get("repository") or {}).get("full_name")},
        "_links": {"web": {"href": said.get("html_url")}},
    }
    return {**found, "finishTime": said.get("updated_at")} if ended else found


def _times(said: Json) -> dict[str, Any]:
    state = {"completed": "completed", "in_progress": "inProgress"}.get(str(said.get("status")), "pending")
    return {
        "state": state,
        "result": _result(said.get("conclusion")),
        "startTime": said.get("started_at"),
        "finishTime": said.get("completed_at"),
    }


def _result(conclusion: str | None) -> str | None:
    return _RESULTS.get(conclusion, "failed")


def _so_far(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """How the job ended that asks: its record is its own last step, and all that counts has been."""
    results = {step["result"] for step in steps if step["state"] == "completed"}
    worst = next((each for each in ("failed", "canceled") if each in results), "succeeded")
    return {"state": "completed", "result": worst}


def _widen(stage: dict[str, Any], job: Json) -> None:
    times = _times(job)
    if times["startTime"]:
        stage["startTime"] = min(filter(None, (stage.get("startTime"), times["startTime"])))
    if times["finishTime"]:
        stage["finishTime"] = max(filter(None, (stage.get("finishTime"), times["finishTime"])))


def _consent(job: Json, stage: str, consents: list[Json]) -> Iterator[dict[str, Any]]:
    """The checkpoint of the environment, if it has one: whoever waits for it, or was let in, or turned away."""
    said = [each for each in consents if stage in {str(env.get("name")) for env in each.get("environments") or ()}]
    waits = job.get("status") == "waiting"
    if not said and not waits:
        return
    passed = bool(said) and said[-1].get("state") == "approved"
    ended = job.get("started_at") if passed else job.get("completed_at")
    yield {
        "id": f"consent {job['id']}",
        "parentId": f"stage {stage}",
        "type": "Checkpoint.Approval",
        "state": "inProgress" if waits else "completed",
        "result": None if waits else "succeeded" if passed else "failed",
        "startTime": job.get("created_at"),
        "finishTime": None if waits else ended,
    }


def _text(at: datetime) -> str:
    return re.sub(r"\+00:00$", "Z", at.astimezone(UTC).isoformat(timespec="seconds"))
