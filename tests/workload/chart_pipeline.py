"""The pods that the pipeline itself puts beside a release: they share its namespace, its quota and its profile."""

from __future__ import annotations

from pipelines.scripts import acceptance, deploy
from pipelines.scripts.cluster import Place
from pipelines.scripts.commands import Patience
from pipelines.scripts.release import Release
from tests.workload.chart import DIGEST, NAMESPACE, REGISTRY, RELEASE, Object

PLACE = Place(RELEASE, NAMESPACE, 600, Patience(0))
ISSUED = Release("shop", DIGEST, "shop-tests", DIGEST, "1", "shop-0.1.0.tgz", "0" * 40, 1)


def acceptance_pod() -> Object:
    template: Object = acceptance.job(PLACE, ISSUED, REGISTRY)["spec"]["template"]
    return template


def pull_pod() -> Object:
    """That of the check whether the cluster can pull the images."""
    return deploy.pull_pod(f"{RELEASE}-pull", [f"{REGISTRY}/shop@{DIGEST}"], PLACE.labels("pull"))
