"""Application Insights: where the workload sends traces, and what it needs to do so.

Based on the environment's workspace. Local authentication is off: the connection string says where to send and lets
nobody in, so it is no secret; who may send is a matter of the role Monitoring Metrics Publisher.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.applicationinsights import Component

from components.placement import Placement


@dataclass(frozen=True)
class TelemetryArgs:
    place: Placement
    workspace_id: Input[str]
    sampling_percent: int
    """Share of what arrives that is kept, 1 to 100; the rest is dropped and not paid for."""


class Telemetry(ComponentResource):
    """One Application Insights component."""

    id: Output[str]
    connection_string: Output[str]

    def __init__(self, name: str, args: TelemetryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:Telemetry", name, None, opts)
        place = args.place
        insights = Component(
            "application-insights",
            resource_name_=place.names.application_insights,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            kind="web",
            application_type="web",
            ingestion_mode="LogAnalytics",
            workspace_resource_id=args.workspace_id,
            disable_local_auth=True,
            sampling_percentage=args.sampling_percent,
            opts=ResourceOptions(parent=self),
        )
        self.id, self.connection_string = insights.id, insights.connection_string
        self.register_outputs({"id": self.id})
