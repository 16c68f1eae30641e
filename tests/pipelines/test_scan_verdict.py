"""The verdict on scanners: files as they write them, among them those with which Microsoft Security DevOps stays green.

The silent failures are known: findings although it was told to break the build (security-devops-azdevops#112), and a
tool that does not run at all (security-devops-azdevops#132).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.scripts import scan_verdict

CASES = Path(__file__).parent / "sarif"
SCRIPT = Path(scan_verdict.__file__)

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _off_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_BUILD", raising=False)
    monkeypatch.delenv("AGENT_TEMPDIRECTORY", raising=False)


def results(directory: Path, *names: str) -> Path:
    """A directory that holds these files, as the scanners' task leaves it."""
    where = directory / ".gdn"
    where.mkdir()
    for name in names:
        shutil.copy(CASES / f"{name}.sarif", where / f"{name}.sarif")
    return where


def verdict(directory: Path, *more: str, tools: str = "bandit,trivy") -> int:
    return scan_verdict.main(["--results", str(directory), "--tools", tools, *more])


def errors(captured: Captured) -> list[str]:
    lines = captured.readouterr().err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    return [line.removeprefix("error: ") for line in lines]


def test_scanners_that_ran_and_found_nothing_pass(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, "clean")) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out == "scan passed: bandit, trivy; 0 findings of level error and above, 0 below\n"


@pytest.mark.parametrize(
    ("case", "told"),
    {
        "findings-but-green": "requirements.lock:3: trivy CVE-2026-0001 (error): openssl: a flaw | fixed in 3.0.9",
        "tool-missing": "scan: trivy: left no result; it did not run",
        "not-successful": (
            "scan: trivy: it says that it did not succeed (exit code 1): the database could not be fetched"
        ),
        "error-notification": "scan: bandit: it reports an error: src/shop/app.py could not be parsed",
        "configuration-error": "scan: bandit: it reports an error: unknown test B999",
        "silent": "scan: trivy: does not say that it ran to its end (no invocations)",
        "no-list-of-results": "scan: trivy: it has no list of results, so it did not run",
        "other-version": "scan: other-version.sarif: version = '2.0.0'; allowed: SARIF 2.1.0",
    }.items(),
)
def test_what_the_scanners_task_lets_pass_fails_here(case: str, told: str, tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, case)) == 1
    assert told in errors(capsys)


@pytest.mark.parametrize("case", ["cut-off", "empty"])
def test_a_file_that_was_not_finished_fails(case: str, tmp_path: Path, capsys: Captured) -> None:
    """Even beside one that is whole."""
    assert verdict(results(tmp_path, case, "clean")) == 1
    assert [line[: len(case) + 20] for line in errors(capsys)] == [f"scan: {case}.sarif: cannot"]


def test_a_file_without_a_run_lacks_every_tool(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, "no-runs")) == 1
    assert errors(capsys) == [f"scan: {tool}: left no result; it did not run" for tool in ("bandit", "trivy")]


def test_no_file_fails(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path)) == 1
    assert "holds no *.sarif; the scanners wrote no result" in errors(capsys)[0]


def test_no_directory_fails(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(tmp_path / "nowhere") == 1
    assert "there is no such directory" in errors(capsys)[0]


@pytest.mark.parametrize(
    "content", [[], {"version": "2.1.0"}, {"version": "2.1.0", "runs": [{}]}, {"version": "2.1.0", "runs": ["x"]}]
)
def test_json_that_is_no_sarif_fails_in_one_line(content: Any, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "odd.sarif").write_text(json.dumps(content))
    assert verdict(tmp_path, tools="bandit") == 1
    assert [line for line in errors(capsys) if line.startswith("scan: odd.sarif: ")]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "marked.sarif").write_text((CASES / "clean.sarif").read_text(), encoding="utf-8-sig")
    assert verdict(tmp_path) == 0


def test_a_tool_that_never_says_how_it_ended_is_believed_only_by_name(tmp_path: Path) -> None:
    directory = results(tmp_path, "silent")
    assert verdict(directory, "--no-invocations-from", "bandit") == 1
    assert verdict(directory, "--no-invocations-from", "Trivy") == 0


def test_a_tool_that_says_that_it_failed_is_never_believed(tmp_path: Path) -> None:
    assert verdict(results(tmp_path, "not-successful"), "--no-invocations-from", "trivy") == 1


def test_findings_in_any_file_and_of_tools_that_nobody_asked_for_count(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, "clean", "by-the-book")) == 1
    assert any(": Template Analyzer TA-1" in line for line in errors(capsys))


@pytest.mark.parametrize(("fail_on", "counted"), [("error", 1), ("warning", 1), ("note", 2)])
def test_findings_below_the_level_are_listed_and_do_not_count(
    fail_on: str, counted: int, tmp_path: Path, capsys: Captured
) -> None:
    assert verdict(results(tmp_path, "findings-but-green"), "--fail-on", fail_on) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == counted
    assert "src/shop/app.py:12: bandit B101 (note): Use of assert detected." in said.out + said.err


def test_levels_come_from_result_rule_and_score_and_the_worst_counts(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, "by-the-book"), "--fail-on", "note", tools="templateanalyzer") == 1
    assert errors(capsys) == [
        "deploy/main one.json: Template Analyzer TA-1/sub (error): vault lacks a lock",
        "no place: Template Analyzer TA-1 (error): by index",
        "resources.vault: Template Analyzer X-1 (error): by extension",
        "no place: Template Analyzer unknown (warning): a warning by default",
        "no place: Template Analyzer odd (error): a level that is none",
        "no place: Template Analyzer note (note): only a note",
        "no place: Template Analyzer scored (error): a score that is no number",
    ]


@pytest.mark.parametrize(
    ("score", "level"), [("7.0", "error"), ("6.9", "warning"), ("4.0", "warning"), (3.9, "note"), ("nan", "error")]
)
def test_a_score_has_the_level_of_its_band(score: object, level: str, tmp_path: Path, capsys: Captured) -> None:
    content = json.loads((CASES / "findings-but-green.sarif").read_text())
    trivy = content["runs"][1]
    trivy["tool"]["driver"]["rules"][0] = {"id": "CVE-2026-0001", "properties": {"security-severity": score}}
    trivy["results"][0]["level"] = "none"
    (tmp_path / "scored.sarif").write_text(json.dumps(content))
    verdict(tmp_path)
    said = capsys.readouterr()
    assert f"trivy CVE-2026-0001 ({level}): " in said.out + said.err


def test_what_is_suppressed_with_a_reason_is_listed_and_does_not_count(tmp_path: Path, capsys: Captured) -> None:
    assert verdict(results(tmp_path, "suppressed")) == 1
    said = capsys.readouterr()
    assert (
        "suppressed: src/shop/app.py:5: bandit B602 (error): shell=True Reason: the command is a constant" in said.out
    )
    assert said.err.splitlines() == [
        "error: src/shop/app.py:9: bandit B602 (error): shell=True, nobody says why (suppressed, but nobody says why)",
        "error: src/shop/app.py:13: bandit B602 (error): shell=True, reason refused",
    ]


def test_the_summary_tells_all_of_it_and_lets_no_text_become_markup(tmp_path: Path) -> None:
    directory, page = results(tmp_path, "findings-but-green"), tmp_path / "page.md"
    content = json.loads((directory / "findings-but-green.sarif").read_text())
    content["runs"][0]["results"][0]["message"]["text"] = "<img src=x> `code` [link](http://example.com)"
    (directory / "findings-but-green.sarif").write_text(json.dumps(content))
    assert verdict(directory, "--summary", str(page)) == 1
    lines = page.read_text().splitlines()
    assert lines[2] == (
        "**Failed.** Tools with results: bandit, trivy. Findings of level error and above fail the run."
    )
    assert "## Findings that fail the run: 1" in lines
    row = "| requirements.lock:3 | trivy | CVE-2026-0001 | error | openssl: a flaw &#124; fixed in 3.0.9 |"
    assert row in lines
    assert "&lt;img src=x> &#96;code&#96; &#91;link](http://example.com)" in lines[-1]


def agent(directory: Path, where: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As a step runs it: another directory, no package but the standard library."""
    environment = {"PATH": os.environ["PATH"], "TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(directory)}
    command = [sys.executable, "-S", str(SCRIPT), "--results", str(where), "--tools", "bandit,trivy", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory, env=environment)


def test_on_an_agent_the_summary_is_put_on_the_runs_page(tmp_path: Path) -> None:
    done = agent(tmp_path, results(tmp_path, "clean"))
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "scan-verdict.md"
    assert f"##vso[task.uploadsummary]{page}" in done.stdout.splitlines()
    assert "**Passed.**" in page.read_text()


def test_no_text_of_a_scanner_commands_the_agent(tmp_path: Path) -> None:
    """What is scanned is a pull request that nobody has read yet."""
    directory = results(tmp_path, "findings-but-green")
    command = "x\n##vso[task.setvariable variable=PATH]/tmp"
    content = json.loads((directory / "findings-but-green.sarif").read_text())
    for run in content["runs"]:
        run["tool"]["driver"]["name"] += command
        for result in run["results"]:
            result["message"]["text"] = result["ruleId"] = command
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = command
            del result["ruleIndex"]
    (directory / "findings-but-green.sarif").write_text(json.dumps(content))
    done = agent(tmp_path, directory)
    assert done.returncode == 1
    assert "## vso[" in done.stdout
    assert "##vso[task.setvariable" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tools", "bandit,"], "--tools: 'bandit,'; allowed: names of tools"),
        (["--tools", "bandit", "--fail-on", "none"], "choose from"),
        ([], "required: --tools"),
    ],
)
def test_a_wrong_argument_says_what_is_allowed(
    arguments: list[str], told: str, tmp_path: Path, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as stopped:
        scan_verdict.main(["--results", str(tmp_path), *arguments])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err
