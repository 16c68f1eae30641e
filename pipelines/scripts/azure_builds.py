"""Runs of pipelines, as the REST API of Azure DevOps tells them to a job's own token. It reads and changes nothing.

Shapes: Azure DevOps REST API 7.1, Build (Builds, Timeline, Definitions) and Git (Commits).
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.scripts.http_json import HttpError, Service
from pipelines.scripts.run_timeline import Timeline

VERSION = "7.1"
PAGES = 20
"""Of at most a hundred runs: more are left to nobody's patience."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Builds:
    """The runs of one project."""

    service: Service
    project: str
    """Id or name."""

    def run(self, number: int) -> Json:
        return self._object(f"build/builds/{number}")

    def timeline(self, number: int) -> Timeline:
        return Timeline(self._object(f"build/builds/{number}/timeline")["records"])

    def definition(self, name: str) -> int:
        """The id of a pipeline."""
        found = [each for each in self._object("build/definitions", name=name)["value"] if each["name"] == name]
        if len(found) != 1:
            raise HttpError(f"{len(found)} pipelines are called {name}; the job's token may see 1")
        return int(found[0]["id"])

    def before(self, run: Json, most: int) -> Iterator[Json]:
        """Earlier runs of the same pipeline, the latest first."""
        asked = {"definitions": run["definition"]["id"], "queryOrder": "queueTimeDescending", "$top": most + 1}
        for each in self._object("build/builds", **asked)["value"]:
            if each["id"] < run["id"] and each.get("startTime"):
                yield each

    def finished(self, definition: int, since: datetime, until: datetime) -> list[Json]:
        """Runs that ended after `since` and not after `until`, in that order."""
        margin = timedelta(seconds=1)  # the service's comparison is not documented to the millisecond; ours follows
        asked: dict[str, str | int] = {
            "definitions": definition,
            "statusFilter": "completed",
            "queryOrder": "finishTimeAscending",
            "minTime": _text(since - margin),
            "maxTime": _text(until + margin),
            "$top": 100,
        }
        found: dict[int, Json] = {}
        for _ in range(PAGES):
            answer = self._get("build/builds", asked)
            found |= {each["id"]: each for each in answer.body["value"]}
            more = answer.headers.get("x-ms-continuationtoken")
            if not more:
                break
            asked["continuationToken"] = more
        return [each for each in found.values() if since < moment(each["finishTime"]) <= until]

    def commit(self, repository: str, commit: str) -> Json:
        """Of a repository of the same project."""
        return self._object(f"git/repositories/{repository}/commits/{commit}")

    def _object(self, what: str, **asked: str | int) -> Json:
        found: Json = self._get(what, asked).body
        return found

    def _get(self, what: str, asked: Mapping[str, str | int]) -> Any:
        path = f"/{urllib.parse.quote(self.project)}/_apis/{what}"
        answer = self.service.get(path, {**asked, "api-version": VERSION})
        if not isinstance(answer.body, dict):
            raise HttpError(f"GET {path}: the answer is not that of Azure DevOps")
        return answer


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
