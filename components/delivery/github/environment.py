"""An environment on GitHub: the gates before it, the facts that a release needs, and who its jobs are to Azure.

The environment is the gate: only a job that names it gets a token with its name, only by that token an identity can be
taken, and GitHub starts such a job when every rule of the environment is met. All of a release to an environment is one
job, because GitHub asks for consent job by job.

What GitHub has no rule for: one release at a time is a concurrency group in the workflow, and that the platform's
workflow is the one that runs is for the approvers to see (`warnings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, CustomResource, Input, Output, ResourceOptions
from pulumi_azure_native.managedidentity import FederatedIdentityCredential
from pulumi_github import (
    ActionsEnvironmentVariable,
    RepositoryEnvironment,
    RepositoryEnvironmentDeploymentBranchPolicyArgs,
    RepositoryEnvironmentDeploymentPolicy,
    RepositoryEnvironmentReviewerArgs,
)

from components.delivery import checks
from components.delivery.checks import MAIN, Gates
from components.delivery.environment import Facts, facts_by_field
from components.delivery.github.repositories import Repositories
from components.delivery.identity import AUDIENCE, PIPELINE_IDENTITY, Subscription, identify
from components.delivery.rights import Rights
from components.naming import DeliveryNames
from components.placement import Placement

ISSUER = "https://token.actions.githubusercontent.com"
"""Of the tokens of GitHub Actions."""

ON_GITHUB = ("approval", "branch-control")
"""Gates that are rules of an environment there; the others are the workflow's."""


def warnings(environment: str, production: bool, gates: Gates) -> Iterator[str]:
    """What a reviewer should know about the gates of an environment on GitHub."""
    said = {**vars(gates), "exclusive_lock": True, "required_template": True}
    yield from checks.warnings(environment, production, Gates(**said))
    if production:
        yield (
            f"GitHub has no gate before {environment} that demands the platform's workflow: whoever approves looks "
            "which workflow asks."
        )


@dataclass(frozen=True)
class Reviewers:
    """Who approves, by id; any one of them is enough, and never who started the run."""

    teams: tuple[int, ...] = ()
    users: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.teams or self.users)


class WorkflowIdentity(ComponentResource):
    """Who the jobs of an environment are to Azure, for one purpose."""

    client_id: Output[str]

    def __init__(
        self,
        name: str,
        place: Placement,
        granted: Rights,
        subject: Input[str],
        environment: str,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__(PIPELINE_IDENTITY, name, None, opts)
        identity, _ = identify(name, place, name, granted, self)
        FederatedIdentityCredential(
            f"{name}-signs-in",
            federated_identity_credential_resource_name=place.names.federated_credential(environment),
            resource_name_=identity.name,
            resource_group_name=place.resource_group,
            issuer=ISSUER,
            subject=subject,
            audiences=[AUDIENCE],
            opts=ResourceOptions(parent=self),
        )
        self.client_id = identity.client_id
        self.register_outputs({"clientId": self.client_id})


@dataclass(frozen=True)
class Rules:
    """What stands before an environment."""

    main_only: bool = True
    reviewers: Reviewers = Reviewers()
    wait_minutes: int = 0


@dataclass(frozen=True)
class GuardedEnvironmentArgs:
    home: Repositories
    name: str
    rules: Rules
    variables: Mapping[str, Input[str]]
    protect: bool = False


class GuardedEnvironment(ComponentResource):
    """One environment with its rules and variables. `subject`: whose tokens its jobs get, once its rules stand."""

    subject: Output[str]

    def __init__(self, name: str, args: GuardedEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:GuardedEnvironment", name, None, opts)
        rules, repository = args.rules, args.home.application
        environment = RepositoryEnvironment(
            name,
            repository=repository,
            environment=args.name,
            # Whoever administers the repository would pass by the gates.
            can_admins_bypass=False,
            prevent_self_review=bool(rules.reviewers),
            reviewers=_reviewers(rules.reviewers),
            wait_timer=rules.wait_minutes,
            deployment_branch_policy=RepositoryEnvironmentDeploymentBranchPolicyArgs(
                custom_branch_policies=True, protected_branches=False
            )
            if rules.main_only
            else None,
            opts=ResourceOptions(parent=self, protect=args.protect),
        )
        ready: list[CustomResource] = [environment]
        if rules.main_only:
            ready.append(
                RepositoryEnvironmentDeploymentPolicy(
                    f"{name}-takes-main",
                    repository=repository,
                    environment=environment.environment,
                    branch_pattern=MAIN.rpartition("/")[2],
                    opts=ResourceOptions(parent=self),
                )
            )
        self._logical, self._repository, self._environment = name, repository, environment.environment
        for variable, value in sorted(args.variables.items()):
            self.tell(variable, value)
        # Whoever uses the subject waits for the rules: no identity can be taken before its gates stand.
        self.subject = Output.all(args.home.subject, environment.environment, *[each.id for each in ready]).apply(
            lambda known: f"{known[0]}:environment:{known[1]}"
        )
        self.register_outputs({"subject": self.subject})

    def tell(self, variable: str, value: Input[str]) -> None:
        """One more variable for its jobs."""
        ActionsEnvironmentVariable(
            f"{self._logical}/{variable}",
            repository=self._repository,
            environment=self._environment,
            variable_name=variable,
            value=value,
            opts=ResourceOptions(parent=self),
        )


def _reviewers(wanted: Reviewers) -> Sequence[RepositoryEnvironmentReviewerArgs] | None:
    if not wanted:
        return None
    return [RepositoryEnvironmentReviewerArgs(teams=list(wanted.teams) or None, users=list(wanted.users) or None)]


def variables(facts: Facts) -> dict[str, Input[str]]:
    """The facts as GitHub names variables."""
    return {name.upper(): value for name, value in facts_by_field(facts).items()}


def sign_in(subscription: Subscription) -> dict[str, Input[str]]:
    """What a job must know to sign in, beside the client id of its identity."""
    return {"AZURE_TENANT_ID": subscription.tenant_id, "AZURE_SUBSCRIPTION_ID": subscription.id}


def client_id(job: str) -> str:
    """The variable that holds the client id of a job's identity."""
    return f"{job.upper()}_CLIENT_ID"


@dataclass(frozen=True)
class GitHubEnvironmentArgs:
    place: Placement
    home: Repositories
    production: bool
    gates: Gates
    reviewers: Reviewers
    """Needed where approval is planned."""
    wait_minutes: int
    subscription: Subscription
    facts: Facts
    jobs: Mapping[str, Rights]
    """The jobs of a release and what each may do; see `components.delivery.jobs`."""


class GitHubEnvironment(ComponentResource):
    """What delivery has in every environment."""

    def __init__(self, name: str, args: GitHubEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:DeliveryEnvironment", name, None, opts)
        names = DeliveryNames(args.place.names.environment)
        planned = checks.planned(args.production, args.gates)
        approved = "approval" in planned
        assert args.reviewers or not approved, "an approval needs somebody who approves"
        reviewers = args.reviewers if approved else Reviewers()
        main_only = "branch-control" in planned
        environment = GuardedEnvironment(
            "environment",
            GuardedEnvironmentArgs(
                args.home,
                names.environment,
                Rules(main_only, reviewers, args.wait_minutes),
                {**variables(args.facts), **sign_in(args.subscription)},
                protect=args.place.protect,
            ),
            ResourceOptions(parent=self),
        )
        for job, granted in args.jobs.items():
            identity = WorkflowIdentity(
                job, args.place, granted, environment.subject, names.environment, ResourceOptions(parent=self)
            )
            environment.tell(client_id(job), identity.client_id)
        if args.reviewers:
            # A person who is asked in between, by whoever starts a release so: no identity knows this one.
            GuardedEnvironment(
                "validation",
                GuardedEnvironmentArgs(
                    args.home, names.validation, Rules(main_only, args.reviewers), {}, protect=False
                ),
                ResourceOptions(parent=self),
            )
        self.register_outputs({})
