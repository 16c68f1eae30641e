"""Registries of our own on the loopback interface: real ones, each behind a door that makes it like Azure's.

The registry is that of the distribution project. It knows no referrers API and no busy hours, so that the door adds
what Azure's registries have: the API (or not, as it was before), a token for a password, answers that come late.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.pipelines.tooling import tool

USER = "00000000-0000-0000-0000-000000000000"
INDEX = "application/vnd.oci.image.index.v1+json"
ACCEPT = ", ".join(
    (
        INDEX,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


@dataclass
class Registry:
    """One registry: where it is, what it was asked, and how it is to fail."""

    port: int
    """Of the registry itself, behind the door."""
    token: str
    referrers_api: bool = True
    server: str = ""
    """Login server of the door."""
    late: list[int] = field(default_factory=list)
    """Statuses of the answers to come, before it answers as it should."""
    hidden: int = 0
    """How many times a manifest that was read is not there yet; counted down."""
    asked: list[str] = field(default_factory=list)
    subjects: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    """By repository and subject: descriptors of what is attached, by digest."""

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Asks the registry itself, without door."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def manifest(self, repository: str, reference: str) -> tuple[str, bytes] | None:
        """Media type and content."""
        status, headers, body = self.call("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": ACCEPT})
        return (headers["Content-Type"], body) if status == 200 else None

    def put_manifest(self, repository: str, reference: str, media_type: str, body: bytes) -> tuple[int, bytes]:
        """As a push ends: the registry keeps it, and notes what it is attached to."""
        path = f"/v2/{repository}/manifests/{reference}"
        status, _, said = self.call("PUT", path, body, {"Content-Type": media_type})
        if status == 201:
            self._note(repository, media_type, body)
        return status, said

    def put_blob(self, repository: str, digest: str, body: bytes) -> None:
        status, headers, said = self.call("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, said
        location = urllib.parse.urlsplit(headers["Location"])
        query = f"{location.query}&" if location.query else ""
        path = f"{location.path}?{query}digest={urllib.parse.quote(digest)}"
        status, _, said = self.call("PUT", path, body, {"Content-Type": "application/octet-stream"})
        assert status == 201, said

    def tags(self, repository: str) -> list[str]:
        """Without those of the tag schema."""
        status, _, body = self.call("GET", f"/v2/{repository}/tags/list")
        listed = (json.loads(body).get("tags") or []) if status == 200 else []
        return sorted(tag for tag in listed if not tag.startswith("sha256-"))

    def digest(self, repository: str, tag: str) -> str | None:
        found = self.manifest(repository, tag)
        return f"sha256:{hashlib.sha256(found[1]).hexdigest()}" if found else None

    def _note(self, repository: str, media_type: str, body: bytes) -> None:
        manifest = json.loads(body)
        if "subject" in manifest:
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            kind = manifest.get("artifactType") or manifest.get("config", {}).get("mediaType")
            descriptor = {"mediaType": media_type, "digest": digest, "size": len(body), "artifactType": kind}
            self.subjects.setdefault((repository, manifest["subject"]["digest"]), {})[digest] = descriptor


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        registry = self.registry
        registry.asked.append(f"{self.command} {self.path}")
        wanted = f"Basic {base64.b64encode(f'{USER}:{registry.token}'.encode()).decode()}"
        if self.headers.get("Authorization") != wanted:
            self.say(401, {"WWW-Authenticate": 'Basic realm="registry"'}, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
            return
        if registry.late:
            self.say(registry.late.pop(0), {"Retry-After": "0"}, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}')
            return
        reading = self.command in ("GET", "HEAD")
        if reading and registry.hidden and "/manifests/" in self.path:
            registry.hidden -= 1
            self.say(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            return
        if registry.referrers_api and (found := re.match(r"/v2/(.+)/referrers/(sha256:[0-9a-f]+)", self.path)):
            listed = list(registry.subjects.get((found[1], found[2]), {}).values())
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
            self.say(200, {"Content-Type": INDEX}, json.dumps(index).encode())
            return
        if self.command == "PUT" and (found := re.match(r"/v2/(.+)/manifests/([^?]+)", self.path)):
            status, said = registry.put_manifest(found[1], found[2], self.headers["Content-Type"], body)
            subject = json.loads(body).get("subject")
            headers = {"OCI-Subject": subject["digest"]} if registry.referrers_api and subject else {}
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            self.say(status, {**headers, "Docker-Content-Digest": digest, "Location": self.path}, said)
            return
        passed = {key: value for key, value in self.headers.items() if key not in ("Authorization", "Connection")}
        status, headers, said = registry.call(self.command, self.path, body or None, passed)
        self.say(status, headers, said)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = answer  # noqa: N815 - named by the server's protocol

    def say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for key, value in headers.items():
            if key not in ("Content-Length", "Transfer-Encoding", "Connection", "Date", "Server"):
                self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silence: what was asked stands in `asked`."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing, when whoever asked was killed meanwhile; anything else is a mistake of the test's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Answers on a free port of the loopback interface."""
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True  # a door may be held open by whoever keeps his connection
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def backend(directory: Path) -> Iterator[int]:
    """The registry itself; its port. What it holds is gone with it."""
    binary = tool("registry", "docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = {
        "version": "0.1",
        "storage": {"inmemory": {}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", "relativeurls": True, "secret": "of-this-test"},
        "log": {"level": "error", "accesslog": {"disabled": True}},
    }
    (directory / "config.yml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    log = (directory / "registry.log").open("wb")
    with log, subprocess.Popen([binary, "serve", str(directory / "config.yml")], stdout=log, stderr=log) as process:
        try:
            _wait(lambda: _answers(port) or process.poll() is not None)
            assert process.poll() is None, (directory / "registry.log").read_text(encoding="utf-8")
            yield port
        finally:
            process.terminate()


@contextlib.contextmanager
def door(port: int, token: str, *, referrers_api: bool = True) -> Iterator[Registry]:
    registry = Registry(port, token, referrers_api)
    with serving(type("Door", (_Door,), {"registry": registry})) as own:
        registry.server = f"localhost:{own}"
        yield registry


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _wait(ready: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"it did not answer within {seconds:g} s"
        time.sleep(0.02)
