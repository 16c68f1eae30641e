"""Names inside the Azure DevOps project: one rule, which the pipelines' YAML repeats."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import naming
from components.naming import DeliveryNames
from tests.deliveries import environment, home
from tests.stackfiles import steady

JOBS = ("deploy", "promote", "dashboards")
ILLEGAL = re.compile(r"[^A-Za-z0-9-]")


@steady(100)
@given(st.from_regex(naming.ENVIRONMENT, fullmatch=True))
def test_a_name_is_its_kind_and_the_environments_key_as_it_stands(key: str) -> None:
    names = DeliveryNames(key)
    assert names.environment == key
    assert names.variable_group == f"environment-{key}"
    assert names.approvers == f"approvers-{key}"
    assert [names.connection(job) for job in JOBS] == [f"{job}-{key}" for job in JOBS]


@steady(100)
@given(st.from_regex(naming.ENVIRONMENT, fullmatch=True), st.from_regex(naming.ENVIRONMENT, fullmatch=True))
def test_no_two_environments_and_no_two_jobs_share_a_name(one: str, other: str) -> None:
    every = [DeliveryNames(key).connection(job) for key in {one, other} for job in JOBS]
    every.append(DeliveryNames.CI_CONNECTION)
    assert len(every) == len(set(every))
    assert not [name for name in every if ILLEGAL.search(name) or len(name) > 64]


def test_what_is_made_has_the_names_that_yaml_derives() -> None:
    found = environment(grafana_id=None)
    assert {each["name"] for each in found.of("Environment").values()} == {"test"}
    assert {each["name"] for each in found.of("VariableGroup").values()} == {"environment-test"}
    connections = {each["serviceEndpointName"] for each in found.of("ServiceEndpointAzureRM").values()}
    assert connections == {"ci", "deploy-test", "promote-test"}


@pytest.mark.parametrize("kind", ["Git", "BuildDefinition"])
def test_what_a_project_has_once_is_named_by_its_kind_alone(kind: str) -> None:
    wanted = {"Git": {"platform", "application"}, "BuildDefinition": {"pr", "ci", "cd", "platform-pr"}}
    assert {each["name"] for each in home().of(kind).values()} == wanted[kind]
