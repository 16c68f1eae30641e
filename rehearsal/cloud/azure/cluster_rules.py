"""What can be said of a cluster from its inputs alone, apart from its network: see `cluster_network`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure import cluster_network
from rehearsal.cloud.azure.cluster_network import OVERLAY_NAME, is_overlay
from rehearsal.cloud.azure.pool_rules import check_pool, check_version, order_of
from rehearsal.cloud.kinds import Request, refuse_unless
from rehearsal.cloud.names import check_name

_DNS_PREFIX: Final = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?$")


def _names(request: Request) -> None:
    prefix = request.get("dnsPrefix")
    refuse_unless(
        request.given("dnsPrefix") or request.given("fqdnSubdomain"),
        "InvalidParameter",
        f"Cluster {request.name}: dnsPrefix or fqdnSubdomain is required.",
    )
    refuse_unless(
        prefix is None or _DNS_PREFIX.match(prefix) is not None,
        "InvalidParameter",
        f"Cluster {request.name}: dnsPrefix '{prefix}' must have 1 to 54 letters, digits or '-', no '-' at an end.",
    )
    group = request.get("nodeResourceGroup", "")
    longest = OVERLAY_NAME if is_overlay(request) else 80
    refuse_unless(
        len(group) <= longest,
        "InvalidParameter",
        f"Cluster {request.name}: nodeResourceGroup has {len(group)} characters; allowed are {longest}"
        f"{' with an overlay network' if longest == OVERLAY_NAME else ''}.",
    )


def _versions(request: Request) -> None:
    version = request.get("kubernetesVersion")
    if version is None:
        return
    check_version(version, f"Cluster {request.name}")
    for pool in request.blocks("agentPoolProfiles"):
        own = pool.get("orchestratorVersion")
        refuse_unless(
            not isinstance(own, str) or order_of(own) <= order_of(version),
            "NodePoolMcVersionIncompatible",
            f"Pool {pool.get('name')}: version {own} is newer than the control plane's {version}.",
        )


def _tier(request: Request) -> None:
    refuse_unless(
        request.may_be("sku.tier", None, "Free", "Standard", "Premium")
        and request.may_be("sku.name", None, "Base", "Automatic"),
        "InvalidParameter",
        f"Cluster {request.name}: sku {request.get('sku')} is not name Base or Automatic with tier Free, "
        "Standard, Premium.",
    )
    refuse_unless(
        request.get("supportPlan") != "AKSLongTermSupport" or request.may_be("sku.tier", "Premium"),
        "BadRequest",
        f"Cluster {request.name}: supportPlan AKSLongTermSupport needs sku tier Premium.",
    )


def _pools(request: Request) -> None:
    names: list[object] = []
    listed = request.get("agentPoolProfiles", ())
    system = not listed or UNKNOWN in listed
    for pool in request.blocks("agentPoolProfiles"):
        name = pool.get("name")
        if isinstance(name, str):
            check_name("Microsoft.ContainerService/managedClusters/agentPools", name)
        refuse_unless(name not in names, "InvalidParameter", f"Cluster {request.name}: two pools are named {name}.")
        names.append(name)
        check_pool(pool, f"Pool {name} of {request.name}")
        system = system or pool.get("mode") not in ("User", "Gateway")
    refuse_unless(
        request.given("agentPoolProfiles") or request.old is not None,
        "InvalidParameter",
        f"Cluster {request.name}: agentPoolProfiles is required.",
    )
    refuse_unless(system, "InvalidParameter", f"Cluster {request.name}: at least one pool must have mode System.")


def _sign_in(request: Request) -> None:
    refuse_unless(
        request.get("disableLocalAccounts") is not True or request.given("aadProfile"),
        "BadRequest",
        f"Cluster {request.name}: disableLocalAccounts needs an aadProfile, or nobody can sign in.",
    )
    if request.get("aadProfile.enableAzureRBAC") is True:
        refuse_unless(
            request.may_be("aadProfile.managed", True) and request.may_be("enableRBAC", True, None),
            "BadRequest",
            f"Cluster {request.name}: enableAzureRBAC needs a managed aadProfile and enableRBAC.",
        )
    tenant = request.get("aadProfile.tenantID")
    refuse_unless(
        tenant is None or tenant.lower() == request.world.estate.tenant_id.lower(),
        "BadRequest",
        f"Cluster {request.name}: aadProfile.tenantID '{tenant}' is not the tenant of the subscription.",
    )
    refuse_unless(
        request.get("securityProfile.workloadIdentity.enabled") is not True
        or request.may_be("oidcIssuerProfile.enabled", True),
        "BadRequest",
        f"Cluster {request.name}: workload identity needs oidcIssuerProfile.enabled.",
    )


def _identity(request: Request) -> None:
    kind = request.get("identity.type")
    refuse_unless(
        request.given("identity") or request.given("servicePrincipalProfile"),
        "InvalidParameter",
        f"Cluster {request.name}: identity is required.",
    )
    if kind == "UserAssigned":
        listed = request.get("identity.userAssignedIdentities")
        refuse_unless(
            listed is None or len(listed) == 1,
            "InvalidParameter",
            f"Cluster {request.name}: identity type UserAssigned takes exactly one identity.",
        )
        refuse_unless(
            request.given("identity.userAssignedIdentities"),
            "InvalidParameter",
            f"Cluster {request.name}: identity type UserAssigned names no identity.",
        )
    refuse_unless(
        not request.given("identityProfile.kubeletidentity") or request.may_be("identity.type", "UserAssigned"),
        "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
        f"Cluster {request.name}: a kubelet identity of one's own needs a user-assigned control-plane identity.",
    )


def _security(request: Request) -> None:
    defender = "securityProfile.defender"
    refuse_unless(
        request.get(f"{defender}.securityMonitoring.enabled") is not True
        or request.given(f"{defender}.logAnalyticsWorkspaceResourceId"),
        "InvalidParameter",
        f"Cluster {request.name}: Defender needs logAnalyticsWorkspaceResourceId.",
    )
    hours = request.get("securityProfile.imageCleaner.intervalHours", 168)
    refuse_unless(
        24 <= hours <= 2160,
        "InvalidParameter",
        f"Cluster {request.name}: imageCleaner.intervalHours is {hours}; allowed are 24 to 2160.",
    )
    for name in request.get("addonProfiles", {}):
        for key, value in request.get(f"addonProfiles.{name}.config", {}).items():
            refuse_unless(
                not isinstance(value, (bool, int, float)),
                "InvalidRequestContent",
                f"Cluster {request.name}: addonProfiles.{name}.config.{key} must be a string, not {value!r}.",
            )


def _upgrades(request: Request) -> None:
    channel = request.get("autoUpgradeProfile.upgradeChannel", "none")
    node = request.get("autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage")
    refuse_unless(
        channel in ("rapid", "stable", "patch", "node-image", "none"),
        "InvalidParameter",
        f"Cluster {request.name}: upgradeChannel '{channel}' is not valid.",
    )
    refuse_unless(
        node in ("None", "Unmanaged", "NodeImage", "SecurityPatch"),
        "InvalidParameter",
        f"Cluster {request.name}: nodeOSUpgradeChannel '{node}' is not valid.",
    )
    refuse_unless(
        channel != "node-image" or node == "NodeImage",
        "InvalidParameter",
        f"Cluster {request.name}: upgradeChannel node-image needs nodeOSUpgradeChannel NodeImage.",
    )


SHAPE: Final[tuple[Callable[[Request], Any], ...]] = (
    _names,
    _versions,
    _tier,
    _pools,
    *cluster_network.SHAPE,
    _sign_in,
    _identity,
    _security,
    _upgrades,
)
