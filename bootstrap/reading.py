"""What the settings of an environment, and what its stack tells, mean for the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi import Input, Output, StackReference, get_organization

from bootstrap import rights
from bootstrap.rights import Reach
from bootstrap.store import StateStore
from contract import OUTPUT, Contract, understood
from settings import PROJECT, Settings


def reach(environment: Settings, told: Mapping[str, Output[Contract]]) -> Reach:
    """What the infrastructure of an environment reaches; `told` are the contracts of all that are up."""
    stacks = environment.stacks
    return Reach(
        environment.stack,
        PROJECT,
        f"/subscriptions/{environment.azure.subscription_id}/resourceGroups/{environment.planned_names.resource_group}",
        environment.production,
        environment.defender_plans_of,
        promotes_from=told[stacks.promotes_from].registry.id if stacks.promotes_from else None,
        borrows_from=told[stacks.registry].registry.id if stacks.registry else None,
    )


def told_by(stack: str) -> Output[Contract]:
    """The contract of an environment that is up, in the same backend."""
    reference = StackReference(f"{get_organization()}/{PROJECT}/{stack}")
    return reference.get_output(OUTPUT).apply(lambda found: understood(stack, found))


def asked_of(environment: Settings, applies: Output[str]) -> Output[dict[str, Any]] | None:
    """What owners of the estate grant to the principal that applies the environment; None where it needs nothing."""
    grants = rights.asked(environment.existing.resource_ids, environment.network.private_dns_zones.api_server)
    return applies.apply(lambda principal: {"principal": principal, "grants": grants}) if grants else None


def facts(store: StateStore) -> dict[str, Input[str]]:
    """What runs of the pipelines must know and cannot derive."""
    return {"stateBackend": store.backend}
