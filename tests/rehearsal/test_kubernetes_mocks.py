"""Objects in a cluster, as a unit test sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_pulumi_func
from pulumi_azure_native.resources import ResourceGroup
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import Namespace

from rehearsal.cloud import Cloud
from rehearsal.faces.mocks import CloudMocks
from tests.rehearsal.landscape import REGION, SUBSCRIPTION, refused
from tests.rehearsal.test_kubernetes_refusals import PUBLIC, configuration, with_cluster


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Mocks are the SDK's global state; the next test must not find ours."""
    before = settings.SETTINGS
    yield
    settings.configure(before)


def run(cloud: Cloud, program: Any, *, preview: bool = False) -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(CloudMocks(cloud, subscription=SUBSCRIPTION), project="platform", stack="test", preview=preview)
    asyncio.get_event_loop().run_until_complete(run_pulumi_func(program))


def inside(kubeconfig: pulumi.Input[str]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=Provider("objects", kubeconfig=kubeconfig))


def test_an_object_answers_as_the_api_server_does_and_is_found_by_its_id() -> None:
    cloud = with_cluster(PUBLIC)
    seen: dict[str, Any] = {}

    def program() -> None:
        opts = inside(pulumi.Output.secret(configuration(cloud)["kubeconfig"]))
        made = Namespace("shop", metadata={"name": "shop"}, opts=opts)
        found = Namespace.get("again", made.id, opts=opts)
        found.metadata.apply(lambda metadata: seen.__setitem__("labels", metadata.labels))

    run(cloud, program)
    assert seen == {"labels": {"kubernetes.io/metadata.name": "shop"}}


def test_a_refusal_reaches_the_test_with_its_code() -> None:
    cloud = with_cluster(PUBLIC)
    faces = CloudMocks(cloud, subscription=SUBSCRIPTION)
    mocks.set_mocks(faces, project="platform", stack="test", preview=False)
    id, _ = faces.new_resource(
        pulumi.runtime.MockResourceArgs("pulumi:providers:kubernetes", "objects", configuration(cloud), custom=True)
    )
    with refused("NotFound", 'namespaces "gone" not found'):
        faces.new_resource(settings_in("gone", provider=f"urn:pulumi::objects::{id}"))


def test_an_object_without_an_explicit_provider_goes_nowhere() -> None:
    with refused("Unreachable", "kubeconfig"):
        CloudMocks(with_cluster(PUBLIC)).new_resource(settings_in("default"))


def settings_in(namespace: str, provider: str | None = None) -> pulumi.runtime.MockResourceArgs:
    inputs = {"metadata": {"name": "settings", "namespace": namespace}}
    return pulumi.runtime.MockResourceArgs(
        "kubernetes:core/v1:ConfigMap", "settings", inputs, provider=provider, custom=True
    )


def test_a_preview_shows_the_object_of_a_cluster_that_is_not_there_yet() -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        group = ResourceGroup("later", resource_group_name="rg-later", location=REGION)
        made = Namespace("shop", metadata={"name": "shop"}, opts=inside(group.id))
        made.metadata.apply(lambda metadata: seen.__setitem__("name", metadata.name))

    run(with_cluster(PUBLIC), program, preview=True)
    assert seen == {"name": "shop"}
