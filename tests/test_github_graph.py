"""The shipped stacks on GitHub, run on the engine: the same rights, the same gates, and nothing on Azure DevOps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal.run import Run
from tests import github, leaks, registries, rights
from tests.breaches import Broken, Invariant
from tests.declared import environment
from tests.environments import environments
from tests.graph import Landscape
from tests.platforms import APPLICATION_ID, CONFIGS, OWNER_ID, PREFIX, TOKEN, on_github
from tests.stackfiles import STACKS

ENVIRONMENTS = environments(CONFIGS)
INVARIANTS = (*rights.INVARIANTS, *registries.INVARIANTS, *leaks.INVARIANTS, *github.INVARIANTS)


@pytest.fixture(scope="module")
def exports(on_github: Mapping[str, Any]) -> Mapping[str, Any]:
    return {stack: on_github[stack] for stack in STACKS}


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda each: each.__name__)
def test_what_holds_on_azure_devops_holds_on_github(invariant: Invariant, exports: Mapping[str, Any]) -> None:
    assert invariant(Landscape(exports), ENVIRONMENTS) == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_right_after_the_update_changes_nothing(stack: str, on_github: Mapping[str, Any]) -> None:
    again: Run = on_github[f"{stack} again"]
    assert again.quiet, [step.urn for step in again.changed()]


def test_azure_is_the_same_on_both_platforms(exports: Mapping[str, Any], rehearsed: Mapping[str, Any]) -> None:
    """But for how jobs sign in, and what runs them inside the network: identities and rights keep their place."""

    def of_azure(landscape: Landscape) -> set[str]:
        return {
            each.urn
            for graph in landscape.graphs.values()
            for each in graph.azure
            if each.cls != "FederatedIdentityCredential"
        }

    there = of_azure(Landscape({stack: rehearsed[stack].export for stack in STACKS}))
    here = of_azure(Landscape(exports))
    assert here <= there
    names = {urn.rpartition("::")[2] for urn in there - here}
    assert {name for name in names if not name.startswith(("agents", "dev-center"))} == set()
    assert "agents-subnet" in names


def bend(name: str, invariant: Invariant, edit: Any, says: str) -> Any:
    return pytest.param(invariant, edit, says, id=name)


PROD = ("prod", "RepositoryEnvironment", "environment")
RULES = ("staging", "RepositoryRuleset", "application-main")
SIGNS_IN = ("prod", "FederatedIdentityCredential", "deploy-signs-in")

BREACHES = (
    # Gates.
    bend(
        "nobody approves",
        github.environments_amiss,
        lambda it: it.say(*PROD, reviewers=None),
        "prod: the environment prod has reviewers None",
    ),
    bend(
        "somebody else approves",
        github.environments_amiss,
        lambda it: it.say(*PROD, reviewers=[{"users": [7]}]),
        "prod: the environment prod has reviewers [{'users': [7]}]",
    ),
    bend(
        "who starts a release approves it",
        github.environments_amiss,
        lambda it: it.say(*PROD, preventSelfReview=False),
        "prod: the environment prod has preventSelfReview False",
    ),
    bend(
        "administrators pass by",
        github.environments_amiss,
        lambda it: it.say(*PROD, canAdminsBypass=None),
        "prod: the environment prod has canAdminsBypass None",
    ),
    bend(
        "any branch may be released",
        github.environments_amiss,
        lambda it: it.say(*PROD, deploymentBranchPolicy=None),
        "prod: the environment prod has deploymentBranchPolicy None",
    ),
    bend(
        "another branch may be released",
        github.environments_amiss,
        lambda it: it.say("prod", "RepositoryEnvironmentDeploymentPolicy", "environment-takes-main", branchPattern="*"),
        "prod: the environment prod takes [('*', None)]",
    ),
    bend(
        "no branch is named",
        github.environments_amiss,
        lambda it: it.drop("staging", "RepositoryEnvironmentDeploymentPolicy", "ci-environment-takes-main"),
        "staging: the environment ci takes []",
    ),
    bend(
        "an environment too many",
        github.environments_amiss,
        lambda it: it.add("prod", PROD[1:], "another", environment="another"),
        "prod has the environments another, prod, validate-prod",
    ),
    bend(
        "the person in between is anybody",
        github.environments_amiss,
        lambda it: it.say("prod", "RepositoryEnvironment", "validation", reviewers=None),
        "prod: the environment validate-prod has reviewers None",
    ),
    bend(
        "production can be deleted",
        github.environments_amiss,
        lambda it: it.mark(*PROD, protect=False),
        "prod: the environment prod is not protected",
    ),
    bend(
        "an environment of the platform's repository",
        github.environments_amiss,
        lambda it: it.say(*PROD, repository="platform"),
        "prod: the environment prod is of platform",
    ),
    # Facts.
    bend(
        "a fact is missing",
        github.variables_amiss,
        lambda it: it.drop("prod", "ActionsEnvironmentVariable", "environment/REGISTRY_ID"),
        "prod: the environment prod lacks REGISTRY_ID",
    ),
    bend(
        "a fact too many",
        github.variables_amiss,
        lambda it: it.add(
            "prod",
            ("ActionsEnvironmentVariable", "environment/NAMESPACE"),
            "environment/MORE",
            variableName="MORE",
        ),
        "prod: the environment prod has MORE too",
    ),
    bend(
        "CI is told who deploys",
        github.variables_amiss,
        lambda it: it.say(
            "staging",
            "ActionsEnvironmentVariable",
            "ci-environment/CI_CLIENT_ID",
            value=it.find("staging", "UserAssignedIdentity", "deploy")["outputs"]["clientId"],
        ),
        "staging: CI_CLIENT_ID of the environment ci is not the identity's",
    ),
    # Who the jobs are.
    bend(
        "a subject by branch, which every job of main has",
        github.credentials_amiss,
        lambda it: it.say(*SIGNS_IN, subject=f"{PREFIX}:ref:refs/heads/main"),
        "prod/deploy-signs-in lets repo:example@4711/shop@815:ref:refs/heads/main of",
    ),
    bend(
        "a subject without ids, which somebody else could have one day",
        github.credentials_amiss,
        lambda it: it.say(*SIGNS_IN, subject="repo:example/shop:environment:prod"),
        "prod/deploy-signs-in lets repo:example/shop:environment:prod of",
    ),
    bend(
        "staging may be who deploys to production",
        github.credentials_amiss,
        lambda it: it.say(*SIGNS_IN, subject=f"{PREFIX}:environment:staging"),
        "prod/deploy-signs-in lets repo:example@4711/shop@815:environment:staging of",
    ),
    bend(
        "another issuer",
        github.credentials_amiss,
        lambda it: it.say(*SIGNS_IN, issuer="https://token.actions.githubusercontent.com/contoso"),
        "of https://token.actions.githubusercontent.com/contoso be deploy",
    ),
    bend(
        "a second credential",
        github.credentials_amiss,
        lambda it: it.add("prod", SIGNS_IN[1:], "second"),
        "prod/deploy has 2 credentials",
    ),
    bend(
        "nobody signs in to promote",
        github.credentials_amiss,
        lambda it: it.drop("prod", "FederatedIdentityCredential", "promote-signs-in"),
        "prod/promote has no credential",
    ),
    bend(
        "another audience",
        github.credentials_amiss,
        lambda it: it.say(*SIGNS_IN, audiences=["https://github.com/example"]),
        "prod/deploy-signs-in is for",
    ),
    bend(
        "an identity before its gate",
        github.credentials_amiss,
        lambda it: it.mark(*SIGNS_IN, dependencies=[], propertyDependencies={}),
        "prod/deploy-signs-in does not wait for environment",
    ),
    # Branches.
    *(
        bend(
            f"a change with {rule} {value}",
            github.rules_amiss,
            lambda it, rule=rule, value=value: it.say(*RULES, **{f"rules__pullRequest__{rule}": value}),
            f"staging/application-main: has {rule} {value}",
        )
        for rule, value in (
            ("requiredApprovingReviewCount", 0),
            ("requireLastPushApproval", False),
            ("dismissStaleReviewsOnPush", False),
            ("requiredReviewThreadResolution", False),
            ("allowedMergeMethods", ["merge", "squash"]),
        )
    ),
    bend(
        "a change without a pull request",
        github.rules_amiss,
        lambda it: it.say(*RULES, rules__pullRequest=None),
        "staging/application-main: has requiredApprovingReviewCount None",
    ),
    bend(
        "a change that is behind",
        github.rules_amiss,
        lambda it: it.say(*RULES, rules__requiredStatusChecks__strictRequiredStatusChecksPolicy=False),
        "staging/application-main: takes a branch that is behind",
    ),
    bend(
        "a change that was not scanned",
        github.rules_amiss,
        lambda it: it.say(
            *RULES, rules__requiredStatusChecks__requiredChecks=[{"context": "pr / checks", "integrationId": 15368}]
        ),
        "staging/application-main: demands",
    ),
    bend(
        "a check that anybody reports",
        github.rules_amiss,
        lambda it: it.say(
            "staging",
            "RepositoryRuleset",
            "platform-main",
            rules__requiredStatusChecks__requiredChecks=[{"context": "checks"}],
        ),
        "staging/platform-main: demands",
    ),
    bend(
        "history can be rewritten",
        github.rules_amiss,
        lambda it: it.say(*RULES, rules__nonFastForward=None),
        "staging/application-main: has nonFastForward None",
    ),
    bend(
        "somebody is exempt",
        github.rules_amiss,
        lambda it: it.say(*RULES, bypassActors=[{"actorType": "OrganizationAdmin", "bypassMode": "always"}]),
        "staging/application-main: does not hold for",
    ),
    bend(
        "the rules are only looked at",
        github.rules_amiss,
        lambda it: it.say(*RULES, enforcement="evaluate"),
        "staging/application-main: is evaluate for a branch",
    ),
    bend(
        "the rules of another branch",
        github.rules_amiss,
        lambda it: it.say(*RULES, conditions__refName__includes=["refs/heads/next"]),
        "staging/application-main: is for",
    ),
    bend(
        "nobody guards the way to production",
        github.rules_amiss,
        lambda it: it.drop("staging", "RepositoryRuleset", "platform-main"),
        "staging guards shop",
    ),
    # Actions.
    bend(
        "any action runs",
        github.actions_amiss,
        lambda it: it.say("staging", "ActionsRepositoryPermissions", "application-actions", allowedActions="all"),
        "staging/application-actions allows all",
    ),
    bend(
        "an action by its tag",
        github.actions_amiss,
        lambda it: it.say(
            "staging",
            "ActionsRepositoryPermissions",
            "platform-actions",
            allowedActionsConfig__patternsAlloweds=["actions/*"],
        ),
        "staging/platform-actions allows selected",
    ),
    bend(
        "a run may write",
        github.actions_amiss,
        lambda it: it.say(
            "staging", "WorkflowRepositoryPermissions", "application-token", defaultWorkflowPermissions="write"
        ),
        "staging/application-token: the token of a run has ('write', False)",
    ),
    bend(
        "a run approves a pull request",
        github.actions_amiss,
        lambda it: it.say(
            "staging", "WorkflowRepositoryPermissions", "platform-token", canApprovePullRequestReviews=True
        ),
        "staging/platform-token: the token of a run has ('read', True)",
    ),
    bend(
        "everybody uses the application's workflows",
        github.actions_amiss,
        lambda it: it.say(
            "staging", "ActionsRepositoryAccessLevel", "platform-is-shared", repository="shop", accessLevel="enterprise"
        ),
        "staging shares [('shop', 'enterprise')]",
    ),
    # Everything else.
    bend(
        "a secret",
        github.strangers,
        lambda it: it.mark(
            "prod",
            "ActionsEnvironmentVariable",
            "environment/NAMESPACE",
            type="github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret",
        ),
        "prod/environment/NAMESPACE: a ActionsEnvironmentSecret is not looked at",
    ),
    bend(
        "another organisation",
        github.strangers,
        lambda it: it.say("staging", "github", "github", owner="somebody"),
        "staging: the provider leads to somebody",
    ),
)


@pytest.mark.parametrize(("invariant", "edit", "says"), BREACHES)
def test_it_is_found(invariant: Invariant, edit: Any, says: str, exports: Mapping[str, Any]) -> None:
    broken = Broken(exports)
    edit(broken)
    found = invariant(Landscape(broken.exports), ENVIRONMENTS)
    assert [finding for finding in found if says in finding], found


def test_every_invariant_is_shown_to_catch_something() -> None:
    assert {each.values[0] for each in BREACHES} == set(github.INVARIANTS)


def test_a_token_of_the_run_does_not_get_into_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    found = environment("staging", on_github("staging"))
    (provider,) = [each.inputs for each in found.registered if each.typ == "pulumi:providers:github"]
    assert provider == {"owner": "example", "baseUrl": "https://api.github.com/"}


class TestRepositoriesThatTheProgramMakes:
    """`create: true`, seen on staging under mocks."""

    MADE: Mapping[str, Any] = {
        "delivery.home": {
            "repositories": {"application": "shop", "create": True, "subject": "immutable", "ownerId": OWNER_ID}
        }
    }

    def test_both_are_private_and_squash_alone(self) -> None:
        found = environment("staging", on_github("staging", self.MADE))
        made = [each.inputs for each in found.registered if each.typ == "github:index/repository:Repository"]
        assert {said["name"] for said in made} == {"shop", "platform"}
        for said in made:
            assert (said["visibility"], said["autoInit"]) == ("private", True)
            methods = [said[f"allow{each}"] for each in ("SquashMerge", "MergeCommit", "RebaseMerge")]
            assert methods == [True, False, False]

    def test_the_subject_holds_the_ids_of_owner_and_repository(self) -> None:
        found = environment("staging", on_github("staging", self.MADE))
        subjects = {
            each.inputs["subject"]
            for each in found.registered
            if each.typ.endswith(":FederatedIdentityCredential") and "actions" in each.inputs["issuer"]
        }
        (id,) = [
            int(each.outputs["repoId"])
            for each in found.cloud.devops.resources.values()
            if each.type_.endswith(":Repository") and each.name == "shop"
        ]
        assert subjects == {
            f"repo:example@{OWNER_ID}/shop@{id}:environment:ci",
            f"repo:example@{OWNER_ID}/shop@{id}:environment:staging",
        }


def test_a_classic_subject_holds_names_alone() -> None:
    classic = {"delivery.home": {"repositories": {"application": "shop", "subject": "classic"}}}
    found = environment("staging", on_github("staging", classic))
    subjects = {
        each.inputs["subject"]
        for each in found.registered
        if each.typ.endswith(":FederatedIdentityCredential") and "actions" in each.inputs["issuer"]
    }
    assert subjects == {"repo:example/shop:environment:ci", "repo:example/shop:environment:staging"}
    assert str(APPLICATION_ID) not in str(subjects)


def test_what_prod_is_told_of_github_comes_from_staging(exports: Mapping[str, Any]) -> None:
    told = next(
        each.outputs["contract"]["github"]
        for each in Landscape(exports).graphs["staging"].resources
        if each.type == "pulumi:pulumi:Stack"
    )
    assert told == {
        "owner": "example",
        "application": "shop",
        "platform": "platform",
        "subject": f"repo:example@{OWNER_ID}/shop@{APPLICATION_ID}",
    }
