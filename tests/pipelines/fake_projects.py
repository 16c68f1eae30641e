"""Azure DevOps as far as an identity comments on pull requests, files work items and opens pull requests, on loopback.

A version of the API, a token, a content type or a field that is not as it should be is refused.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT = "0f5c1d9e-1111-2222-3333-444455556666"
REPOSITORY = "aaaaaaaa-1111-2222-3333-444455556666"
TOKEN = "the-token-of-the-identity"

Json = dict[str, Any]


@dataclass
class FakeProject:
    """What the real one does as far as it matters."""

    url: str = ""
    threads: list[Json] = field(default_factory=list)
    items: dict[int, Json] = field(default_factory=dict)
    """Fields of work items by number."""
    pulls: list[Json] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """Answers that come before any other."""
    refused: int = 0
    """Answers everything with this status."""
    boards: bool = True

    def answer(self, method: str, path: str, kind: str, body: Any) -> tuple[int, Any]:
        threads = rf"git/repositories/{REPOSITORY}/pullRequests/17/threads"
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if path == threads and method == "GET":
            return 200, {"value": self.threads}
        if path == threads and method == "POST":
            comments = [{"id": 1, **each} for each in body["comments"]]
            self.threads.append({"id": len(self.threads) + 1, "status": body["status"], "comments": comments})
            return 200, self.threads[-1]
        if (found := re.fullmatch(rf"{threads}/(\d+)(/comments/(\d+))?", path)) and method == "PATCH":
            thread = self.threads[int(found[1]) - 1]
            (thread["comments"][int(found[3]) - 1] if found[3] else thread).update(body)
            return 200, thread
        if path == "wit/wiql" and method == "POST":
            return self._asked(body["query"]) if self.boards else (400, {"message": "TF51005: unknown field"})
        if (found := re.fullmatch(r"wit/workitems/(\$Issue|\d+)", path)) and kind == "application/json-patch+json":
            return self._written(found[1], method, body)
        if path == "git/repositories/platform/pullrequests":
            return self._pulls(method, body)
        if (found := re.fullmatch(r"git/repositories/platform/pullrequests/(\d+)", path)) and method == "PATCH":
            self.pulls[int(found[1]) - 1].update(body)
            return 200, self.pulls[int(found[1]) - 1]
        return 404, {"message": f"nothing answers {method} {path} ({kind})"}

    def _asked(self, query: str) -> tuple[int, Any]:
        title = re.search(r"\[System\.Title\] = '([^']*)'", query)
        tag = re.search(r"\[System\.Tags\] CONTAINS '([^']*)'", query)
        if not title or not tag or "NOT IN ('Closed', 'Done', 'Removed')" not in query:
            return 400, {"message": "the query is not one that this test knows"}
        found = [
            {"id": number}
            for number, said in self.items.items()
            if said["System.Title"] == title[1] and said["System.Tags"] == tag[1] and said["System.State"] == "To Do"
        ]
        return 200, {"workItems": found}

    def _written(self, which: str, method: str, body: Any) -> tuple[int, Any]:
        said = {each["path"].removeprefix("/fields/"): each["value"] for each in body if each["op"] == "add"}
        if which == "$Issue" and method == "POST":
            number = len(self.items) + 1
            self.items[number] = {"System.State": "To Do", **said}
        elif method == "PATCH" and int(which) in self.items:
            number = int(which)
            self.items[number].update(said)
        else:
            return 404, {"message": "no such work item"}
        return 200, {"id": number}

    def _pulls(self, method: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"value": self.pulls}
        if body["targetRefName"] != "refs/heads/main" or not body["sourceRefName"].startswith("refs/heads/"):
            return 400, {"message": "TF401398: the branches are not refs"}
        self.pulls.append({"pullRequestId": len(self.pulls) + 1, "status": "active", **body})
        return 201, self.pulls[-1]


@contextlib.contextmanager
def running(fake: FakeProject) -> Iterator[FakeProject]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            kind = self.headers.get("Content-Type", "")
            prefix = f"/example/{PROJECT}/_apis/"
            if fake.late:
                status, said = fake.late.pop(0), {"message": "not now"}
            elif fake.refused:
                status, said = fake.refused, {"message": "TF401027: you need the permission"}
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, said = 401, {"message": "no token"}
            elif urllib.parse.parse_qs(parts.query).get("api-version") != ["7.1"]:
                status, said = 400, {"message": "api-version"}
            elif not parts.path.startswith(prefix):
                status, said = 404, {"message": "no such project"}
            else:
                status, said = fake.answer(
                    self.command, urllib.parse.unquote(parts.path).removeprefix(prefix), kind, body
                )
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _any  # noqa: N815  (named by the base class)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
