"""The Azure DevOps side: where code lives, what carries it to an environment, and what stands before that.

`DeliveryHome` exists once, in the stack that owns delivery: project, repositories, pipelines, branch policies,
extensions, and who CI is to Azure. `DeliveryEnvironment` exists in every stack: the environment with its gates, who
deploys to it (and, in production, who promotes images to it), and what a release must know. What each identity may do
is the closed list in `rights`.

What it does not do: it writes no YAML (the seeds are an argument), and it holds no secret: the provider signs in as
whoever runs the program, pipelines as their identities.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.delivery import rights
from components.delivery.agents import ManagedAgents, ManagedAgentsArgs
from components.delivery.approvers import Approvers, ApproversArgs
from components.delivery.checks import BusinessHours, ChecksArgs, Gates, Template, planned, warnings
from components.delivery.configuration import ConfiguredEnvironment, ConfiguredEnvironmentArgs
from components.delivery.environment import Facts, GatedEnvironment, GatedEnvironmentArgs
from components.delivery.extensions import ExtensionsArgs
from components.delivery.home import Configuration, DeliveryHome, DeliveryHomeArgs, Home
from components.delivery.identity import PipelineIdentity, PipelineIdentityArgs, Subscription
from components.delivery.pipelines import CD, CI, RELEASE_TEMPLATE, GitHubRepository
from components.delivery.project import DeliveryProjectArgs, ExistingProject, wanted_project
from components.delivery.rights import Promotion
from components.delivery.seeds import Seeds, seeded
from components.naming import DeliveryNames
from components.placement import Placement

__all__ = [
    "BusinessHours",
    "Configuration",
    "DeliveryEnvironment",
    "DeliveryEnvironmentArgs",
    "DeliveryHome",
    "DeliveryHomeArgs",
    "DeliveryProjectArgs",
    "ExistingProject",
    "ExtensionsArgs",
    "Facts",
    "Gates",
    "GitHubRepository",
    "Home",
    "ManagedAgents",
    "ManagedAgentsArgs",
    "Promotion",
    "Pull",
    "Seeds",
    "Subscription",
    "seeded",
    "wanted_project",
    "warnings",
]


@dataclass(frozen=True)
class Pull:
    """The cluster fetches what it runs, and no pipeline reaches it."""

    flux_principal_id: Input[str]
    """Object id of the identity that the cluster reads the repository of configuration as."""


@dataclass(frozen=True)
class DeliveryEnvironmentArgs:
    place: Placement
    home: Home
    production: bool
    gates: Gates
    approver_group_id: str | None
    """Object id of the directory's group whose members approve, or resume a run that waits for a person; needed where
    approval is planned."""
    subscription: Subscription
    facts: Facts
    cluster_id: Input[str]
    namespace: str
    metrics_workspace_id: Input[str]
    run_records_id: Input[str]
    promotion: Promotion | None = None
    """Where images are promoted to this environment's registry."""
    pull: Pull | None = None
    """Where the cluster pulls; otherwise CD deploys to it."""
    grafana_id: Input[str] | None = None
    """Where CD publishes dashboards."""
    ci_reads_facts: bool = False
    """Where delivery lives: CI pushes to this environment's registry."""
    verified_registry_id: Input[str] | None = None
    """The registry whose images are verified before they are deployed; None where they are not signed."""
    branches_known: bool = True
    """See `ChecksArgs`."""


class DeliveryEnvironment(ComponentResource):
    """What delivery has in every environment."""

    environment_id: Output[str]

    def __init__(self, name: str, args: DeliveryEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:DeliveryEnvironment", name, None, opts)
        self._args = args
        self._names = DeliveryNames(args.place.names.environment)
        self._approvers = self._find_approvers()
        self._checks = ChecksArgs(
            args.home.project_id,
            production=args.production,
            gates=args.gates,
            approver=self._approvers.id if self._approvers else None,
            template=Template(
                Output.concat(args.home.project_name, "/", DeliveryNames.PLATFORM_REPOSITORY), RELEASE_TEMPLATE
            ),
            branches_known=args.branches_known,
        )
        self._releases = {CD: args.home.pipelines[CD]}
        environment = GatedEnvironment(
            "environment",
            GatedEnvironmentArgs(
                self._names,
                self._checks,
                args.facts,
                self._releases,
                readers={CI: args.home.pipelines[CI]} if args.ci_reads_facts else {},
                approvers=self._approvers,
                protect=args.place.protect,
            ),
            ResourceOptions(parent=self),
        )
        identities = {job: self._identity(job, granted) for job, granted in self._jobs().items()}
        if args.pull:
            assert args.home.configuration_id is not None, (
                "what is pulled lies in a repository; the contract sees to it"
            )
            ConfiguredEnvironment(
                "configuration",
                ConfiguredEnvironmentArgs(
                    self._names,
                    args.home.project_id,
                    args.home.configuration_id,
                    releases=identities["release"].principal_id,
                    pulls=args.pull.flux_principal_id,
                ),
                ResourceOptions(parent=self),
            )
        self.environment_id = environment.id
        self.register_outputs({"environmentId": self.environment_id})

    def _find_approvers(self) -> Approvers | None:
        args = self._args
        if args.approver_group_id is None:
            assert "approval" not in planned(args.production, args.gates), "an approval needs a group of approvers"
            return None
        wanted = ApproversArgs(args.home.project_id, self._names.approvers, (args.approver_group_id,))
        return Approvers("approvers", wanted, ResourceOptions(parent=self))

    def _jobs(self) -> dict[str, rights.Rights]:
        args = self._args
        if args.pull:
            deploys = {
                "release": rights.release(
                    registry_id=args.facts.registry_id,
                    metrics_workspace_id=args.metrics_workspace_id,
                    run_records_id=args.run_records_id,
                )
            }
        else:
            deploys = {
                "deploy": rights.deploy(
                    cluster_id=args.cluster_id,
                    namespace=args.namespace,
                    metrics_workspace_id=args.metrics_workspace_id,
                    run_records_id=args.run_records_id,
                )
            }
        found = rights.jobs(deploys, promotion=args.promotion, grafana_id=args.grafana_id)
        if args.verified_registry_id is not None:
            found["verify"] = rights.verify(registry_id=args.verified_registry_id)
        return found

    def _identity(self, job: str, granted: rights.Rights) -> PipelineIdentity:
        args = self._args
        return PipelineIdentity(
            job,
            PipelineIdentityArgs(
                args.place,
                purpose=job,
                connections=(self._names.connection(job),),
                subscription=args.subscription,
                checks=self._checks,
                rights=granted,
                pipelines=self._releases,
                approvers=self._approvers,
            ),
            ResourceOptions(parent=self),
        )
