"""Azure DevOps: which pipelines may use what, as whom they run, and what reaches the main branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.model import Properties, Resource, Stack, each, get, kind
from policies.rule import MANDATORY, on_resource, on_stack
from policies.rules.gates import CHECKS, ENVIRONMENT, sees, target
from policies.rules.identity import CONNECTION, CREDENTIAL, GRANT, IDENTITY

AUTHORISATION = "devops:PipelineAuthorization"
BUILD = "devops:BuildDefinition"
REPOSITORY = "devops:Git"
MAIN = "refs/heads/main"
CD = "cd"
UNREVIEWED = ("pr", "platform-pr", "configuration-pr")
"""Pipelines that run what nobody has looked at yet."""


@on_resource(
    "authorised-for-all",
    AUTHORISATION,
    "devops:VariableGroup",
    "devopsinfrastructure:Pool",
    severity=MANDATORY,
    reason="What every pipeline may use, a pipeline may use that somebody writes tomorrow.",
    remedy="Name the pipelines, one authorisation for each.",
)
def nothing_is_open_to_every_pipeline(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) == AUTHORISATION and not get(properties, "pipelineId"):
        yield "it lets in every pipeline"
    if kind(type_) == "devops:VariableGroup" and get(properties, "allowAccess") is not False:
        yield "every pipeline may read it"
    if kind(type_) == "devopsinfrastructure:Pool":
        for organization in each(properties, "organizationProfile.organizations.*"):
            if get(organization, "openAccess") is not False or len(list(each(organization, "projects.*"))) != 1:
                yield f"it serves {get(organization, 'url')} beyond one project"
        if get(properties, "organizationProfile.permissionProfile.kind") != "CreatorOnly":
            yield "others than who made it administer it"


@on_stack(
    "authorised-pipelines",
    severity=MANDATORY,
    reason="Production is reached by CD alone, and by nothing that runs code before its review.",
    remedy="Remove the authorisation.",
)
def production_is_reached_by_cd(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for authorisation in stack.of(AUTHORISATION):
        pipeline, used = _pipeline(stack, authorisation), authorisation.get("type")
        if pipeline is None:
            continue
        own = stack.linked(authorisation, "resourceId", CONNECTION, ENVIRONMENT) is not None
        if stack.production and pipeline != CD and (own or used not in ("endpoint", "environment")):
            yield authorisation, f"{pipeline} may use a thing of production"
        elif own and pipeline in UNREVIEWED:
            yield authorisation, f"{pipeline} runs code without review and may use it"


def _pipeline(stack: Stack, authorisation: Resource) -> str | None:
    """The name of the pipeline that is let in: of this stack, or told by the one where delivery lives. None where
    nobody tells: the engine shows a policy pack no other stacks."""
    if own := stack.linked(authorisation, "pipelineId", BUILD):
        return own.text("name")
    references, wanted = stack.of("pulumi:StackReference"), str(authorisation.get("pipelineId"))
    for reference in references:
        for name in reference.get("outputs.contract.delivery.pipelines") or ():
            if str(reference.get(f"outputs.contract.delivery.pipelines.{name}")) == wanted:
                return str(name)
    return f"the pipeline {wanted}" if references else None


@on_stack(
    "authorised-last",
    severity=MANDATORY,
    reason="A pipeline that is let in before its gates stand passes by them.",
    remedy="Let the authorisation depend on every gate, on the identity's credential and on its grants.",
)
def gates_stand_before_anybody_is_let_in(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for authorisation in stack.of(AUTHORISATION):
        opened = stack.linked(authorisation, "resourceId", CONNECTION, ENVIRONMENT)
        before = stack.before(authorisation)
        for needed in _needed(stack, opened) if opened else ():
            if needed.urn not in before:
                yield authorisation, f"it does not wait for {needed.name}"


def _needed(stack: Stack, opened: Resource) -> Iterator[Resource]:
    """What must stand before a connection or an environment is opened."""
    yield from (check for check in stack.of(*CHECKS) if target(stack, check) is opened)
    yield from (one for one in stack.of("devops:SecurityroleAssignment") if sees(one, opened))
    path = "credentials.serviceprincipalid"
    identity = stack.linked(opened, path, IDENTITY, answer=lambda one: one.text("clientId"))
    if identity is None:
        return
    for credential in stack.of(CREDENTIAL):
        if stack.linked(credential, "resourceName", IDENTITY) is identity:
            yield credential
    for grant in stack.of(GRANT):
        if stack.linked(grant, "principalId", IDENTITY, answer=lambda one: one.text("principalId")) is identity:
            yield grant


@on_resource(
    "job-scope",
    "devops:ProjectPipelineSettings",
    BUILD,
    severity=MANDATORY,
    reason="The token of a run must reach its own project and the repositories that its YAML names, and no others.",
    remedy="Set the scope of the definition to project, and enforce the scopes and settable variables of the project.",
)
def a_run_reaches_its_own_project(type_: str, properties: Properties) -> Iterator[str]:
    if kind(type_) == BUILD:
        if (scope := get(properties, "jobAuthorizationScope")) != "project":
            yield f"its jobs have the scope {scope}"
        return
    for key in (
        "enforceJobScope",
        "enforceJobScopeForRelease",
        "enforceReferencedRepoScopedToken",
        "enforceSettableVar",
    ):
        if get(properties, key) is not True:
            yield f"{key} is off"


@on_resource(
    "pipeline-forks",
    BUILD,
    severity=MANDATORY,
    reason="A fork is anybody's; its build would run with the rights of ours.",
    remedy="Leave builds of forks off.",
)
def no_fork_is_built(type_: str, pipeline: Properties) -> Iterator[str]:
    if get(pipeline, "pullRequestTrigger.forks.enabled") or get(pipeline, "pullRequestTrigger.forks.shareSecrets"):
        yield "it builds forks"


@on_resource(
    "project-private",
    "devops:Project",
    severity=MANDATORY,
    reason="A public project shows code, logs and pipelines to everybody.",
    remedy="Set visibility to private.",
)
def the_project_is_private(type_: str, project: Properties) -> Iterator[str]:
    if get(project, "visibility") != "private":
        yield f"it is {get(project, 'visibility')}"


@on_stack(
    "protected-branch",
    severity=MANDATORY,
    reason="Whatever reaches the main branch reaches production; gates trust only a branch with required policies.",
    remedy="Give the repository a required build and a required review of its main branch.",
)
def main_is_protected(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for repository in stack.of(REPOSITORY):
        for policies, words in (
            (("devops:BranchPolicyBuildValidation",), "its main branch takes what was not built"),
            # The one asks for so many people, the other for people of a group.
            (
                ("devops:BranchPolicyMinReviewers", "devops:BranchPolicyAutoReviewers"),
                "its main branch takes what nobody has reviewed",
            ),
        ):
            path = "settings.scopes.*.repositoryId"
            if not any(
                stack.linked(one, path, REPOSITORY) is repository and one.get("settings.submitterCanVote") is not True
                for one in stack.of(*policies)
            ):
                yield repository, words


@on_resource(
    "branch-policy",
    "devops:BranchPolicy*",
    severity=MANDATORY,
    reason="A policy that does not block, or that the author alone can meet, protects nothing.",
    remedy="Require it of the main branch; let a second person review, anew after each push.",
)
def policies_hold(type_: str, policy: Properties) -> Iterator[str]:
    if get(policy, "enabled") is False or get(policy, "blocking") is False:
        yield "it is not required"
    if any(ref != MAIN for ref in each(policy, "settings.scopes.*.repositoryRef")):
        yield "it is for another branch than main"
    if kind(type_) == "devops:BranchPolicyAutoReviewers" and get(policy, "settings.submitterCanVote") is True:
        # An environment's folder changes by its release, which stands behind the environment's gates.
        paths = [str(one) for one in each(policy, "settings.pathFilters.*")]
        if not paths or not all(re.fullmatch(r"/environments/[a-z][a-z0-9-]*/\*", one) for one in paths):
            yield "the author's own consent counts"
    if kind(type_) == "devops:BranchPolicyMinReviewers":
        if (get(policy, "settings.reviewerCount") or 0) < 1:
            yield "nobody needs to review"
        for key, words in (
            ("submitterCanVote", "the author's own vote counts"),
            ("allowCompletionWithRejectsOrWaits", "a change that somebody rejects can be merged"),
        ):
            if get(policy, f"settings.{key}") is not False:
                yield words
        if get(policy, "settings.lastPusherCannotApprove") is not True:
            yield "whoever pushed last may approve it"
