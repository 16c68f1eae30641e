#!/usr/bin/env python3
"""Runs the acceptance tests of a release as a Job inside its namespace, and brings the results out as JUnit.

Needs Python 3.11, kubectl and a context for the cluster. The tests are an image of the release, by digest. What they
found comes out with the log of their pod, between two lines, because a file could only be copied out of a pod that
still runs. A run without results is a failure, whatever its exit code was; so is one that ran no test.

What it does not do: it deploys nothing, and leaves nothing behind, also when it is stopped.

Exit codes: 0 all tests passed, 1 one failed or they could not run to their end, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import release as releases
from pipelines.scripts.agent import fail, plain
from pipelines.scripts.arguments import host, label
from pipelines.scripts.cluster import Object, Place, restricted_container, restricted_pod, troubles
from pipelines.scripts.commands import CommandError, Patience, stoppable
from pipelines.scripts.release import Release

BEGIN, END = "-----BEGIN JUNIT-----", "-----END JUNIT-----"
"""Between these lines of its log, the image of the tests prints its results."""

CONTAINER = "tests"
GRACE = 120
"""Seconds that the cluster lets a Job live on that nobody waits for any more."""


@dataclass(frozen=True)
class Results:
    tests: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.tests} tests, {self.failed} failed, {self.skipped} skipped"


def job(place: Place, release: Release, registry: str) -> Object:
    """The Job. It is nobody in the cluster, may write nothing but /tmp, and asks the service as any other pod would."""
    variables = {
        "BASE_URL": f"http://{place.name}",
        "METRICS_URL": f"http://{place.name}-metrics:9090",
        "EXPECTED_DIGEST": release.digest,
        "EXPECTED_COMMIT": release.commit,
    }
    container = restricted_container(
        CONTAINER,
        f"{registry}/{release.testsImage}@{release.testsDigest}",
        "250m",
        "256Mi",
        env=[{"name": name, "value": value} for name, value in variables.items()],
        volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],
    )
    pod = restricted_pod([container], volumes=[{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}])
    labels = place.labels("acceptance")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{place.name}-acceptance", "labels": labels},
        "spec": {
            "backoffLimit": 0,  # a test that passes at the second try has failed
            "activeDeadlineSeconds": int(place.timeout) + GRACE,
            "ttlSecondsAfterFinished": 3600,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def junit(log: str) -> str:
    """The results in a log. CommandError when there are none."""
    found = re.findall(rf"^{BEGIN}\s*$\n(.*?)^{END}\s*$", log, re.M | re.S)
    if not found:
        raise CommandError("the tests left no results in their log; they did not run to their end")
    return str(found[-1])


def read(text: str) -> Results:
    """What the results say, counted. CommandError for what is no JUnit."""
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise CommandError("the results define entities; JUnit has none")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise CommandError(f"the results are not XML: {error}") from None
    cases = list(root.iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return Results(len(cases), len(failed), len(skipped))


def judge(code: int | None, results: Results) -> str:
    """What is against the release; empty when nothing is."""
    if results.failed or code == 1:
        return f"the release fails its acceptance tests: {results}"
    if code != 0:
        return f"the tests ended with {code}, which is no verdict: {results}"
    if results.tests == results.skipped:
        return f"no test ran: {results}"
    return ""


def run_job(place: Place, manifest: Object, pause: Callable[[float], None]) -> tuple[int | None, str]:
    """Exit code (None when the time was up) and log. Leaves nothing behind."""
    name = manifest["metadata"]["name"]
    delete = [f"job/{name}"]
    place.delete(delete, "--cascade=foreground", f"--timeout={place.timeout:g}s")  # of a run that was killed
    place.apply(json.dumps(manifest))
    try:
        waited = 0.0
        while True:
            pods = place.list("pods", {"batch.kubernetes.io/job-name": name})
            code = _code(pods)
            if code is not None or waited >= place.timeout:
                break
            if not pods and (stopped := _stopped(place.get("job", name))):
                raise CommandError(f"the tests cannot start: {stopped}")
            pause(2)
            waited += 2
        if not any(each["status"].get("phase") in ("Running", "Succeeded", "Failed") for each in pods):
            said = "; ".join(troubles(pods)) or place.said_of(name) or "no pod was made"
            raise CommandError(f"the tests did not start within {place.timeout:g} s: {said}")
        return code, place.kubectl("logs", f"pod/{pods[0]['metadata']['name']}", "--container", CONTAINER)
    finally:
        place.delete(delete, "--cascade=background", "--wait=false")


def _code(pods: Sequence[Object]) -> int | None:
    for pod in pods:
        for container in pod.get("status", {}).get("containerStatuses") or ():
            if ended := container.get("state", {}).get("terminated"):
                return int(ended["exitCode"])
    return None


def _stopped(found: Object | None) -> str:
    """Why the Job has no pod and will not have one."""
    for condition in (found or {}).get("status", {}).get("conditions") or ():
        if condition["type"] == "Failed" and condition["status"] == "True":
            return f"{condition.get('reason')}: {condition.get('message')}"
    return "" if found else "somebody deleted the Job"


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Runs the acceptance tests of a release inside its namespace.")
    parser.add_argument("--release", required=True, type=Path, help="release.json of CI")
    parser.add_argument("--registry", required=True, type=host, help="login server of the environment's registry")
    parser.add_argument("--name", required=True, type=label, help="of the release in the cluster")
    parser.add_argument("--namespace", required=True, type=label, help="of the workload")
    parser.add_argument("--out", required=True, type=Path, help="directory for acceptance.xml and acceptance.log")
    parser.add_argument("--timeout", type=float, default=900, help="seconds until the tests must have ended")
    options = parser.parse_args(arguments)
    place = Place(options.name, options.namespace, options.timeout, Patience(300, pause))
    try:
        found = releases.read(options.release)
        options.out.mkdir(parents=True, exist_ok=True)
        code, log = run_job(place, job(place, found, options.registry), pause)
        (options.out / "acceptance.log").write_text(log, encoding="utf-8")
        print(plain(log.partition(BEGIN)[0]).rstrip())
        if code is None:
            raise CommandError(f"the tests did not end within {place.timeout:g} s; the log shows how far they came")
        text = junit(log)
        (options.out / "acceptance.xml").write_text(text, encoding="utf-8")
        results = read(text)
        if against := judge(code, results):
            raise CommandError(against)
        print(f"{place.name}: {results}")
    except CommandError as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    stoppable()
    sys.exit(main(sys.argv[1:]))
