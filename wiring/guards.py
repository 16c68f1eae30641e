"""What Defender for Cloud is told, and what nobody may delete."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi import Input, Resource
from pulumi_azure_native.resources import ResourceGroup

from components.defender import DefenderArgs
from components.observability.logs import Logs
from components.placement import Placement
from components.protection import LocksArgs
from settings import Settings
from wiring.made import Made


def defender(settings: Settings, place: Placement, group: ResourceGroup, logs: Logs) -> DefenderArgs:
    return DefenderArgs(
        place,
        subscription_id=settings.azure.subscription_id,
        owns_plans=settings.defender.plans == "managed",
        contacts=settings.defender.contacts,
        contact_is_there=settings.generation > 1,
        resource_group_id=group.id,
        workspace_id=logs.workspace_id,
        workspace_location=logs.location,
        own_workspace=settings.logs.workspace_id is None,
    )


def locks(settings: Settings, place: Placement, made: Made, after: Sequence[Resource | None]) -> LocksArgs:
    """Holders of state of the environment's own; an existing workspace is its owner's to guard."""
    guarded: dict[str, Input[str]] = {"workload-vault": made.workload_vault.id}
    if made.registry:
        guarded["registry"] = made.registry.id
    if not settings.logs.workspace_id:
        guarded["log-workspace"] = made.logs.workspace_id
    return LocksArgs(place.names, guarded, after=[part for part in after if part])
