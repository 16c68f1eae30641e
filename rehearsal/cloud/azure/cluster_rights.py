"""The rights that a cluster's control plane must hold before the cluster is made.

AKS checks them once, at creation. A system-assigned identity is not judged: it does not exist before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rehearsal.cloud import arm, roles
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Request, refuse_unless


def pool_subnets(request: Request) -> list[str]:
    found = [pool.get("vnetSubnetID") for pool in request.blocks("agentPoolProfiles")]
    return [value for value in found if isinstance(value, str)]


def control_plane(request: Request) -> str | None:
    """The principal of a user-assigned control plane, when that identity was made here."""
    for identity in request.texts("identity.userAssignedIdentities"):
        found = request.world.find(identity)
        if found is not None:
            return str(found.outputs.get("principalId"))
    return None


def _network_rights(request: Request) -> None:
    principal = control_plane(request)
    api_server = request.get("apiServerAccessProfile.subnetId")
    for subnet in (*pool_subnets(request), *([api_server] if api_server else [])) if principal else ():
        refuse_unless(
            request.world.granted(str(principal), subnet, [roles.NETWORK_CONTRIBUTOR]),
            "LinkedAuthorizationFailed",
            f"Cluster {request.name}: identity {principal} lacks Network Contributor on {subnet} or above "
            "(Microsoft.Network/virtualNetworks/subnets/join/action).",
        )


def _kubelet_rights(request: Request) -> None:
    kubelet = request.get("identityProfile.kubeletidentity.resourceId")
    principal = control_plane(request)
    if kubelet is None or principal is None:
        return
    refuse_unless(
        request.world.granted(principal, kubelet, [roles.MANAGED_IDENTITY_OPERATOR]),
        "CustomKubeletIdentityMissingPermissionError",
        f"Cluster {request.name}: identity {principal} lacks Managed Identity Operator on {kubelet}.",
    )
    found = request.world.find(kubelet)
    for key, output in (("clientId", "clientId"), ("objectId", "principalId")):
        stated = request.get(f"identityProfile.kubeletidentity.{key}")
        refuse_unless(
            found is None or stated is None or stated == found.outputs.get(output),
            "InvalidParameter",
            f"Cluster {request.name}: identityProfile.kubeletidentity.{key} is not that of {kubelet}.",
        )


def _private_zone(request: Request) -> None:
    zone = request.get("apiServerAccessProfile.privateDNSZone")
    if zone is None or not arm.is_id(zone):
        refuse_unless(
            zone is None or zone in ("system", "none"),
            "InvalidParameter",
            f"Cluster {request.name}: privateDNSZone '{zone}' is not 'system', 'none' or the id of a zone.",
        )
        return
    region = str(request.get("location", "")).lower().replace(" ", "")
    suffix = f"privatelink.{region}.azmk8s.io"
    name = arm.name_of(zone).lower()
    refuse_unless(
        name == suffix or name.endswith(f".{suffix}"),
        "InvalidPrivateDNSZone",
        f"Cluster {request.name}: the private zone must be named {suffix} or lie under it, not {name}.",
    )
    principal = control_plane(request)
    if principal is None:
        raise CloudError(
            "CustomPrivateDNSZoneMissingPermissionError",
            f"Cluster {request.name}: a zone of one's own needs a user-assigned control-plane identity.",
        )
    networks = {arm.parent_of(subnet) for subnet in pool_subnets(request)}
    for scope, role in (
        (zone, roles.PRIVATE_DNS_ZONE_CONTRIBUTOR),
        *((vnet, roles.NETWORK_CONTRIBUTOR) for vnet in networks),
    ):
        refuse_unless(
            request.world.granted(principal, scope, [role]),
            "CustomPrivateDNSZoneMissingPermissionError",
            f"Cluster {request.name}: identity {principal} lacks {roles.ROLES[role]} on {scope}.",
        )


RULES: Final[tuple[Callable[[Request], Any], ...]] = (_network_rights, _kubelet_rights, _private_zone)


def check_rights(request: Request) -> None:
    if request.old is None:
        for rule in RULES:
            rule(request)
