#!/usr/bin/env python3
"""Says on a pull request what it would do to one stack: one comment for each stack, renewed in place.

Needs Python 3.11 and the Azure CLI, signed in as an identity that may comment there. A comment whose change has to be
acknowledged stays open until somebody resolves it, which the policies of `main` demand; one that has not is closed. A
report that says what the one before said leaves open and resolved as they are.

Exit codes: 0 said, 1 not, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import stack_plan
from pipelines.scripts.agent import fail
from pipelines.scripts.arguments import kind
from pipelines.scripts.azure_devops import Json, Project, project, run_address, values
from pipelines.scripts.commands import CommandError, Patience
from pipelines.scripts.http_json import HttpError
from pipelines.scripts.stack_plan import ACKNOWLEDGE, NONE, REPORT, About, PlanError

OPEN, CLOSED = "active", "closed"
"""How a thread is: an open one keeps a pull request from being completed."""

number = kind(r"[1-9][0-9]*", "the number of a pull request")
repository = kind(r"[0-9a-fA-F-]{36}", "the id of a repository")


def marker(stack: str) -> str:
    """Begins the comment of a stack; nobody sees it."""
    return f"<!-- plan of {stack} -->"


def text(about: About, report: str) -> str:
    where = f"\n\n[The whole report]({run_address()})" if run_address() else ""
    return f"{marker(about.stack)}\n\n{report.strip()}{where}\n"


def report_of(about: About, plan: Path) -> str:
    """PlanError where it is missing."""
    if about.changes == NONE and not (plan / REPORT).is_file():
        return f"**{about.stack}**: nothing of it is changed."
    try:
        return (plan / REPORT).read_text("utf-8")
    except OSError as error:
        raise PlanError(f"{plan / REPORT}: {error.strerror}; let plan_stack.py write it") from None


def say(there: Project, threads: str, about: About, report: str) -> str:
    """Writes or renews the comment, and tells which."""
    wanted, state = text(about, report), OPEN if about.changes == ACKNOWLEDGE else CLOSED
    for thread, comment in _own(values(there.get(threads)), about.stack):
        if _body(comment["content"]) == _body(wanted):
            return "says the same already"
        there.patch(f"{threads}/{thread['id']}/comments/{comment['id']}", {"content": wanted})
        if thread.get("status") != state:
            there.patch(f"{threads}/{thread['id']}", {"status": state})
        return "is renewed"
    if about.changes == NONE:
        return "is not needed: nothing changes"
    there.post(threads, {"comments": [{"content": wanted, "commentType": "text"}], "status": state})
    return "is written"


def _own(threads: Sequence[Json], stack: str) -> Iterator[tuple[Json, Json]]:
    for thread in threads:
        comments = thread.get("comments") or [{}]
        if not thread.get("isDeleted") and str(comments[0].get("content") or "").startswith(marker(stack)):
            yield thread, comments[0]


def _body(content: str) -> str:
    """Without the link to the run, which is another one each time."""
    return content.partition("\n\n[The whole report](")[0].strip()


def main(
    arguments: Sequence[str], pause: Callable[[float], None] = time.sleep, token: Callable[[], str] | None = None
) -> int:
    parser = argparse.ArgumentParser(description="Says on a pull request what it would do to one stack.")
    parser.add_argument("--plan", required=True, type=Path, help="directory that plan_stack.py has written")
    parser.add_argument("--repository", required=True, type=repository, help="id of the repository")
    parser.add_argument("--pull-request", required=True, type=number)
    asked = parser.parse_args(arguments)
    try:
        about = stack_plan.read(asked.plan)
        report = report_of(about, asked.plan)
        threads = f"git/repositories/{asked.repository}/pullRequests/{asked.pull_request}/threads"
        done = say(project(Patience(120, pause), token), threads, about, report)
    except (CommandError, HttpError, PlanError) as error:
        return fail(f"comment on pull request {asked.pull_request}: {error}")
    print(f"{about.stack}: the comment {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
