"""The service and the catalogue service as processes of their own, on ports of the loopback interface."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
"""How long anything may take before a test gives up: much more than it needs, also on a machine that is busy."""

PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT")
"""Of the environment of whoever runs the tests: a developer's own SHOP_*, AZURE_* and OTEL_* must not matter."""


def environment(**more: str) -> dict[str, str]:
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return own | {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} | more


class Running:
    """A process whose output is read as it comes."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )
        self.lines: list[str] = []
        self._arrived: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            self._arrived.put(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def line(self, wanted: str) -> str:
        """The next line that holds this text."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                line = self._arrived.get(timeout=0.1)
            except queue.Empty:
                if self.process.poll() is None or self._reader.is_alive():
                    continue
                break
            if wanted in line:
                return line
        raise AssertionError(f"no line with {wanted!r} in:\n{self.output}")

    def wait(self) -> int:
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        if self.process.stdout:
            self.process.stdout.close()


@dataclass
class Service:
    """A running shop."""

    running: Running
    port: int
    metrics_port: int
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=SECONDS))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self.http.request("GET", self.url + path)

    def order(self, product: str, quantity: int = 1) -> urllib3.BaseHTTPResponse:
        return self.http.request("POST", self.url + "/orders", json={"product": product, "quantity": quantity})

    def metrics(self) -> str:
        return self.http.request("GET", self.metrics_url + "/metrics").data.decode()

    def logged(self) -> list[dict[str, Any]]:
        """Each line of the log; whatever is not JSON fails the test."""
        return [json.loads(line) for line in self.running.lines]

    def stop(self) -> int:
        self.running.process.send_signal(signal.SIGTERM)
        return self.running.wait()


@contextmanager
def shop(secrets: Path, command: Sequence[str] = ("-m", "shop"), **env: str) -> Iterator[Service]:
    told = {
        "SHOP_SECRETS_DIRECTORY": str(secrets),
        "SHOP_PORT": "0",
        "SHOP_METRICS_PORT": "0",
        "SHOP_DRAIN_SECONDS": "0",
    }
    running = Running([sys.executable, *command], environment(**told | env))
    try:
        said = json.loads(running.line('"message": "listening"'))
        yield Service(running, said["port"], said["metrics_port"])
    finally:
        running.end()


@dataclass(frozen=True)
class CatalogueService:
    port: int
    key_file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def calls(self) -> list[tuple[str, str | None]]:
        """Paths that were asked for, with the key that came along."""
        answer = urllib3.request("GET", f"{self.url}/calls", retries=False, timeout=SECONDS)
        return [(path, key) for path, key in answer.json()]


@contextmanager
def catalogue_service(key_file: Path) -> Iterator[CatalogueService]:
    running = Running([sys.executable, str(ROOT / "tests" / "fakes" / "catalogue.py"), str(key_file)], environment())
    try:
        yield CatalogueService(int(running.line("")), key_file)
    finally:
        running.end()
