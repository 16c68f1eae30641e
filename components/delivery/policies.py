"""Branch policies: nothing reaches `main` but by a pull request that is built, reviewed by another person and settled.

They come last: a branch with a required policy takes no push, so seeds and pipelines stand before. The gates of the
environments rely on them, because a branch without a required policy does not count as protected there.

What it does not do: branches on GitHub are protected there, not here; `rules_on_github` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Resource, ResourceOptions
from pulumi_azuredevops import (
    BranchPolicyAutoReviewers,
    BranchPolicyAutoReviewersSettingsArgs,
    BranchPolicyAutoReviewersSettingsScopeArgs,
    BranchPolicyBuildValidation,
    BranchPolicyBuildValidationSettingsArgs,
    BranchPolicyBuildValidationSettingsScopeArgs,
    BranchPolicyCommentResolution,
    BranchPolicyCommentResolutionSettingsArgs,
    BranchPolicyCommentResolutionSettingsScopeArgs,
    BranchPolicyMergeTypes,
    BranchPolicyMergeTypesSettingsArgs,
    BranchPolicyMergeTypesSettingsScopeArgs,
    BranchPolicyMinReviewers,
    BranchPolicyMinReviewersSettingsArgs,
    BranchPolicyMinReviewersSettingsScopeArgs,
)

from components.delivery.checks import MAIN

VALID_MINUTES = 12 * 60
"""A green build counts this long after `main` has moved on; then the pull request is built again."""


def rules_on_github(repository: str, pipeline: str, reviewers: int) -> dict[str, Any]:
    """What somebody sets on GitHub, so that `main` is guarded there as it would be here. Keys and values are those of
    its API (update branch protection, update a repository)."""
    return {
        "repository": repository,
        "branch": MAIN.rpartition("/")[2],
        "branchProtection": {
            "required_status_checks": {"strict": True, "contexts": [pipeline]},
            "enforce_admins": True,
            "required_pull_request_reviews": {
                "required_approving_review_count": reviewers,
                "dismiss_stale_reviews": True,
                "require_last_push_approval": True,
            },
            "required_conversation_resolution": True,
            "allow_force_pushes": False,
            "allow_deletions": False,
            "restrictions": None,
        },
        "repositorySettings": {
            "allow_squash_merge": True,
            "allow_merge_commit": False,
            "allow_rebase_merge": False,
        },
    }


@dataclass(frozen=True)
class Reviewers:
    """Whose consent a change needs, where it touches certain files."""

    group_id: Input[str]
    """Of a group of the project, as Azure DevOps itself knows it."""
    paths: Sequence[str]
    """Of the files, from the root; `!` before one leaves it out. The last that fits counts."""
    number: int = 1
    author_counts: bool = False
    """Whether the author's own consent counts, if he is of the group: for an identity behind gates."""


def consent(
    name: str,
    wanted: Reviewers,
    message: str,
    *,
    project_id: Input[str],
    repository_id: Input[str],
    opts: ResourceOptions,
) -> BranchPolicyAutoReviewers:
    """Changes of `main` that touch these files need the group's consent."""
    return BranchPolicyAutoReviewers(
        name,
        project_id=project_id,
        enabled=True,
        blocking=True,
        settings=BranchPolicyAutoReviewersSettingsArgs(
            auto_reviewer_ids=[wanted.group_id],
            minimum_number_of_reviewers=wanted.number,
            submitter_can_vote=wanted.author_counts,
            path_filters=list(wanted.paths),
            message=message,
            scopes=[
                BranchPolicyAutoReviewersSettingsScopeArgs(
                    repository_id=repository_id, repository_ref=MAIN, match_type="Exact"
                )
            ],
        ),
        opts=opts,
    )


@dataclass(frozen=True)
class BranchPoliciesArgs:
    project_id: Input[str]
    repository_id: Input[str]
    build_definition_id: Input[int]
    """The pipeline that must be green; its YAML lies in the same repository."""
    reviewers: int | Reviewers
    """How many people beside the author must agree, at least one; or of which group, for which files."""
    after: Sequence[Resource]
    """The seeds."""


class BranchPolicies(ComponentResource):
    """The policies of one repository's `main`."""

    def __init__(self, name: str, args: BranchPoliciesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:BranchPolicies", name, None, opts)
        wanted = args.reviewers.number if isinstance(args.reviewers, Reviewers) else args.reviewers
        if wanted < 1:
            raise ValueError("a change needs the consent of at least one person beside its author")
        own = ResourceOptions(parent=self, depends_on=list(args.after))
        scope = {"repository_id": args.repository_id, "repository_ref": MAIN, "match_type": "Exact"}
        BranchPolicyBuildValidation(
            f"{name}-is-built",
            project_id=args.project_id,
            enabled=True,
            blocking=True,
            settings=BranchPolicyBuildValidationSettingsArgs(
                display_name="Checks of the pull request",
                build_definition_id=args.build_definition_id,
                queue_on_source_update_only=True,
                manual_queue_only=False,
                valid_duration=VALID_MINUTES,
                scopes=[BranchPolicyBuildValidationSettingsScopeArgs(**scope)],
            ),
            opts=own,
        )
        if isinstance(args.reviewers, Reviewers):
            consent(
                f"{name}-is-reviewed",
                args.reviewers,
                "What all environments have in common needs a review by somebody else.",
                project_id=args.project_id,
                repository_id=args.repository_id,
                opts=own,
            )
        else:
            BranchPolicyMinReviewers(
                f"{name}-is-reviewed",
                project_id=args.project_id,
                enabled=True,
                blocking=True,
                settings=BranchPolicyMinReviewersSettingsArgs(
                    reviewer_count=args.reviewers,
                    submitter_can_vote=False,
                    last_pusher_cannot_approve=True,
                    allow_completion_with_rejects_or_waits=False,
                    on_push_reset_approved_votes=True,
                    on_push_reset_all_votes=True,
                    scopes=[BranchPolicyMinReviewersSettingsScopeArgs(**scope)],
                ),
                opts=own,
            )
        BranchPolicyCommentResolution(
            f"{name}-is-settled",
            project_id=args.project_id,
            enabled=True,
            blocking=True,
            settings=BranchPolicyCommentResolutionSettingsArgs(
                scopes=[BranchPolicyCommentResolutionSettingsScopeArgs(**scope)]
            ),
            opts=own,
        )
        BranchPolicyMergeTypes(
            f"{name}-is-squashed",
            project_id=args.project_id,
            enabled=True,
            blocking=True,
            settings=BranchPolicyMergeTypesSettingsArgs(
                allow_squash=True,
                allow_rebase_and_fast_forward=False,
                allow_basic_no_fast_forward=False,
                allow_rebase_with_merge=False,
                scopes=[BranchPolicyMergeTypesSettingsScopeArgs(**scope)],
            ),
            opts=own,
        )
        self.register_outputs({})
