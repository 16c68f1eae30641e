"""Before the delivery system: its state, and who plans and applies its infrastructure.

The first run knows no environment and makes what state needs. Later ones name those that are up: what a pipeline may do
there can be granted once it is there, and the project that the pipelines live in is made by one of them.
"""

import sys
from pathlib import Path
from typing import Any

# The engine starts this directory, so that Python would look for modules in it and not beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_azure_native import Provider
from pulumi_azure_native.resources import ResourceGroup
from pulumi_azuredevops import Provider as DevOpsProvider

from bootstrap.delivery import (
    InfrastructureEnvironment,
    InfrastructureEnvironmentArgs,
    Pipelines,
    PipelinesArgs,
    Project,
)
from bootstrap.reading import asked_of, facts, reach, told_by
from bootstrap.settings import load
from bootstrap.store import StateStore, StateStoreArgs
from components import naming
from components.delivery.identity import Subscription
from components.observability.logs import Logs, LogsArgs
from components.placement import Placement
from components.protection import Locks, LocksArgs

wanted = load()
own = wanted.bootstrap

azure = Provider("azure", subscription_id=own.azure.subscription_id, tenant_id=own.azure.tenant_id)
inside = ResourceOptions(providers=[azure])
tags = naming.tags(own.workload, own.names.environment, "shared", own.tags)
group = ResourceGroup(
    "bootstrap",
    resource_group_name=own.names.resource_group,
    location=own.azure.location,
    tags=tags,
    opts=ResourceOptions(provider=azure, protect=True),
)
place = Placement(own.names, group.name, own.azure.location, tags, protect=True)
logs = Logs("logs", LogsArgs(place, **own.logs.model_dump()), inside)

# Where state lies, and what seals the secrets in it.
store = StateStore(
    "store",
    StateStoreArgs(
        place,
        tenant_id=own.azure.tenant_id,
        logs=logs,
        administrators=own.administrators,
        restricted=own.state.access == "restricted",
        allowed_ranges=own.state.allowed_ranges,
        recovery_days=own.state.recovery_days,
        redundancy=own.state.redundancy,
    ),
    inside,
)
parts: list[pulumi.Resource] = [logs, store]

# The environments that are up: who plans and applies each, and the pipelines that do.
asked: dict[str, Output[dict[str, Any]]] = {}
if wanted.home:
    home = wanted.home
    devops = DevOpsProvider("azure-devops", org_service_url=home.delivery.organization)
    both = ResourceOptions(providers=[azure, devops])
    told = {key: told_by(key) for key in wanted.environments}
    delivery = told[home.stack].delivery
    project = Project(delivery.project_id, delivery.project_name, delivery.repositories["platform"])
    subscription = Subscription(own.azure.tenant_id, own.azure.subscription_id, own.azure.subscription_id)
    pipelines = Pipelines("pipelines", PipelinesArgs(place, project, subscription, facts(store), own.approvers), both)
    parts.append(pipelines)
    for key, environment in wanted.environments.items():
        made = InfrastructureEnvironment(
            key,
            InfrastructureEnvironmentArgs(
                place,
                project,
                pipelines,
                reach(environment, told),
                store.store,
                Subscription(
                    environment.azure.tenant_id,
                    environment.azure.subscription_id,
                    environment.azure.subscription_name or environment.azure.subscription_id,
                ),
                gates=environment.gates,
                approved=environment.production or environment is home,
                agent_pool=environment.planned_names.agent_pool if environment.agents.kind == "managed" else None,
            ),
            both,
        )
        parts.append(made)
        if others := asked_of(environment, made.applies):
            asked[key] = others

# Nobody deletes what holds state; the locks come last and go first.
if own.state.locked:
    scopes = {"state": store.account_id, "key-vault": store.vault_id}
    Locks("locks", LocksArgs(own.names, scopes, after=parts), inside)

pulumi.export("backend", store.backend)
pulumi.export("secretsProvider", store.secrets_provider)
if asked:
    pulumi.export("askedOfOthers", asked)
