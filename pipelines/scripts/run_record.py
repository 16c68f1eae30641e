#!/usr/bin/env python3
"""Writes down what a run of a pipeline was: one row for each event, into the table of run records.

    write     the run that this step belongs to: in `cd`, the environment's stage; otherwise the whole run
    close     last stage of `cd`: environments that could not write themselves, because nobody opened their gate
    forward   in `ci`: runs of pull requests since the last run of `ci`. They have no identity to write with, and what
              they say of themselves could be forged; the service that ran them is asked instead

Result, duration and gates come from the run's timeline, the rest from the machine's own variables and `release.json`.
Nobody's release depends on a record, so nothing that goes wrong here fails a run: it is a warning, and the exit code is
0. A run of pull requests whose record could not be sent is sent by the next run of `ci`; a row that comes twice is the
same in RunId, Environment, Event and Gate.

What it does not do: it decides nothing, and changes nothing in Azure DevOps or on GitHub.

Needs Python 3.11, the Azure CLI signed in as who may write, and SYSTEM_ACCESSTOKEN, on GitHub GITHUB_TOKEN, in the
step's `env`; no package.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import warn
from pipelines.scripts.azure_builds import Builds
from pipelines.scripts.commands import CommandError, Patience, az_token
from pipelines.scripts.github_runs import WorkflowRuns
from pipelines.scripts.http_json import HttpError, Service, base_address
from pipelines.scripts.run_events import Here, RecordError, of_others, of_pull_requests, of_run
from pipelines.scripts.run_row import STREAM, Row

RESOURCE = "https://monitor.azure.com"
API = "2023-01-01"
MOST_BYTES = 1_000_000
"""Of one call; the service takes 1 MB (Azure Monitor service limits)."""
PATIENCE = 120
"""Seconds to wait in all."""


_BUSY = (429, 500, 502, 503, 504)
"""Of the job's own token, rights do not arrive late: a refusal is one."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecordError(message)


def bodies(rows: Sequence[Row]) -> list[bytes]:
    """JSON arrays, each small enough for one call."""
    found: list[bytes] = []
    pending: list[bytes] = []
    for each in (json.dumps(value).encode() for value in rows):
        if pending and sum(map(len, pending)) + len(pending) + len(each) + 2 > MOST_BYTES:
            found.append(b"[" + b",".join(pending) + b"]")
            pending = []
        pending.append(each)
    return [*found, b"[" + b",".join(pending) + b"]"] if pending else found


def _release(file: Path | None) -> Mapping[str, Any]:
    """Empty when there is none: a run may have failed before it made one."""
    if not file or not file.is_file():
        return {}
    found = json.loads(file.read_text("utf-8"))
    return found if isinstance(found, dict) else {}


def _variable(name: str, pattern: str) -> str:
    value = os.environ.get(name, "")
    if not re.fullmatch(pattern, value):
        raise RecordError(f"{name} is {'wrong' if value else 'not set'}; run this in a step of a pipeline")
    return value


def _here(now: datetime, patience: Patience) -> Here:
    return _on_github(now, patience) if os.environ.get("GITHUB_ACTIONS") == "true" else _on_azure(now, patience)


def _on_github(now: datetime, patience: Patience) -> Here:
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        raise RecordError("GITHUB_TOKEN is not set; give the step env: GITHUB_TOKEN: ${{ github.token }}")
    service = Service(base_address(_variable("GITHUB_API_URL", r"https?://\S+")), lambda: token, patience, late=_BUSY)
    number = int(_variable("GITHUB_RUN_ID", r"\d+"))
    runs = WorkflowRuns(service, _variable("GITHUB_REPOSITORY", r"[\w.-]+/[\w.-]+"), number)
    # What runs for an environment says which: the job that it belongs to is called by it.
    return Here(runs, number, os.environ.get("ENVIRONMENT", ""), now)


def _on_azure(now: datetime, patience: Patience) -> Here:
    token = os.environ.get("SYSTEM_ACCESSTOKEN", "")
    if not token or token.startswith("$("):
        raise RecordError("SYSTEM_ACCESSTOKEN is not set; give the step env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)")
    collection = base_address(_variable("SYSTEM_COLLECTIONURI", r"https?://\S+"))
    service = Service(collection, lambda: token, patience, late=_BUSY)
    builds = Builds(service, _variable("SYSTEM_TEAMPROJECTID", r"[\w .-]+"))
    return Here(builds, int(_variable("BUILD_BUILDID", r"\d+")), os.environ.get("SYSTEM_STAGENAME", ""), now)


def _rule(text: str) -> str:
    if not re.fullmatch(r"dcr-[0-9A-Za-z]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: the immutable id of the collection rule, dcr-...")
    return text


def _stage(text: str) -> tuple[str, str]:
    name, _, key = text.partition("=")
    if not name or not key:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: <name of the stage in YAML>=<key of the environment>")
    return name, key


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(description="Writes down what a run of a pipeline was. Never fails the run.")
    commands = parser.add_subparsers(required=True, dest="command")
    writer = commands.add_parser("write", help="the run that this step belongs to")
    writer.add_argument("--pipeline", required=True, choices=("ci", "cd"))
    writer.add_argument("--environment", help="with cd: the key of the environment that the stage is about")
    writer.add_argument("--next", action="append", default=[], help="environments whose gate comes now; needs `close`")
    closer = commands.add_parser("close", help="environments that could not write themselves")
    closer.add_argument("--home", required=True, help="the environment whose table this is")
    closer.add_argument("--stage", required=True, action="append", type=_stage, help="<name in YAML>=<key>")
    forwarder = commands.add_parser("forward", help="runs of pull requests since the last run of ci")
    for each in (writer, closer, forwarder):
        each.add_argument("--endpoint", required=True, type=base_address, help="of the ingestion API")
        each.add_argument("--rule", required=True, type=_rule, help="immutable id of the collection rule")
    for each in (writer, closer):
        each.add_argument("--release", type=Path, help="release.json, where there is one")
    options = parser.parse_args(given)
    if options.command == "write" and (options.pipeline == "cd") != bool(options.environment):
        parser.error("argument --environment: allowed with --pipeline cd, and needed there")
    if options.command == "close" and options.home not in dict(options.stage).values():
        parser.error(f"argument --home: {options.home!r}; allowed: a key that a --stage has")
    return options


def _rows(here: Here, options: argparse.Namespace) -> list[Row]:
    if options.command == "forward":
        return of_pull_requests(here)
    release = _release(options.release)
    if options.command == "close":
        return of_others(here, options.home, {key: name for name, key in options.stage}, release)
    return of_run(here, options.pipeline, options.environment or "", release, " ".join(options.next).split())


def _send(options: argparse.Namespace, rows: Sequence[Row], token: Callable[[], str], patience: Patience) -> None:
    service = Service(options.endpoint, token, patience)
    for body in bodies(rows):
        service.post(f"/dataCollectionRules/{options.rule}/streams/{STREAM}", {"api-version": API}, body)


def main(
    arguments: Sequence[str],
    token: Callable[[], str] = lambda: az_token(RESOURCE, Patience(PATIENCE)),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
) -> int:
    try:
        options = _arguments(arguments)
        patience = Patience(PATIENCE, pause)
        rows = _rows(_here(now(), patience), options)
        _send(options, rows, token, patience)
        print(f"run record: {len(rows)} rows sent", flush=True)
    except (RecordError, HttpError, CommandError, argparse.ArgumentTypeError) as error:
        warn(f"run record: not written: {error}")
    except Exception as error:  # an answer that is not as documented must not fail a release either
        warn(f"run record: not written: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
