"""Azure DevOps as far as a job's token reads its runs, and the Logs Ingestion API, both on the loopback interface.

Both are stricter than the real ones, because a lenient stand-in proves nothing: a version of the API, a token, a type
or a column that is not as it should be is refused. What it does not do: it runs no pipeline; what ran is what a test
says.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from components.observability.delivery import schema

PROJECT = "0f5c1d9e-1111-2222-3333-444455556666"
RULE = "dcr-0123456789abcdef0123456789abcdef"
SYSTEM_TOKEN, MONITOR_TOKEN = "the-token-of-the-job", "the-token-of-the-identity"

Json = dict[str, Any]


def at(text: str) -> str:
    """A moment of the day of all runs, as the service writes it."""
    return f"2026-11-23T{text}.1234567Z"


@dataclass
class FakeDelivery:
    """What the real ones do as far as it matters."""

    url: str = ""
    runs: dict[int, Json] = field(default_factory=dict)
    timelines: dict[int, list[Json]] = field(default_factory=dict)
    definitions: dict[str, int] = field(default_factory=lambda: {"pr": 1, "ci": 2, "cd": 3, "pr-other": 4})
    commits: dict[str, Json] = field(default_factory=dict)
    page: int = 100
    rows: list[Json] = field(default_factory=list)
    """What the ingestion API took."""
    posts: int = 0
    gets: list[str] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """Answers of the ingestion API that come before any other; 0 hangs up."""
    refused: dict[str, int] = field(default_factory=dict)
    """Status of an answer to a path of Azure DevOps that holds this text."""
    garbage: bool = False
    """Azure DevOps answers with a page instead of JSON."""

    def run(self, number: int, pipeline: str, **changed: Any) -> int:
        """A run that took ten minutes, and what is different about it."""
        self.runs[number] = {
            "id": number,
            "definition": {"id": self.definitions[pipeline], "name": pipeline},
            "status": "completed",
            "result": "succeeded",
            "queueTime": at("11:59:00"),
            "startTime": at("12:00:00"),
            "finishTime": at("12:10:00"),
            "sourceVersion": "c" * 40,
            "requestedFor": {"displayName": "Ada"},
            "repository": {"id": "application", "type": "TfsGit"},
            "_links": {"web": {"href": f"https://dev.azure.com/example/shop/_build/results?buildId={number}"}},
            **changed,
        }
        return number

    def read(self, path: str, query: Mapping[str, str], token: str | None) -> tuple[int, Any, dict[str, str]]:
        self.gets.append(path)
        for text, status in self.refused.items():
            if text in path:
                return status, {"message": "TF000000: not for you"}, {}
        if token != f"Bearer {SYSTEM_TOKEN}":
            return 203, "<html>Sign in</html>", {}
        if query.get("api-version") != "7.1":
            return 400, {"message": "The api-version is missing or not one of this test"}, {}
        if self.garbage:
            return 200, "<html>", {}
        base = f"/example/{PROJECT}/_apis/"
        if not path.startswith(base):
            return 404, {"message": "no such project"}, {}
        return self._object(path.removeprefix(base), query)

    def _object(self, what: str, query: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        if found := re.fullmatch(r"build/builds/(\d+)(/timeline)?", what):
            number = int(found[1])
            if number in self.runs:
                records = self.timelines.get(number, [])
                return 200, ({"records": records} if found[2] else self.runs[number]), {}
        elif what == "build/builds":
            return self._list(query)
        elif what == "build/definitions":
            # The filter takes what begins with it, too.
            there = [(name, id_) for name, id_ in self.definitions.items() if name.startswith(query["name"])]
            return 200, {"count": len(there), "value": [{"id": id_, "name": name} for name, id_ in there]}, {}
        elif (found := re.fullmatch(r"git/repositories/application/commits/(\w+)", what)) and found[1] in self.commits:
            return 200, self.commits[found[1]], {}
        return 404, {"message": "not found"}, {}

    def _list(self, query: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        known = {"definitions", "statusFilter", "queryOrder", "minTime", "maxTime", "$top", "continuationToken"}
        if unknown := query.keys() - known - {"api-version"}:
            return 400, {"message": f"unknown: {unknown}"}, {}
        found = [run for run in self.runs.values() if run["definition"]["id"] == int(query["definitions"])]
        if "statusFilter" in query:
            found = [run for run in found if run["status"] == query["statusFilter"]]
        order = query["queryOrder"]
        key = "finishTime" if order.startswith("finishTime") else "queueTime"
        for bound, keep in (("minTime", True), ("maxTime", False)):
            if bound in query:
                limit = datetime.fromisoformat(query[bound])
                found = [run for run in found if (datetime.fromisoformat(run[key]) >= limit) is keep]
        found.sort(key=lambda run: run[key], reverse=order.endswith("Descending"))
        first, size = int(query.get("continuationToken", 0)), min(self.page, int(query["$top"]))
        more = {"X-MS-ContinuationToken": str(first + size)} if first + size < len(found) else {}
        page = found[first : first + size]
        return 200, {"count": len(page), "value": page}, more

    def take(self, path: str, query: Mapping[str, str], headers: Mapping[str, str | None], body: bytes) -> int:
        """The ingestion API's answer to rows; 0 hangs up."""
        self.posts += 1
        if self.late:
            return self.late.pop(0)
        if headers["Authorization"] != f"Bearer {MONITOR_TOKEN}":
            return 401
        if path != f"/dataCollectionRules/{RULE}/streams/{schema().stream}":
            return 404
        if query != {"api-version": "2023-01-01"} or headers["Content-Type"] != "application/json":
            return 400
        if len(body) > 2**20:
            return 413
        rows = json.loads(body)
        if not isinstance(rows, list) or not rows or not all(map(_fits, rows)):
            return 400
        self.rows += rows
        return 204


def _fits(row: Any) -> bool:
    types = {column.name: column.type for column in schema().columns}
    return isinstance(row, dict) and all(name in types and _is(value, types[name]) for name, value in row.items())


def _is(value: Any, kind: str) -> bool:
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "datetime":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(value)))
    return kind == "string" and isinstance(value, str)


@contextlib.contextmanager
def running(fake: FakeDelivery) -> Iterator[FakeDelivery]:
    """Serves both on a free port; their address stands in `url`."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path, query = self.asked()
            status, said, headers = fake.read(path, query, self.headers["Authorization"])
            self.reply(status, said if isinstance(said, str) else json.dumps(said), headers)

        def do_POST(self) -> None:
            path, query = self.asked()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
            status = fake.take(path, query, headers, body)
            if status:
                said = "" if status == 204 else json.dumps({"error": {"code": "Refused", "message": "no\nthanks"}})
                self.reply(status, said, {})
            else:
                self.close_connection = True

        def asked(self) -> tuple[str, dict[str, str]]:
            parts = urllib.parse.urlsplit(self.path)
            return parts.path, dict(urllib.parse.parse_qsl(parts.query))

        def reply(self, status: int, said: str, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
