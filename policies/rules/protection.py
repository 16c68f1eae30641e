"""What must not be deleted by mistake: by Pulumi's protection, and by locks of Azure's."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import Resource, Stack
from policies.rule import MANDATORY, on_stack
from policies.rules.cluster import CLUSTER
from policies.rules.gates import ENVIRONMENT
from policies.rules.observability import WORKSPACE
from policies.rules.registry import REGISTRY
from policies.rules.storage import ACCOUNT, CONTAINER, SERVICE
from policies.rules.vault import VAULT

STATE = ("resources:ResourceGroup", REGISTRY, CLUSTER, VAULT, WORKSPACE, "monitor:AzureMonitorWorkspace", ENVIRONMENT)
"""What holds state in production."""
DELIVERY = ("devops:Project", "devops:Git", "devops:BuildDefinition", "github:Repository")
"""What holds history of delivery, wherever it lives."""
STACKS = (ACCOUNT, SERVICE, CONTAINER, "keyvault:Key")
"""What holds the state of stacks, and what seals the secrets in it."""
LOCK = "authorization:ManagementLockByScope"
LOCKED = (REGISTRY, VAULT, WORKSPACE)


@on_stack(
    "state-protected",
    severity=MANDATORY,
    reason="What holds state of production cannot be made again.",
    remedy="Set protect.",
)
def state_of_production_is_protected(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for one in stack.of(*STATE) if stack.production else ():
        if not one.protect:
            yield one, "Pulumi would delete or replace it"


@on_stack(
    "delivery-protected",
    severity=MANDATORY,
    reason="With project, repository or pipeline would go history, gates and the record of every run.",
    remedy="Set protect.",
)
def history_of_delivery_is_protected(stack: Stack) -> Iterator[tuple[Resource, str]]:
    yield from ((one, "Pulumi would delete or replace it") for one in stack.of(*DELIVERY) if not one.protect)


@on_stack(
    "stacks-protected",
    severity=MANDATORY,
    reason="Without the state of a stack nobody can change it, and without its key nobody can read its secrets.",
    remedy="Set protect.",
)
def state_of_stacks_is_protected(stack: Stack) -> Iterator[tuple[Resource, str]]:
    yield from ((one, "Pulumi would delete or replace it") for one in stack.of(*STACKS) if not one.protect)


@on_stack(
    "delete-lock",
    severity=MANDATORY,
    reason="A lock stops those too who do not come by way of Pulumi.",
    remedy="Declare a lock CanNotDelete on it.",
)
def production_is_locked(stack: Stack) -> Iterator[tuple[Resource, str]]:
    locked = {
        one.urn
        for lock in stack.of(LOCK)
        if lock.get("level") in ("CanNotDelete", "ReadOnly")
        if (one := stack.linked(lock, "scope", *LOCKED))
    }
    for one in stack.of(*LOCKED) if stack.production else ():
        if one.urn not in locked:
            yield one, "anybody with the rights could delete it"


@on_stack(
    "locks-last",
    severity=MANDATORY,
    reason="A lock also refuses to delete what hangs on the locked resource; as the last one in, it is the first out.",
    remedy="Let the lock depend on every component.",
)
def locks_come_last(stack: Stack) -> Iterator[tuple[Resource, str]]:
    others = {one.urn: one for one in stack.resources if one.type.startswith("azure-native:") and one.kind != LOCK}
    for lock in stack.of(LOCK):
        early = sorted(others[urn].name for urn in others.keys() - stack.before(lock))
        if early:
            more = f" and {len(early) - 3} others" if len(early) > 3 else ""
            yield lock, f"it does not wait for {', '.join(early[:3])}{more}"
