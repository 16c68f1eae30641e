"""What watches an environment, from its resources alone: what is looked at, who is told, and what keeping it costs.

Names and kinds of receivers, and e-mail addresses; never the address of a webhook, which is a credential. What it
does not do: it judges no query and knows no prices; dashboards inside Managed Grafana are no resources, so they do
not appear here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rehearsal.graph import Graph, Resource
from rehearsal.monitors import (
    daily_cap,
    grafana_version,
    is_zone_redundant,
    plan,
    receivers,
    sampled,
    table_plans,
)
from rehearsal.words import count, last

RULES: Final = ("alertsmanagement:PrometheusRuleGroup", "monitor:PrometheusRuleGroup")
ON_LOGS: Final = "monitor:ScheduledQueryRule"
ON_ACTIVITY: Final = "monitor:ActivityLogAlert"
ACTION_GROUP: Final = "monitor:ActionGroup"
LOGS: Final = "operationalinsights:Workspace"
METRICS: Final = "monitor:AzureMonitorWorkspace"
TABLE: Final = "operationalinsights:Table"
QUERY: Final = "operationalinsights:SavedSearch"
TRACES: Final = "applicationinsights:Component"
GRAFANA: Final = "dashboard:Grafana"
DASHBOARDS: Final = ("dashboard:Dashboard", "portal:Dashboard")
PLAN: Final = "security:Pricing"
CONTACT: Final = "security:SecurityContact"
EXPORT: Final = "security:Automation"
DIAGNOSTICS: Final = ("monitor:DiagnosticSetting", "insights:DiagnosticSetting")
DEPLOYMENT: Final = "resources:Deployment"


@dataclass(frozen=True)
class Alert:
    """One rule that can tell somebody; `groups` are ids of action groups, in lower case."""

    source: str
    enabled: bool
    groups: frozenset[str]


@dataclass(frozen=True)
class Watch:
    """All that watches one stack."""

    graph: Graph

    def of(self, *kinds: str) -> tuple[Resource, ...]:
        return tuple(sorted(self.graph.of_kind(*kinds), key=lambda each: (each.name, each.urn)))

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(self._alerts())

    def _alerts(self) -> Iterator[Alert]:
        for group in self.of(*RULES):
            for rule in group.get("rules", []):
                if "alert" in rule:
                    on = group.get("enabled", True) and rule.get("enabled", True)
                    told = (each.get("actionGroupId") for each in rule.get("actions") or [])
                    yield Alert("metrics", bool(on), _ids(told))
        for alert in self.of(ON_LOGS):
            yield Alert("logs", alert.get("enabled", True), _ids(alert.get("actions.actionGroups", [])))
        for alert in self.of(ON_ACTIVITY):
            told = (each.get("actionGroupId") for each in alert.get("actions.actionGroups", []))
            yield Alert("the activity log", alert.get("enabled", True), _ids(told))

    def on(self, source: str) -> int:
        """How many alerts look at a source, without those that are switched off."""
        return sum(alert.enabled for alert in self.alerts if alert.source == source)

    @property
    def sources(self) -> tuple[tuple[int, str], ...]:
        named = ("metrics", "logs", "the activity log")
        return tuple((found, source) for source in named if (found := self.on(source)))

    @property
    def off(self) -> int:
        return sum(not alert.enabled for alert in self.alerts)

    @property
    def silent(self) -> int:
        """Alerts that tell nobody: no action group, or only such as are switched off or have no receiver."""
        deaf = {group.id.lower() for group in self.of(ACTION_GROUP) if not receivers(group) or _is_off(group)}
        return sum(alert.enabled and alert.groups <= deaf for alert in self.alerts)

    @property
    def recorded(self) -> int:
        groups = [group for group in self.of(*RULES) if group.get("enabled", True)]
        return sum(
            "record" in rule and rule.get("enabled", True) for group in groups for rule in group.get("rules", [])
        )

    @property
    def measures(self) -> tuple[str, ...]:
        """What is measured of the delivery itself, by the saved queries that do it."""
        found = filter(_is_measure, self.of(QUERY))
        return tuple(sorted(re.sub(r" \([^()]*\)$", "", str(each.get("displayName", each.name))) for each in found))

    @cached_property
    def basic_tables(self) -> tuple[str, ...]:
        """Tables on the Basic plan: those of the stack, and those that a deployment of it puts there."""
        own = (table.name for table in self.of(TABLE) if table.get("plan") == "Basic")
        put = (
            table
            for deployment in self.of(DEPLOYMENT)
            for table, on in table_plans(deployment).items()
            if on == "Basic"
        )
        return tuple(sorted({*own, *put}))

    @property
    def warnings(self) -> tuple[str, ...]:
        silent = self.silent
        told = f"{count(silent, 'alert')} {'tells' if silent == 1 else 'tell'} nobody: no action group with a receiver."
        return (told,) if silent else ()

    def table(self) -> Iterator[tuple[str, str]]:
        """All of it in words, one line for each thing; nothing where nothing watches."""
        yield from self._watched()
        for group in self.of(ACTION_GROUP):
            told = "; ".join(receivers(group, addresses=True)) or "nobody"
            yield "told", f"{group.name}{' (switched off)' if _is_off(group) else ''}: {told}"
        for contact in self.of(CONTACT):
            yield "told by Defender", str(contact.get("emails", "nobody")).replace(";", ", ")
        yield from self._kept()

    def _watched(self) -> Iterator[tuple[str, str]]:
        alerts = [f"{found} on {source}" for found, source in self.sources]
        alerts += [f"{self.off} switched off"] if self.off else []
        yield from _row("alert rules", alerts)
        yield from _row("recording rules", [str(self.recorded)] if self.recorded else [])
        yield from _row("measures of delivery", self.measures)
        yield from _row("dashboards", [dashboard.name for dashboard in self.of(*DASHBOARDS)])

    def _kept(self) -> Iterator[tuple[str, str]]:
        for workspace in self.of(LOGS):
            basic = f", Basic plan: {' '.join(self.basic_tables)}" if self.basic_tables else ""
            yield "logs kept", f"{workspace.get('retentionInDays', '?')} days, {daily_cap(workspace)}{basic}"
        if lent := self.lent_logs:
            yield "logs kept", f"by {', '.join(lent)}, which this stack does not own"
        for what, days in self.tables():
            yield f"{what} kept", f"{days} days"
        for traces in self.of(TRACES):
            yield "traces kept", sampled(traces)
        for grafana in self.of(GRAFANA):
            zones = "zone redundant" if is_zone_redundant(grafana) else "in one zone"
            yield "Grafana", ", ".join(filter(None, (grafana_version(grafana), zones)))
        if owned := self.of(PLAN):
            yield "Defender plans", "owned: " + ", ".join(map(plan, owned))
        elif self.of(EXPORT):
            yield "Defender plans", "owned elsewhere; what they find comes to the logs"

    def tables(self) -> Iterator[tuple[str, Any]]:
        """What each table keeps, and for how many days. What the measures of delivery read are records of releases."""
        measured = "\n".join(str(query.get("query", "")) for query in self.of(QUERY) if _is_measure(query))
        for table in self.of(TABLE):
            what = "records of releases" if table.name in measured else table.name
            yield what, table.get("retentionInDays", "?")

    @property
    def lent_logs(self) -> tuple[str, ...]:
        """Names of workspaces that logs go to and that are not of this stack."""
        own = {each.id.lower() for each in self.of(LOGS)}
        used = {str(each.get("workspaceId", "")) for each in self.of(*DIAGNOSTICS)} - {""}
        return tuple(sorted(last(id_) for id_ in used if id_.lower() not in own))


def _row(title: str, words: Iterable[str]) -> Iterator[tuple[str, str]]:
    if told := ", ".join(words):
        yield title, told


def _ids(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values if value)


def _is_measure(query: Resource) -> bool:
    return str(query.get("category")) == "Delivery"


def _is_off(group: Resource) -> bool:
    return group.get("enabled", True) is False
