"""Azure DevOps, as a unit test sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_azuredevops as devops
import pytest
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_pulumi_func

from rehearsal.cloud import Cloud
from rehearsal.faces.mocks import CloudMocks
from tests.rehearsal.landscape import refused
from tests.rehearsal.landscape_azuredevops import OLD_PROJECT, ORGANIZATION, estate


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Mocks are the SDK's global state; the next test must not find ours."""
    before = settings.SETTINGS
    yield
    settings.configure(before)


def run(program: Any, *, preview: bool = False) -> Cloud:
    asyncio.set_event_loop(asyncio.new_event_loop())
    given = faces(preview=preview)
    asyncio.get_event_loop().run_until_complete(run_pulumi_func(program))
    return given.cloud


def faces(*, preview: bool = False) -> CloudMocks:
    given = CloudMocks(Cloud(estate()))
    mocks.set_mocks(given, project="platform", stack="test", preview=preview)
    return given


def test_a_resource_answers_as_the_service_does_and_is_found_by_its_id() -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        project = devops.Project("project", name="Shop")
        made = devops.Environment("staging", project_id=project.id, name="staging")
        again = devops.Environment.get("again", made.id)
        old = devops.Project.get("old", OLD_PROJECT.id)
        queue = devops.get_agent_queue_output(project_id=project.id, name="Default")
        told = pulumi.Output.all(made.id, again.name, old.name, queue.agent_pool_id)
        told.apply(lambda values: seen.update(zip(("id", "name", "old", "pool"), values, strict=True)))

    run(program)
    assert int(seen.pop("id"))
    assert seen == {"name": "staging", "old": "Old", "pool": 1}


def test_a_preview_knows_neither_ids_nor_subjects() -> None:
    seen: list[Any] = []

    def program() -> None:
        project = devops.Project("project", name="Shop")
        project.process_template_id.apply(seen.append)
        devops.Environment("staging", project_id=project.id, name="staging").name.apply(seen.append)

    assert run(program, preview=True).devops.resources == {}
    assert seen == ["staging"]


def registered(type_: str, inputs: dict[str, Any]) -> pulumi.runtime.MockResourceArgs:
    return pulumi.runtime.MockResourceArgs(type_, "x", inputs, custom=True)


def test_a_refusal_reaches_the_test_with_its_code() -> None:
    with refused("TF200016", "does not exist"):
        faces().new_resource(registered("azuredevops:index/environment:Environment", {"projectId": "x", "name": "y"}))


def test_a_provider_is_configured_for_the_organisation() -> None:
    given = faces()
    given.new_resource(registered("pulumi:providers:azuredevops", {"orgServiceUrl": ORGANIZATION}))
    with refused("InvalidConfiguration", "the url of the Azure DevOps is required"):
        given.new_resource(registered("pulumi:providers:azuredevops", {}))
