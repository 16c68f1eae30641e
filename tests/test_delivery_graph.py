"""Federation, order, policies, and what is kept, over everything that both shipped stacks made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests import delivery
from tests.breaches import SHIPPED, Breach, Broken, Invariant
from tests.conftest import Rehearsed
from tests.graph import Landscape


@pytest.fixture
def landscape(rehearsed: Mapping[str, Rehearsed]) -> Landscape:
    return Landscape({stack: run.export for stack, run in rehearsed.items()})


@pytest.mark.parametrize("invariant", delivery.INVARIANTS, ids=lambda each: each.__name__)
def test_nothing_is_amiss(invariant: Invariant, landscape: Landscape) -> None:
    assert invariant(landscape, SHIPPED) == []


def test_both_stacks_have_credentials_to_look_at(landscape: Landscape) -> None:
    """The checks above go through what there is; this says what there must be."""
    found = {f"{stack}/{each.name}" for stack, each in landscape.of(delivery.CREDENTIAL)}
    assert found == {
        "staging/ci-connection-signs-in",
        "staging/deploy-connection-signs-in",
        "staging/dashboards-connection-signs-in",
        "staging/workload-signs-in",
        "prod/deploy-connection-signs-in",
        "prod/promote-connection-signs-in",
        "prod/dashboards-connection-signs-in",
        "prod/workload-signs-in",
    }


def test_both_repositories_are_seeded(landscape: Landscape) -> None:
    repositories = {each.id: each.inputs["name"] for _, each in landscape.devops("Git")}
    seeded = {repositories[each.inputs["repositoryId"]] for _, each in landscape.devops("GitRepositoryFile")}
    assert seeded == {"platform", "application"}


DEPLOY = ("prod", "FederatedIdentityCredential", "deploy-connection-signs-in")


def a_second_connection(it: Broken, *, ordered: bool) -> None:
    """One identity with two connections, whose credentials are written one after another, or not."""
    connection, credential = ("ServiceEndpointAzureRM", "deploy-connection"), DEPLOY[1:]
    it.add("prod", connection, "second", serviceEndpointName="second")
    second = it.find("prod", "ServiceEndpointAzureRM", "second")
    second["outputs"]["workloadIdentityFederationSubject"] = "/eid1/second"
    it.add("prod", credential, "second-signs-in", subject="/eid1/second")
    added = it.find("prod", "FederatedIdentityCredential", "second-signs-in")
    added["propertyDependencies"] |= {key: [second["urn"]] for key in ("issuer", "subject")}
    added["dependencies"] = [it.find(*DEPLOY)["urn"]] if ordered else []


def test_credentials_of_one_identity_that_are_written_one_after_another_are_fine(
    rehearsed: Mapping[str, Rehearsed],
) -> None:
    broken = Broken({stack: run.export for stack, run in rehearsed.items()})
    a_second_connection(broken, ordered=True)
    assert delivery.credentials_amiss(Landscape(broken.exports), SHIPPED) == []


FEDERATION = (
    Breach(
        "a connection that trusts a secret",
        delivery.connections_amiss,
        lambda it: it.say(
            "prod",
            "ServiceEndpointAzureRM",
            "deploy-connection",
            credentials__serviceprincipalkey="x",
            serviceEndpointAuthenticationScheme="ServicePrincipal",
        ),
        "prod/deploy-connection signs in by ServicePrincipal with serviceprincipalid, serviceprincipalkey",
    ),
    Breach(
        "a connection of another kind",
        delivery.connections_amiss,
        lambda it: it.mark(
            "prod",
            "ServiceEndpointAzureRM",
            "deploy-connection",
            type="azuredevops:index/serviceEndpointDockerRegistry:ServiceEndpointDockerRegistry",
        ),
        "prod/deploy-connection: a ServiceEndpointDockerRegistry holds a secret",
    ),
    Breach(
        "a connection that nobody can sign in by",
        delivery.connections_amiss,
        lambda it: it.drop(*DEPLOY),
        "prod/deploy-connection has 0 credentials",
    ),
    Breach(
        "a connection with two credentials",
        delivery.connections_amiss,
        lambda it: it.add("prod", DEPLOY[1:], "once-more"),
        "prod/deploy-connection has 2 credentials",
    ),
    Breach(
        "an issuer that is written down",
        delivery.connections_amiss,
        lambda it: it.find(*DEPLOY)["propertyDependencies"].update(issuer=[]),
        "issuer of deploy-connection-signs-in is not taken from the connection alone",
    ),
    Breach(
        "a subject that is put together",
        delivery.connections_amiss,
        lambda it: it.find(*DEPLOY)["propertyDependencies"]["subject"].append("urn:of-the-project"),
        "subject of deploy-connection-signs-in is not taken from the connection alone",
    ),
    Breach(
        "the subject of old",
        delivery.connections_amiss,
        lambda it: it.say(*DEPLOY, subject="sc://contoso/Shop/deploy-prod"),
        "subject of deploy-connection-signs-in is not that of the connection",
    ),
    Breach(
        "tokens for anybody",
        delivery.connections_amiss,
        lambda it: it.say(*DEPLOY, audiences=["any"]),
        "deploy-connection-signs-in is for ['any']",
    ),
    Breach(
        "whoever deploys signs in as who promotes",
        delivery.connections_amiss,
        lambda it: it.say(
            "prod",
            "ServiceEndpointAzureRM",
            "deploy-connection",
            credentials=it.find("prod", "ServiceEndpointAzureRM", "promote-connection")["inputs"]["credentials"],
        ),
        "deploy-connection-signs-in belongs to another identity than the connection names",
    ),
    Breach(
        "a client id that is written down",
        delivery.connections_amiss,
        lambda it: it.forget("prod", "ServiceEndpointAzureRM", "deploy-connection", "UserAssignedIdentity"),
        "prod/deploy-connection: it does not take the client id from the identity",
    ),
    Breach(
        "somebody else's tokens are taken",
        delivery.credentials_amiss,
        lambda it: it.say(
            "prod",
            "FederatedIdentityCredential",
            "workload-signs-in",
            issuer="https://token.actions.githubusercontent.com",
        ),
        "prod/workload-signs-in lets in system:serviceaccount:shop:workload of https://token.actions",
    ),
    Breach(
        "a service account of another namespace is the workload",
        delivery.credentials_amiss,
        lambda it: it.say(
            "prod", "FederatedIdentityCredential", "workload-signs-in", subject="system:serviceaccount:default:x"
        ),
        "prod/workload-signs-in lets in system:serviceaccount:default:x",
    ),
    Breach(
        "two credentials of one identity at a time",
        delivery.credentials_amiss,
        lambda it: a_second_connection(it, ordered=False),
        "deploy-connection-signs-in and second-signs-in of one identity can be written at a time",
    ),
)

REVIEWERS = ("staging", "BranchPolicyMinReviewers", "platform-is-reviewed")

REPOSITORIES = (
    *(
        Breach(
            f"{repository} takes what is not {word}",
            delivery.policies_amiss,
            lambda it, cls=cls, name=f"{repository}-is-{word}": it.drop("staging", cls, name),  # type: ignore[misc]
            f"staging: {repository} has 0 of {cls}",
        )
        for repository in ("platform", "application")
        for cls, word in (
            ("BranchPolicyBuildValidation", "built"),
            ("BranchPolicyMinReviewers", "reviewed"),
            ("BranchPolicyCommentResolution", "settled"),
            ("BranchPolicyMergeTypes", "squashed"),
        )
    ),
    *(
        Breach(
            f"reviews with {key} {value}",
            delivery.policies_amiss,
            lambda it, key=key, value=value: it.say(*REVIEWERS, **{f"settings__{key}": value}),  # type: ignore[misc]
            f"staging: platform BranchPolicyMinReviewers has {said}",
        )
        for key, value, said in (
            ("submitterCanVote", True, "submitterCanVote True"),
            ("lastPusherCannotApprove", None, "lastPusherCannotApprove None"),
            ("onPushResetApprovedVotes", False, "onPushResetApprovedVotes False"),
            ("onPushResetAllVotes", False, "onPushResetAllVotes False"),
            ("allowCompletionWithRejectsOrWaits", True, "allowCompletionWithRejectsOrWaits True"),
            ("reviewerCount", 0, "reviewerCount 0, not 1"),
        )
    ),
    Breach(
        "a policy that only warns",
        delivery.policies_amiss,
        lambda it: it.say(*REVIEWERS, blocking=False),
        "BranchPolicyMinReviewers has blocking False",
    ),
    Breach(
        "a policy that is off",
        delivery.policies_amiss,
        lambda it: it.say(*REVIEWERS, enabled=False),
        "BranchPolicyMinReviewers has enabled False",
    ),
    Breach(
        "a policy of another branch",
        delivery.policies_amiss,
        lambda it: it.find(*REVIEWERS)["inputs"]["settings"]["scopes"][0].update(repositoryRef="refs/heads/next"),
        "staging: platform has 0 of BranchPolicyMinReviewers",
    ),
    Breach(
        "history is kept as it was pushed",
        delivery.policies_amiss,
        lambda it: it.say(
            "staging", "BranchPolicyMergeTypes", "platform-is-squashed", settings__allowRebaseAndFastForward=True
        ),
        "BranchPolicyMergeTypes has allowRebaseAndFastForward True",
    ),
    Breach(
        "a pull request is built by another pipeline",
        delivery.policies_amiss,
        lambda it: it.say(
            "staging",
            "BranchPolicyBuildValidation",
            "platform-is-built",
            settings__buildDefinitionId=int(it.find("staging", "BuildDefinition", "pipeline-pr")["id"]),
        ),
        "platform BranchPolicyBuildValidation starts pr, not platform-pr",
    ),
    Breach(
        "a build counts for ever",
        delivery.policies_amiss,
        lambda it: it.say(
            "staging",
            "BranchPolicyBuildValidation",
            "platform-is-built",
            settings__queueOnSourceUpdateOnly=False,
        ),
        "BranchPolicyBuildValidation has queueOnSourceUpdateOnly False",
    ),
    Breach(
        "a repository too many",
        delivery.policies_amiss,
        lambda it: it.add("staging", ("Git", "platform-repository"), "third", name="third"),
        "staging has the repositories",
    ),
    Breach(
        "another default branch",
        delivery.policies_amiss,
        lambda it: it.say("staging", "Git", "application-repository", defaultBranch="refs/heads/next"),
        "staging: application has refs/heads/next as its branch",
    ),
    Breach(
        "two seeds are pushed at a time",
        delivery.order_amiss,
        lambda it: it.add("staging", _a_seed(it), "seed-of-its-own", file="other.md"),
        "seed-of-its-own can be pushed at a time",
    ),
    Breach(
        "a policy stands before the seeds",
        delivery.order_amiss,
        lambda it: it.forget(*REVIEWERS, "GitRepositoryFile"),
        "staging: platform-is-reviewed does not wait for the seed",
    ),
    Breach(
        "a pipeline stands before its YAML",
        delivery.order_amiss,
        lambda it: it.forget("staging", "BuildDefinition", "pipeline-cd", "GitRepositoryFile"),
        "staging: pipeline-cd does not wait for the seed",
    ),
    Breach(
        "a policy names a pipeline that is not there yet",
        delivery.order_amiss,
        lambda it: it.forget("staging", "BranchPolicyBuildValidation", "application-is-built", "BuildDefinition"),
        "staging: application-is-built does not wait for its pipeline",
    ),
)


def _a_seed(it: Broken) -> tuple[str, str]:
    return "GitRepositoryFile", it.names("staging", "GitRepositoryFile")[0]


CD = ("staging", "BuildDefinition", "pipeline-cd")

PIPELINES = (
    Breach(
        "CD is read from the platform repository",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, repository__repoId=it.find("staging", "Git", "platform-repository")["id"]),
        "staging: cd reads another repository than application",
    ),
    Breach(
        "CD is read from another branch",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, repository__branchName="refs/heads/next"),
        "staging: cd reads {",
    ),
    Breach(
        "CD reaches every project of the organisation",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, jobAuthorizationScope=None),
        "staging: cd reaches other projects",
    ),
    Breach(
        "CD holds a variable",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, variables=[{"name": "x", "value": "y"}]),
        "staging: cd holds variables",
    ),
    Breach(
        "CD starts when it is made",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, features=None),
        "staging: cd starts when it is made",
    ),
    Breach(
        "forks are built",
        delivery.pipelines_amiss,
        lambda it: it.say(*CD, pullRequestTrigger={"forks": {"enabled": True}}),
        "staging: cd builds what comes from forks",
    ),
    Breach(
        "a pipeline too many",
        delivery.pipelines_amiss,
        lambda it: it.add("staging", CD[1:], "pipeline-nightly", name="nightly"),
        "staging has the pipelines",
    ),
)

KEPT = (
    *(
        Breach(
            f"{name} is deleted by mistake",
            delivery.unprotected,
            lambda it, stack=stack, cls=cls, name=name: it.mark(stack, cls, name, protect=None),  # type: ignore[misc]
            f"{stack}/{name} is not protected",
        )
        for stack, cls, name in (
            ("staging", "Project", "project"),
            ("staging", "Git", "platform-repository"),
            ("staging", "Git", "application-repository"),
            CD,
            ("prod", "Environment", "environment"),
        )
    ),
    Breach(
        "staging cannot be taken down",
        delivery.unprotected,
        lambda it: it.mark("staging", "Environment", "environment", protect=True),
        "staging/environment is protected",
    ),
    Breach(
        "the extension goes with the stack",
        delivery.unprotected,
        lambda it: it.mark("staging", "Extension", "extension-security-devops", retainOnDelete=None),
        "staging/extension-security-devops does not stay when the stack goes",
    ),
    Breach(
        "the team's files go with the stack",
        delivery.unprotected,
        lambda it: it.mark("staging", *_a_seed(it), retainOnDelete=None),
        "does not stay when the stack goes",
    ),
    Breach(
        "the directory's group goes with the stack",
        delivery.unprotected,
        lambda it: it.mark("prod", "Group", "directory-group", retainOnDelete=None),
        "prod/directory-group does not stay when the stack goes",
    ),
    Breach(
        "connections stay behind",
        delivery.unprotected,
        lambda it: it.mark("prod", "ServiceEndpointAzureRM", "deploy-connection", retainOnDelete=True),
        "prod/deploy-connection does not go when the stack goes",
    ),
)

BREACHES = (*FEDERATION, *REPOSITORIES, *PIPELINES, *KEPT)


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_it_is_found(breach: Breach, rehearsed: Mapping[str, Rehearsed]) -> None:
    breach.must_be_found({stack: run.export for stack, run in rehearsed.items()})


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {breach.invariant for breach in BREACHES} == set(delivery.INVARIANTS)
