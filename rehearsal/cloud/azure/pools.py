"""Node pools of their own, and the windows in which AKS may maintain a cluster."""

from __future__ import annotations

import re
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.azure.cluster import POOL_FIXED, TYPE, patched
from rehearsal.cloud.azure.cluster_world import check_node_subnet, check_room
from rehearsal.cloud.azure.pool_rules import check_pool, order_of
from rehearsal.cloud.kinds import Kind, Request, refuse_unless

AGENT_POOL: Final = "azure-native:containerservice:AgentPool"
_SCHEDULES: Final = ("daily", "weekly", "absoluteMonthly", "relativeMonthly")


def _pool_is_valid(request: Request) -> None:
    check_pool(request.inputs, f"Pool {request.name}")


def _pool_fits_the_cluster(request: Request) -> None:
    cluster = request.world.find(arm.parent_of(request.id))
    if cluster is None:
        return
    inline = [pool for pool in cluster.inputs.get("agentPoolProfiles") or [] if isinstance(pool, dict)]
    theirs = {arm.parent_of(str(pool["vnetSubnetID"])).lower() for pool in inline if pool.get("vnetSubnetID")}
    subnet = request.get("vnetSubnetID")
    mine = {arm.parent_of(subnet).lower()} if subnet else set()
    refuse_unless(
        mine == theirs,
        "InvalidParameter",
        f"Pool {request.name}: its subnet must lie in the network of {cluster.id}, "
        f"{', '.join(sorted(theirs)) or 'a managed one'}.",
    )
    version = request.get("orchestratorVersion")
    current = str(cluster.outputs["currentKubernetesVersion"])
    refuse_unless(
        version is None or order_of(version) <= order_of(current),
        "NodePoolMcVersionIncompatible",
        f"Pool {request.name}: version {version} is newer than the control plane's {current}.",
    )
    if subnet:
        check_node_subnet(request, subnet)
        overlay = (cluster.inputs.get("networkProfile") or {}).get("networkPluginMode") == "overlay"
        check_room(request, request.inputs, overlay=overlay)


def _pool(request: Request) -> dict[str, Any]:
    cluster = request.world.find(arm.parent_of(request.id))
    current = cluster.outputs.get("currentKubernetesVersion") if cluster is not None else None
    return {
        "currentOrchestratorVersion": patched(request.get("orchestratorVersion") or current),
        "nodeImageVersion": f"AKS{request.get('osSKU', 'Ubuntu')}-202601.01.0",
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        # The API's `type` of a pool is the sort of its scale set, not its ARM type.
        "type": request.get("type", "VirtualMachineScaleSets"),
    }


def _window_is_valid(request: Request) -> None:
    if request.name == "default":
        refuse_unless(
            request.given("timeInWeek") or request.given("notAllowedTime") or request.given("maintenanceWindow"),
            "InvalidParameter",
            "Maintenance configuration default needs timeInWeek or maintenanceWindow.",
        )
    else:
        refuse_unless(
            request.given("maintenanceWindow") and not request.given("timeInWeek"),
            "InvalidParameter",
            f"Maintenance configuration {request.name} needs maintenanceWindow, and no timeInWeek.",
        )
    window = "maintenanceWindow"
    hours = request.get(f"{window}.durationHours")
    refuse_unless(
        hours is None or 4 <= hours <= 24,
        "InvalidParameter",
        f"{request.name}: durationHours is {hours}; allowed are 4 to 24.",
    )
    start = request.get(f"{window}.startTime", "00:00")
    refuse_unless(
        re.match(r"^([01]\d|2[0-3]):[0-5]\d$", start) is not None,
        "InvalidParameter",
        f"{request.name}: startTime '{start}' is not HH:MM.",
    )
    offset = request.get(f"{window}.utcOffset", "+00:00")
    refuse_unless(
        re.match(r"^[+-](0\d|1[0-4]):[0-5]\d$", offset) is not None,
        "InvalidParameter",
        f"{request.name}: utcOffset '{offset}' is not ±HH:MM.",
    )
    if request.get(f"{window}.schedule") is not None:
        chosen = [key for key in _SCHEDULES if request.given(f"{window}.schedule.{key}")]
        refuse_unless(
            len(chosen) == 1,
            "InvalidParameter",
            f"{request.name}: exactly one schedule is needed, not {chosen}.",
        )
        refuse_unless(
            chosen != ["daily"] or request.name == "aksManagedNodeOSUpgradeSchedule",
            "InvalidParameter",
            f"{request.name}: a daily schedule is for aksManagedNodeOSUpgradeSchedule only.",
        )


KINDS: Final = (
    Kind(
        token=AGENT_POOL,
        arm_type=f"{TYPE}/agentPools",
        path=("resourceName", "agentPoolName"),
        located=False,
        links={"vnetSubnetID": "Microsoft.Network/virtualNetworks/subnets"},
        compute=_pool,
        shape=(_pool_is_valid,),
        world=(_pool_fits_the_cluster,),
        fixed=dict.fromkeys(POOL_FIXED, "PropertyChangeNotAllowed"),
    ),
    Kind(
        token="azure-native:containerservice:MaintenanceConfiguration",
        arm_type=f"{TYPE}/maintenanceConfigurations",
        path=("resourceName", "configName"),
        located=False,
        shape=(_window_is_valid,),
    ),
)
