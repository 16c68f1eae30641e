"""A Grafana of our own on the loopback interface: folders, dashboards, data sources and a token, and nothing else.

What it does not do: it does not judge what a dashboard holds, and it knows no roles; what comes late or never is what
a test says (`late`, `forgets`).
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def source(name: str, kind: str, url: str = "") -> dict[str, str]:
    return {"name": name, "uid": f"uid-of-{name}", "type": kind, "url": url}


@dataclass
class FakeGrafana:
    """What the real one does as far as it matters: it keeps folders and dashboards, and asks for a token."""

    token: str
    metrics: str
    url: str = ""
    sources: list[dict[str, str]] = field(default_factory=list)
    folders: dict[str, Any] = field(default_factory=dict)
    boards: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """Answers that come before any other, one for each call; 0 hangs up."""
    forgets: str = ""
    """A key that it drops from every dashboard."""

    def __post_init__(self) -> None:
        self.sources = [
            source("Metrics", "prometheus", self.metrics),
            source("Other", "prometheus", "https://other.westeurope.prometheus.monitor.azure.com"),
            source("Logs", "grafana-azure-monitor-datasource"),
        ]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call.startswith("POST")]

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        if self.late:
            return self.late.pop(0), {"message": "not yet"}
        if token != f"Bearer {self.token}":
            return 401, {"message": "Unauthorized"}
        if path == "/api/datasources":
            return 200, self.sources
        if found := re.fullmatch(r"/api/(folders|dashboards/uid)/([\w-]+)", path):
            held = (self.folders if found[1] == "folders" else self.boards).get(found[2])
            return (200, held) if held else (404, {"message": "not found"})
        if (method, path) == ("POST", "/api/folders"):
            if body["uid"] in self.folders:
                return 412, {"message": "the folder has been changed by someone else"}
            self.folders[body["uid"]] = body
            return 200, body
        if (method, path) == ("POST", "/api/dashboards/db"):
            content = {key: value for key, value in body["dashboard"].items() if key != self.forgets}
            before = self.boards.get(content["uid"])
            if before and not body["overwrite"]:
                return 412, {"message": "exists"}
            version = before["dashboard"]["version"] + 1 if before else 1
            self.boards[content["uid"]] = {
                "dashboard": {**content, "id": 7, "version": version},
                "meta": {"folderUid": body["folderUid"]},
            }
            return 200, {"status": "success"}
        return 404, {"message": "Not found"}


@contextlib.contextmanager
def running(fake: FakeGrafana) -> Iterator[FakeGrafana]:
    """Serves it on a free port of the loopback interface; its address stands in `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(None)

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: Any) -> None:
            status, said = fake.answer(self.command, self.path, self.headers["Authorization"], body)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", fake.url + "/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None:
            """Silence: what was called stands in `calls`."""

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
