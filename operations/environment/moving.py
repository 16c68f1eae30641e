"""What changes when a new environment lies in another region than the one it is made from; pure."""

from __future__ import annotations

from typing import Final

from components import regions
from operations.environment.asking import Wanted
from operations.environment.tree import Tree
from settings import Settings

UNKNOWN_ROUTE_TABLE: Final = "resourceGroups/example/providers/Microsoft.Network/routeTables/example"
"""Below the environment's own subscription, where a route table must be; a placeholder by its names."""


def move(tree: Tree, wanted: Wanted, source: Settings) -> None:
    """Does nothing where the region is the same."""
    before, after = source.azure.location, wanted.region
    if after is None or after == before:
        return
    tree.set("azure.location", after, f"{source.stack} lies in {before}. Not every VM size is to be had everywhere.")
    if after not in regions.WITH_ZONES:
        _without_zones(tree, after)
    _watched_from(tree, source, after)
    if source.network.hub:
        tree.note("network.hub.virtualNetworkId", f"The hub of {source.stack}. Is there one in {after}?")
    if source.network.hub and source.network.hub.route_table_id:
        unknown = f"/subscriptions/{source.azure.subscription_id}/{UNKNOWN_ROUTE_TABLE}"
        why = f"A network takes a route table of its own region alone: name one in {after}."
        tree.set("network.hub.routeTableId", unknown, why)
    if source.network.private_dns_zones.api_server:
        why = f"An API server's zone carries its region, and the named one is for {before}: AKS makes one."
        tree.drop("network.privateDnsZones.apiServer", why)


def _without_zones(tree: Tree, region: str) -> None:
    why = f"{region} has no availability zones."
    tree.drop("cluster.zones", why)
    if not tree.get("monitoring.metricsLocation"):
        tree.drop("monitoring.grafana.zoneRedundant", why)


def _watched_from(tree: Tree, source: Settings, region: str) -> None:
    """Existing workspaces stay where they are."""
    if source.monitoring.metrics_location == region:
        tree.drop("monitoring.metricsLocation")
    if source.logs.workspace_id:
        there = source.logs.location or source.azure.location
        if there == region:
            tree.drop("logs.location")
        else:
            tree.set("logs.location", there)
