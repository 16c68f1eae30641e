"""Where delivery lives: project, repositories, pipelines, branch policies, extensions, and who CI is to Azure.

It exists once, in the stack that owns delivery. Seeds come first, pipelines next, policies last, so that nothing is
pushed to a branch that takes no pushes.

What it does not do: it says nothing about environments; each stack makes its own (`DeliveryEnvironment`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from components.delivery import rights
from components.delivery.approvers import Approvers, ApproversArgs
from components.delivery.checks import ChecksArgs, Gates
from components.delivery.extensions import Extensions, ExtensionsArgs
from components.delivery.identity import PipelineIdentity, PipelineIdentityArgs, Subscription
from components.delivery.pipelines import (
    CI,
    CONFIGURATION_PR,
    PLATFORM_PR,
    PR,
    UPDATES,
    AzureRepository,
    GitHubRepository,
    Pipelines,
    PipelinesArgs,
)
from components.delivery.policies import BranchPolicies, BranchPoliciesArgs, Reviewers, rules_on_github
from components.delivery.project import (
    DeliveryProject,
    DeliveryProjectArgs,
    ExistingProject,
    RepositoryArgs,
    SeededRepository,
)
from components.delivery.seeds import Seeds
from components.delivery.updates import Updates, UpdatesArgs
from components.naming import DeliveryNames
from components.placement import Placement

_OF = {
    PLATFORM_PR: DeliveryNames.PLATFORM_REPOSITORY,
    PR: DeliveryNames.APPLICATION_REPOSITORY,
    CONFIGURATION_PR: DeliveryNames.CONFIGURATION_REPOSITORY,
}
"""The repository of Azure Repos whose pull requests a pipeline builds."""


@dataclass(frozen=True)
class Home:
    """What an environment needs to know about the home of delivery: from this stack, or from another's contract."""

    project_id: Input[str]
    project_name: Input[str]
    pipelines: Mapping[str, Input[int]]
    """Ids of the pipelines by name."""
    configuration_id: Input[str] | None = None
    """Of the repository that clusters pull from, where there is one."""


@dataclass(frozen=True)
class Configuration:
    """The repository that clusters pull from."""

    seeds: Seeds
    maintainers: Sequence[str]
    """Object ids of the directory's groups that review what all environments have in common."""


@dataclass(frozen=True)
class DeliveryHomeArgs:
    place: Placement
    project: DeliveryProjectArgs | ExistingProject
    platform: Seeds
    application: Seeds | GitHubRepository
    subscription: Subscription
    registry_id: Input[str]
    """The nonproduction registry, which CI pushes to."""
    ci_vault_id: Input[str]
    run_records_id: Input[str]
    """Of the collection rule that takes the records of runs."""
    configuration: Configuration | None = None
    """Where an environment pulls."""
    signing_key_id: Input[str] | None = None
    """Of the key that CI has images signed with; None where it signs none."""
    updates: bool = False
    """Whether newer versions of what is pinned are proposed by pull requests."""
    reviewers: int = 1
    branches_known: bool = True
    """See `ChecksArgs`."""
    extensions: ExtensionsArgs = field(default_factory=ExtensionsArgs)


class DeliveryHome(ComponentResource):
    """What delivery has once."""

    project_id: Output[str]
    project_name: Output[str]
    pipelines: dict[str, Output[int]]
    repository_ids: dict[str, Output[str]]
    """Of the repositories in Azure Repos, by name."""
    on_github: dict[str, Any] | None
    """What is left to set there, where the application's repository is on GitHub."""

    def __init__(self, name: str, args: DeliveryHomeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:DeliveryHome", name, None, opts)
        own = ResourceOptions(parent=self)
        self._choose_project(args.project)
        later_life = args.place.names.generation > 1
        Extensions("extensions", replace(args.extensions, there=later_life), own)
        platform = self._repository(DeliveryNames.PLATFORM_REPOSITORY, args.platform)
        seeded: list[Resource] = list(platform.ready)
        self.repository_ids = {DeliveryNames.PLATFORM_REPOSITORY: platform.id}
        code: AzureRepository | GitHubRepository
        self.on_github = None
        validated = {PLATFORM_PR: platform}
        if isinstance(args.application, GitHubRepository):
            code = args.application
            self.on_github = rules_on_github(code.repository, PR, args.reviewers)
        else:
            application = self._repository(DeliveryNames.APPLICATION_REPOSITORY, args.application)
            seeded += application.ready
            self.repository_ids[DeliveryNames.APPLICATION_REPOSITORY] = application.id
            code, validated[PR] = AzureRepository(application.id), application
        configuration: AzureRepository | None = None
        if args.configuration:
            made = self._repository(DeliveryNames.CONFIGURATION_REPOSITORY, args.configuration.seeds)
            seeded += made.ready
            # An environment's policies wait for the last seed, too: they may be of the same run.
            known = Output.all(made.id, made.ready[-1].urn)
            self.repository_ids[DeliveryNames.CONFIGURATION_REPOSITORY] = known.apply(lambda both: str(both[0]))
            configuration, validated[CONFIGURATION_PR] = AzureRepository(made.id), made
        pipelines = Pipelines(
            "pipelines",
            PipelinesArgs(
                self.project_id, AzureRepository(platform.id), code, configuration, args.updates, after=seeded
            ),
            own,
        )
        self.pipelines = pipelines.ids
        for pipeline, repository in validated.items():
            policies = BranchPoliciesArgs(
                self.project_id,
                repository.id,
                self.pipelines[pipeline],
                self._maintainers(args) if pipeline == CONFIGURATION_PR else args.reviewers,
                after=repository.ready,
            )
            BranchPolicies(_OF[pipeline], policies, own)
        self._let_in(
            CI,
            DeliveryNames.CI_CONNECTION,
            args,
            rights.ci(registry_id=args.registry_id, vault_id=args.ci_vault_id, run_records_id=args.run_records_id),
        )
        if args.signing_key_id is not None:
            self._let_in("signer", DeliveryNames.SIGNER_CONNECTION, args, rights.signer(key_id=args.signing_key_id))
        if args.updates:
            self._let_updates_in(args)
        self.register_outputs({"projectId": self.project_id, "pipelines": self.pipelines})

    @property
    def home(self) -> Home:
        configuration_id = self.repository_ids.get(DeliveryNames.CONFIGURATION_REPOSITORY)
        return Home(self.project_id, self.project_name, self.pipelines, configuration_id)

    def _choose_project(self, wanted: DeliveryProjectArgs | ExistingProject) -> None:
        if isinstance(wanted, ExistingProject):
            self.project_id, self.project_name = Output.from_input(wanted.id), Output.from_input(wanted.name)
        else:
            project = DeliveryProject("project", wanted, ResourceOptions(parent=self))
            self.project_id, self.project_name = project.id, project.name

    def _repository(self, name: str, seeds: Seeds) -> SeededRepository:
        return SeededRepository(name, RepositoryArgs(self.project_id, name, seeds.files), ResourceOptions(parent=self))

    def _maintainers(self, args: DeliveryHomeArgs) -> Reviewers:
        """Who reviews what all environments that pull have in common; an environment's folder is not theirs."""
        assert args.configuration
        wanted = ApproversArgs(
            self.project_id,
            DeliveryNames.MAINTAINERS,
            args.configuration.maintainers,
            "Reviews what all environments have in common. Members come from the directory's groups alone.",
        )
        group = Approvers("maintainers", wanted, ResourceOptions(parent=self))
        return Reviewers(group.id, ("/*", "!/environments/*"), args.reviewers)

    def _let_updates_in(self, args: DeliveryHomeArgs) -> None:
        """Whatever lies in Azure Repos and has pins; configuration has none."""
        pinned = {
            name: id for name, id in self.repository_ids.items() if name != DeliveryNames.CONFIGURATION_REPOSITORY
        }
        checks = ChecksArgs(
            self.project_id,
            production=False,
            gates=Gates(exclusive_lock=False),
            branches_known=args.branches_known,
        )
        Updates(
            "updates",
            UpdatesArgs(args.place, args.subscription, checks, {UPDATES: self.pipelines[UPDATES]}, pinned),
            ResourceOptions(parent=self),
        )

    def _let_in(self, purpose: str, connection: str, args: DeliveryHomeArgs, may: rights.Rights) -> None:
        """An identity of the pipeline `ci`."""
        PipelineIdentity(
            purpose,
            PipelineIdentityArgs(
                args.place,
                purpose=purpose,
                connections=(connection,),
                subscription=args.subscription,
                checks=ChecksArgs(
                    self.project_id,
                    production=False,
                    # A branch that nobody has reviewed pushes and signs no image; runs of main may overtake each other.
                    gates=Gates(exclusive_lock=False),
                    branches_known=args.branches_known,
                ),
                rights=may,
                pipelines={CI: self.pipelines[CI]},
            ),
            ResourceOptions(parent=self),
        )
