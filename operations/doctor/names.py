"""Names that must be free: those that are unique in all of Azure, and those that what was deleted still holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry.models import RegistryNameCheckRequest
from azure.mgmt.keyvault.models import VaultCheckNameAvailabilityParameters

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.doctor.register import DOCTOR


@dataclass(frozen=True)
class Taken:
    """What stands in the way of a name."""

    name: str
    what: str
    """vault, registry or workspace."""
    deleted: bool
    """Soft-deleted, and therefore still there."""


@DOCTOR("names", "no soft-deleted vault or workspace, and nobody else, holds a name that is planned", LOGIN)
def names(place: Place) -> Judged:
    return judge_names([*_taken(place)])


def _taken(place: Place) -> Iterator[Taken]:
    settings, clouds, planned = place.settings, place.clouds, place.settings.planned_names
    group = f"/subscriptions/{settings.azure.subscription_id}/resourceGroups/{planned.resource_group}/providers"
    for vault in [planned.workload_vault, *([planned.ci_vault] if settings.vaults.ci else [])]:
        answer = clouds.vaults.vaults.check_name_availability(VaultCheckNameAvailabilityParameters(name=vault))
        if not answer.name_available and not clouds.resource(
            f"{group}/Microsoft.KeyVault/vaults/{vault}", "2023-07-01"
        ):
            yield Taken(vault, "vault", _deleted(place, vault))
    if settings.registry:
        request = RegistryNameCheckRequest(name=planned.registry, type="Microsoft.ContainerRegistry/registries")
        own = f"{group}/Microsoft.ContainerRegistry/registries/{planned.registry}"
        if not clouds.registries.registries.check_name_availability(request).name_available and not clouds.resource(
            own, "2023-07-01"
        ):
            yield Taken(planned.registry, "registry", deleted=False)
    if not settings.logs.workspace_id:
        for each in clouds.workspaces.deleted_workspaces.list():
            if (
                str(each.name).lower() == planned.workspace.lower()
                and f"/{planned.resource_group}/".lower() in str(each.id).lower()
            ):
                yield Taken(planned.workspace, "workspace", deleted=True)


def _deleted(place: Place, vault: str) -> bool:
    try:
        place.clouds.vaults.vaults.get_deleted(vault, place.settings.azure.location)
    except HttpResponseError as error:
        if error.status_code == 404:
            return False
        raise
    return True


def judge_names(taken: Sequence[Taken]) -> Iterator[Amiss]:
    for each in taken:
        if each.what == "workspace":
            yield Amiss(
                f"a deleted workspace {each.name} would come back with its old rows",
                "wait two weeks, or raise generation if that is not wanted",
            )
        elif each.deleted:
            yield Amiss(
                f"a soft-deleted vault still holds the name {each.name}",
                "raise generation; az keyvault recover brings the old one back instead",
            )
        else:
            yield Amiss(f"somebody else holds the name {each.name} ({each.what})", "set another one in names")
