"""What the workspace tells: that rows arrive in every table that dashboards and alerts read."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.verify.register import VERIFY
from settings import Settings

QUERY: Final = "Usage | where TimeGenerated > ago(1d) | summarize Megabytes = sum(Quantity) by DataType"
"""Azure's own account of what has arrived; it covers tables of every plan, which no one query can read."""
DAY: Final = datetime.timedelta(days=1)

ALWAYS: Final[Mapping[str, str]] = {
    "ContainerLogV2": "the collection rule of containers and its association",
    "AKSAuditAdmin": "the diagnostic setting of the cluster",
    "AKSControlPlane": "the diagnostic setting of the cluster",
    "AZKVAuditLogs": "the diagnostic setting of the vaults",
}
RELEASED: Final[Mapping[str, str]] = {
    "AppRequests": "the workload's right to publish, and its config map workload-telemetry",
    "DeliveryRuns_CL": "the last step of cd, which says why it could not write",
}
"""From the first release on."""
REGISTRY: Final[Mapping[str, str]] = {"ContainerRegistryLoginEvents": "the diagnostic setting of the registry"}


def tables(settings: Settings) -> dict[str, str]:
    """Where rows must arrive in a day, and what to look at if they do not."""
    return {**ALWAYS, **RELEASED, **(REGISTRY if settings.registry else {})}


@VERIFY("logs", "rows arrive in every table; in some from the first release on", LOGIN)
def logs(place: Place) -> Judged:
    assert place.outputs is not None, "checks of this door see outputs"
    answer = place.clouds.logs.query_resource(place.outputs["contract"]["logWorkspaceId"], QUERY, timespan=DAY)
    (table,) = answer.tables  # type: ignore[union-attr]  # a partial answer has none, and is not understood
    columns = list(table.columns)
    arrived = {str(row[columns.index("DataType")]): float(row[columns.index("Megabytes")]) for row in table.rows}
    return judge_tables(arrived, tables(place.settings))


def judge_tables(arrived: Mapping[str, float], wanted: Mapping[str, str]) -> Iterator[Amiss]:
    """`arrived` are megabytes by table."""
    if not arrived:
        yield Amiss("nothing at all has arrived in a day", "look at the daily cap and at the workspace's own health")
        return
    for name, look in wanted.items():
        if not arrived.get(name):
            yield Amiss(f"no row of {name} in a day", f"look at {look}")
