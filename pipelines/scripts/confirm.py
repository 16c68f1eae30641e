#!/usr/bin/env python3
"""Notes that the revision that runs passed everything: it is what a later release goes back to when it fails.

Needs Python 3.11, helm, kubectl and a context for the cluster. The last step of an environment, after acceptance tests
and telemetry gate. Without the note, a revision whose tests failed and whose roll-back was cut short would count as
good, because Helm only knows that it was deployed.

Exit codes: 0 noted, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.agent import fail
from pipelines.scripts.arguments import label
from pipelines.scripts.cluster import Place
from pipelines.scripts.commands import CommandError, Patience
from pipelines.scripts.rollout import MODELS, confirm


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Notes that the revision that runs passed everything.")
    parser.add_argument("--name", required=True, type=label, help="of the release in the cluster")
    parser.add_argument("--namespace", required=True, type=label, help="of the workload")
    parser.add_argument("--model", choices=sorted(MODELS), default="helm", help="who keeps the revisions")
    options = parser.parse_args(arguments)
    place = Place(options.name, options.namespace, 60, Patience(300, pause))
    try:
        history = MODELS[options.model](place).history()
        last = history[-1] if history else None
        if not last or last.status != "deployed":
            found = f"revision {last.number} is {last.status}" if last else "there is no release"
            raise CommandError(f"{place.name}: {found}; only what is deployed can be confirmed")
        confirm(place, last.number)
        print(f"{place.name}: revision {last.number} passed everything")
    except CommandError as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
