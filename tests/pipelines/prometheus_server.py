"""A real Prometheus on the loopback interface, filled with a past of our own making.

Series are written as blocks by promtool, and so is what the recording rules make of them. These are the project's own,
and are evaluated as Prometheus evaluates rules: at one moment after the other. (A query over a range, by which promtool
would do it, loses labels where `count_values` is in it.) What it does not do: it scrapes nothing, and time does not
pass in it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

STEP = 60

Course = Callable[[float], float | None]
"""A value for a number of minutes (negative before the moment that a test is about); None where there is none."""


def missing() -> str | None:
    """Why it cannot run here, and how to mend it; None if it can."""
    absent = [tool for tool in ("prometheus", "promtool") if not shutil.which(tool)]
    return f"{' and '.join(absent)} not installed: apt-get install prometheus" if absent else None


@dataclass
class History:
    """What has happened around a moment, minute by minute."""

    moment: int
    """Seconds since 1970."""
    before: int
    """Minutes."""
    after: int
    _series: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, float]]] = field(default_factory=dict)

    @property
    def start(self) -> int:
        return self.moment - self.before * 60

    @property
    def end(self) -> int:
        return self.moment + self.after * 60

    def gauge(self, name: str, labels: Mapping[str, str], course: Course) -> None:
        for minute in range(-self.before, self.after + 1):
            value = course(minute)
            if value is not None:
                self.add(name, labels, self.moment + minute * 60, value)

    def add(self, name: str, labels: Mapping[str, str], at: int, value: float) -> None:
        self._series.setdefault((name, tuple(sorted(labels.items()))), []).append((at, value))

    def counter(self, name: str, labels: Mapping[str, str], per_minute: Course) -> None:
        """What adds up; it stands still where its course is 0, and is not there where it is None."""
        total = 0.0

        def running(minute: float) -> float | None:
            nonlocal total
            grown = per_minute(minute)
            total += grown or 0
            return None if grown is None else total

        self.gauge(name, labels, running)

    def openmetrics(self) -> str:
        lines, names = [], sorted({name for name, _ in self._series})
        for name in names:
            lines.append(f"# TYPE {name} unknown")
            for (each, labels), points in self._series.items():
                if each == name:
                    shown = ",".join(f'{key}="{value}"' for key, value in labels)
                    lines += [f"{name}{{{shown}}} {value!r} {at}" for at, value in points]
        return "\n".join([*lines, "# EOF", ""])


def layers(files: Sequence[Path]) -> list[list[dict[str, Any]]]:
    """Recording rules in the order in which they can be worked out: each layer reads the ones before it."""
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    left = [rule for group in groups for rule in group["rules"] if "record" in rule]
    found: list[list[dict[str, Any]]] = []
    while left:
        pending = {rule["record"] for rule in left}
        layer = [rule for rule in left if not any(name in rule["expr"] for name in pending)]
        assert layer, f"these rules read each other: {sorted(pending)}"
        found.append(layer)
        left = [rule for rule in left if rule not in layer]
    return found


@contextlib.contextmanager
def running(history: History, rules: Sequence[Path], directory: Path) -> Iterator[str]:
    """The address of a Prometheus that remembers the history, and what the recording rules made of it."""
    (directory / "prometheus.yml").write_text("global: {}\n")
    _remember(history, directory)
    for layer in layers(rules):
        made = History(history.moment, history.before, history.after)
        with _serving(directory) as address:
            for rule in layer:
                _record(address, rule, made)
        _remember(made, directory)
    with _serving(directory) as address:
        yield address


def _record(address: str, rule: Mapping[str, Any], made: History) -> None:
    """What a recording rule makes of the history so far."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    for at in range(made.start, made.end + 1, STEP):
        connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": rule["expr"], "time": at}))
        found = json.loads(connection.getresponse().read())["data"]["result"]
        for each in found:
            labels = {name: value for name, value in each["metric"].items() if name != "__name__"}
            made.add(rule["record"], {**labels, **rule.get("labels", {})}, at, float(each["value"][1]))
    connection.close()


def _remember(history: History, directory: Path) -> None:
    (directory / "history.txt").write_text(history.openmetrics())
    _promtool("create-blocks-from", "openmetrics", directory / "history.txt", directory / "data")


def _promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", "tsdb", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _serving(directory: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    with (directory / "prometheus.log").open("a") as log:
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address={listen}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(f"http://{listen}", server, directory / "prometheus.log")
        yield f"http://{listen}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{address}/-/ready") as said:
            if said.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"Prometheus does not get ready: {log.read_text()}")
