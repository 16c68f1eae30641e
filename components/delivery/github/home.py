"""Where delivery lives on GitHub: the repositories, the environment of CI, and who CI is to Azure.

It exists once, in the stack that owns delivery. CI has an environment too, which takes runs of `main` alone: a branch
that nobody has reviewed pushes no image and reads no secret.

What it does not do: it says nothing about the environments of releases; each stack makes its own
(`GitHubEnvironment`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions

from components.delivery import rights
from components.delivery.environment import Facts
from components.delivery.github.environment import (
    GuardedEnvironment,
    GuardedEnvironmentArgs,
    Rules,
    WorkflowIdentity,
    client_id,
    sign_in,
    variables,
)
from components.delivery.github.repositories import GuardedRepository, Repositories, RepositoryArgs, subject
from components.delivery.identity import Subscription
from components.naming import DeliveryNames
from components.placement import Placement

CI_READS = ("ci_vault_name", "registry_login_server", "run_records_endpoint", "run_records_rule")
"""Facts that CI needs, of those of the environment that delivery lives in."""


@dataclass(frozen=True)
class GitHubHomeArgs:
    place: Placement
    owner: str
    application: RepositoryArgs
    platform: RepositoryArgs
    owner_id: int | None
    """With immutable subjects."""
    application_id: int | None
    """With immutable subjects, where the repository exists."""
    subscription: Subscription
    facts: Facts
    registry_id: Input[str]
    """The nonproduction registry, which CI pushes to."""
    ci_vault_id: Input[str]
    run_records_id: Input[str]
    """Of the collection rule that takes the records of runs."""


class GitHubHome(ComponentResource):
    """What delivery has once."""

    home: Repositories

    def __init__(self, name: str, args: GitHubHomeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:DeliveryHome", name, None, opts)
        own = ResourceOptions(parent=self)
        platform = GuardedRepository("platform", args.platform, own)
        application = GuardedRepository("application", args.application, own)
        number = args.application_id if application.id is None else application.id
        self.home = Repositories(
            args.owner,
            application.name,
            platform.name,
            subject(args.owner, application.name, args.owner_id, number),
        )
        ci = DeliveryNames.CI_CONNECTION
        known = variables(args.facts)
        environment = GuardedEnvironment(
            "ci-environment",
            GuardedEnvironmentArgs(
                self.home,
                ci,
                Rules(),
                {**{fact.upper(): known[fact.upper()] for fact in CI_READS}, **sign_in(args.subscription)},
            ),
            own,
        )
        identity = WorkflowIdentity(
            "ci",
            args.place,
            rights.ci(registry_id=args.registry_id, vault_id=args.ci_vault_id, run_records_id=args.run_records_id),
            environment.subject,
            ci,
            own,
        )
        environment.tell(client_id("ci"), identity.client_id)
        self.register_outputs({"application": application.name, "platform": platform.name})

    @property
    def told(self) -> dict[str, Input[str]]:
        """The facts of the contract."""
        return {
            "owner": self.home.owner,
            "application": self.home.application,
            "platform": self.home.platform,
            "subject": self.home.subject,
        }
