"""Log Analytics workspaces, and the diagnostic settings that send a resource's logs to one."""

from __future__ import annotations

from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

WORKSPACE: Final = "azure-native:operationalinsights:Workspace"
DIAGNOSTICS: Final = "azure-native:monitor:DiagnosticSetting"
_WORKSPACE_TYPE: Final = "Microsoft.OperationalInsights/workspaces"

# Metric categories beside AllMetrics. Source: Microsoft's page on the monitoring data of blob storage.
METRICS: Final = {"microsoft.storage/storageaccounts/blobservices": "Transaction"}

# Log categories by target type. Source: Microsoft's resource-log reference of each service.
CATEGORIES: Final[dict[str, frozenset[str]]] = {
    "microsoft.containerregistry/registries": frozenset(
        {"ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"}
    ),
    "microsoft.keyvault/vaults": frozenset({"AuditEvent", "AzurePolicyEvaluationDetails"}),
    "microsoft.storage/storageaccounts/blobservices": frozenset({"StorageRead", "StorageWrite", "StorageDelete"}),
    "microsoft.operationalinsights/workspaces": frozenset({"Audit", "SummaryLogs", "Jobs"}),
    "microsoft.containerservice/managedclusters": frozenset(
        {
            "kube-apiserver",
            "kube-audit",
            "kube-audit-admin",
            "kube-controller-manager",
            "kube-scheduler",
            "cluster-autoscaler",
            "cloud-controller-manager",
            "guard",
            "csi-azuredisk-controller",
            "csi-azurefile-controller",
            "csi-snapshot-controller",
        }
    ),
    "microsoft.network/networksecuritygroups": frozenset(
        {"NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"}
    ),
    "microsoft.network/virtualnetworks": frozenset({"VMProtectionAlerts"}),
    "microsoft.dashboard/grafana": frozenset({"GrafanaLoginEvents", "GrafanaUsageInsightsEvents"}),
    "microsoft.insights/datacollectionrules": frozenset({"LogErrors"}),
    "microsoft.insights/components": frozenset(
        {
            "AppAvailabilityResults",
            "AppBrowserTimings",
            "AppDependencies",
            "AppEvents",
            "AppExceptions",
            "AppMetrics",
            "AppPageViews",
            "AppPerformanceCounters",
            "AppRequests",
            "AppSystemEvents",
            "AppTraces",
        }
    ),
    "microsoft.network/publicipaddresses": frozenset(
        {"DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports"}
    ),
}
# Targets that have logs but no metrics to send.
_WITHOUT_METRICS: Final = frozenset({"microsoft.network/networksecuritygroups"})
GROUPS: Final = frozenset({"allLogs", "audit"})


def _target_type(request: Request) -> str | None:
    target = request.get("resourceUri")
    return arm.type_of(target).lower() if isinstance(target, str) else None


def _sends_something_somewhere(request: Request) -> None:
    destinations = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    refuse_unless(
        any(request.given(key) for key in destinations),
        "BadRequest",
        f"Diagnostic setting {request.name} has no destination.",
    )
    refuse_unless(
        request.given("logs") or request.given("metrics"),
        "BadRequest",
        f"Diagnostic setting {request.name} has neither logs nor metrics.",
    )
    refuse_unless(
        request.may_be("logAnalyticsDestinationType", None, "Dedicated", "AzureDiagnostics"),
        "BadRequest",
        f"logAnalyticsDestinationType '{request.get('logAnalyticsDestinationType')}' is not Dedicated or "
        "AzureDiagnostics.",
    )


def _categories_are_known(request: Request) -> None:
    target = _target_type(request)
    if target is None:
        return
    allowed = CATEGORIES.get(target)
    if allowed is None:
        raise CloudError(
            "ResourceTypeNotSupported", f"The resource type '{target}' does not support diagnostic settings."
        )
    seen: set[object] = set()
    for log in request.blocks("logs"):
        category, group = log.get("category"), log.get("categoryGroup")
        refuse_unless(
            (category is None) != (group is None),
            "BadRequest",
            f"A log of {request.name} names either a category or a categoryGroup.",
        )
        if isinstance(category, str):
            refuse_unless(category in allowed, "BadRequest", f"Category '{category}' is not supported.")
        if isinstance(group, str):
            refuse_unless(group in GROUPS, "BadRequest", f"Category group '{group}' is not supported.")
        refuse_unless((category or group) not in seen, "BadRequest", f"Category '{category or group}' is there twice.")
        seen.add(category or group)
    for metric in request.blocks("metrics"):
        category = metric.get("category")
        refuse_unless(
            not isinstance(category, str)
            or category == METRICS.get(target)
            or (category == "AllMetrics" and target not in _WITHOUT_METRICS),
            "BadRequest",
            f"Metric category '{category}' is not supported.",
        )


def _no_retention(request: Request) -> None:
    for block in (*request.blocks("logs"), *request.blocks("metrics")):
        days = (block.get("retentionPolicy") or {}).get("days", 0)
        enabled = (block.get("retentionPolicy") or {}).get("enabled", False)
        refuse_unless(
            not enabled and not days,
            "BadRequest",
            "Diagnostic settings do not support retention: set it on the workspace.",
        )


def _sent_once(request: Request) -> None:
    """One category of one resource goes to one workspace through one setting only."""
    mine = _sent(request.inputs)
    for other in request.world.of_type(DIAGNOSTICS):
        same_target = arm.same(str(other.inputs.get("resourceUri")), str(request.get("resourceUri")))
        if same_target and not arm.same(other.id, request.id):
            shared = mine & _sent(other.inputs)
            refuse_unless(
                not shared,
                "Conflict",
                f"Data sink '{request.get('workspaceId')}' is already used in diagnostic setting "
                f"'{other.name}' "
                f"for category '{next(iter(sorted(shared)), ('', ''))[1]}'.",
            )


def _sent(inputs: Any) -> set[tuple[str, str]]:
    sink = str(inputs.get("workspaceId")).lower()
    blocks = [*(inputs.get("logs") or []), *(inputs.get("metrics") or [])]
    return {
        (sink, str(block.get("category") or block.get("categoryGroup"))) for block in blocks if block.get("enabled")
    }


def _workspace_is_valid(request: Request) -> None:
    sku = request.get("sku.name", "PerGB2018")
    refuse_unless(
        sku in ("PerGB2018", "CapacityReservation", "LACluster"),
        "InvalidParameter",
        f"Workspace {request.name}: sku '{sku}' cannot be created; use PerGB2018.",
    )
    days = request.get("retentionInDays", 30)
    refuse_unless(
        30 <= days <= 730,
        "InvalidParameter",
        f"Workspace {request.name}: retentionInDays is {days}; allowed are 30 to 730 for sku {sku}.",
    )
    quota = request.get("workspaceCapping.dailyQuotaGb", -1)
    refuse_unless(
        quota == -1 or quota >= 0.023,
        "InvalidParameter",
        f"Workspace {request.name}: dailyQuotaGb is {quota}; allowed are -1 (no cap) and 0.023 upwards.",
    )


def _workspace(request: Request) -> dict[str, Any]:
    return {
        "customerId": guid(request.id, "customer"),
        "provisioningState": "Succeeded",
        "createdDate": "2026-01-01T00:00:00Z",
        "modifiedDate": "2026-01-01T00:00:00Z",
        "retentionInDays": request.get("retentionInDays", 30),
    }


KINDS: Final = (
    Kind(
        token=WORKSPACE,
        arm_type=_WORKSPACE_TYPE,
        path=("workspaceName",),
        compute=_workspace,
        shape=(_workspace_is_valid,),
    ),
    Kind(
        token=DIAGNOSTICS,
        arm_type="Microsoft.Insights/diagnosticSettings",
        path=("name",),
        scope="resourceUri",
        located=False,
        links={"workspaceId": _WORKSPACE_TYPE},
        shape=(_sends_something_somewhere, _categories_are_known, _no_retention),
        world=(_sent_once,),
    ),
)
