"""Which pipeline may use what, over everything that both shipped stacks made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import authorisations
from tests.breaches import SHIPPED, Breach, Broken, Invariant
from tests.conftest import Rehearsed
from tests.graph import Landscape


@pytest.mark.parametrize("invariant", authorisations.INVARIANTS, ids=lambda each: each.__name__)
def test_every_pipeline_may_use_what_the_table_says_and_nothing_else(
    invariant: Invariant, rehearsed: Mapping[str, Rehearsed]
) -> None:
    landscape = Landscape({stack: run.export for stack, run in rehearsed.items()})
    assert invariant(landscape, SHIPPED) == []


def test_the_table_of_authorisations_reads_so() -> None:
    assert {f"{pipeline} {kind} {name}" for pipeline, kind, name in authorisations.table(SHIPPED)} == {
        "pr repository staging: platform",
        "ci repository staging: platform",
        "cd repository staging: platform",
        "ci endpoint staging: ci",
        "ci variablegroup staging: environment-staging",
        "cd variablegroup staging: environment-staging",
        "cd endpoint staging: deploy-staging",
        "cd endpoint staging: dashboards-staging",
        "cd environment staging: staging",
        "cd variablegroup prod: environment-prod",
        "cd endpoint prod: deploy-prod",
        "cd endpoint prod: promote-prod",
        "cd endpoint prod: dashboards-prod",
        "cd environment prod: prod",
        "cd queue prod: agents",
    }


def pipeline(it: Broken, name: str) -> int:
    return int(it.find("staging", "BuildDefinition", f"pipeline-{name}")["id"])


BREACHES = (
    Breach(
        "the PR pipeline may use CI's connection",
        authorisations.authorisations_amiss,
        lambda it: it.add(
            "staging",
            ("PipelineAuthorization", "ci-connection-for-ci"),
            "ci-connection-for-pr",
            pipelineId=pipeline(it, "pr"),
        ),
        "pr may use the endpoint staging: ci",
    ),
    Breach(
        "CD may not deploy any more",
        authorisations.authorisations_amiss,
        lambda it: it.drop("prod", "PipelineAuthorization", "deploy-connection-for-cd"),
        "cd may not use the endpoint prod: deploy-prod",
    ),
    Breach(
        "CI runs on production's agents",
        authorisations.authorisations_amiss,
        lambda it: it.say("prod", "PipelineAuthorization", "agents-for-cd", pipelineId=pipeline(it, "ci")),
        "ci may use the queue prod: agents",
    ),
    Breach(
        "a pipeline that nobody knows",
        authorisations.authorisations_amiss,
        lambda it: it.say("prod", "PipelineAuthorization", "facts-for-cd", pipelineId=7),
        "7 may use the variablegroup prod: environment-prod",
    ),
    Breach(
        "the pipeline of that number in another project",
        authorisations.authorisations_amiss,
        lambda it: it.say("prod", "PipelineAuthorization", "facts-for-cd", pipelineProjectId="another"),
        "cd may not use the variablegroup prod: environment-prod",
    ),
    Breach(
        "one thing is authorised twice",
        authorisations.authorisations_amiss,
        lambda it: it.add("prod", ("PipelineAuthorization", "facts-for-cd"), "facts-again"),
        "is authorised twice",
    ),
    *(
        Breach(
            f"every pipeline may use {name}",
            authorisations.open_to_all,
            lambda it, stack=stack, name=name: it.say(stack, "PipelineAuthorization", name, pipelineId=None),  # type: ignore[misc]
            f"{stack}/{name} lets in every pipeline",
        )
        for stack, name in (
            ("prod", "deploy-connection-for-cd"),
            ("prod", "environment-for-cd"),
            ("prod", "agents-for-cd"),
            ("prod", "facts-for-cd"),
            ("staging", "templates-for-pr"),
            ("staging", "ci-connection-for-ci"),
        )
    ),
    Breach(
        "the facts are open",
        authorisations.open_to_all,
        lambda it: it.say("prod", "VariableGroup", "facts", allowAccess=True),
        "prod/facts is open to every pipeline",
    ),
    Breach(
        "the pool serves every project",
        authorisations.open_to_all,
        lambda it: it.find("prod", "Pool", "agents")["inputs"]["organizationProfile"]["organizations"][0].update(
            projects=[]
        ),
        "beyond one project",
    ),
    Breach(
        "the pool is open to every pipeline of its project",
        authorisations.open_to_all,
        lambda it: it.find("prod", "Pool", "agents")["inputs"]["organizationProfile"]["organizations"][0].update(
            openAccess=True
        ),
        "beyond one project",
    ),
    Breach(
        "whoever administers the project administers the pool",
        authorisations.open_to_all,
        lambda it: it.say("prod", "Pool", "agents", organizationProfile__permissionProfile={"kind": "Inherit"}),
        "prod/agents is administered by others than who made it",
    ),
    Breach(
        "CI reads production's facts",
        authorisations.ways_around_cd,
        lambda it: it.say("prod", "PipelineAuthorization", "facts-for-cd", pipelineId=pipeline(it, "ci")),
        "ci may use the variablegroup prod: environment-prod",
    ),
    Breach(
        "code that nobody has reviewed deploys to staging",
        authorisations.ways_around_cd,
        lambda it: it.say(
            "staging", "PipelineAuthorization", "deploy-connection-for-cd", pipelineId=pipeline(it, "platform-pr")
        ),
        "platform-pr may use the endpoint staging: deploy-staging",
    ),
    *(
        Breach(
            f"CD is let in before {before} stands",
            authorisations.let_in_too_early,
            lambda it, before=before: it.forget("prod", "PipelineAuthorization", "deploy-connection-for-cd", before),  # type: ignore[misc]
            f"prod/deploy-connection-for-cd does not wait for {before}",
        )
        for before in (
            "deploy-connection-approval",
            "deploy-connection-branch-control",
            "deploy-connection-exclusive-lock",
            "deploy-connection-required-template",
            "deploy-connection-business-hours",
            "deploy-connection-for-approvers",
            "deploy-connection-signs-in",
            "deploy-writes-in-namespace",
        )
    ),
    Breach(
        "CD is let into production before it is gated",
        authorisations.let_in_too_early,
        lambda it: it.forget("prod", "PipelineAuthorization", "environment-for-cd", "environment-approval"),
        "prod/environment-for-cd does not wait for environment-approval",
    ),
)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, rehearsed: Mapping[str, Rehearsed]) -> None:
    breach.must_be_found({stack: run.export for stack, run in rehearsed.items()})


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(authorisations.INVARIANTS)
