"""The pipelines: which exist, and where the YAML of each lies.

PR, CI and CD read their YAML from the application repository, in Azure Repos or on GitHub. Others build pull requests
to the repositories of platform and configuration, because a policy builds a branch of its own repository. What starts a
run stands in the YAML: `pr:` on GitHub, the completion of `ci` in CD; in Azure Repos a branch policy starts the PR
pipelines.

What it does not do: it holds no variable and no secret, and a new definition starts no run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azuredevops import (
    BuildDefinition,
    BuildDefinitionCiTriggerArgs,
    BuildDefinitionFeatureArgs,
    BuildDefinitionPullRequestTriggerArgs,
    BuildDefinitionPullRequestTriggerForksArgs,
    BuildDefinitionRepositoryArgs,
)

from components.delivery.authorization import authorize
from components.delivery.checks import MAIN

PR, CI, CD, PLATFORM_PR, CONFIGURATION_PR = "pr", "ci", "cd", "platform-pr", "configuration-pr"
UPDATES = "updates"
"""Names of the pipelines. CD names `ci` as what starts it; the last is there with the repository that it builds."""

APPLICATION = (PR, CI, CD)
"""Pipelines whose YAML lies in the application repository."""


RELEASE_TEMPLATE = "pipelines/templates/release.yml"
"""In the platform repository: what CD extends, and every release to production must."""


def yaml_path(pipeline: str) -> str:
    """Where the YAML of a pipeline lies in its repository."""
    return f"pipelines/{pipeline}.yml"


@dataclass(frozen=True)
class AzureRepository:
    """A repository of the same project."""

    id: Input[str]


@dataclass(frozen=True)
class GitHubRepository:
    """A repository on GitHub."""

    repository: str
    """`owner/repository`."""
    connection_id: Input[str]
    """Of the service connection that the Azure Pipelines app makes when it is installed; it holds no token of ours."""


@dataclass(frozen=True)
class PipelinesArgs:
    project_id: Input[str]
    platform: AzureRepository
    application: AzureRepository | GitHubRepository
    configuration: AzureRepository | None = None
    """Where an environment pulls."""
    updates: bool = False
    """Whether one looks for newer versions of what is pinned."""
    after: Sequence[Resource] = ()
    """The seeds, which hold the YAML."""


def source(repository: AzureRepository | GitHubRepository, path: str) -> BuildDefinitionRepositoryArgs:
    """Where a pipeline's YAML comes from."""
    if isinstance(repository, AzureRepository):
        return BuildDefinitionRepositoryArgs(
            repo_type="TfsGit", repo_id=repository.id, branch_name=MAIN, yml_path=path, report_build_status=True
        )
    return BuildDefinitionRepositoryArgs(
        repo_type="GitHub",
        repo_id=repository.repository,
        branch_name=MAIN,
        yml_path=path,
        service_connection_id=repository.connection_id,
        report_build_status=True,
    )


def _sources(args: PipelinesArgs) -> dict[str, AzureRepository | GitHubRepository]:
    """The pipelines that there are, and the repository that the YAML of each lies in."""
    found: dict[str, AzureRepository | GitHubRepository] = dict.fromkeys(APPLICATION, args.application)
    found[PLATFORM_PR] = args.platform
    if args.configuration:
        found[CONFIGURATION_PR] = args.configuration
    if args.updates:
        found[UPDATES] = args.platform
    return found


def pull_requests(
    name: str, repository: AzureRepository | GitHubRepository
) -> BuildDefinitionPullRequestTriggerArgs | None:
    """On GitHub the YAML's `pr:` starts the PR pipeline, for branches of the repository and never for forks."""
    if name != PR or isinstance(repository, AzureRepository):
        return None
    return BuildDefinitionPullRequestTriggerArgs(
        use_yaml=True, forks=BuildDefinitionPullRequestTriggerForksArgs(enabled=False, share_secrets=False)
    )


class Pipelines(ComponentResource):
    """The build definitions."""

    ids: dict[str, Output[int]]
    """By name."""

    def __init__(self, name: str, args: PipelinesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:Pipelines", name, None, opts)
        self.ids = {}
        for pipeline, repository in _sources(args).items():
            definition = BuildDefinition(
                f"pipeline-{pipeline}",
                project_id=args.project_id,
                name=pipeline,
                repository=source(repository, yaml_path(pipeline)),
                ci_trigger=BuildDefinitionCiTriggerArgs(use_yaml=True),
                pull_request_trigger=pull_requests(pipeline, repository),
                # The provider's default is every project of the organisation.
                job_authorization_scope="project",
                features=[BuildDefinitionFeatureArgs(skip_first_run=True)],
                # With it would go the record of every run.
                opts=ResourceOptions(parent=self, protect=True, depends_on=list(args.after)),
            )
            self.ids[pipeline] = definition.id.apply(int)
        self._open(args)
        self.register_outputs({"ids": self.ids})

    def _open(self, args: PipelinesArgs) -> None:
        """What is built elsewhere reads the platform repository, and GitHub by its connection."""
        application = {name: self.ids[name] for name in APPLICATION}
        readers = {name: id for name, id in self.ids.items() if name not in (PLATFORM_PR, UPDATES)}
        authorize("templates", "repository", args.platform.id, readers, project_id=args.project_id, parent=self)
        if isinstance(args.application, GitHubRepository):
            authorize(
                "github",
                "endpoint",
                args.application.connection_id,
                application,
                project_id=args.project_id,
                parent=self,
            )
