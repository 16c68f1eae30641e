"""The cluster: zones, pools, disks, service level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from components import regions
from validation.checking import check, pools, problem
from validation.problems import Problem

if TYPE_CHECKING:
    from settings import Azure, Cluster, Monitoring, Registry


@check
def zones_exist_in_the_region(azure: Azure, cluster: Cluster, registry: Registry | None) -> Iterator[Problem]:
    if azure.location in regions.WITH_ZONES:
        return
    mend = "remove it, or choose a region with zones, such as westeurope or swedencentral"
    if cluster.zones:
        yield problem("cluster.zones", cluster.zones, f"empty: {azure.location} has no availability zones", mend)
    if registry and registry.zone_redundant:
        yield problem("registry.zoneRedundant", True, f"false: {azure.location} has no availability zones", mend)


@check
def grafanas_zones_exist_in_its_region(azure: Azure, monitoring: Monitoring) -> Iterator[Problem]:
    location = monitoring.metrics_location or azure.location
    if monitoring.grafana.zone_redundant and location not in regions.WITH_ZONES:
        yield problem(
            "monitoring.grafana.zoneRedundant",
            True,
            f"false: {location} has no availability zones",
            "remove it, or set monitoring.metricsLocation to a region with zones",
        )


@check
def zones_are_named_once(cluster: Cluster) -> Iterator[Problem]:
    if len(set(cluster.zones)) != len(cluster.zones):
        yield problem("cluster.zones", cluster.zones, "each zone once", "remove the repetition")


@check
def pools_can_hold_what_they_must(tier: str, cluster: Cluster) -> Iterator[Problem]:
    for key, pool in pools(cluster):
        if pool.min_nodes > pool.max_nodes:
            yield problem(
                f"{key}.minNodes",
                pool.min_nodes,
                f"at most maxNodes ({pool.max_nodes})",
                "lower it or raise maxNodes",
            )
        if tier == "production" and pool.min_nodes < 2:
            yield problem(
                f"{key}.minNodes",
                pool.min_nodes,
                "2 or more in production",
                "raise it: one node is no redundancy",
            )


@check
def ephemeral_disks_fit_their_size(cluster: Cluster) -> Iterator[Problem]:
    for key, pool in pools(cluster):
        room = local_disk_gb(pool.vm_size)
        if pool.os_disk == "ephemeral" and not room:
            yield problem(
                f"{key}.osDisk",
                pool.os_disk,
                f"managed with the size {pool.vm_size}: its name tells of no local disk",
                "set osDisk to managed, or choose a size with a local disk (a `d` in its name)",
            )
        elif pool.os_disk == "ephemeral" and room < pool.os_disk_gb:
            yield problem(
                f"{key}.osDiskGb",
                pool.os_disk_gb,
                f"at most {room} with an ephemeral disk: what {pool.vm_size} has locally",
                "lower it, choose a size with a larger local disk, or set osDisk to managed",
            )


@check
def production_is_no_experiment(tier: str, cluster: Cluster) -> Iterator[Problem]:
    if tier == "production" and cluster.sku == "Free":
        yield problem(
            "cluster.sku", cluster.sku, "Standard or Premium in production", "use Standard: Free has no service level"
        )
    if tier == "production" and cluster.run_command:
        yield problem(
            "cluster.runCommand",
            True,
            "false in production",
            "remove it: run command lets whoever holds an Azure role act inside a closed cluster",
        )


@check
def authorized_ranges_need_a_public_api_server(cluster: Cluster) -> Iterator[Problem]:
    if cluster.access == "private" and cluster.authorized_ranges:
        yield problem(
            "cluster.authorizedRanges",
            cluster.authorized_ranges,
            "empty with aks-cicd:cluster.access private",
            "remove them: they do not apply to a private end point",
        )


def local_disk_gb(vm_size: str) -> int:
    """What a VM size holds on its local disk, in GiB, as far as its name tells.

    Sizes with a `d` among their features have a local disk; the D, E and F families of versions 2 to 5 have 37.5 GiB
    for each virtual CPU. Of other families only whether there is a disk is told, and Azure judges the size.
    """
    found = re.fullmatch(r"Standard_([A-Z]+)(\d+)(?:-\d+)?([a-z]*)(?:_.*)?", vm_size)
    if not found or "d" not in found[3]:
        return 0
    return int(int(found[2]) * 37.5) if found[1] in ("D", "E", "F") else 2048
