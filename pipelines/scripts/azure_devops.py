"""The REST API of Azure DevOps for whoever an identity of Entra ID is there: pull requests and work items.

Shapes: Azure DevOps REST API 7.1, Git (Pull Requests, Pull Request Threads) and Work Item Tracking (Wiql, Work Items).
What it does not do: it decides nothing, and knows no pipeline.
"""

from __future__ import annotations

import json
import os
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.scripts.commands import Patience, az_token
from pipelines.scripts.http_json import HttpError, Service, base_address

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps itself, as Entra ID knows it."""
VERSION = "7.1"
LATE = (401, 429, 500, 502, 503, 504)
"""What passes by itself. A 403 does not: whoever is not let in here was not made a member."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """One project of an organisation."""

    service: Service
    name: str
    """Id or name."""

    def get(self, path: str) -> Json:
        return _object(self.service.get(self._path(path), {"api-version": VERSION}).body, path)

    def post(self, path: str, body: Any, kind: str = "application/json") -> Json:
        answer = self.service.send("POST", self._path(path), {"api-version": VERSION}, json.dumps(body).encode(), kind)
        return _object(answer.body, path)

    def patch(self, path: str, body: Any, kind: str = "application/json") -> Json:
        answer = self.service.send("PATCH", self._path(path), {"api-version": VERSION}, json.dumps(body).encode(), kind)
        return _object(answer.body, path)

    def _path(self, path: str) -> str:
        return f"/{urllib.parse.quote(self.name)}/_apis/{path}"


def project(patience: Patience, token: Callable[[], str] | None = None) -> Project:
    """The project that the run belongs to. HttpError outside a run."""
    missing = [name for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID") if not os.environ.get(name)]
    if missing:
        raise HttpError(f"{' and '.join(missing)} not set: this is for a run of Azure Pipelines")
    try:
        address = base_address(os.environ["SYSTEM_COLLECTIONURI"])
    except Exception as error:
        raise HttpError(f"SYSTEM_COLLECTIONURI is {error}") from None
    service = Service(address, token or (lambda: az_token(RESOURCE, patience)), patience, LATE)
    return Project(service, os.environ["SYSTEM_TEAMPROJECTID"])


def run_address() -> str:
    """Where people find the run; empty outside of one."""
    where = [os.environ.get(name, "") for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_BUILDID")]
    return f"{where[0]}{where[1]}/_build/results?buildId={where[2]}" if all(where) else ""


def values(answer: Json) -> Sequence[Json]:
    """The list in an answer. HttpError where there is none."""
    found = answer.get("value")
    if not isinstance(found, list):
        raise HttpError("the answer holds no list; is this Azure DevOps?")
    return found


def _object(body: Any, path: str) -> Json:
    if not isinstance(body, dict):
        raise HttpError(f"{path}: the answer is no object; is this Azure DevOps?")
    return body
