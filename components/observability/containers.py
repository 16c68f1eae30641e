"""Container insights: which logs and inventory of a cluster go to the Log Analytics workspace.

Metrics are left out of it: Managed Prometheus has them, and paying for them twice tells nobody more. The collection
rule lives in the region of the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_azure_native.monitor import (
    DataCollectionRule,
    DataCollectionRuleAssociation,
    DataCollectionRuleDataSourcesArgs,
    DataCollectionRuleDestinationsArgs,
    DataFlowArgs,
    ExtensionDataSourceArgs,
    LogAnalyticsDestinationArgs,
)

from components.observability.shared import tell_errors
from components.placement import Placement

STREAMS = tuple(
    f"Microsoft-{table}"
    for table in (
        "ContainerInventory",
        "ContainerLogV2",
        "ContainerNodeInventory",
        "KubeEvents",
        "KubeMonAgentEvents",
        "KubeNodeInventory",
        "KubePodInventory",
        "KubePVInventory",
        "KubeServices",
    )
)

_DESTINATION = "logs"


@dataclass(frozen=True)
class ContainerLogsArgs:
    place: Placement
    workspace_id: Input[str]
    workspace_location: str
    cluster_id: Input[str]


class ContainerLogs(ComponentResource):
    """The collection rule of one cluster's containers, and its association."""

    def __init__(self, name: str, args: ContainerLogsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:ContainerLogs", name, None, opts)
        place = args.place
        rule = DataCollectionRule(
            "container-collection",
            data_collection_rule_name=place.names.data_collection_rule("containers"),
            resource_group_name=place.resource_group,
            location=args.workspace_location,
            tags=place.tags,
            kind="Linux",
            data_sources=DataCollectionRuleDataSourcesArgs(
                extensions=[
                    ExtensionDataSourceArgs(
                        name="ContainerInsightsExtension",
                        extension_name="ContainerInsights",
                        streams=list(STREAMS),
                        extension_settings={
                            "dataCollectionSettings": {
                                "interval": "1m",
                                # Which namespaces' logs are kept is said in the cluster, for all streams alike.
                                "namespaceFilteringMode": "Off",
                                "enableContainerLogV2": True,
                            }
                        },
                    )
                ]
            ),
            destinations=DataCollectionRuleDestinationsArgs(
                log_analytics=[LogAnalyticsDestinationArgs(name=_DESTINATION, workspace_resource_id=args.workspace_id)]
            ),
            data_flows=[DataFlowArgs(streams=list(STREAMS), destinations=[_DESTINATION])],
            opts=ResourceOptions(parent=self),
        )
        tell_errors("container-collection-diagnostics", rule, args.workspace_id, place, parent=self)
        DataCollectionRuleAssociation(
            "containers-of-cluster",
            # The add-on looks for its rule by this name.
            association_name="ContainerInsightsExtension",
            resource_uri=args.cluster_id,
            data_collection_rule_id=rule.id,
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})
