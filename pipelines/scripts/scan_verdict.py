#!/usr/bin/env python3
"""Passes judgement on what the security scanners wrote, because their exit says little.

Microsoft Security DevOps stays green when a tool does not run, and when one finds something severe. So the run fails
here: when there is no result, when a tool that was asked for left none or does not say that it ran to its end, and
when there is a finding of a level that is not accepted. What a tool suppresses is listed, and counts unless a reason
is given. A summary for the run's page is written as Markdown.

What it does not do: it starts no scanner, and it holds no list of accepted findings; each tool has its own way to
suppress one, beside the code that it is about.

Needs Python 3.11, and no package. Exit codes: 0 passed, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import fail, on_agent, plain
from pipelines.scripts.sarif import LEVELS, Finding, Run, SarifError, plain_name, read


@dataclass(frozen=True)
class Verdict:
    problems: tuple[str, ...]
    """Why the scanners cannot be believed."""
    counted: tuple[Finding, ...]
    """What fails the run."""
    below: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    ran: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems and not self.counted


def collect(directory: Path) -> tuple[list[Run], list[str]]:
    """All runs in all files, and what is wrong with the files."""
    if not directory.is_dir():
        return [], [f"{directory}: there is no such directory; the scanners' task did not run, or writes elsewhere"]
    files = sorted(directory.rglob("*.sarif"))
    if not files:
        return [], [f"{directory}: holds no *.sarif; the scanners wrote no result"]
    runs: list[Run] = []
    problems = []
    for file in files:
        try:
            runs += read(file)
        except SarifError as error:
            problems.append(str(error))
    return runs, problems


def judge(
    runs: Sequence[Run], problems: Sequence[str], tools: Sequence[str], silent: Collection[str], fail_on: str
) -> Verdict:
    """`silent`: tools that never say how they ended."""
    wrong = list(problems)
    there = {name for run in runs for name in run.names}
    wrong += [f"{tool}: left no result; it did not run" for tool in tools if plain_name(tool) not in there]
    for run in runs:
        wrong += [f"{run.tool}: {complaint}" for complaint in run.complaints]
        if not run.says_how_it_ended and not run.names & {plain_name(each) for each in silent}:
            wrong.append(f"{run.tool}: does not say that it ran to its end (no invocations)")
    found = [finding for run in runs for finding in run.findings]
    heavy = {level for level in LEVELS if LEVELS.index(level) >= LEVELS.index(fail_on)}
    return Verdict(
        problems=tuple(wrong),
        counted=tuple(each for each in found if not each.accepted and each.level in heavy),
        below=tuple(each for each in found if not each.accepted and each.level not in heavy),
        suppressed=tuple(each for each in found if each.accepted),
        ran=tuple(dict.fromkeys(run.tool for run in runs)),
    )


def summary(verdict: Verdict, fail_on: str) -> str:
    """For the run's page. Markdown."""
    lines = [
        "# Security scan",
        "",
        f"**{'Passed' if verdict.passed else 'Failed'}.** Tools with results: {', '.join(verdict.ran) or 'none'}. "
        f"Findings of level {fail_on} and above fail the run.",
    ]
    if verdict.problems:
        lines += ["", "## The scanners", "", *(f"- {_cell(problem)}" for problem in verdict.problems)]
    for title, findings in (
        ("Findings that fail the run", verdict.counted),
        ("Findings below that", verdict.below),
        ("Suppressed, with a reason", verdict.suppressed),
    ):
        if findings:
            lines += ["", f"## {title}: {len(findings)}", "", "| where | tool | rule | level | message |"]
            lines += ["|---|---|---|---|---|", *(_row(finding) for finding in findings)]
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    message = f"{finding.message} Reason: {finding.reason}" if finding.accepted else finding.message
    cells = (finding.where, finding.tool, finding.rule, finding.level, message)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Text from elsewhere, so that it is neither markup nor ends the cell."""
    for special, harmless in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("`", "&#96;"), ("[", "&#91;")):
        text = text.replace(special, harmless)
    return text


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(plain_name(name) for name in names):
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: names of tools with commas between, such as bandit,trivy")
    return names


def _publish(text: str, file: Path | None) -> None:
    """Where the agent shows it, or where the caller wants it."""
    directory = os.environ.get("AGENT_TEMPDIRECTORY")
    target = file or (Path(directory) / "scan-verdict.md" if directory else None)
    if target:
        target.write_text(text, "utf-8")
        if on_agent():
            print(f"##vso[task.uploadsummary]{target.resolve()}", flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Passes judgement on what the security scanners wrote.")
    parser.add_argument("--results", required=True, type=Path, help="directory with the scanners' *.sarif")
    parser.add_argument("--tools", required=True, type=_names, help="tools that must have run, with commas between")
    parser.add_argument("--fail-on", choices=LEVELS[:0:-1], default="error", help="level from which findings count")
    parser.add_argument(
        "--no-invocations-from",
        type=_names,
        default=[],
        metavar="TOOLS",
        help="tools that never say how they ended; their list of results is believed",
    )
    parser.add_argument("--summary", type=Path, help="file for the summary; default: in the agent's directory")
    options = parser.parse_args(arguments)
    runs, problems = collect(options.results)
    verdict = judge(runs, problems, options.tools, options.no_invocations_from, options.fail_on)
    try:
        _publish(summary(verdict, options.fail_on), options.summary)
    except OSError as error:
        return fail(f"scan: the summary cannot be written: {error}")
    for finding in verdict.suppressed:
        print(plain(f"suppressed: {finding} Reason: {finding.reason}"))
    for finding in verdict.below:
        print(plain(str(finding)))
    for problem in verdict.problems:
        fail(f"scan: {problem}")
    for finding in verdict.counted:
        hint = " (suppressed, but nobody says why)" if finding.suppressed else ""
        fail(f"{finding}{hint}")
    counts = f"{len(verdict.counted)} findings of level {options.fail_on} and above, {len(verdict.below)} below"
    ran = plain(", ".join(verdict.ran)) or "no tool"
    print(f"scan {'passed' if verdict.passed else 'failed'}: {ran}; {counts}", flush=True)
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
