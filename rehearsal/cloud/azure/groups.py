"""Resource groups and management locks."""

from __future__ import annotations

from typing import Any, Final

from rehearsal.cloud.kinds import Kind, Request, refuse_unless


def _group(request: Request) -> dict[str, Any]:
    return {"properties": {"provisioningState": "Succeeded"}}


def _lock_level(request: Request) -> None:
    level = request.get("level", "CanNotDelete")
    refuse_unless(
        level in ("CanNotDelete", "ReadOnly"),
        "InvalidLockLevel",
        f"The lock level '{level}' is not valid; allowed are CanNotDelete and ReadOnly.",
    )


KINDS: Final = (
    Kind(
        token="azure-native:resources:ResourceGroup",
        arm_type="Microsoft.Resources/resourceGroups",
        path=("resourceGroupName",),
        compute=_group,
    ),
    Kind(
        token="azure-native:authorization:ManagementLockByScope",
        arm_type="Microsoft.Authorization/locks",
        path=("lockName",),
        scope="scope",
        located=False,
        required=("level",),
        shape=(_lock_level,),
    ),
)
