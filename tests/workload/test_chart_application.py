"""The chart and the service agree: ports, paths, user, what is told by the environment, and how long a stop takes.

The service's sources are read, not run: what it needs beside Python is not needed here.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from tests.workload.chart import CATALOGUES, CHART, DIGEST, ENDS, Object, Values, both_ends, needs_helm, one

SERVICE = CHART.parent / "src" / "shop"

LOAD_BALANCER_NOTICES = 10
"""Seconds, at most: its probe fails twice, five seconds apart. Defaults of cloud-provider-azure."""

FLUSHES = 10
"""Seconds that the last telemetry may take."""


@cache
def settings() -> ModuleType:
    """The service's own reader of its environment, which needs nothing but Python."""
    name = "shop_settings"
    spec = importlib.util.spec_from_file_location(name, SERVICE / "settings.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def constant(file: str, name: str) -> Any:
    """A number that a module of the service begins with."""
    for node in ast.parse((SERVICE / file).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and [name] == [each.id for each in node.targets if isinstance(each, ast.Name)]:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{file} has no {name}")


def routes() -> set[str]:
    return set(re.findall(r'@app\.get\("([^"]+)"', (SERVICE / "api.py").read_text("utf-8")))


def pod(values: Values) -> Object:
    spec: Object = one(values, "Deployment")["spec"]["template"]["spec"]
    return spec


def container(values: Values) -> Object:
    found: Object = pod(values)["containers"][0]
    return found


@needs_helm
@both_ends
def test_the_service_takes_what_the_chart_tells_it(values: Values) -> None:
    told = settings().read({each["name"]: each["value"] for each in container(values)["env"]})
    assert told.digest == DIGEST
    assert told.catalogue_url == (values.get("catalogue", CATALOGUES[0])["url"] or None)


@needs_helm
def test_the_chart_tells_nothing_that_the_service_does_not_read() -> None:
    read = set(re.findall(r'get\("(SHOP_\w+)"', (SERVICE / "settings.py").read_text("utf-8")))
    assert {each["name"] for each in container(ENDS["fullest"])["env"]} <= read


@needs_helm
def test_the_service_listens_where_the_chart_looks_for_it() -> None:
    expected = settings().Settings()
    ports = {each["name"]: each["containerPort"] for each in container({})["ports"]}
    assert ports == {"http": expected.port, "metrics": expected.metrics_port}


@needs_helm
def test_the_probes_ask_for_what_the_service_answers() -> None:
    asked = {container({})[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert asked <= routes()


@needs_helm
def test_the_secret_is_mounted_where_the_service_reads_it() -> None:
    """As a whole directory: a file that is mounted by itself is not renewed."""
    mounts = {each["name"]: each for each in container({})["volumeMounts"]}
    assert mounts["secrets"]["mountPath"] == str(settings().Settings().secrets_directory)
    assert not [each for each in mounts.values() if "subPath" in each]


@needs_helm
def test_a_pod_serves_until_nobody_asks_it_any_more_and_ends_before_it_is_killed() -> None:
    pause = container({})["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = settings().Settings().drain_seconds
    assert pause + drain > LOAD_BALANCER_NOTICES
    ends = pause + drain + constant("server.py", "GRACE_SECONDS") + FLUSHES
    assert pod({})["terminationGracePeriodSeconds"] >= ends


@needs_helm
def test_the_pod_runs_as_the_user_of_the_image() -> None:
    """A number: Kubernetes cannot tell from a name that it is not root."""
    context = pod({})["securityContext"]
    users = set(re.findall(r"^USER\s+(\S+)", (CHART.parent / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    assert users == {f"{context['runAsUser']}:{context['runAsGroup']}"}


@needs_helm
@pytest.mark.parametrize("url", ["https://catalogue.contoso.example", "https://a.example/v1/goods"])
def test_a_catalogue_that_the_chart_takes_the_service_takes_too(url: str) -> None:
    told = {each["name"]: each["value"] for each in container({"catalogue": {"url": url}})["env"]}
    assert settings().read(told).catalogue_url == url
