"""What watches, in a few words: the pieces that the tree, the summary and the drawing share.

One table for the tree, as in `details`; the functions above it also serve the other two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rehearsal.exposure import access
from rehearsal.graph import Resource
from rehearsal.words import after, counted, last


def receivers(group: Resource, addresses: bool = False) -> tuple[str, ...]:
    """Who an action group tells, by kind and name; e-mail addresses if asked for, those of webhooks never."""
    found = []
    for key, kind in _RECEIVERS.items():
        for each in group.get(key, []):
            address = f" <{each.get('emailAddress')}>" if addresses and each.get("emailAddress") else ""
            found.append(f"{kind} {each.get('name', '?')}{address}")
    return tuple(found)


_RECEIVERS: Final = {
    "emailReceivers": "e-mail",
    "armRoleReceivers": "Azure role",
    "smsReceivers": "text message",
    "voiceReceivers": "call",
    "azureAppPushReceivers": "Azure app",
    "webhookReceivers": "webhook",
    "logicAppReceivers": "logic app",
    "azureFunctionReceivers": "function",
    "automationRunbookReceivers": "runbook",
    "eventHubReceivers": "event hub",
    "itsmReceivers": "ticket",
    "incidentReceivers": "incident",
}


def plan(pricing: Resource) -> str:
    """A plan of Defender in words: whether it is on, how much of it, and what becomes of it."""
    on = "on" if pricing.get("pricingTier") == "Standard" else "off"
    more = counted(_enabled(pricing), "extension") if _enabled(pricing) else ""
    return f"{pricing.name} ({', '.join(filter(None, (on, more, 'kept on destroy' if pricing.retained else '')))})"


def _enabled(pricing: Resource) -> list[Any]:
    """Extensions that are on: the API says so by text."""
    return [each for each in pricing.get("extensions", []) if str(each.get("isEnabled")).lower() == "true"]


def sampled(traces: Resource) -> str:
    """The share of traces that is kept; Application Insights keeps all unless told otherwise."""
    return f"{traces.get('samplingPercentage', 100)} %"


def daily_cap(workspace: Resource) -> str:
    """Azure's own way to say that there is no cap is -1."""
    quota = workspace.get("workspaceCapping.dailyQuotaGb", -1)
    return f"cap {quota} GB a day" if quota > 0 else "no cap"


def grafana_version(grafana: Resource) -> str:
    return after("version", grafana.get("properties.grafanaMajorVersion"))


def is_zone_redundant(grafana: Resource) -> bool:
    return str(grafana.get("properties.zoneRedundancy")) == "Enabled"


def table_plans(deployment: Resource) -> Mapping[str, str]:
    """Tables to the plan that a deployment of a template puts them on."""
    return {
        last(each.get("name")): str(each["properties"]["plan"])
        for each in deployment.get("properties.template.resources", [])
        if str(each.get("type", "")).lower() == "microsoft.operationalinsights/workspaces/tables"
        and each.get("properties", {}).get("plan")
    }


def duration(value: Any) -> str:
    """`PT15M` as people write it: `15m`."""
    return str(value or "").removeprefix("P").replace("T", "").lower()


def _rules(resource: Resource) -> Iterable[str]:
    for key, one in (("alert", "alert rule"), ("record", "recording rule")):
        if found := [rule for rule in resource.get("rules", []) if key in rule]:
            yield counted(found, one)


def _collection(resource: Resource) -> Iterable[str]:
    streams = {stream for flow in resource.get("dataFlows", []) for stream in flow.get("streams", [])}
    places = [
        last(each.get(key))
        for kind, key in (("logAnalytics", "workspaceResourceId"), ("monitoringAccounts", "accountResourceId"))
        for each in resource.get(f"destinations.{kind}", [])
    ]
    return (f"{counted(streams, 'stream')}{after(' to', ' and '.join(sorted(places)))}",)


def _activity(resource: Resource) -> Iterable[str]:
    leaves = {each.get("field"): each.get("equals") for each in resource.get("condition.allOf", [])}
    return (str(leaves.get("operationName") or leaves.get("category") or ""),)


def _diagnostics(resource: Resource) -> Iterable[str]:
    source = str(resource.get("resourceUri", "")) or resource.id.split("/providers/Microsoft.Insights/")[0]
    return (f"from {last(source)} to {last(resource.get('workspaceId'))}",)


MONITORS: Final[Mapping[str, Callable[[Resource], Iterable[str]]]] = {
    "operationalinsights:Workspace": lambda r: (
        after("retention", r.get("retentionInDays"), " d"),
        daily_cap(r),
    ),
    "operationalinsights:Table": lambda r: (
        after("plan", r.get("plan")),
        after("retention", r.get("retentionInDays"), " d"),
    ),
    "operationalinsights:SavedSearch": lambda r: (str(r.get("displayName", "")),),
    "applicationinsights:Component": lambda r: (
        f"{sampled(r)} kept",
        after("to", last(r.get("workspaceResourceId"))),
    ),
    "dashboard:Grafana": lambda r: (
        str(r.get("sku.name", "")),
        grafana_version(r),
        access(r, "properties.publicNetworkAccess"),
    ),
    "monitor:ActionGroup": receivers,
    "monitor:ScheduledQueryRule": lambda r: (
        after("severity", r.get("severity")),
        after("over", duration(r.get("windowSize"))),
        after("every", duration(r.get("evaluationFrequency"))),
    ),
    "monitor:ActivityLogAlert": _activity,
    "monitor:DataCollectionRule": _collection,
    "monitor:DataCollectionRuleAssociation": lambda r: (
        f"{last(r.get('resourceUri'))} to {last(r.get('dataCollectionRuleId'))}",
    ),
    "monitor:DataCollectionEndpoint": lambda r: (access(r, "networkAcls.publicNetworkAccess"),),
    "alertsmanagement:PrometheusRuleGroup": _rules,
    "monitor:PrometheusRuleGroup": _rules,
    "insights:DiagnosticSetting": _diagnostics,
    "monitor:DiagnosticSetting": _diagnostics,
    "security:Pricing": lambda r: (
        str(r.get("pricingTier", "")),
        str(r.get("subPlan", "")),
        counted(_enabled(r), "extension") if _enabled(r) else "",
    ),
    "security:SecurityContact": lambda r: (str(r.get("emails", "")).replace(";", " "),),
    "security:Automation": lambda r: (
        f"{' '.join(str(each.get('eventSource')) for each in r.get('sources', []))} to "
        f"{last(r.get('actions.0.workspaceResourceId'))}",
    ),
    "resources:Deployment": lambda r: (f"{table} {on}" for table, on in sorted(table_plans(r).items())),
}
