"""Delivery on GitHub: what stands before an environment, what guards a branch, and what runs may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get, kind
from policies.rule import ADVISORY, MANDATORY, on_resource, on_stack

ENVIRONMENT = "github:RepositoryEnvironment"
BRANCHES = "github:RepositoryEnvironmentDeploymentPolicy"
RULESET = "github:RepositoryRuleset"
ISSUER = "https://token.actions.githubusercontent.com"
MAIN = "refs/heads/main"
CI = "ci"
"""The environment of what a merge becomes: nobody has to agree to that."""


@on_stack(
    "github-approval",
    severity=MANDATORY,
    reason="Before production stands the consent of somebody who has not started the run, whoever administers.",
    remedy="Name delivery.github.approverTeams or approverUsers, and leave the gate approval on.",
)
def somebody_else_lets_production_in(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for environment in stack.of(ENVIRONMENT) if stack.production else ():
        if environment.get("environment") == CI:
            continue
        if not [*environment.each("reviewers.*")]:
            yield environment, "nobody has to agree"
        elif environment.get("preventSelfReview") is not True:
            yield environment, "whoever starts a release may agree to it"


@on_resource(
    "github-no-bypass",
    ENVIRONMENT,
    severity=MANDATORY,
    reason="Whoever administers the repository would pass by the gates of its environments.",
    remedy="Set canAdminsBypass to false.",
)
def no_administrator_passes_by(type_: str, environment: Properties) -> Iterator[str]:
    if get(environment, "canAdminsBypass") is not False:
        yield "administrators pass by its gates"


@on_stack(
    "github-main-only",
    severity=ADVISORY,
    reason="What is not on the protected main branch was not reviewed, and could push images or reach the cluster.",
    remedy="Switch delivery.gates.branchControl on again.",
)
def main_alone_gets_in(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for environment in stack.of(ENVIRONMENT):
        taken = {
            str(one.get("branchPattern") or one.get("tagPattern"))
            for one in stack.of(BRANCHES)
            if one.get("environment") == environment.get("environment")
        }
        if environment.get("deploymentBranchPolicy.customBranchPolicies") is not True:
            yield environment, "it takes every branch"
        elif taken != {"main"}:
            yield environment, f"it takes {', '.join(sorted(taken)) or 'nothing'}"


@on_resource(
    "github-branch-rules",
    RULESET,
    severity=MANDATORY,
    reason="Whatever reaches the main branch reaches production: it is built, and agreed to by another person.",
    remedy="Guard main, exempt nobody, and ask for a review by another person and for checks of GitHub Actions.",
)
def the_branch_is_guarded(type_: str, rules: Properties) -> Iterator[str]:
    if get(rules, "enforcement") != "active":
        yield f"it is {get(rules, 'enforcement')}"
    if [*each(rules, "conditions.refName.includes.*")] != [MAIN] or [*each(rules, "conditions.refName.excludes.*")]:
        yield "it is for another branch than main"
    if [*each(rules, "bypassActors.*")]:
        yield "somebody is exempt"
    if (get(rules, "rules.pullRequest.requiredApprovingReviewCount") or 0) < 1:
        yield "nobody needs to review"
    for key, words in (
        ("requireLastPushApproval", "whoever pushes last may agree to it"),
        ("dismissStaleReviewsOnPush", "consent to what was there before counts"),
    ):
        if get(rules, f"rules.pullRequest.{key}") is not True:
            yield words
    if not [*each(rules, "rules.requiredStatusChecks.requiredChecks.*")]:
        yield "it takes what was not built"
    for check in each(rules, "rules.requiredStatusChecks.requiredChecks.*"):
        if not get(check, "integrationId"):
            yield f"anybody may report the check {get(check, 'context')}"


@on_resource(
    "github-actions",
    "github:ActionsRepositoryPermissions",
    "github:WorkflowRepositoryPermissions",
    "github:ActionsEnvironmentSecret",
    "github:ActionsSecret",
    severity=MANDATORY,
    reason="An action whose tag somebody moves runs with all that a job may; a secret outlives the job that reads it.",
    remedy="List the actions in workflows/rules.yaml, each with its commit; let the token of a run read; sign in.",
)
def runs_are_held(type_: str, said: Properties) -> Iterator[str]:
    name = kind(type_).partition(":")[2]
    if name.endswith("Secret"):
        yield "a secret is kept on GitHub"
    elif name == "WorkflowRepositoryPermissions":
        if get(said, "defaultWorkflowPermissions") != "read":
            yield "the token of a run may write"
        if get(said, "canApprovePullRequestReviews") is True:
            yield "a run may agree to a pull request"
    elif get(said, "allowedActions") != "selected":
        yield "every action may run"
    else:
        for key in ("githubOwnedAllowed", "verifiedAllowed"):
            if get(said, f"allowedActionsConfig.{key}") is not False:
                yield f"{key} lets actions in that no commit holds"
        for pattern in each(said, "allowedActionsConfig.patternsAlloweds.*"):
            if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", str(pattern)):
                yield f"{pattern} is pinned to no commit"
