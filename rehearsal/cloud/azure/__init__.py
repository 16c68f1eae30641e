"""The resource types and functions of Azure that the stand-in knows: one module per area.

To teach it a type, add a `Kind` to the module of its area, a line to `rehearsal.cloud.names`, and a negative
test for each refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rehearsal.cloud.azure import (
    access,
    agents,
    alerts,
    cluster,
    collection,
    dashboards,
    defender,
    deployments,
    extensions,
    functions,
    groups,
    identity,
    insights,
    logs,
    metrics,
    network,
    pools,
    private_link,
    queries,
    registry,
    routes,
    storage,
    tables,
    vault,
)
from rehearsal.cloud.kinds import Kind
from rehearsal.cloud.world import World

KINDS: Final[Mapping[str, Kind]] = {
    kind.token: kind
    for area in (
        groups,
        identity,
        access,
        network,
        routes,
        private_link,
        registry,
        vault,
        storage,
        logs,
        cluster,
        pools,
        tables,
        metrics,
        collection,
        alerts,
        queries,
        insights,
        dashboards,
        defender,
        deployments,
        agents,
        extensions,
    )
    for kind in area.KINDS
}

INVOKES: Final[Mapping[str, Callable[[World, Mapping[str, Any], str], dict[str, Any]]]] = functions.INVOKES
