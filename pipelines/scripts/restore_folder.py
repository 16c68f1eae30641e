#!/usr/bin/env python3
"""Takes a release back where the cluster pulls: the environment's folder becomes what it was before, by a pull request.

Nothing is forced: the old release is a new commit with an attempt of its own, goes through the same policies, and its
acceptance tests run anew. A folder that is not of this run any more is left alone: somebody was here since. Where there
was no release before, the folder becomes empty, and Flux takes away what it had applied.

Needs Python 3.11, the Azure CLI, and the package of `requirements.lock`. What it does not do: it reaches no cluster.

Exit codes: 0 the old release serves again (or nothing was changed), 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts import pull_folder
from pipelines.scripts.agent import fail
from pipelines.scripts.arguments import kind
from pipelines.scripts.commands import CommandError, Patience, az_token
from pipelines.scripts.deploy import NONE
from pipelines.scripts.http_json import HttpError, Service, base_address
from pipelines.scripts.prometheus_query import RESOURCE, Metrics
from pipelines.scripts.pull_folder import FACTS, MANIFESTS, Target
from pipelines.scripts.reconciled import Waiting, wait
from pipelines.scripts.release_folder import change, parser_of, repository_of


def as_before(
    there: dict[str, str], before: dict[str, str] | None, attempt: str
) -> tuple[Target, dict[str, str], bool] | None:
    """Whose folder, its files, and whether they run something; None where the folder is not of this run.

    `before`: what was there; None where there was nothing.
    """
    target, release = pull_folder.read(there[FACTS])
    if target.attempt != attempt:
        return None
    back = f"{attempt}-back"
    if before is None:
        return target, pull_folder.empty(replace(target, attempt=back), release), False
    old, old_release = pull_folder.read(before[FACTS])
    new = replace(old, attempt=back)
    if before == pull_folder.empty(old, old_release):
        return new, pull_folder.empty(new, old_release), False
    return new, pull_folder.folder(new, old_release, before[MANIFESTS]), True


def main(
    arguments: Sequence[str],
    token: Callable[[], str] = lambda: az_token(RESOURCE, Patience(300)),
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    parser = parser_of("Takes a release back where the cluster pulls.")
    # A variable that was never set stays what it was.
    commit = kind(
        rf"([0-9a-f]{{40}}|{NONE})?|\$\([^)]*\)", f"a commit, or {NONE}, or nothing where nothing was changed"
    )
    parser.add_argument("--to", required=True, type=commit, help="where the folder was as it is to be again")
    parser.add_argument("--endpoint", required=True, type=base_address, help="query endpoint of the metrics workspace")
    parser.add_argument("--namespace", required=True, type=kinds.label, help="of the workload")
    parser.add_argument("--cluster", required=True, type=kind(r"[A-Za-z0-9][\w-]{0,62}", "the name of a cluster"))
    parser.add_argument("--timeout", type=float, default=1500, help="seconds until the old release must serve")
    options = parser.parse_args(arguments)
    if not options.to or options.to.startswith("$"):
        print("nothing was changed, so nothing is taken back")
        return 0
    patience = Patience(300, pause)
    try:
        repository, folder = repository_of(options, patience), pull_folder.path(options.environment)
        there = repository.files(folder, repository.head())
        before = None if options.to == NONE else repository.files(folder, options.to)
        found = as_before(there, before, options.attempt) if FACTS in there else None
        if found is None:
            print(f"{folder}: is not of {options.attempt}; nothing is taken back")
            return 0
        target, files, runs = found
        change(
            repository,
            target,
            files,
            title=f"{target.environment}: back from {options.attempt}",
            description=f"Run {options.attempt} of cd failed; the folder is as it was at {options.to}.",
            timeout=options.merge,
            pause=pause,
        )
        if runs:
            metrics = Metrics(Service(options.endpoint, token, patience))
            waiting = Waiting(metrics, options.namespace, options.cluster, target.job)
            _, against = wait(waiting, options.timeout, clock, pause)
            if against:
                raise CommandError(f"{against}; the environment may run what failed: look at once")
        print(f"{folder}: is as it was")
    except (CommandError, HttpError) as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
