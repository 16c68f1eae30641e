"""The application's chart, rendered by the real helm, and the sets of values that its tests look at.

No cluster is asked: helm gets a kubeconfig that leads nowhere, so a chart that looks something up would show it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stackfiles import ROOT, STACKS

CHART = ROOT / "workload" / "chart"
TOOLS = ROOT / ".tools" / "bin"
HELM = shutil.which("helm", path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")

needs_helm = pytest.mark.skipif(
    not HELM, reason="helm is not installed: pipelines/scripts/tools.sh --into .tools/bin helm"
)

RELEASE, NAMESPACE = "shop", "shop"
REGISTRY = "crshopstaging.azurecr.io"
DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = {"image": {"registry": REGISTRY, "digest": DIGEST}}
"""What every release says."""

SELECTOR = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": RELEASE}
"""By what the release's pods are found."""

Values = Mapping[str, Any]
Object = dict[str, Any]


class RefusedError(Exception):
    """What helm said when it did not render."""


def helm(*arguments: str | Path, feed: str = "") -> str:
    """What helm prints. RefusedError with its message when it fails."""
    assert HELM
    environment = {**os.environ, "KUBECONFIG": os.devnull, "HELM_NAMESPACE": ""}
    done = subprocess.run(
        [HELM, *arguments], input=feed, capture_output=True, text=True, check=False, env=environment, timeout=120
    )
    if done.returncode:
        raise RefusedError(done.stderr.strip())
    return done.stdout


def manifest(values: Values, *arguments: str, chart: Path = CHART) -> str:
    """The text that helm sends to a cluster, and kubectl too; `values` on top of what every release says."""
    fed = json.dumps({**IMAGE, **values})
    return helm("template", RELEASE, chart, "--namespace", NAMESPACE, "--values", "-", *arguments, feed=fed)


def objects(text: str) -> list[Object]:
    return [each for each in yaml.safe_load_all(text) if each]


@cache
def _rendered(values: str) -> tuple[str, ...]:
    return tuple(json.dumps(each) for each in objects(manifest(json.loads(values))))


def render(values: Values) -> list[Object]:
    """The objects, fresh for every caller; helm runs once for each set of values."""
    return [json.loads(each) for each in _rendered(json.dumps(values, sort_keys=True))]


def one(values: Values, kind: str, name: str = RELEASE) -> Object:
    (found,) = (each for each in render(values) if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def environment(key: str) -> Values:
    """What the chart itself sets for an environment; nothing where the defaults are meant."""
    path = CHART / "environments" / f"{key}.yaml"
    return yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}


EXPOSURES: tuple[Values, ...] = (
    {"kind": "none"},
    {"kind": "internal"},
    {"kind": "internal", "subnet": "snet-load-balancers", "sources": ["10.1.0.0/16"]},
)
CATALOGUES: tuple[Values, ...] = ({"url": ""}, {"url": "https://catalogue.contoso.example/v1"})
SIZES: tuple[Values, ...] = (
    {
        "replicas": {"min": 2, "max": 2},
        "autoscaling": {"cpuPercent": 10},
        "resources": {"cpu": "1m", "memory": "1Mi"},
        "serviceAccount": "w",
    },
    {
        "replicas": {"min": 200, "max": 200},
        "autoscaling": {"cpuPercent": 95},
        "resources": {"cpu": "16", "memory": "64Gi"},
        "serviceAccount": "1" * 63,
    },
)


def combinations() -> Iterator[Values]:
    """Every choice with every other one, each number at both its ends."""
    for exposure, catalogue, size in itertools.product(EXPOSURES, CATALOGUES, SIZES):
        yield {"exposure": exposure, "catalogue": catalogue, **size}


ENDS: dict[str, Values] = {"plainest": {}, "fullest": {"exposure": EXPOSURES[-1], "catalogue": CATALOGUES[-1]}}
"""The least and the most that the templates render."""

SETS: dict[str, Values] = {
    **{stack: environment(stack) for stack in STACKS},
    **ENDS,
    **{f"combination-{number}": values for number, values in enumerate(combinations())},
}
"""Sets of values by name: those of the shipped environments, and every combination."""

every_set = pytest.mark.parametrize("values", SETS.values(), ids=SETS.keys())
both_ends = pytest.mark.parametrize("values", ENDS.values(), ids=ENDS.keys())
