#!/usr/bin/env python3
"""Waits until a cluster that pulls runs a release and its acceptance tests have ended, by what its metrics say.

No pipeline reaches such a cluster, and its metrics tell enough: the Job of the acceptance tests is called by the
attempt that released, and Flux makes it only after everything of the same commit is applied and serves. So a Job that
is there means that the release serves, and its end is the verdict of the tests. Each test's own result stands in the
log of the Job, in the environment's workspace; the error says how to ask for it.

The output variable `deployedAt` says when the release was first seen to serve. Needs Python 3.11 and the Azure CLI.
What it does not do: it changes nothing.

Exit codes: 0 the tests passed, 1 they failed, or the cluster did not get there, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import arguments as kinds
from pipelines.scripts.agent import fail, set_variable
from pipelines.scripts.arguments import kind
from pipelines.scripts.commands import CommandError, Patience, az_token
from pipelines.scripts.http_json import HttpError, Service, base_address
from pipelines.scripts.prometheus_query import RESOURCE, Metrics

PAUSE = 15
"""Seconds between two questions; the metrics come once a minute."""


@dataclass(frozen=True)
class Waiting:
    metrics: Metrics
    namespace: str
    cluster: str
    job: str

    def seen(self, now: float) -> tuple[bool, bool, bool]:
        """Whether the Job is there, has ended well, has failed."""
        return (
            self._any("kube_job_spec_completions", "", now),
            self._any("kube_job_status_succeeded", "", now),
            self._any("kube_job_failed", 'condition="true", ', now),
        )

    def _any(self, metric: str, more: str, now: float) -> bool:
        labels = f'{more}job="kube-state-metrics", cluster="{self.cluster}", namespace="{self.namespace}"'
        found = self.metrics.at(f'{metric}{{{labels}, job_name="{self.job}"}}', now)
        return any(point.value > 0 for series in found for point in series.points)


def wait(
    waiting: Waiting, seconds: float, clock: Callable[[], float], pause: Callable[[float], None]
) -> tuple[float | None, str]:
    """When the release was first seen to serve (None: it was not), and what is against it; empty when nothing is."""
    serving: float | None = None
    began = clock()
    while True:
        now = clock()
        there, succeeded, failed = waiting.seen(now)
        serving = now if there and serving is None else serving
        if failed:
            return serving, (
                f"the release fails its acceptance tests; their log: ContainerLogV2 | where PodNamespace == "
                f"'{waiting.namespace}' and PodName startswith '{waiting.job}'"
            )
        if succeeded:
            return serving, ""
        if now - began >= seconds:
            state = (
                "its acceptance tests have not ended"
                if there
                else "the cluster has not brought it to serve; what Flux says: KubeEvents | where ObjectKind in "
                f"('Kustomization', 'GitRepository') and Namespace == '{waiting.namespace}'"
            )
            return serving, f"{waiting.job}: after {seconds:g} s {state}"
        pause(PAUSE)


def main(
    arguments: Sequence[str],
    token: Callable[[], str] = lambda: az_token(RESOURCE, Patience(300)),
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    parser = argparse.ArgumentParser(description="Waits until a cluster that pulls runs a release.")
    parser.add_argument("--endpoint", required=True, type=base_address, help="query endpoint of the metrics workspace")
    parser.add_argument("--namespace", required=True, type=kinds.label, help="of the workload")
    parser.add_argument("--cluster", required=True, type=kind(r"[A-Za-z0-9][\w-]{0,62}", "the name of a cluster"))
    parser.add_argument("--job", required=True, type=kind(r"[a-z][a-z0-9-]{0,62}", "the name of a Job"))
    parser.add_argument("--timeout", type=float, default=2100, help="seconds until the tests must have ended")
    options = parser.parse_args(arguments)
    metrics = Metrics(Service(options.endpoint, token, Patience(300, pause)))
    try:
        waiting = Waiting(metrics, options.namespace, options.cluster, options.job)
        serving, against = wait(waiting, options.timeout, clock, pause)
        if serving is not None:
            set_variable("deployedAt", f"{datetime.fromtimestamp(serving, UTC):%Y-%m-%dT%H:%M:%SZ}", output=True)
        if against:
            raise CommandError(against)
        print(f"{options.job}: the release serves, and its acceptance tests have passed")
    except (CommandError, HttpError) as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
