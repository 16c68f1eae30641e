#!/usr/bin/env python3
"""Brings a release back to its last good revision, after what replaced it turned out to be bad.

Needs Python 3.11, helm, kubectl and a context for the cluster. `--to` is what `deploy.py` noted before it changed
anything: a revision, or `none`, for a first deployment, which is then removed. Where nobody knows what it noted,
because it ended before, or its agent was lost, it is the revision that passed everything (`last-good`, or an empty
text). When that one still runs, it says so and does nothing; so does a second run.

What it does not do: it never goes back to a revision that failed, and does not touch data of the application.

Exit codes: 0 the last good revision serves (or there is none, and nothing is left), 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import fail
from pipelines.scripts.arguments import label
from pipelines.scripts.cluster import Place
from pipelines.scripts.commands import CommandError, Patience, stoppable
from pipelines.scripts.deploy import NONE
from pipelines.scripts.rollout import GOOD, MODELS, Model, Revision, confirmed, go_back

LAST_GOOD = "last-good"


def goal(text: str) -> str:
    if re.fullmatch(r"\s*|\$\([^)]*\)", text):  # a variable that was never set stays what it was
        return LAST_GOOD
    if text not in (NONE, LAST_GOOD) and not re.fullmatch(r"[1-9][0-9]*", text):
        allowed = f"the number of a revision, {NONE} or {LAST_GOOD}"
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: {allowed}, as deploy.py sets previousRevision")
    return text


def choose(history: Sequence[Revision], to: str, passed: int | None) -> Revision | None:
    """The revision to go back to; None to remove the release. CommandError when it is not there, or was never good."""
    good = {str(each.number): each for each in history if each.status in GOOD}
    known = str(passed) if str(passed) in good else ""
    if to == NONE:
        if known:
            raise CommandError(f"revision {known} passed everything, and {NONE} would remove it; use --to {known}")
        return None
    if to == LAST_GOOD:
        to = known
    if to not in good:
        last, there = history[-1], ", ".join(good) or NONE
        what = f"revision {to} is not good" if to else "no revision ever passed everything"
        raise CommandError(f"{what}, so that revision {last.number} ({last.status}) stays; that worked: {there}")
    return good[to]


def roll_back(place: Place, model: Model, to: str) -> str:
    """What was done, for a person."""
    history, passed = model.history(), confirmed(place)
    if not history:
        return "there is no release, and nothing to roll back"
    last = history[-1]
    wanted = choose(history, to, passed)
    if wanted == last:
        return f"revision {last.number} still runs: nothing to roll back"
    try:
        if wanted:
            new = go_back(place, model, wanted)
            return f"revision {last.number} ({last.status}) was rolled back: {new} is {wanted.number} again, and serves"
        model.remove()
        return f"revision {last.number} had no good one before it, and was removed: nothing runs now"
    except CommandError as error:
        raise CommandError(f"is not rolled back and needs a person: {error}{place.trouble()}") from None


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Brings a release back to its last good revision.")
    parser.add_argument("--name", required=True, type=label, help="of the release in the cluster")
    parser.add_argument("--namespace", required=True, type=label, help="of the workload")
    parser.add_argument("--to", required=True, type=goal, help=f"number of a revision, {NONE} or {LAST_GOOD}")
    parser.add_argument("--model", choices=sorted(MODELS), default="helm", help="who keeps the revisions")
    parser.add_argument("--timeout", type=float, default=600, help="seconds until the pods must serve")
    options = parser.parse_args(arguments)
    place = Place(options.name, options.namespace, options.timeout, Patience(300, pause))
    try:
        print(f"{options.name}: {roll_back(place, MODELS[options.model](place), options.to)}")
    except CommandError as error:
        return fail(f"{options.name}: {error}")
    return 0


if __name__ == "__main__":
    stoppable()
    sys.exit(main(sys.argv[1:]))
