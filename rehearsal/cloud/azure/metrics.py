"""Azure Monitor workspaces, where managed Prometheus keeps its series, and data collection endpoints."""

from __future__ import annotations

from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

WORKSPACE: Final = "azure-native:monitor:AzureMonitorWorkspace"
WORKSPACE_TYPE: Final = "Microsoft.Monitor/accounts"
ENDPOINT: Final = "azure-native:monitor:DataCollectionEndpoint"
ENDPOINT_TYPE: Final = "Microsoft.Insights/dataCollectionEndpoints"
RULE_TYPE: Final = "Microsoft.Insights/dataCollectionRules"


def region(location: object) -> str:
    """A location as host names have it: `West Europe` is `westeurope`."""
    return str(location).lower().replace(" ", "")


def _managed_group(request: Request) -> str:
    """The group that Azure makes beside a workspace, for the default endpoint and rule of its ingestion."""
    name = f"MA_{request.name}_{region(request.get('location'))}_managed"
    return arm.group_id(request.subscription, name)


def _ingestion(request: Request) -> tuple[str, str]:
    group = _managed_group(request)
    return (
        arm.resource_id(group, RULE_TYPE, [request.name]),
        arm.resource_id(group, ENDPOINT_TYPE, [request.name]),
    )


def _workspace_implies(request: Request) -> frozenset[str]:
    return frozenset({_managed_group(request), *_ingestion(request)})


def _workspace(request: Request) -> dict[str, Any]:
    rule, endpoint = _ingestion(request)
    host = f"{request.name.lower()}-{guid(request.id, 'host')[:4]}.{region(request.get('location'))}"
    return {
        "accountId": guid(request.id, "account"),
        "metrics": {
            "internalId": f"mac_{guid(request.id, 'account')}",
            "prometheusQueryEndpoint": f"https://{host}.prometheus.monitor.azure.com",
        },
        "defaultIngestionSettings": {
            "dataCollectionRuleResourceId": rule,
            "dataCollectionEndpointResourceId": endpoint,
        },
        "privateEndpointConnections": [],
        "provisioningState": "Succeeded",
        "publicNetworkAccess": request.get("publicNetworkAccess", "Enabled"),
    }


def _access_is_known(request: Request) -> None:
    refuse_unless(
        request.may_be("publicNetworkAccess", None, "Enabled", "Disabled"),
        "InvalidRequestContent",
        f"Workspace {request.name}: publicNetworkAccess '{request.get('publicNetworkAccess')}' is not Enabled or "
        "Disabled.",
    )


def _endpoint(request: Request) -> dict[str, Any]:
    host = f"{request.name.lower()}-{guid(request.id, 'host')[:4]}.{region(request.get('location'))}-1"
    return {
        "immutableId": f"dce-{guid(request.id, 'immutable').replace('-', '')}",
        "logsIngestion": {"endpoint": f"https://{host}.ingest.monitor.azure.com"},
        "metricsIngestion": {"endpoint": f"https://{host}.metrics.ingest.monitor.azure.com"},
        "configurationAccess": {"endpoint": f"https://{host}.handler.control.monitor.azure.com"},
        "privateLinkScopedResources": [],
        "provisioningState": "Succeeded",
    }


def _endpoint_is_valid(request: Request) -> None:
    refuse_unless(
        request.may_be("kind", None, "Linux", "Windows"),
        "InvalidPayload",
        f"Data collection endpoint {request.name}: kind '{request.get('kind')}' is not Linux or Windows.",
    )
    path = "networkAcls.publicNetworkAccess"
    refuse_unless(
        request.may_be(path, None, "Enabled", "Disabled", "SecuredByPerimeter"),
        "InvalidPayload",
        f"Data collection endpoint {request.name}: {path} '{request.get(path)}' is not Enabled, Disabled or "
        "SecuredByPerimeter.",
    )


KINDS: Final = (
    Kind(
        token=WORKSPACE,
        arm_type=WORKSPACE_TYPE,
        path=("azureMonitorWorkspaceName",),
        compute=_workspace,
        implies=_workspace_implies,
        shape=(_access_is_known,),
    ),
    Kind(
        token=ENDPOINT,
        arm_type=ENDPOINT_TYPE,
        path=("dataCollectionEndpointName",),
        compute=_endpoint,
        shape=(_endpoint_is_valid,),
    ),
)
