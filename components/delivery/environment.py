"""An environment of Azure Pipelines, the gates before it, and the facts that a release needs at run time.

The environment records what was deployed when, and carries the gates. The variable group carries facts, none of them
secret: names and addresses that are known only once the cloud has them. Names that YAML can derive by itself are not
among them (`components.naming.DeliveryNames`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azuredevops import Environment, VariableGroup, VariableGroupVariableArgs
from pydantic.alias_generators import to_camel

from components.delivery.approvers import Approvers
from components.delivery.authorization import authorize
from components.delivery.checks import ChecksArgs, gate
from components.naming import DeliveryNames


@dataclass(frozen=True)
class Facts:
    """What a release needs to know about an environment and cannot derive. A variable is its field, in camelCase."""

    registry_login_server: Input[str]
    """Where the environment's cluster pulls from."""
    registry_id: Input[str]
    cluster_name: Input[str]
    resource_group: Input[str]
    namespace: Input[str]
    service_account: Input[str]
    workload_vault_uri: Input[str]
    log_workspace_id: Input[str]
    metrics_query_endpoint: Input[str]
    run_records_endpoint: Input[str]
    run_records_rule: Input[str]
    """Immutable id of the collection rule."""
    grafana_endpoint: Input[str]
    source_registry_id: Input[str] | None = None
    """Where images are promoted from."""
    source_login_server: Input[str] | None = None
    ci_vault_name: Input[str] | None = None
    """Only where delivery lives."""
    signing_certificates: Input[str] | None = None
    """Certificates that signatures may be made with, PEM in base64; only where images are signed."""
    signing_subject: Input[str] | None = None
    """What such a certificate must be issued to."""
    signing_key: Input[str] | None = None
    """URL of the key and its version, which the first of the certificates is for; only where delivery lives."""
    agent_pool: Input[str] | None = None
    """Only with managed agents."""


def facts_by_field(facts: Facts) -> dict[str, Input[str]]:
    """The facts that there are, by field."""
    known = {each.name: getattr(facts, each.name) for each in fields(facts)}
    return {name: value for name, value in sorted(known.items()) if value is not None}


def variables(facts: Facts) -> dict[str, Input[str]]:
    """Name and value of each variable of the group, by name."""
    return {to_camel(name): value for name, value in facts_by_field(facts).items()}


@dataclass(frozen=True)
class GatedEnvironmentArgs:
    names: DeliveryNames
    checks: ChecksArgs
    """What stands before the environment; names the project too."""
    facts: Facts
    pipelines: Mapping[str, Input[int]]
    """Who may deploy to it and read its facts: name to id."""
    readers: Mapping[str, Input[int]] = field(default_factory=dict)
    """Who else may read its facts."""
    approvers: Approvers | None = None
    protect: bool = False
    """Production: Pulumi refuses to delete the environment, and with it the record of what was deployed."""


class GatedEnvironment(ComponentResource):
    """One environment with its gates and facts."""

    id: Output[str]

    def __init__(self, name: str, args: GatedEnvironmentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:GatedEnvironment", name, None, opts)
        project_id = args.checks.project_id
        environment = Environment(
            "environment",
            project_id=project_id,
            name=args.names.environment,
            description="What was deployed here, and the gates before it.",
            opts=ResourceOptions(parent=self, protect=args.protect),
        )
        gates = gate("environment", "environment", environment.id, args.checks, self)
        if args.approvers:
            gates.append(args.approvers.may_see("environment", "environment", environment.id, self))
        authorize(
            "environment",
            "environment",
            environment.id,
            args.pipelines,
            project_id=project_id,
            parent=self,
            after=gates,
        )
        group = VariableGroup(
            "facts",
            project_id=project_id,
            name=args.names.variable_group,
            description="Facts about the environment. None is secret; the program overwrites what is changed by hand.",
            allow_access=False,
            variables=[
                VariableGroupVariableArgs(name=key, value=value) for key, value in variables(args.facts).items()
            ],
            opts=ResourceOptions(parent=self),
        )
        readers = {**args.pipelines, **args.readers}
        authorize("facts", "variablegroup", group.id, readers, project_id=project_id, parent=self)
        self.id = environment.id
        self.register_outputs({"id": self.id})
