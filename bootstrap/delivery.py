"""The bootstrap's part of the Azure DevOps project: who plans and applies an environment, and the pipelines that do.

`Pipelines` exists once: the definitions, the check of every pull request, who opens one for a new environment,
and the facts that runs need. `InfrastructureEnvironment` exists for each environment that is up: two identities with
their connections, and the environment with the gates before a change.

A plan is made of what nobody has reviewed yet, so its identity only reads, and no gate stands before it. To apply takes
all gates, on the environment and once more on the connection: a branch that nobody has reviewed cannot use it. Where an
environment is production, or owns the project and with it production's gates, somebody has to approve.

What it does not do: it makes no project and no repository; the environment that delivery lives in does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_azuredevops as devops
from pulumi import ComponentResource, Input, InvokeOutputOptions, Output, ResourceOptions

from bootstrap import rights
from bootstrap.rights import Reach, Store
from components.delivery.approvers import Approvers, ApproversArgs
from components.delivery.authorization import authorize
from components.delivery.checks import MAIN, ChecksArgs, Gates, Template, gate
from components.delivery.identity import PipelineIdentity, PipelineIdentityArgs, Subscription
from components.delivery.pipelines import yaml_path
from components.delivery.policies import VALID_MINUTES
from components.delivery.rights import Rights
from components.naming import DeliveryNames
from components.placement import Placement

PULL_REQUEST, INFRASTRUCTURE, ENVIRONMENT, DRIFT = "infrastructure-pr", "infrastructure", "environment", "drift"
"""Names of the pipelines; all lie in the platform repository."""
PIPELINES = (PULL_REQUEST, INFRASTRUCTURE, ENVIRONMENT, DRIFT)
PLANNING = (PULL_REQUEST, INFRASTRUCTURE, DRIFT)
"""Those that look; only one of them applies, and it never runs what nobody has reviewed."""
FACTS = "infrastructure"
"""Name of the variable group."""
APPROVERS = "approvers-infrastructure"
PLANNERS = "infrastructure-plan"
"""Groups of the project."""
AUTHOR = "author"
"""Who opens the pull request for a new environment; it has no right in Azure."""
TEMPLATE = "pipelines/templates/infrastructure.yml"
"""What a change to production's infrastructure must extend."""
UNGUARDED = Gates(approval=False, branch_control=False, exclusive_lock=False, required_template=False)

READERS, ADMINISTRATORS = "Readers", "Project Administrators"
"""Groups that every project has."""


@dataclass(frozen=True)
class Project:
    """What the environment that delivery lives in has made."""

    id: Input[str]
    name: Input[str]
    platform_repository_id: Input[str]


def built_in(name: str, project: Project, parent: ComponentResource) -> Output[str]:
    """The descriptor of a group that every project has."""
    found = devops.get_group_output(name=name, project_id=project.id, opts=InvokeOutputOptions(parent=parent))
    return found.apply(lambda group: str(group.descriptor))


def let_in(
    name: str, principal_id: Input[str], group: Input[str], parent: ComponentResource
) -> devops.ServicePrincipalEntitlement:
    """Brings an identity into the organisation, as a member of a group (descriptor)."""
    entitled = devops.ServicePrincipalEntitlement(
        f"{name}-in-organization",
        origin="aad",
        origin_id=principal_id,
        account_license_type="express",
        opts=ResourceOptions(parent=parent),
    )
    devops.GroupMembership(
        f"{name}-membership",
        group=group,
        members=[entitled.descriptor],
        mode="add",
        opts=ResourceOptions(parent=parent),
    )
    return entitled


@dataclass(frozen=True)
class PipelinesArgs:
    place: Placement
    project: Project
    subscription: Subscription
    facts: Mapping[str, Input[str]]
    """What runs must know, none of it secret."""
    approver_group_id: str
    """Object id of the directory's group."""


class Pipelines(ComponentResource):
    """The pipelines of the infrastructure."""

    ids: dict[str, Output[int]]
    """By name."""
    approvers: Approvers
    planners: Output[str]
    """Descriptor of the group of those who plan."""

    def __init__(self, name: str, args: PipelinesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:bootstrap:Pipelines", name, None, opts)
        self._args = args
        self.ids = {each: self._definition(each) for each in PIPELINES}
        self._validate()
        self._tell_facts()
        self._let_author_in()
        approvers = ApproversArgs(
            args.project.id,
            APPROVERS,
            [args.approver_group_id],
            description="Approves changes to the infrastructure. Members come from the directory's group alone.",
        )
        self.approvers = Approvers("infrastructure-approvers", approvers, ResourceOptions(parent=self))
        self.planners = self._planners()
        self.register_outputs({"ids": self.ids})

    def _definition(self, name: str) -> Output[int]:
        definition = devops.BuildDefinition(
            f"pipeline-{name}",
            project_id=self._args.project.id,
            name=name,
            repository=devops.BuildDefinitionRepositoryArgs(
                repo_type="TfsGit",
                repo_id=self._args.project.platform_repository_id,
                branch_name=MAIN,
                yml_path=yaml_path(name),
                report_build_status=True,
            ),
            ci_trigger=devops.BuildDefinitionCiTriggerArgs(use_yaml=True),
            job_authorization_scope="project",
            features=[devops.BuildDefinitionFeatureArgs(skip_first_run=True)],
            opts=ResourceOptions(parent=self, protect=True),
        )
        return definition.id.apply(int)

    def _validate(self) -> None:
        """Every pull request is planned, and cannot be completed without."""
        devops.BranchPolicyBuildValidation(
            "platform-is-planned",
            project_id=self._args.project.id,
            enabled=True,
            blocking=True,
            settings=devops.BranchPolicyBuildValidationSettingsArgs(
                display_name="What the change would do to every environment",
                build_definition_id=self.ids[PULL_REQUEST],
                queue_on_source_update_only=True,
                manual_queue_only=False,
                valid_duration=VALID_MINUTES,
                scopes=[
                    devops.BranchPolicyBuildValidationSettingsScopeArgs(
                        repository_id=self._args.project.platform_repository_id,
                        repository_ref=MAIN,
                        match_type="Exact",
                    )
                ],
            ),
            opts=ResourceOptions(parent=self),
        )

    def _tell_facts(self) -> None:
        project_id = self._args.project.id
        group = devops.VariableGroup(
            "facts",
            project_id=project_id,
            name=FACTS,
            description="Where the state lies. None is secret; the bootstrap overwrites what is changed by hand.",
            allow_access=False,
            variables=[
                devops.VariableGroupVariableArgs(name=key, value=value)
                for key, value in sorted(self._args.facts.items())
            ],
            opts=ResourceOptions(parent=self),
        )
        readers = {each: self.ids[each] for each in PLANNING}
        authorize("facts", "variablegroup", group.id, readers, project_id=project_id, parent=self)

    def _let_author_in(self) -> None:
        """It pushes a branch and opens a pull request; what comes of it is decided by the policies of `main`."""
        args = self._args
        author = PipelineIdentity(
            AUTHOR,
            PipelineIdentityArgs(
                args.place,
                purpose=AUTHOR,
                connections=(AUTHOR,),
                subscription=args.subscription,
                # What it runs is the reviewed pipeline alone.
                checks=ChecksArgs(args.project.id, production=False, gates=Gates(exclusive_lock=False)),
                rights={},
                pipelines={ENVIRONMENT: self.ids[ENVIRONMENT]},
            ),
            ResourceOptions(parent=self),
        )
        entitled = let_in(AUTHOR, author.principal_id, built_in(READERS, args.project, self), self)
        devops.GitPermissions(
            "author-opens-pull-requests",
            project_id=args.project.id,
            repository_id=args.project.platform_repository_id,
            principal=entitled.descriptor,
            permissions={
                "GenericRead": "Allow",
                "GenericContribute": "Allow",
                "CreateBranch": "Allow",
                "PullRequestContribute": "Allow",
            },
            opts=ResourceOptions(parent=self),
        )

    def _planners(self) -> Output[str]:
        """They read the project, say on a pull request what it would do, and file what has drifted."""
        project = self._args.project
        own = ResourceOptions(parent=self)
        group = devops.Group(
            "planners",
            scope=project.id,
            display_name=PLANNERS,
            description="Identities that plan the infrastructure: they read, comment and file work items.",
            opts=own,
        )
        devops.GroupMembership(
            "planners-read", group=built_in(READERS, project, self), members=[group.descriptor], mode="add", opts=own
        )
        devops.GitPermissions(
            "planners-comment",
            project_id=project.id,
            repository_id=project.platform_repository_id,
            principal=group.descriptor,
            permissions={"GenericRead": "Allow", "PullRequestContribute": "Allow"},
            opts=own,
        )
        devops.AreaPermissions(
            "planners-file-work-items",
            project_id=project.id,
            path="/",
            principal=group.descriptor,
            permissions={"GENERIC_READ": "Allow", "WORK_ITEM_READ": "Allow", "WORK_ITEM_WRITE": "Allow"},
            opts=own,
        )
        return group.descriptor


@dataclass(frozen=True)
class InfrastructureEnvironmentArgs:
    place: Placement
    project: Project
    pipelines: Pipelines
    reach: Reach
    store: Store
    subscription: Subscription
    gates: Gates
    """Those of the environment's releases."""
    approved: bool
    """Whether somebody has to approve: production, and the environment that owns its gates."""
    agent_pool: str | None = None
    """Name of the pool whose agents reach the environment from inside its network."""


class InfrastructureEnvironment(ComponentResource):
    """Who plans and applies one environment, and what stands before that."""

    applies: Output[str]
    """The principal that `up` runs as."""

    def __init__(self, name: str, args: InfrastructureEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:bootstrap:InfrastructureEnvironment", name, None, opts)
        self._args, self._name = args, name
        self._names = DeliveryNames(args.reach.key)
        self._approvers = args.pipelines.approvers if args.approved else None
        self._checks = ChecksArgs(
            args.project.id,
            production=args.approved,
            gates=args.gates,
            approver=self._approvers.id if self._approvers else None,
            template=Template(Output.concat(args.project.name, "/", DeliveryNames.PLATFORM_REPOSITORY), TEMPLATE),
        )
        unguarded = ChecksArgs(args.project.id, production=False, gates=UNGUARDED)
        plan = self._identity("plan", rights.plan(args.reach, args.store), unguarded, PLANNING)
        let_in(f"plan-{name}", plan.principal_id, args.pipelines.planners, self)
        apply = self._identity("apply", rights.apply(args.reach, args.store), self._checks, (INFRASTRUCTURE,))
        # What a stack has in the project, gates among it, is made by those who administer it and by nobody else.
        let_in(f"apply-{name}", apply.principal_id, built_in(ADMINISTRATORS, args.project, self), self)
        self._gated()
        if args.agent_pool:
            self._open_queue(args.agent_pool)
        self.applies = apply.principal_id
        self.register_outputs({"applies": self.applies})

    def _let(self, names: Sequence[str]) -> dict[str, Input[int]]:
        return {each: self._args.pipelines.ids[each] for each in names}

    def _identity(self, job: str, granted: Rights, checks: ChecksArgs, pipelines: Sequence[str]) -> PipelineIdentity:
        args = self._args
        return PipelineIdentity(
            f"{job}-{self._name}",
            PipelineIdentityArgs(
                args.place,
                purpose=f"{job}-{args.reach.key}",
                connections=(self._names.connection(job),),
                subscription=args.subscription,
                checks=checks,
                rights=granted,
                pipelines=self._let(pipelines),
                approvers=self._approvers if job == "apply" else None,
            ),
            ResourceOptions(parent=self),
        )

    def _gated(self) -> None:
        """The environment that a change passes: its gates, and the record of what was applied when."""
        args, name = self._args, f"infrastructure-{self._name}"
        environment = devops.Environment(
            name,
            project_id=args.project.id,
            name=self._names.infrastructure,
            description="What was applied to the infrastructure, and the gates before it.",
            opts=ResourceOptions(parent=self, protect=True),
        )
        gates = gate(name, "environment", environment.id, self._checks, self)
        if self._approvers:
            gates.append(self._approvers.may_see(name, "environment", environment.id, self))
        authorize(
            name,
            "environment",
            environment.id,
            self._let((INFRASTRUCTURE,)),
            project_id=args.project.id,
            parent=self,
            after=gates,
        )

    def _open_queue(self, pool: str) -> None:
        args = self._args
        found = devops.get_agent_queue_output(
            name=pool, project_id=args.project.id, opts=InvokeOutputOptions(parent=self)
        )
        authorize(
            f"agents-{self._name}",
            "queue",
            found.apply(lambda queue: str(queue.id)),
            self._let(PLANNING),
            project_id=args.project.id,
            parent=self,
        )
