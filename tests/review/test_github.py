"""A review tells what gets weaker on GitHub: each gate, reviewer and branch rule that goes or asks for less."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from review import exports
from review.judgement import judge
from tests.rehearsal.handmade import export, resource

INDEX = "github:index/"
ENVIRONMENT = f"{INDEX}repositoryEnvironment:RepositoryEnvironment"
RULESET = f"{INDEX}repositoryRuleset:RepositoryRuleset"
BRANCHES = f"{INDEX}repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy"
ACTIONS = f"{INDEX}actionsRepositoryPermissions:ActionsRepositoryPermissions"
TOKEN = f"{INDEX}workflowRepositoryPermissions:WorkflowRepositoryPermissions"
SAFE: dict[str, dict[str, Any]] = {
    ENVIRONMENT: {
        "environment": "prod",
        "canAdminsBypass": False,
        "preventSelfReview": True,
        "reviewers": [{"teams": [42]}],
        "waitTimer": 10,
        "deploymentBranchPolicy": {"customBranchPolicies": True, "protectedBranches": False},
    },
    BRANCHES: {"environment": "prod", "branchPattern": "main"},
    RULESET: {
        "repository": "shop",
        "enforcement": "active",
        "rules": {
            "deletion": True,
            "nonFastForward": True,
            "pullRequest": {
                "requiredApprovingReviewCount": 2,
                "requireLastPushApproval": True,
                "dismissStaleReviewsOnPush": True,
                "requiredReviewThreadResolution": True,
            },
            "requiredStatusChecks": {
                "requiredChecks": [{"context": "checks"}, {"context": "scan"}],
                "strictRequiredStatusChecksPolicy": True,
            },
        },
    },
    ACTIONS: {
        "allowedActions": "selected",
        "allowedActionsConfig": {"githubOwnedAllowed": False, "patternsAlloweds": ["actions/checkout@0"]},
    },
    TOKEN: {"defaultWorkflowPermissions": "read"},
}
PULL, CHECKS = "rules.pullRequest", "rules.requiredStatusChecks"
WEAKER: tuple[tuple[str, str, Any, str], ...] = (
    (ENVIRONMENT, "reviewers", None, "nobody has to approve any more"),
    (ENVIRONMENT, "reviewers", [{"teams": [42]}, {"users": [7]}], "who may approve: also users [7]"),
    (ENVIRONMENT, "preventSelfReview", False, "who starts a run may approve it"),
    (ENVIRONMENT, "canAdminsBypass", True, "administrators pass by its gates"),
    (ENVIRONMENT, "canAdminsBypass", None, "administrators pass by its gates"),
    (ENVIRONMENT, "deploymentBranchPolicy", None, "runs of every branch get in"),
    (ENVIRONMENT, "waitTimer", 0, "minutes that a release waits: 10 → 0"),
    (BRANCHES, "branchPattern", "*", "branches that may be released: also *"),
    (RULESET, "enforcement", "disabled", "the rules hold nobody back"),
    (RULESET, "bypassActors", [{"actorType": "Team"}], "who is exempt: also actorType Team"),
    (RULESET, f"{PULL}.requiredApprovingReviewCount", 1, "reviewers: 2 → 1"),
    (RULESET, f"{PULL}.requireLastPushApproval", False, "who pushed last may approve"),
    (RULESET, f"{PULL}.dismissStaleReviewsOnPush", False, "approvals outlive a new push"),
    (RULESET, f"{PULL}.requiredReviewThreadResolution", False, "a merge leaves comments open"),
    (RULESET, f"{CHECKS}.requiredChecks", [{"context": "checks"}], "checks that must be green: no more context scan"),
    (RULESET, f"{CHECKS}.strictRequiredStatusChecksPolicy", False, "what is behind main merges"),
    (RULESET, "rules.nonFastForward", None, "history can be rewritten"),
    (RULESET, "rules.deletion", None, "the branch can be deleted"),
    (ACTIONS, "allowedActions", "all", "every action may run"),
    (ACTIONS, "allowedActionsConfig.patternsAlloweds", ["actions/*"], "actions that may run: also actions/*"),
    (ACTIONS, "allowedActionsConfig.githubOwnedAllowed", True, "actions of GitHub's run by any tag"),
    (TOKEN, "defaultWorkflowPermissions", "write", "the token of a run may write"),
    (TOKEN, "canApprovePullRequestReviews", True, "a run may approve a pull request"),
)


def with_(type_: str, path: str, value: Any) -> dict[str, Any]:
    inputs = copy.deepcopy(SAFE[type_])
    *above, last = path.split(".")
    node = inputs
    for key in above:
        node = node[key]
    if value is None:
        node.pop(last)
    else:
        node[last] = value
    return resource(type_, "it", inputs=inputs)


def told(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    return [each.text for each in judge(exports.changes(export(*before), export(*after))).weaker]


@pytest.mark.parametrize(("type_", "path", "value", "words"), WEAKER, ids=lambda value: str(value)[-40:])
def test_what_asks_for_less_is_weaker(type_: str, path: str, value: Any, words: str) -> None:
    safe, weak = resource(type_, "it", inputs=SAFE[type_]), with_(type_, path, value)
    assert words in told([safe], [weak])
    assert words not in told([weak], [safe]), "and back again it gets stronger"


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        (RULESET, "the rules go: the branch takes what they held back"),
        (BRANCHES, "the limit to branches goes"),
        (ACTIONS, "every action may run"),
        (TOKEN, "the token of a run may write"),
    ],
)
def test_what_guards_and_goes_is_weaker(type_: str, words: str) -> None:
    assert words in told([resource(type_, "it", inputs=SAFE[type_])], [])


def loss(type_: str) -> list[str]:
    before = resource(type_, "it", inputs=SAFE.get(type_, {"name": "shop"}))
    return [each.text for each in judge(exports.changes(export(before), export())).losses]


def test_an_environment_that_goes_takes_its_gates_along() -> None:
    assert loss(ENVIRONMENT) == ["lost: its history of deployments, its facts and the gates before it"]


def test_a_repository_that_goes_takes_its_history_along() -> None:
    assert loss(f"{INDEX}repository:Repository") == [
        "lost: the repository with its whole history and all pull requests"
    ]
