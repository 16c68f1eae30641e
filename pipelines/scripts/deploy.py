#!/usr/bin/env python3
"""Deploys a release into its namespace: the packaged chart, with the image by digest, and waits until it serves.

Needs Python 3.11, helm, kubectl and a context for the cluster. In this order: the release is judged; a short-lived pod
has the cluster pull both images by digest; only then something is changed. So a digest that the registry does not
have, and a registry that this cluster may not pull from, are found before anything is deployed, and whoever deploys
needs no right on a registry.

The output variable `previousRevision` says what to go back to (`none`: there was no release), `deployedAt` when the
roll-out was finished. A release that a run left half-way when it was killed is put right first; one that is being
changed right now is left alone. What it does not do: it does not roll back (`roll_back.py`).

Exit codes: 0 deployed, 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import release as releases
from pipelines.scripts.agent import fail, set_variable, warn
from pipelines.scripts.arguments import host, label
from pipelines.scripts.cluster import Object, Place, restricted_container, restricted_pod
from pipelines.scripts.commands import CommandError, Patience, stoppable
from pipelines.scripts.release import Release
from pipelines.scripts.rollout import MODELS, Chart, Model, Revision, confirmed, forget, go_back, last_good

NONE = "none"
"""What to go back to when there was no release."""

PULL_SECONDS = 180
"""How long a pull may fail: a role on the registry is effective minutes after it was granted."""

MARGIN = 120
"""Seconds that a run which still changes a release may take longer than it was told."""

_FINAL = re.compile(r"not found|notfound|manifest unknown", re.I)
_NOT_PULLED = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_COMING = (None, "ContainerCreating", "PodInitializing")


def settings(release: Release, registry: str, service_account: str) -> dict[str, str]:
    """What the chart is told, whatever a file of values says."""
    return {
        "image.registry": registry,
        "image.repository": release.image,
        "image.digest": release.digest,
        "serviceAccount": service_account,
    }


def pull_pod(name: str, images: Sequence[str], labels: dict[str, str]) -> Object:
    """A pod that is done as soon as its images are there; whether `true` is one of their programs does not matter."""
    containers = [
        restricted_container(f"image-{number}", image, "10m", "32Mi", command=["true"])
        for number, image in enumerate(images)
    ]
    metadata = {"name": name, "labels": labels}
    spec = restricted_pod(containers, terminationGracePeriodSeconds=0, activeDeadlineSeconds=1800)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pulled(pod: Object) -> tuple[bool, str, bool]:
    """Whether all images are there; if not, what is against it, and whether that is final."""
    images = {each["name"]: each["image"] for each in pod["spec"]["containers"]}
    statuses = {each["name"]: each for each in pod.get("status", {}).get("containerStatuses") or ()}
    missing = ""
    for name, image in images.items():
        state = statuses.get(name, {}).get("state", {})
        waiting = state.get("waiting", {})
        if waiting.get("reason") in _NOT_PULLED:
            said = " ".join((waiting.get("message") or waiting["reason"]).split())
            final = bool(_FINAL.search(said)) or waiting["reason"] == "InvalidImageName"
            return False, f"{image} cannot be pulled by the cluster: {said}", final
        if not ({"running", "terminated"} & state.keys()) and waiting.get("reason") in _COMING:
            missing = f"{image} is not there yet"
    return not missing, missing, False


def check_images(place: Place, images: Sequence[str], pause: Callable[[float], None]) -> None:
    """CommandError unless the cluster can pull them all. Leaves nothing behind."""
    name = f"{place.name}-pull"
    place.delete([f"pod/{name}"], "--wait")  # of a run that was killed
    place.apply(json.dumps(pull_pod(name, images, place.labels("pull"))))
    try:
        waited = failed = 0.0
        while True:
            pod = place.get("pod", name)
            if not pod:
                raise CommandError(f"pod {name} is gone; somebody deleted it before the images were there")
            done, against, final = pulled(pod)
            if done:
                return
            failed += 2 if "cannot be pulled" in against else 0
            if final or failed > PULL_SECONDS or waited >= place.timeout:
                raise CommandError(f"{against}; nothing was deployed{'' if final else f' ({waited:g} s waited)'}")
            pause(2)
            waited += 2
    finally:
        place.delete([f"pod/{name}"], "--wait=false")


def mend(place: Place, model: Model, last: Revision, good: Revision | None, now: datetime.datetime) -> None:
    """Puts a release right that was left half-way. CommandError when somebody may still be on it."""
    age = (now - last.updated).total_seconds()
    if age < place.timeout + MARGIN:
        raise CommandError(
            f"{place.name}: revision {last.number} is {last.status} since {last.updated:%H:%M:%S %Z}: another run is "
            f"changing it, or was killed; try again after {place.timeout + MARGIN - age:.0f} s; nothing was deployed"
        )
    warn(f"{place.name}: revision {last.number} was left {last.status} by a run that was killed; it is put right first")
    if good:
        go_back(place, model, good)
    else:
        model.remove()


def deploy(place: Place, model: Model, release: Release, chart: Chart, pause: Callable[[float], None]) -> None:
    registry = chart.sets["image.registry"]
    history = model.history()
    good = last_good(history, confirmed(place))
    check_images(place, [f"{registry}/{name}@{digest}" for name, digest in release.images], pause)
    if not history:
        forget(place)
    elif history[-1].pending:
        mend(place, model, history[-1], good, datetime.datetime.now(datetime.UTC))
        history = model.history()
        good = history[-1] if good else None
    set_variable("previousRevision", str(good.number) if good else NONE, output=True)
    print(
        f"{place.name}: deploys {release.image}@{release.digest}, last good revision: {good.number if good else NONE}"
    )
    try:
        model.deploy(chart)
    except CommandError as error:
        raise CommandError(f"{error}{place.trouble()}") from None
    check_running(place, f"{registry}/{release.image}@{release.digest}")
    now = datetime.datetime.now(datetime.UTC)
    set_variable("deployedAt", f"{now:%Y-%m-%dT%H:%M:%SZ}", output=True)
    print(f"{place.name}: revision {model.history()[-1].number} serves")


def check_running(place: Place, image: str) -> None:
    """What was deployed is what was to be deployed, whatever the chart made of it."""
    deployment = place.get("deployment", place.name)
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else []
    if image not in [each["image"] for each in containers]:
        runs = ", ".join(each["image"] for each in containers) or "nothing"
        raise CommandError(f"deployment {place.name} runs {runs}, and not {image}; the chart must take image.digest")


def values_of(package: Path, environment: str | None, directory: Path) -> Path | None:
    """The file of values that the package has for the environment. CommandError for what is no chart package."""
    try:
        with tarfile.open(package) as opened:
            found = [each for each in opened.getnames() if re.fullmatch(r"[^/]+/Chart\.yaml", each)]
            if len(found) != 1:
                raise CommandError(f"{package.name}: is no chart package: Chart.yaml is missing")
            wanted = f"{Path(found[0]).parent}/environments/{environment}.yaml"
            content = opened.extractfile(wanted) if wanted in opened.getnames() else None
            if not content:
                return None
            file = directory / f"{environment}.yaml"
            file.write_bytes(content.read())
            return file
    except (OSError, tarfile.TarError) as error:
        raise CommandError(f"{package}: is no chart package ({error}); download the artifact `release` first") from None


def main(arguments: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    parser = argparse.ArgumentParser(description="Deploys a release into its namespace.")
    parser.add_argument("--release", required=True, type=Path, help="release.json of CI")
    parser.add_argument("--artifacts", required=True, type=Path, help="directory that has the chart package")
    parser.add_argument("--registry", required=True, type=host, help="login server of the environment's registry")
    parser.add_argument("--name", required=True, type=label, help="of the release in the cluster")
    parser.add_argument("--namespace", required=True, type=label, help="of the workload")
    parser.add_argument("--service-account", required=True, type=label, help="that the platform made for the workload")
    parser.add_argument("--model", choices=sorted(MODELS), default="helm", help="who keeps the revisions")
    parser.add_argument("--environment", type=label, help="whose values are taken, where the chart has some")
    parser.add_argument("--timeout", type=float, default=600, help="seconds until the new pods must serve")
    options = parser.parse_args(arguments)
    place = Place(options.name, options.namespace, options.timeout, Patience(300, pause))
    try:
        found = releases.read(options.release)
        package = options.artifacts / found.chart
        with tempfile.TemporaryDirectory() as directory:
            values = values_of(package, options.environment, Path(directory))
            chart = Chart(package, settings(found, options.registry, options.service_account), values)
            deploy(place, MODELS[options.model](place), found, chart, pause)
    except CommandError as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    stoppable()
    sys.exit(main(sys.argv[1:]))
