"""Delivery telemetry: where pipelines leave a record of every run, and the four measures that are read from it.

In a workspace of our own, table and queries are resources. In an existing one, which may lie in another subscription
and serve several environments, a template sets them: setting twice what is the same is no mistake there, and nothing
of a workspace that others use goes when one environment does.

The schema stands in `data/run_record.yaml`, to which a test holds the script that writes the records. Records come in
by a data collection endpoint with an Entra token; who may send needs Monitoring Metrics Publisher on the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azure_native.monitor import (
    ColumnDefinitionArgs,
    DataCollectionEndpoint,
    DataCollectionEndpointNetworkAclsArgs,
    DataCollectionRule,
    DataCollectionRuleDestinationsArgs,
    DataFlowArgs,
    LogAnalyticsDestinationArgs,
    StreamDeclarationArgs,
)
from pulumi_azure_native.operationalinsights import ColumnArgs, SavedSearch, SchemaArgs, Table
from pulumi_azure_native.resources import Deployment, DeploymentMode, DeploymentPropertiesArgs
from pydantic.alias_generators import to_camel

from components.naming import Names
from components.observability.shared import tell_errors, template
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
    existing_workspace_id: str | None = None
    """The workspace's id where it is not our own."""
    after: Sequence[Resource] = ()
    """Our own workspace: its table is named, not referred to, because a name is all that Azure takes there."""


def _columns(record: Schema) -> list[dict[str, str]]:
    return [
        {"name": column.name, "type": _AS_COLUMN[column.type], "description": column.description}
        for column in record.columns
    ]


def _search(query: Mapping[str, str], environment: str) -> dict[str, Any]:
    return {
        "category": "Delivery",
        "display_name": f"{query['title']} ({environment})",
        "query": query["query"],
        "version": 2,
    }


def existing_workspace_template(workspace_id: str, retention_days: int, names: Names) -> dict[str, Any]:
    """Table and saved queries in a workspace that exists, as an ARM template that goes where the workspace is."""
    subscription, group, workspace = (workspace_id.split("/")[at] for at in (2, 4, 8))
    record, kind = schema(), "Microsoft.OperationalInsights/workspaces"
    table = {
        "plan": "Analytics",
        "retentionInDays": retention_days,
        "totalRetentionInDays": retention_days,
        "schema": {"name": record.table, "columns": _columns(record)},
    }
    made = [{"type": f"{kind}/tables", "name": f"{workspace}/{record.table}", "properties": table}]
    for each in saved_queries():
        said = {to_camel(key): value for key, value in _search(each, names.environment).items()}
        made.append(
            {
                "type": f"{kind}/savedSearches",
                "name": f"{workspace}/{names.saved_search(each['name'])}",
                "dependsOn": [f"{kind}/{workspace}/tables/{record.table}"],
                "properties": said,
            }
        )
    inner = template([{"apiVersion": "2023-09-01", **each} for each in made])
    return template(
        [
            {
                "type": "Microsoft.Resources/deployments",
                "apiVersion": "2024-03-01",
                "name": names.deployment("run-records"),
                "subscriptionId": subscription,
                "resourceGroup": group,
                "properties": {"mode": "Incremental", "template": inner},
            }
        ]
    )


class DeliveryRecords(ComponentResource):
    """Table, way in, and saved queries."""

    collection_rule_id: Output[str]
    immutable_id: Output[str]
    """What a sender names the rule by."""
    ingestion_endpoint: Output[str]

    def __init__(self, name: str, args: DeliveryRecordsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:DeliveryRecords", name, None, opts)
        self._args = args
        record = schema()
        table = self._set(args.existing_workspace_id) if args.existing_workspace_id else self._table(record)
        endpoint, rule = self._collect(record, table)
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

    def _table(self, record: Schema) -> Resource:
        args, names = self._args, self._args.place.names
        table = Table(
            "run-records",
            table_name=record.table,
            workspace_name=names.workspace,
            resource_group_name=args.place.resource_group,
            plan="Analytics",
            retention_in_days=args.retention_days,
            total_retention_in_days=args.retention_days,
            schema=SchemaArgs(name=record.table, columns=[ColumnArgs(**column) for column in _columns(record)]),
            opts=ResourceOptions(parent=self, depends_on=args.after),
        )
        for each in saved_queries():
            SavedSearch(
                f"query-{each['name']}",
                saved_search_id=names.saved_search(each["name"]),
                workspace_name=names.workspace,
                resource_group_name=args.place.resource_group,
                **_search(each, names.environment),
                opts=ResourceOptions(parent=self, depends_on=[table]),
            )
        return table

    def _set(self, workspace_id: str) -> Resource:
        place = self._args.place
        return Deployment(
            "run-records",
            deployment_name=place.names.deployment("run-records"),
            resource_group_name=place.resource_group,
            tags=place.tags,
            properties=DeploymentPropertiesArgs(
                mode=DeploymentMode.INCREMENTAL,
                template=existing_workspace_template(workspace_id, self._args.retention_days, place.names),
            ),
            opts=ResourceOptions(parent=self),
        )

    def _collect(self, record: Schema, table: Resource) -> tuple[DataCollectionEndpoint, DataCollectionRule]:
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
            opts=ResourceOptions(parent=self, depends_on=[table]),
        )
        tell_errors("run-records-diagnostics", rule, args.workspace_id, place, parent=self)
        return endpoint, rule
