"""The process as a container runs it: how it starts, what it refuses, what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import urllib3

from integration.processes import SECONDS, CatalogueService, Service, environment, shop


def refused(**env: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "shop"], env=environment(**env), capture_output=True, text=True, timeout=SECONDS
    )
    return done.returncode, done.stdout, done.stderr


def test_every_problem_of_the_environment_is_told_at_once_and_nothing_is_started() -> None:
    code, log, said = refused(SHOP_PORT="http", SHOP_CATALOGUE_URL="http://catalogue", SHOP_IMAGE_DIGEST="latest")
    assert code == 2
    assert [line.split(" = ")[0].strip() for line in said.splitlines()[1:]] == [
        "SHOP_PORT",
        "SHOP_CATALOGUE_URL",
        "SHOP_IMAGE_DIGEST",
    ]
    assert all("; allowed: " in line for line in said.splitlines()[1:])
    assert "Traceback" not in said
    assert "listening" not in log


@pytest.mark.parametrize(
    "env",
    [
        {"APPLICATIONINSIGHTS_CONNECTION_STRING": "nonsense"},
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=33333333-3333-3333-3333-333333333333",
            "AZURE_FEDERATED_TOKEN_FILE": "/nowhere",
        },
    ],
)
def test_telemetry_that_cannot_be_set_up_stops_it_with_one_message(env: dict[str, str]) -> None:
    code, log, said = refused(**env)
    assert code == 2
    assert "telemetry cannot be exported" in said
    assert "Traceback" not in said
    assert "listening" not in log


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, said = refused(SHOP_PORT="0", SHOP_METRICS_PORT=str(port))
    assert code == 1
    assert f"error: cannot listen on 127.0.0.1, ports 0 and {port}: Address already in use" in said
    assert "Traceback" not in said


def test_it_says_which_build_it_is(secrets: Path) -> None:
    digest = "sha256:" + "a" * 64
    with shop(secrets, SHOP_COMMIT="c0ffee", SHOP_IMAGE_DIGEST=digest) as service:
        assert service.get("/version").json() == {"name": "shop", "commit": "c0ffee", "digest": digest}


def test_without_a_connection_string_it_says_once_that_nothing_is_exported(secrets: Path) -> None:
    with shop(secrets) as service:
        for _ in range(3):
            assert service.get("/products").status == 200
        assert service.stop() == 0
        said = [line["message"] for line in service.logged() if line["level"] == "WARNING"]
    assert said == ["APPLICATIONINSIGHTS_CONNECTION_STRING is not set: traces and logs are not exported"]


def test_every_line_of_the_log_says_when_where_and_how_bad(service: Service) -> None:
    service.order("cup")
    assert json.loads(service.running.line("order confirmed"))["product"] == "cup"
    lines = service.logged()
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)


def test_on_sigterm_it_stops_being_ready_but_goes_on_answering_for_a_while(secrets: Path) -> None:
    with shop(secrets, SHOP_DRAIN_SECONDS="3") as service:
        assert service.get("/health/ready").status == 200
        service.running.process.send_signal(signal.SIGTERM)
        service.running.line("not ready any more")
        ready = service.get("/health/ready")
        assert (ready.status, ready.json()["detail"]) == (503, "the process is stopping")
        products = service.get("/products")
        assert products.status == 200
        assert products.headers["Connection"] == "close"
        assert service.get("/health/live").status == 200
        assert service.running.wait() == 0
        assert service.running.lines[-1].count('"stopped"') == 1


def test_a_request_that_runs_is_answered_before_the_end(secrets: Path, catalogue: CatalogueService) -> None:
    answers: list[int] = []
    with shop(secrets, SHOP_CATALOGUE_URL=catalogue.url) as service:
        thread = threading.Thread(target=lambda: answers.append(service.get("/products/busy").status))
        before = len(catalogue.calls())
        thread.start()
        while len(catalogue.calls()) == before:
            time.sleep(0.02)
        assert service.stop() == 0
        thread.join(SECONDS)
    assert answers == [200]


def test_a_second_signal_cuts_the_wait_short(secrets: Path) -> None:
    with shop(secrets, SHOP_DRAIN_SECONDS="60") as service:
        service.running.process.send_signal(signal.SIGTERM)
        service.running.line("not ready any more")
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < 30


def test_the_metrics_have_a_port_of_their_own(service: Service) -> None:
    assert "http_requests_total" in service.metrics()
    assert service.get("/metrics").status == 404
    assert "product" not in urllib3.request("GET", service.metrics_url + "/products", retries=False).data.decode()


def test_it_writes_nothing_where_a_read_only_root_would_refuse_it(secrets: Path, tmp_path: Path) -> None:
    """Python itself reports every attempt, wherever in the libraries it is made."""
    writable = tmp_path / "tmp"
    writable.mkdir()
    watch = tmp_path / "watch.py"
    watch.write_text(
        "import os, runpy, sys\n"
        "WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT\n"
        "def hook(event, arguments):\n"
        "    wrote = event == 'open' and arguments[2] & WRITES and str(arguments[0]) != os.devnull\n"
        "    if wrote or event in ('os.mkdir', 'os.rename', 'os.remove', 'os.link', 'os.symlink', 'os.truncate'):\n"
        f"        if not os.path.realpath(str(arguments[0])).startswith({str(writable)!r}):\n"
        '            os.write(1, f\'{{"level": "WRITES", "message": "{event} {arguments[0]}"}}\\n\'.encode())\n'
        "sys.addaudithook(hook)\n"
        "runpy.run_module('shop', run_name='__main__', alter_sys=True)\n",
        "utf-8",
    )
    with shop(secrets, (str(watch),), TMPDIR=str(writable), HOME=str(writable)) as service:
        for path in ("/products", "/products/none", "/health/ready", "/openapi.json"):
            service.get(path)
        service.order("teapot")
        service.metrics()
        assert service.stop() == 0
        assert [line["message"] for line in service.logged() if line["level"] == "WRITES"] == []
        assert "order confirmed" in service.running.output
