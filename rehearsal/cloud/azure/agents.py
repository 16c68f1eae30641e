"""Managed agents: the pool that Azure runs for Azure DevOps, and the dev center project that it must belong to."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure.network import delegated_to, prefixes, subnet_of
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.roles import NETWORK_CONTRIBUTOR
from rehearsal.cloud.values import guid, lookup

POOL: Final = "azure-native:devopsinfrastructure:Pool"
_PROJECT: Final = "azuredevops:index/project:Project"
_SERVICE: Final = "Microsoft.DevOpsInfrastructure/pools"
_ORGANIZATION: Final = re.compile(r"https://(dev\.azure\.com/[A-Za-z0-9-]+|[A-Za-z0-9-]+\.visualstudio\.com)/?")
_SPARE: Final = 5
"""Addresses of a subnet that Azure keeps for itself."""
_PERMISSIONS: Final = ("Inherit", "CreatorOnly", "SpecificAccounts")


def _center(request: Request) -> dict[str, Any]:
    return {
        "provisioningState": "Succeeded",
        "devCenterUri": f"https://{guid(request.id)}-{request.name}.devcenter.azure.com/",
    }


def _project(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded"}


def _concurrency(request: Request) -> None:
    agents = request.get("maximumConcurrency", 1)
    refuse_unless(
        isinstance(agents, int) and 1 <= agents <= 10000,
        "InvalidMaximumConcurrency",
        f"maximumConcurrency is {agents}; allowed are 1 to 10000.",
    )


def _organizations(request: Request) -> None:
    kind = "organizationProfile.kind"
    refuse_unless(
        request.may_be(kind, "AzureDevOps"),
        "InvalidOrganizationProfile",
        f"The organization kind '{lookup(request.inputs, kind)}' is not AzureDevOps.",
    )
    path = "organizationProfile.organizations"
    organizations = list(request.blocks(path))
    refuse_unless(
        len(request.get(path, "?")) > 0 and request.given(path),
        "InvalidOrganizationProfile",
        "A pool needs at least one organization.",
    )
    for organization in organizations:
        url = organization.get("url")
        refuse_unless(
            url is UNKNOWN or (isinstance(url, str) and _ORGANIZATION.fullmatch(url) is not None),
            "InvalidOrganizationUrl",
            f"The organization '{url}' is not valid: it is written as https://dev.azure.com/<organization>.",
        )
    shares = [each["parallelism"] for each in organizations if isinstance(each.get("parallelism"), int)]
    agents = request.get("maximumConcurrency")
    refuse_unless(
        agents is None or len(shares) < len(request.get(path, "?")) or sum(shares) == agents,
        "InvalidParallelism",
        f"The parallelism of the organizations adds up to {sum(shares)}; maximumConcurrency is {agents}.",
    )
    refuse_unless(
        request.may_be("organizationProfile.permissionProfile.kind", None, *_PERMISSIONS),
        "InvalidPermissionProfile",
        f"The permission profile's kind is not one of {', '.join(_PERMISSIONS)}.",
    )


def _fabric(request: Request) -> None:
    for path, allowed in (("agentProfile.kind", ("Stateless", "Stateful")), ("fabricProfile.kind", ("Vmss",))):
        refuse_unless(
            request.may_be(path, *allowed),
            "InvalidProfile",
            f"{path} is '{lookup(request.inputs, path)}'; allowed are {', '.join(allowed)}.",
        )
    refuse_unless(request.given("fabricProfile.sku.name"), "InvalidSku", "fabricProfile.sku.name is required.")
    images = "fabricProfile.images"
    refuse_unless(
        len(request.get(images, "?")) > 0 and request.given(images), "InvalidImage", "A pool needs at least one image."
    )
    for image in request.blocks(images):
        refuse_unless(
            bool(image.get("wellKnownImageName")) != bool(image.get("resourceId")),
            "InvalidImage",
            "An image is given either by wellKnownImageName or by resourceId.",
        )


def _subnet(request: Request) -> None:
    id = request.get("fabricProfile.networkProfile.subnetId")
    found = subnet_of(request.world, id) if isinstance(id, str) else None
    if found is None:
        return
    refuse_unless(
        _SERVICE in delegated_to(found),
        "SubnetNotDelegated",
        f"The subnet {id} is not delegated to {_SERVICE}.",
    )
    addresses = sum(ipaddress.ip_network(text).num_addresses for text in prefixes(found))
    needed = request.get("maximumConcurrency", 1) + _SPARE
    refuse_unless(
        addresses >= needed,
        "SubnetTooSmall",
        f"The subnet {id} has {addresses} addresses; {needed} are needed: one for each agent, {_SPARE} of Azure's own.",
    )
    world = request.world
    refuse_unless(
        any(world.granted(principal, id, (NETWORK_CONTRIBUTOR,)) for principal in world.estate.service_principals),
        "SubnetPermissionMissing",
        f"The principal DevOpsInfrastructure of the directory may not join the subnet {id}: it needs Reader and "
        "Network Contributor on the virtual network.",
    )
    for other in request.world.of_type(POOL):
        taken = str(lookup(other.inputs, "fabricProfile.networkProfile.subnetId")).lower() == str(id).lower()
        refuse_unless(
            other.id.lower() == request.id.lower() or not taken,
            "SubnetInUse",
            f"The subnet {id} belongs to the pool {other.id} already; each pool needs one of its own.",
        )


def _projects_exist(request: Request) -> None:
    """Azure DevOps serves the pool to projects by their names; without names, to all of the organisation."""
    known = {found.name.lower() for found in request.world.delivery.values() if found.type_ == _PROJECT}
    for organization in request.blocks("organizationProfile.organizations"):
        for name in organization.get("projects") or ():
            refuse_unless(
                str(name).lower() in known,
                "ProjectNotFound",
                f"The project '{name}' does not exist in the organization {organization.get('url')}.",
            )


KINDS: Final = (
    Kind(
        token="azure-native:devcenter:DevCenter",
        arm_type="Microsoft.DevCenter/devcenters",
        path=("devCenterName",),
        compute=_center,
        in_use="DevCenterInUse",
    ),
    Kind(
        token="azure-native:devcenter:Project",
        arm_type="Microsoft.DevCenter/projects",
        path=("projectName",),
        required=("devCenterId",),
        links={"devCenterId": "Microsoft.DevCenter/devcenters"},
        compute=_project,
        fixed={"devCenterId": "PropertyChangeNotAllowed"},
        in_use="ProjectInUse",
    ),
    Kind(
        token=POOL,
        arm_type=_SERVICE,
        path=("poolName",),
        required=(
            "agentProfile",
            "devCenterProjectResourceId",
            "fabricProfile",
            "maximumConcurrency",
            "organizationProfile",
        ),
        links={
            "devCenterProjectResourceId": "Microsoft.DevCenter/projects",
            "fabricProfile.networkProfile.subnetId": "Microsoft.Network/virtualNetworks/subnets",
        },
        compute=_project,
        shape=(_concurrency, _organizations, _fabric),
        world=(_subnet, _projects_exist),
        name_taken="PoolNameNotAvailable",
    ),
)
