"""The application's own tests, run by the commands that the pipelines use, with its own configuration.

Its acceptance tests are among them: tests/integration/test_acceptance.py starts the service and runs them as CD does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

WORKLOAD = Path(__file__).resolve().parents[2] / "workload"
INTEGRATION = sorted((WORKLOAD / "tests" / "integration").glob("test_*.py"))


def run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """As on an agent: nothing of the test session around it, and nothing left behind in the sources."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "COVERAGE_"))}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "COVERAGE_FILE": str(directory / "coverage")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *command],
        cwd=WORKLOAD,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def assert_all_passed(command: list[str], directory: Path) -> None:
    results = directory / "results.xml"
    done = run([*command, f"--junitxml={results}"], directory)
    assert done.returncode == 0, done.stdout + done.stderr
    suite = ElementTree.parse(results).find("testsuite")
    assert suite is not None
    counted = {name: int(suite.attrib[name]) for name in ("failures", "errors", "skipped")}
    assert counted == {"failures": 0, "errors": 0, "skipped": 0}
    assert int(suite.attrib["tests"]) > 0


def test_the_unit_tests_pass_and_cover_what_they_have_to(tmp_path: Path) -> None:
    coverage = tmp_path / "coverage.xml"
    assert_all_passed(["tests/unit", "--cov", f"--cov-report=xml:{coverage}"], tmp_path)
    rate = ElementTree.parse(coverage).getroot().attrib["line-rate"]
    assert 0 < float(rate) <= 1


@pytest.mark.parametrize("path", INTEGRATION, ids=lambda path: path.stem)
def test_the_integration_tests_pass(path: Path, tmp_path: Path) -> None:
    assert_all_passed([str(path.relative_to(WORKLOAD))], tmp_path)


def test_no_test_of_the_application_is_left_out() -> None:
    collected = {path.parent.name for path in (WORKLOAD / "tests").rglob("test_*.py")}
    assert collected == {"unit", "integration", "acceptance"}
    assert "test_acceptance" in {path.stem for path in INTEGRATION}


def test_a_test_that_fails_is_noticed(tmp_path: Path) -> None:
    """Of the application's own kind, under its own configuration: a warning is a failure there."""
    (tmp_path / "test_bad.py").write_text("import warnings\n\ndef test_bad():\n    warnings.warn('mind')\n", "utf-8")
    place = ["-c", str(WORKLOAD / "pyproject.toml"), "--rootdir", str(WORKLOAD)]
    with pytest.raises(AssertionError, match="UserWarning: mind"):
        assert_all_passed([*place, str(tmp_path / "test_bad.py")], tmp_path)
