"""Management locks: what they forbid. A lock itself may always be removed."""

from __future__ import annotations

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.world import World

LOCK = "azure-native:authorization:ManagementLockByScope"


def check_locks(world: World, id: str, *, deleting: bool) -> None:
    """Refuses a delete under any lock, and a write under a ReadOnly lock.

    A lock below what is deleted counts too: a group with a locked resource in it stays.
    """
    target = world.find(id)
    if target is not None and target.type_ == LOCK:
        return
    for lock in world.of_type(LOCK):
        scope = str(lock.inputs["scope"])
        covers = arm.within(id, scope) or (deleting and arm.within(scope, id))
        if covers and (deleting or lock.inputs["level"] == "ReadOnly"):
            verb = "delete" if deleting else "write"
            raise CloudError(
                "ScopeLocked",
                f"The scope '{id}' cannot perform {verb} operation because following scope(s) are locked: "
                f"'{scope}'. Please remove the lock and try again.",
            )
