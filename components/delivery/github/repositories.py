"""The repositories on GitHub, what Actions may do in them, and the rules of their `main`.

A repository exists, and then it is only named, or it is made and seeded once. In both, GitHub Actions are held to what
the pipelines use: actions of others are allowed one by one, by the commit that they are pinned to, and the token of a
run may read. The rules of `main` are those of `components.delivery.policies`: a pull request that is built, reviewed by
another person and settled, and nobody is exempt.

What it does not do: it takes nothing over. Branches, teams and settings of a repository that exists stay its owner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_github import (
    ActionsRepositoryAccessLevel,
    ActionsRepositoryPermissions,
    ActionsRepositoryPermissionsAllowedActionsConfigArgs,
    Repository,
    RepositoryFile,
    RepositoryRuleset,
    RepositoryRulesetConditionsArgs,
    RepositoryRulesetConditionsRefNameArgs,
    RepositoryRulesetRulesArgs,
    RepositoryRulesetRulesPullRequestArgs,
    RepositoryRulesetRulesRequiredStatusChecksArgs,
    RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArgs,
    WorkflowRepositoryPermissions,
)

from components.delivery.checks import MAIN

ACTIONS_APP = 15368
"""Id of the app that reports the checks of GitHub Actions, the same everywhere: no other app counts for them."""


@dataclass(frozen=True)
class Repositories:
    """The home of delivery on GitHub, as an environment must know it: from this stack, or from another's contract."""

    owner: Input[str]
    application: Input[str]
    platform: Input[str]
    subject: Input[str]
    """What the subject of the tokens of the application's runs begins with; see `subject`."""


def subject(
    owner: str, name: Input[str], owner_id: int | None = None, repository_id: Input[int] | None = None
) -> Output[str]:
    """What the subject of a run's token begins with: by names alone, or by names with ids, which nobody can take over.

    Source: learn.microsoft.com, entra/workload-id/workload-identities-github-immutable-subjects.
    """
    if owner_id is None or repository_id is None:
        return Output.concat("repo:", owner, "/", name)
    # An output of the provider may be a number with a fraction.
    number = Output.from_input(repository_id).apply(lambda id: str(int(id)))
    return Output.concat(f"repo:{owner}@{owner_id}/", name, "@", number)


@dataclass(frozen=True)
class RepositoryArgs:
    name: str
    checks: Sequence[str]
    """Names of the checks that must be green."""
    reviewers: int
    """How many people beside the author must agree, at least one."""
    actions: Sequence[str]
    """Actions of others that its runs may use, each `owner/name@commit`."""
    create: bool = False
    files: Mapping[str, str] | None = None
    """What a repository that is made starts with: path to content."""
    shared: bool = False
    """Whether other repositories of the organisation may use its workflows and actions."""
    protect: bool = True


class GuardedRepository(ComponentResource):
    """One repository. `id` is its number on GitHub, where the program makes it."""

    name: Output[str]
    id: Output[int] | None

    def __init__(self, name: str, args: RepositoryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:GuardedRepository", name, None, opts)
        if args.reviewers < 1:
            raise ValueError("a change needs the consent of at least one person beside its author")
        self._logical, self._args = name, args
        self.id = None
        ready: list[Resource] = []
        if args.create:
            repository = self._make()
            self.name, self.id = repository.name, repository.repo_id
            ready = self._seed(repository)
        else:
            self.name = Output.from_input(args.name)
        self._hold_actions()
        self._guard_main(ready)
        self.register_outputs({"name": self.name})

    def _make(self) -> Repository:
        return Repository(
            self._logical,
            name=self._args.name,
            description="Delivers an application to Azure Kubernetes Service. Provisioned by a Pulumi program.",
            visibility="private",
            # Without a first commit there is no branch that a file could go to.
            auto_init=True,
            has_issues=True,
            has_projects=False,
            has_wiki=False,
            allow_squash_merge=True,
            allow_merge_commit=False,
            allow_rebase_merge=False,
            delete_branch_on_merge=True,
            vulnerability_alerts=True,
            opts=ResourceOptions(parent=self, protect=self._args.protect),
        )

    def _seed(self, repository: Repository) -> list[Resource]:
        seeded: list[Resource] = []
        for number, (path, content) in enumerate(sorted((self._args.files or {}).items())):
            seeded.append(
                RepositoryFile(
                    f"{self._logical}/{path}",
                    repository=repository.name,
                    file=path,
                    content=content,
                    branch=MAIN.rpartition("/")[2],
                    commit_message=f"Start with {path}",
                    # The first commit has made a README.
                    overwrite_on_create=True,
                    opts=ResourceOptions(
                        parent=self,
                        # Each is a commit on the one before.
                        depends_on=seeded[number - 1 :] if number else [],
                        # From now on the team's. Every change would be a push to a branch that takes none.
                        ignore_changes=["content", "commitMessage", "overwriteOnCreate"],
                        retain_on_delete=True,
                    ),
                )
            )
        return seeded[-1:]

    def _hold_actions(self) -> None:
        own = ResourceOptions(parent=self)
        ActionsRepositoryPermissions(
            f"{self._logical}-actions",
            repository=self.name,
            enabled=True,
            allowed_actions="selected",
            # By the commit: a tag that somebody moves is refused by GitHub itself. Our own lie in the same
            # organisation, which is always allowed, and count by their branch; so pinning is not demanded of all.
            allowed_actions_config=ActionsRepositoryPermissionsAllowedActionsConfigArgs(
                github_owned_allowed=False, verified_allowed=False, patterns_alloweds=sorted(self._args.actions)
            ),
            opts=own,
        )
        WorkflowRepositoryPermissions(
            f"{self._logical}-token",
            repository=self.name,
            default_workflow_permissions="read",
            can_approve_pull_request_reviews=False,
            opts=own,
        )
        if self._args.shared:
            ActionsRepositoryAccessLevel(
                f"{self._logical}-is-shared", repository=self.name, access_level="organization", opts=own
            )

    def _guard_main(self, after: Sequence[Resource]) -> None:
        args = self._args
        RepositoryRuleset(
            f"{self._logical}-main",
            name="main",
            repository=self.name,
            target="branch",
            enforcement="active",
            conditions=RepositoryRulesetConditionsArgs(
                ref_name=RepositoryRulesetConditionsRefNameArgs(includes=[MAIN], excludes=[])
            ),
            rules=RepositoryRulesetRulesArgs(
                deletion=True,
                non_fast_forward=True,
                pull_request=RepositoryRulesetRulesPullRequestArgs(
                    required_approving_review_count=args.reviewers,
                    require_last_push_approval=True,
                    dismiss_stale_reviews_on_push=True,
                    required_review_thread_resolution=True,
                    allowed_merge_methods=["squash"],
                ),
                required_status_checks=RepositoryRulesetRulesRequiredStatusChecksArgs(
                    strict_required_status_checks_policy=True,
                    required_checks=[
                        RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArgs(
                            context=check, integration_id=ACTIONS_APP
                        )
                        for check in args.checks
                    ],
                ),
            ),
            opts=ResourceOptions(parent=self, depends_on=list(after)),
        )
