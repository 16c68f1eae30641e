"""What the clouds answer where an environment works: made from its export, in the form of each service's reference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from operations.verify import logs, resources
from rehearsal.graph import Graph
from settings import Settings

ARM = "management.azure.com"
ORG = "dev.azure.com/contoso"
PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
SOURCE = "Prometheus-1"


def filled(export: Mapping[str, Any]) -> dict[str, Any]:
    """An export with values in place of placeholders, as the stack file of the test has them."""
    text = json.dumps(export).replace("00000000-0000-", "7d3c1a52-4be0-")
    found: dict[str, Any] = json.loads(text.replace("azure.com/example", "azure.com/contoso"))
    return found


def counted(*series: tuple[Mapping[str, str], int]) -> dict[str, Any]:
    """https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries"""
    result = [{"metric": labels, "value": [1764400000.0, str(value)]} for labels, value in series]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def good(export: Mapping[str, Any], settings: Settings) -> list[dict[str, Any]]:
    graph = Graph.of(export)
    outputs = next(
        each["outputs"] for each in export["deployment"]["resources"] if each["type"] == "pulumi:pulumi:Stack"
    )
    contract = outputs["contract"]
    return [
        *_resources(graph, settings, contract),
        *_metrics(contract, settings),
        *_logs(contract, settings),
        *_rights(graph),
        *_delivery(graph, outputs, settings),
    ]


def _resources(graph: Graph, settings: Settings, contract: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources by id, with what Azure says in `properties`."""
    for kind in resources.RULES:
        for rule in graph.of_kind(kind):
            rules = [{"record": "one:rule", "enabled": True}] if "Prometheus" in kind else None
            properties = {"enabled": True} | ({"rules": rules} if rules else {})
            yield {"at": f"{ARM}{rule.id}", "body": {"id": rule.id, "location": "x", "properties": properties}}
            # https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/get-by-resource
            health = {"availabilityState": "Available", "summary": "", "reasonType": ""}
            yield {"at": f"{ARM}{rule.id}/{resources.HEALTH}", "body": {"properties": health}}
    for lock in graph.of_kind("authorization:ManagementLockByScope"):
        yield {"at": f"{ARM}{lock.id}", "body": {"id": lock.id, "properties": {"level": "CanNotDelete"}}}
    plans = f"{ARM}/subscriptions/{settings.azure.subscription_id}/providers/Microsoft.Security/pricings"
    # https://learn.microsoft.com/rest/api/defenderforcloud/pricings/get
    extensions = [{"name": "ContainerSensor", "isEnabled": "True"}]
    yield {"at": f"{plans}/Containers", "body": {"properties": {"pricingTier": "Standard", "extensions": extensions}}}
    yield {"at": f"{plans}/KeyVaults", "body": {"properties": {"pricingTier": "Standard"}}}
    for table in settings.logs.basic_tables:
        yield {"at": f"{ARM}{contract['logWorkspaceId']}/tables/{table}", "body": {"properties": {"plan": "Basic"}}}


def _metrics(contract: Mapping[str, Any], settings: Settings) -> Iterator[dict[str, Any]]:
    at = f"{contract['metricsQueryEndpoint'].removeprefix('https://')}/api/v1/query"
    jobs = [({"job": job}, 3) for job in ("cadvisor", "kube-state-metrics", "kubelet", "node")]
    yield {"at": at, "asks": "by (job)", "body": counted(*jobs)}
    yield {"at": at, "asks": "microsoft-defender-collector-ds", "body": counted(({}, 8))}
    yield {"at": at, "asks": "kube_node_status_condition", "body": counted(({}, 8))}
    yield {"at": at, "asks": "up{namespace=", "body": counted(({}, 3))}
    grafana = contract["grafanaEndpoint"].removeprefix("https://")
    # https://grafana.com/docs/grafana/latest/developers/http_api/data_source/
    sources = [
        {"id": 1, "uid": "azure-monitor-oob", "name": "Azure Monitor", "type": "grafana-azure-monitor-datasource"},
        {"id": 2, "uid": SOURCE, "name": "Managed_Prometheus", "type": "prometheus"},
    ]
    yield {"at": f"{grafana}/api/datasources", "body": sources}
    yield {"at": f"{grafana}/api/datasources/proxy/uid/{SOURCE}/api/v1/query", "body": counted(({}, 40))}


def _logs(contract: Mapping[str, Any], settings: Settings) -> Iterator[dict[str, Any]]:
    """https://learn.microsoft.com/rest/api/loganalytics/dataaccess/query/resource-execute"""
    columns = [{"name": "DataType", "type": "string"}, {"name": "Megabytes", "type": "real"}]
    rows = [[table, 1.5] for table in logs.tables(settings)]
    yield {
        "at": f"api.loganalytics.io/v1{contract['logWorkspaceId']}/query",
        "method": "POST",
        "body": {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]},
    }


def facts(graph: Graph) -> dict[str, str]:
    (group,) = graph.of_kind("index:VariableGroup")
    return {each["name"]: each.get("value", "") for each in group.get("variables")}


def _rights(graph: Graph) -> Iterator[dict[str, Any]]:
    known = facts(graph)
    grant = {"roleDefinitionId": f"/x/roleDefinitions/{PULL}", "scope": known["registryId"], "principalId": "x"}
    path = "providers/Microsoft.Authorization/roleAssignments"
    yield {"at": f"{ARM}{known['registryId']}/{path}", "body": {"value": [{"id": "a", "properties": grant}]}}
    if source := known.get("sourceRegistryId"):
        yield {"at": f"{ARM}{source}/{path}", "body": {"value": []}}
    project = next(graph.of_kind("index:Environment")).get("projectId")
    credentials = {each.name: each for each in graph.of_kind("managedidentity:FederatedIdentityCredential")}
    for endpoint in graph.of_kind("index:ServiceEndpointAzureRM"):
        credential = credentials[f"connection-{endpoint.name}"]
        said = {"issuer": credential.get("issuer"), "subject": credential.get("subject")}
        yield {"at": f"{ARM}{credential.id}", "body": {"id": credential.id, "properties": said}}
        # https://learn.microsoft.com/rest/api/azure/devops/serviceendpoint/endpoints/get
        parameters = {
            "tenantid": "x",
            "serviceprincipalid": "x",
            "workloadIdentityFederationIssuer": said["issuer"],
            "workloadIdentityFederationSubject": said["subject"],
        }
        base = f"{ORG}/{project}/_apis/serviceendpoint"
        body = {"authorization": {"scheme": "WorkloadIdentityFederation", "parameters": parameters}, "isReady": True}
        yield {"at": f"{base}/endpoints/{endpoint.id}", "body": body}
        # https://learn.microsoft.com/rest/api/azure/devops/serviceendpoint/executionhistory/list
        history = {"value": [{"endpointId": endpoint.id, "data": {"id": 1, "result": "succeeded"}}]}
        yield {"at": f"{base}/{endpoint.id}/executionhistory", "body": history}


def _delivery(graph: Graph, outputs: Mapping[str, Any], settings: Settings) -> Iterator[dict[str, Any]]:
    project = next(graph.of_kind("index:Environment")).get("projectId")
    targets: dict[str, list[dict[str, Any]]] = {}
    for check in graph.of_kind(
        *("index:CheckApproval", "index:CheckBranchControl", "index:CheckBusinessHours"),
        *("index:CheckExclusiveLock", "index:CheckRequiredTemplate"),
    ):
        # https://learn.microsoft.com/rest/api/azure/devops/approvalsandchecks/check-configurations/list
        said = {"id": int(check.id), "version": check.get("version"), "type": {"name": "x"}, "timeout": 4320}
        targets.setdefault(str(check.get("targetResourceId")), []).append(said)
    for id, checks in targets.items():
        at = f"{ORG}/{project}/_apis/pipelines/checks/configurations"
        yield {"at": at, "asks": f"resourceId={id}&", "body": {"count": len(checks), "value": checks}}
    groups = {bool(each.get("scope")): each.get("descriptor") for each in graph.of_kind("index:Group")}
    if groups:
        # https://learn.microsoft.com/rest/api/azure/devops/graph/memberships/list
        members = {"value": [{"containerDescriptor": groups[True], "memberDescriptor": groups[False]}]}
        yield {"at": f"vssps.{ORG}/_apis/graph/memberships/{groups[True]}", "body": members}
    if pool := outputs.get("agentPool"):
        queues = {"count": 1, "value": [{"id": 9, "name": pool, "pool": {"id": 9, "isHosted": False}}]}
        yield {"at": f"{ORG}/{project}/_apis/distributedtask/queues", "asks": f"queueNames={pool}", "body": queues}
    # https://learn.microsoft.com/rest/api/azure/devops/build/definitions/list
    run = {"result": "succeeded", "buildNumber": "20261129.1", "status": "completed"}
    runs = [{"id": number, "name": name, "latestCompletedBuild": run} for number, name in enumerate(("pr", "ci", "cd"))]
    yield {"at": f"{ORG}/{project}/_apis/build/definitions", "body": {"value": runs}}
