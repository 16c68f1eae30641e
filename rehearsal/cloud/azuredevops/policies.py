"""Branch policies, and what they do to a push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN, CloudError
from rehearsal.cloud.azuredevops.kinds import (
    DEFINITION,
    PROJECT,
    REPOSITORY,
    DevOpsKind,
    Request,
    Rule,
    between,
    refuse_unless,
    same,
    token,
)
from rehearsal.cloud.azuredevops.organization import Organization
from rehearsal.cloud.values import blocks, lookup
from rehearsal.cloud.world import Resource

_FORMAT: Final = "TF402457"
_WRONG: Final = "The settings for this policy are not correctly formatted. Error:"


def check_push(there: Organization, repository: Resource, ref: str) -> None:
    """Refuses a push to a branch that a blocking policy guards: for such a branch there are pull requests only."""
    for policy in _policies(there):
        on = policy.inputs.get("enabled") is not False and policy.inputs.get("blocking") is not False
        project = same(policy.inputs.get("projectId"), repository.inputs.get("projectId"))
        scopes = blocks(policy.inputs, "settings.scopes")
        if on and project and any(_covers(scope, repository, ref) for scope in scopes):
            raise CloudError(
                "TF402455",
                "Pushes to this branch are not permitted; you must use a pull request to update this branch. "
                f"({repository.name}, {ref})",
            )


def _policies(there: Organization) -> Iterator[Resource]:
    for kind in KINDS:
        yield from there.of(kind.token)


def _covers(scope: Mapping[str, Any], repository: Resource, ref: str) -> bool:
    which = scope.get("repositoryId")
    if which is not None and not same(which, repository.id):
        return False
    match, wanted = scope.get("matchType", "Exact"), str(scope.get("repositoryRef", ""))
    if match == "DefaultBranch":
        return ref == repository.outputs.get("defaultBranch")
    return ref.startswith(wanted) if match == "Prefix" else ref == wanted


def _scopes(request: Request) -> None:
    scopes = request.get("settings.scopes", None)
    refuse_unless(
        scopes is None or len(scopes) > 0, "MissingArgument", 'settings.scopes: At least 1 "scope" block is required.'
    )
    for scope in request.blocks("settings.scopes"):
        match = scope.get("matchType", "Exact")
        refuse_unless(
            match in ("Exact", "Prefix", "DefaultBranch", UNKNOWN),
            "InvalidValue",
            f"expected match_type to be one of [Exact Prefix DefaultBranch], got {match}",
        )
        ref = scope.get("repositoryRef")
        if match == "DefaultBranch":
            refuse_unless(
                ref is None and scope.get("repositoryId") is None,
                _FORMAT,
                f"{_WRONG} match_type DefaultBranch takes neither repository_id nor repository_ref.",
            )
        elif ref is not UNKNOWN:
            refuse_unless(
                isinstance(ref, str) and ref.startswith("refs/heads/"),
                _FORMAT,
                f"{_WRONG} repository_ref '{ref}' is not a branch in full, such as refs/heads/main.",
            )


def _allows_something(request: Request) -> None:
    keys = ("allowBasicNoFastForward", "allowRebaseAndFastForward", "allowRebaseWithMerge", "allowSquash")
    allowed = [lookup(request.inputs, f"settings.{key}") for key in keys]
    refuse_unless(
        any(value is True or value is UNKNOWN for value in allowed),
        _FORMAT,
        f"{_WRONG} at least one merge type must be allowed.",
    )


def _reviewers_are_identities(request: Request) -> None:
    for reviewer in request.texts("settings.autoReviewerIds"):
        refuse_unless(
            request.there.is_identity(reviewer),
            _FORMAT,
            f"{_WRONG} Invalid GUID in the requiredReviewerIds array, '{reviewer}' - GUID's must be the identity of an "
            "individual or a group.",
        )


def _given(*paths: str) -> Rule:
    def rule(request: Request) -> None:
        for path in paths:
            refuse_unless(request.given(path), "MissingArgument", f"{path}: Missing required argument.")

    return rule


def _policy(
    name: str, *shape: Rule, world: tuple[Rule, ...] = (), links: Mapping[str, str] | None = None
) -> DevOpsKind:
    return DevOpsKind(
        token(name),
        required=("projectId", "settings"),
        numbered=True,
        links={"projectId": PROJECT, "settings.scopes[*].repositoryId": REPOSITORY, **(links or {})},
        force_new=("projectId",),
        defaults={"enabled": True, "blocking": True},
        shape=(_given("settings.scopes"), _scopes, *shape),
        world=world,
    )


KINDS: Final = (
    _policy(
        "BranchPolicyBuildValidation",
        _given("settings.displayName", "settings.buildDefinitionId"),
        between("settings.validDuration", 0, 60 * 24 * 365, " minutes"),
        links={"settings.buildDefinitionId": DEFINITION},
    ),
    _policy("BranchPolicyMinReviewers", _given("settings.reviewerCount"), between("settings.reviewerCount", 1, 10)),
    _policy("BranchPolicyCommentResolution"),
    _policy("BranchPolicyMergeTypes", _allows_something),
    _policy("BranchPolicyAutoReviewers", _given("settings.autoReviewerIds"), world=(_reviewers_are_identities,)),
)
