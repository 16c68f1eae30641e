"""The acceptance tests that run in the cluster, run against a service on the loopback interface."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from integration.processes import ROOT, SECONDS, environment, shop

RUN = ROOT / "tests" / "acceptance" / "run.py"
DIGEST, COMMIT = "sha256:" + "0123456789abcdef" * 4, "c0ffee" * 6 + "c0ff"


def accept(results: Path, **env: str) -> subprocess.CompletedProcess[str]:
    told = environment(**{"PYTHONSAFEPATH": "1", "WAIT_SECONDS": "1", "RESULTS": str(results)} | env)
    del told["PYTHONPATH"]  # the image of the tests does not hold the service
    return subprocess.run(
        [sys.executable, str(RUN)], env=told, cwd=results.parent, capture_output=True, text=True, timeout=3 * SECONDS
    )


def counts(junit: str) -> dict[str, int]:
    suite = ElementTree.fromstring(junit).find("testsuite")
    assert suite is not None
    return {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}


def printed(output: str) -> str:
    return output.split("-----BEGIN JUNIT-----\n")[1].split("\n-----END JUNIT-----")[0]


def test_a_service_that_keeps_its_promises_is_accepted(secrets: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    with shop(secrets, SHOP_IMAGE_DIGEST=DIGEST, SHOP_COMMIT=COMMIT) as service:
        done = accept(
            results,
            BASE_URL=service.url,
            METRICS_URL=service.metrics_url,
            EXPECTED_DIGEST=DIGEST,
            EXPECTED_COMMIT=COMMIT,
        )
    assert done.returncode == 0, done.stdout
    assert printed(done.stdout) == results.read_text("utf-8")
    found = counts(printed(done.stdout))
    assert found["tests"] >= 14
    assert (found["failures"], found["errors"], found["skipped"]) == (0, 0, 0)


def test_another_build_than_the_released_one_is_not_accepted(secrets: Path, tmp_path: Path) -> None:
    with shop(secrets, SHOP_IMAGE_DIGEST=DIGEST) as service:
        done = accept(tmp_path / "results.xml", BASE_URL=service.url, EXPECTED_DIGEST=DIGEST.replace("0", "1"))
    assert done.returncode == 1
    found = counts(printed(done.stdout))
    assert found["failures"] == 1
    assert found["skipped"] == 2  # the commit, and the metrics


def test_a_service_without_its_secret_is_not_accepted(tmp_path: Path) -> None:
    with shop(tmp_path) as service:
        done = accept(tmp_path / "results.xml", BASE_URL=service.url)
    assert done.returncode == 1
    assert "was not ready within 1 s; last: 503" in done.stdout
    found = counts(printed(done.stdout))
    assert found["errors"] == found["tests"] > 10


def test_a_service_that_is_not_there_is_not_accepted(tmp_path: Path) -> None:
    done = accept(tmp_path / "results.xml", BASE_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "was not ready within 1 s" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BASE_URL", ""), ("BASE_URL", "shop"), ("METRICS_URL", "shop:9090"), ("WAIT_SECONDS", "soon")],
)
def test_an_environment_that_cannot_be_used_is_told_at_once(tmp_path: Path, variable: str, value: str) -> None:
    done = accept(tmp_path / "results.xml", **{"BASE_URL": "http://127.0.0.1:1"} | {variable: value})
    assert done.returncode == 2
    assert f"{variable} = '{value}'; allowed: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results.xml").exists()
