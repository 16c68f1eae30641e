"""Application Insights components, which keep their data in a Log Analytics workspace."""

from __future__ import annotations

from typing import Any, Final

from rehearsal.cloud.azure.metrics import region
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid, lookup

_DAYS: Final = (30, 60, 90, 120, 180, 270, 365, 550, 730)


def _component(request: Request) -> dict[str, Any]:
    key, app = guid(request.id, "instrumentation"), guid(request.id, "application")
    place = region(request.get("location"))
    return {
        "appId": app,
        "applicationId": request.name,
        "connectionString": (
            f"InstrumentationKey={key};IngestionEndpoint=https://{place}-1.in.applicationinsights.azure.com/;"
            f"LiveEndpoint=https://{place}.livediagnostics.monitor.azure.com/;ApplicationId={app}"
        ),
        "creationDate": "2026-01-01T00:00:00Z",
        "instrumentationKey": key,
        "privateLinkScopedResources": [],
        "provisioningState": "Succeeded",
        "retentionInDays": request.get("retentionInDays", 90),
        "tenantId": request.subscription,
    }


def _lies_on_a_workspace(request: Request) -> None:
    refuse_unless(
        request.may_be("ingestionMode", None, "LogAnalytics"),
        "BadRequest",
        f"Component {request.name}: ingestionMode '{request.get('ingestionMode')}' is retired; use LogAnalytics.",
    )
    refuse_unless(
        request.given("workspaceResourceId"),
        "BadRequest",
        f"Component {request.name}: ingestionMode LogAnalytics needs workspaceResourceId.",
    )
    refuse_unless(
        request.may_be("applicationType", "web", "other"),
        "BadRequest",
        f"Component {request.name}: applicationType '{request.get('applicationType')}' is not web or other.",
    )


def _amounts_are_allowed(request: Request) -> None:
    refuse_unless(
        request.may_be("retentionInDays", None, *_DAYS),
        "BadRequest",
        f"Component {request.name}: retentionInDays is {request.get('retentionInDays')}; allowed are "
        f"{', '.join(map(str, _DAYS))}.",
    )
    percentage = request.get("samplingPercentage", 100)
    refuse_unless(
        0 < percentage <= 100,
        "BadRequest",
        f"Component {request.name}: samplingPercentage is {percentage}; allowed are more than 0 up to 100.",
    )
    for path in ("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"):
        refuse_unless(
            lookup(request.inputs, path) is None or request.may_be(path, "Enabled", "Disabled", "SecuredByPerimeter"),
            "BadRequest",
            f"Component {request.name}: {path} '{request.get(path)}' is not Enabled, Disabled or SecuredByPerimeter.",
        )


KINDS: Final = (
    Kind(
        token="azure-native:applicationinsights:Component",
        arm_type="Microsoft.Insights/components",
        path=("resourceName",),
        required=("kind", "applicationType"),
        links={"workspaceResourceId": "Microsoft.OperationalInsights/workspaces"},
        compute=_component,
        shape=(_lies_on_a_workspace, _amounts_are_allowed),
    ),
)
