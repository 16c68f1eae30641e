"""Managed Grafana, and the dashboards that Azure Monitor shows without one."""

from __future__ import annotations

import json
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure.metrics import WORKSPACE_TYPE, region
from rehearsal.cloud.azure.private_link import GROUPS
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid, lookup

GRAFANA: Final = "azure-native:dashboard:Grafana"
GRAFANA_TYPE: Final = "Microsoft.Dashboard/grafana"
DASHBOARD_TYPE: Final = "Microsoft.Dashboard/dashboards"
MAJOR_VERSIONS: Final = ("12", "13")
_SHORT_REGIONS: Final = {
    "westeurope": "weu",
    "northeurope": "neu",
    "swedencentral": "sec",
    "eastus": "eus",
    "eastus2": "eus2",
    "uksouth": "suk",
}
_SWITCHES: Final = (
    "properties.apiKey",
    "properties.deterministicOutboundIP",
    "properties.publicNetworkAccess",
    "properties.zoneRedundancy",
)


def _grafana(request: Request) -> dict[str, Any]:
    place = region(request.get("location"))
    suffix = guid(request.id, "host").replace("-", "")[:16]
    host = f"{request.name.lower()}-{suffix}.{_SHORT_REGIONS.get(place, place)}.grafana.azure.com"
    kept = request.old.outputs["properties"]["grafanaMajorVersion"] if request.old is not None else MAJOR_VERSIONS[0]
    major = request.get("properties.grafanaMajorVersion", kept)
    given = request.get("properties", {})
    properties = dict(given) | {
        "endpoint": f"https://{host}",
        "grafanaVersion": f"{major}.0.0",
        "grafanaMajorVersion": major,
        "provisioningState": "Succeeded",
        "privateEndpointConnections": [],
    }
    if request.get("properties.deterministicOutboundIP") == "Enabled":
        last = 1 + int(guid(request.id, "way out")[:2], 16) % 250
        properties["outboundIPs"] = [f"198.51.100.{last}", f"203.0.113.{last}"]
    return {"properties": properties}


def _sku_can_be_made(request: Request) -> None:
    refuse_unless(
        request.may_be("sku.name", "Standard"),
        "InvalidSku",
        f"Grafana {request.name}: sku '{request.get('sku.name')}' cannot be created; use Standard.",
    )


def _version_is_served(request: Request) -> None:
    version = request.get("properties.grafanaMajorVersion")
    refuse_unless(
        version is None or version in MAJOR_VERSIONS,
        "GrafanaMajorVersionNotSupported",
        f"The requested grafana major version '{version}' is not valid for sku type Standard. Valid versions: "
        f"{', '.join(MAJOR_VERSIONS)}",
    )
    for path in _SWITCHES:
        refuse_unless(
            request.may_be(path, None, "Enabled", "Disabled"),
            "InvalidRequestContent",
            f"Grafana {request.name}: {path} '{request.get(path)}' is not Enabled or Disabled.",
        )


def _version_goes_up(request: Request) -> None:
    if request.old is None:
        return
    before = str(request.old.outputs["properties"]["grafanaMajorVersion"])
    after = str(request.get("properties.grafanaMajorVersion", before))
    refuse_unless(
        int(after) >= int(before),
        "GrafanaMajorVersionNotSupported",
        f"Grafana {request.name} cannot go back from major version {before} to {after}.",
    )


def _reaches_a_known_group(request: Request) -> None:
    target = request.get("privateLinkResourceId")
    allowed = GROUPS.get(arm.type_of(target).lower(), {}) if isinstance(target, str) else {}
    for group in request.texts("groupIds") if isinstance(target, str) else ():
        refuse_unless(
            group in allowed,
            "BadRequest",
            f"Managed private endpoint {request.name}: group id '{group}' does not fit {target}; allowed are "
            f"{', '.join(allowed) or 'none'}.",
        )


def _endpoint(request: Request) -> dict[str, Any]:
    # Whoever owns the target approves the connection; until then nothing flows.
    return {
        "connectionState": {"status": "Pending", "description": request.get("requestMessage", "")},
        "privateLinkServicePrivateIP": "",
        "provisioningState": "Succeeded",
    }


def _holds_a_dashboard(request: Request) -> None:
    data = lookup(request.inputs, "properties.serializedData")
    if data is UNKNOWN:
        return
    refuse_unless(
        isinstance(data, str) and _is_mapping(data),
        "BadRequest",
        f"Dashboard definition {request.id}: properties.serializedData is no JSON object.",
    )


def _is_mapping(data: str) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _made(request: Request) -> dict[str, Any]:
    return {"provisioningState": "Succeeded"}


KINDS: Final = (
    Kind(
        token=GRAFANA,
        arm_type=GRAFANA_TYPE,
        path=("workspaceName",),
        required=("sku",),
        links={
            "properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations[*].azureMonitorWorkspaceResourceId": (
                WORKSPACE_TYPE
            )
        },
        compute=_grafana,
        shape=(_sku_can_be_made, _version_is_served),
        world=(_version_goes_up,),
        fixed={"properties.zoneRedundancy": "BadRequest"},
        name_taken="Conflict",
    ),
    Kind(
        token="azure-native:dashboard:ManagedPrivateEndpoint",
        arm_type=f"{GRAFANA_TYPE}/managedPrivateEndpoints",
        path=("workspaceName", "managedPrivateEndpointName"),
        compute=_endpoint,
        shape=(_reaches_a_known_group,),
    ),
    Kind(
        token="azure-native:dashboard:Dashboard",
        arm_type=DASHBOARD_TYPE,
        path=("dashboardName",),
        compute=_made,
    ),
    Kind(
        token="azure-native:dashboard:DashboardDefinition",
        arm_type=f"{DASHBOARD_TYPE}/dashboardDefinitions",
        path=("dashboardName", "definitionName"),
        located=False,
        shape=(_holds_a_dashboard,),
    ),
)
