"""Alerts on what stands in the logs: Defender's alerts, audit events that matter, releases that fail or wait.

The alerts are data (`data/log_alerts.yaml`): query, severity, how often, what to do first. Here they are read, judged
and made into scheduled query rules; each goes to the environment's action group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_azure_native.monitor import (
    ActionsArgs,
    ConditionArgs,
    ConditionFailingPeriodsArgs,
    ScheduledQueryRule,
    ScheduledQueryRuleCriteriaArgs,
)

from components.placement import Placement

DATA = Path(__file__).parent / "data" / "log_alerts.yaml"

_KEYS = {"name", "severity", "every", "window", "summary", "first_step", "query"}
_OPTIONAL = {"needs"}
NEEDS = (None, "closed-registry", "pull")
"""What an alert may need of an environment to make sense there."""


class LogAlertError(ValueError):
    """What is wrong with an alert's data: file, alert, what is allowed."""


@dataclass(frozen=True)
class LogAlert:
    name: str
    severity: int
    every: str
    """ISO 8601; how often the query runs."""
    window: str
    """ISO 8601; how far back it looks. Never shorter than `every`."""
    summary: str
    first_step: str
    query: str
    needs: str | None = None


def load(path: Path = DATA) -> tuple[LogAlert, ...]:
    """All alerts of a file. LogAlertError for the first that is not whole."""
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise LogAlertError(f"{path.name} does not parse: {error}") from None
    return tuple(_alert(path.name, each) for each in raw)


def _alert(file: str, raw: Mapping[str, Any]) -> LogAlert:
    said = f"{file}: alert {raw.get('name', '(without a name)')}"
    missing, unknown = _KEYS - raw.keys(), raw.keys() - _KEYS - _OPTIONAL
    if missing or unknown:
        raise LogAlertError(f"{said} lacks {sorted(missing)} and has unknown keys {sorted(unknown)}")
    if raw["severity"] not in range(5):
        raise LogAlertError(f"{said}: severity {raw['severity']!r}; allowed: 0 (critical) to 4 (verbose)")
    if raw.get("needs") not in NEEDS:
        allowed = ", ".join(filter(None, NEEDS))
        raise LogAlertError(f"{said}: needs {raw['needs']!r}; allowed: {allowed}, or leave it out")
    return LogAlert(**raw)


@dataclass(frozen=True)
class LogAlertsArgs:
    place: Placement
    location: str
    """Region of the workspace; a rule lives beside what it queries."""
    workspace_id: Input[str]
    action_group_id: Input[str]
    alerts: Sequence[LogAlert]
    closed_to: Sequence[str] | None
    """Ranges that clients of a closed registry may come from, in CIDR notation; None where it is open to all."""
    gate_hours: int
    """After how long a gate is overdue."""
    pulls: bool = False
    """Whether the cluster fetches what it runs."""


def wanted(args: LogAlertsArgs) -> tuple[LogAlert, ...]:
    """The alerts that make sense in this environment."""
    there = {None: True, "closed-registry": args.closed_to is not None, "pull": args.pulls}
    return tuple(alert for alert in args.alerts if there[alert.needs])


def query(alert: LogAlert, args: LogAlertsArgs) -> str:
    """The query with its placeholders filled in."""
    return Template(alert.query).substitute(
        network=json.dumps(list(args.closed_to or ())), gate_hours=str(args.gate_hours)
    )


class LogAlerts(ComponentResource):
    """One scheduled query rule for each alert."""

    def __init__(self, name: str, args: LogAlertsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:observability:LogAlerts", name, None, opts)
        place = args.place
        for alert in wanted(args):
            ScheduledQueryRule(
                f"alert-{alert.name}",
                rule_name=place.names.alert(alert.name),
                resource_group_name=place.resource_group,
                location=args.location,
                tags=place.tags,
                kind="LogAlert",
                display_name=f"{alert.summary} ({place.names.environment})",
                description=f"{alert.summary} First: {alert.first_step}",
                severity=alert.severity,
                enabled=True,
                # Tables of Azure's own come into being with their first row; until then a query on them does not
                # resolve, and Azure would refuse the rule.
                skip_query_validation=True,
                evaluation_frequency=alert.every,
                window_size=alert.window,
                scopes=[args.workspace_id],
                criteria=ScheduledQueryRuleCriteriaArgs(
                    all_of=[
                        ConditionArgs(
                            query=query(alert, args),
                            time_aggregation="Count",
                            operator="GreaterThan",
                            threshold=0,
                            failing_periods=ConditionFailingPeriodsArgs(
                                number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                            ),
                        )
                    ]
                ),
                # An event has happened and does not un-happen: somebody closes the alert.
                auto_mitigate=False,
                actions=ActionsArgs(action_groups=[args.action_group_id]),
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})
