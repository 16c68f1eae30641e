"""Delivery telemetry: where pipelines leave a record of every run, and the four measures that are read from it.

The schema stands in `data/run_record.yaml`, which the script that writes the records reads too. Records come in by
a data collection endpoint with an Entra token; who may send needs Monitoring Metrics Publisher on the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.monitor import (
    ColumnDefinitionArgs,
    DataCollectionEndpoint,
    DataCollectionEndpointNetworkAclsArgs,
    DataCollectionRule,
    DataCollectionRuleDestinationsArgs,
    DataFlowArgs,
    DiagnosticSetting,
    DiagnosticsLogSettingsArgs,
    LogAnalyticsDestinationArgs,
    StreamDeclarationArgs,
)
from pulumi_azure_native.operationalinsights import ColumnArgs, SavedSearch, SchemaArgs, Table

from components.placement import Placement

DATA = Path(__file__).parent / "data"
_DESTINATION = "logs"
_AS_COLUMN = {"datetime": "dateTime", "long": "long", "string": "string"}
"""Tables spell their columns' types in another way than collection rules do."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    """As Log Analytics spells it: datetime, long, string."""
    description: str


@dataclass(frozen=True)
class Schema:
    table: str
    stream: str
    columns: tuple[Column, ...]


def schema(path: Path = DATA / "run_record.yaml") -> Schema:
    """What a run record consists of."""
    raw: Mapping[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Schema(raw["table"], raw["stream"], tuple(Column(**each) for each in raw["columns"]))


def saved_queries(path: Path = DATA / "saved_queries.yaml") -> list[Mapping[str, str]]:
    """Name, title and query of each measure."""
    found: list[Mapping[str, str]] = yaml.safe_load(path.read_text("utf-8"))
    return found


@dataclass(frozen=True)
class DeliveryRecordsArgs:
    place: Placement
    workspace_id: Input[str]
    workspace_location: str
    retention_days: int
    """Measures of delivery are compared over a year and cost next to nothing to keep."""


class DeliveryRecords(ComponentResource):
    """Table, way in, and saved queries."""

    table: Table
    collection_rule_id: Output[str]
    immutable_id: Output[str]
    """What a sender names the rule by."""
    ingestion_endpoint: Output[str]

    def __init__(self, name: str, args: DeliveryRecordsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:DeliveryRecords", name, None, opts)
        self._args = args
        record = schema()
        workspace = Output.from_input(args.workspace_id)
        # An existing workspace may lie in another resource group.
        self._group = workspace.apply(lambda id: id.split("/")[4])
        self._workspace = workspace.apply(lambda id: id.rpartition("/")[2])
        self.table = self._table(record)
        endpoint, rule = self._collect(record)
        for each in saved_queries():
            SavedSearch(
                f"query-{each['name']}",
                saved_search_id=args.place.names.saved_search(each["name"]),
                category="Delivery",
                display_name=f"{each['title']} ({args.place.names.environment})",
                query=each["query"],
                version=2,
                resource_group_name=self._group,
                workspace_name=self._workspace,
                opts=ResourceOptions(parent=self, depends_on=[self.table]),
            )
        self.collection_rule_id, self.immutable_id = rule.id, rule.immutable_id
        self.ingestion_endpoint = endpoint.logs_ingestion.apply(lambda found: (found and found.endpoint) or "")
        self.register_outputs({"collectionRuleId": rule.id, "ingestionEndpoint": self.ingestion_endpoint})

    @property
    def facts(self) -> dict[str, Output[str]]:
        """What a sender needs to know."""
        return {
            "endpoint": self.ingestion_endpoint,
            "rule_id": self.collection_rule_id,
            "immutable_id": self.immutable_id,
        }

    def _table(self, record: Schema) -> Table:
        return Table(
            "run-records",
            table_name=record.table,
            plan="Analytics",
            retention_in_days=self._args.retention_days,
            total_retention_in_days=self._args.retention_days,
            schema=SchemaArgs(
                name=record.table,
                columns=[
                    ColumnArgs(name=column.name, type=_AS_COLUMN[column.type], description=column.description)
                    for column in record.columns
                ],
            ),
            resource_group_name=self._group,
            workspace_name=self._workspace,
            opts=ResourceOptions(parent=self),
        )

    def _collect(self, record: Schema) -> tuple[DataCollectionEndpoint, DataCollectionRule]:
        args, place = self._args, self._args.place
        endpoint = DataCollectionEndpoint(
            "run-records-endpoint",
            data_collection_endpoint_name=place.names.data_collection_endpoint("delivery"),
            resource_group_name=place.resource_group,
            location=args.workspace_location,
            tags=place.tags,
            network_acls=DataCollectionEndpointNetworkAclsArgs(public_network_access="Enabled"),
            opts=ResourceOptions(parent=self),
        )
        rule = DataCollectionRule(
            "run-records-collection",
            data_collection_rule_name=place.names.data_collection_rule("delivery"),
            resource_group_name=place.resource_group,
            location=args.workspace_location,
            tags=place.tags,
            data_collection_endpoint_id=endpoint.id,
            stream_declarations={
                record.stream: StreamDeclarationArgs(
                    columns=[ColumnDefinitionArgs(name=column.name, type=column.type) for column in record.columns]
                )
            },
            destinations=DataCollectionRuleDestinationsArgs(
                log_analytics=[LogAnalyticsDestinationArgs(name=_DESTINATION, workspace_resource_id=args.workspace_id)]
            ),
            data_flows=[
                DataFlowArgs(
                    streams=[record.stream],
                    destinations=[_DESTINATION],
                    transform_kql="source",
                    output_stream=f"Custom-{record.table}",
                )
            ],
            opts=ResourceOptions(parent=self, depends_on=[self.table]),
        )
        DiagnosticSetting(
            "run-records-diagnostics",
            name=place.names.diagnostic_setting,
            resource_uri=rule.id,
            workspace_id=args.workspace_id,
            logs=[DiagnosticsLogSettingsArgs(category="LogErrors", enabled=True)],
            opts=ResourceOptions(parent=self),
        )
        return endpoint, rule
