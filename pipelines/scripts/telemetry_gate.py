#!/usr/bin/env python3
"""Judges a release by what the environment's metrics say after it, in a pipeline task that is signed in to Azure.

The alerts of the project's own rule files are evaluated for one namespace, minute by minute since the deployment, as
the metrics workspace does: one fires when its condition has lasted for its `for`. The release fails when an alert
fires, when it uses up an error budget too fast, or when there is nothing to judge by: series that must be there are
asked for one by one. What the gate knows beyond the rule files stands in `telemetry_gate.yaml`.

An alert on service levels looks back over hours and days. If it fired already when the release was deployed, it is
told and does not count: otherwise nobody could release the mend. What the release does itself, the budget tells.

What it does not do: it rolls nothing back, and it does not stop a release because earlier ones used up the month's
budget; what is left is told. Alerts that take longer than the window are named as not judged.

Needs Python 3.11, the Azure CLI and the package of `requirements.lock`.

Exit codes: 0 passed, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import fail, plain, warn
from pipelines.scripts.arguments import kind
from pipelines.scripts.commands import CommandError, Patience, az_token
from pipelines.scripts.http_json import HttpError, Service, base_address
from pipelines.scripts.prometheus_query import RESOURCE, Metrics
from pipelines.scripts.telemetry_judge import STEP, Gate, Place, clock_time
from pipelines.scripts.telemetry_rules import RULES, RulesError, alerts, knowledge

TRANSIENT = 300
"""Seconds to wait in all for an endpoint that does not answer, or for a role that was just granted."""
LONGEST = 24 * 3600

_named = partial(kind, allowed="the name that the variable group has")


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if not found or not found.tzinfo:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: a time with its zone, such as 2026-11-23T12:00:00Z")
    return found.timestamp()


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not low <= found <= high:
            raise argparse.ArgumentTypeError(f"{text!r}; allowed: a number from {low:g} to {high:g}")
        return found

    return parse


def _arguments(given: Sequence[str], now: float) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judges a release by the alerts and error budgets of its namespace.")
    parser.add_argument("--endpoint", required=True, type=base_address, help="query endpoint of the metrics workspace")
    parser.add_argument("--namespace", required=True, type=_named(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"))
    parser.add_argument("--cluster", required=True, type=_named(r"[A-Za-z0-9][\w-]{0,62}"))
    parser.add_argument("--since", type=_moment, default=now, help="when it was deployed, ISO 8601; default: now")
    # Both together within the hour that the token lasts: a job's federated sign-in cannot be renewed later on.
    parser.add_argument("--window", type=_number(10, 40), default=15, help="minutes after it that are judged")
    parser.add_argument("--late", type=_number(0, 15), default=10, help="further minutes to wait for missing data")
    parser.add_argument("--burn", type=_number(0.1, 1000), default=14.4, help="how many times too fast a budget may go")
    parser.add_argument("--rules", type=Path, default=RULES, help="directory of the rule files")
    options = parser.parse_args(given)
    if not now - LONGEST <= options.since <= now + STEP:
        parser.error(f"argument --since: {clock_time(options.since)}; allowed: within the last day")
    return options


def main(
    arguments: Sequence[str],
    token: Callable[[], str] = lambda: az_token(RESOURCE, Patience(TRANSIENT)),
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    options = _arguments(arguments, clock())
    place, window = Place(options.namespace, options.cluster), options.window * 60
    try:
        known = knowledge()
        judged = [each for each in alerts(options.rules) if each.name not in known.not_judged]
        print(f"{place.namespace} in {place.cluster}, {options.window:g} minutes from {clock_time(options.since)}")
        if slow := [each.name for each in judged if each.lasting > window]:
            print(f"not judged, because they take longer to fire: {', '.join(slow)}", flush=True)
        metrics = Metrics(Service(options.endpoint, token, Patience(TRANSIENT, pause)))
        late = options.late * 60
        gate = Gate(metrics, place, known, judged, options.since, window, late, options.burn, clock, pause)
        verdict = gate.judge()
    except (RulesError, HttpError, CommandError) as error:
        return fail(f"telemetry gate: nothing could be judged: {error}")
    for line in verdict.told:
        print(plain(line))
    for line in verdict.warnings:
        warn(line)
    for line in verdict.wrong:
        fail(line)
    print(f"telemetry gate: {'failed' if verdict.wrong else 'passed'} ({len(judged)} alerts)", flush=True)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
