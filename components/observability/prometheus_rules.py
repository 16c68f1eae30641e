"""Prometheus rules: read from rule files in Prometheus' own format, translated to what Azure's rule groups take.

The files in `rules/` are what promtool checks and tests, so nothing in them needs this module to make sense. What
Azure has beyond Prometheus stands there under these names:

    label       severity         "0" critical, "1" error, "2" warning, "3" informational, "4" verbose
    annotation  summary          what is wrong, in one sentence
    annotation  description      which one it is, with Prometheus' templates
    annotation  first_step       what to do first
    annotation  time_to_resolve  how long the condition must be gone before the alert is resolved; 10m if not said

What it does not do: it declares no resource (scopes and the name of the cluster are the caller's), and it does not
parse expressions, which promtool does in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pulumi import Input
from pulumi_azure_native.alertsmanagement import (
    PrometheusRuleArgs,
    PrometheusRuleGroupActionArgs,
    PrometheusRuleResolveConfigurationArgs,
)

from components.observability.durations import to_iso, to_prometheus
from components.observability.rule_files import TIME_TO_RESOLVE, RuleFileError, duplicates, read

RULES = Path(__file__).parent / "rules"


@dataclass(frozen=True)
class Rule:
    """A recording or an alert rule. Durations are ISO 8601."""

    expression: str
    record: str | None = None
    alert: str | None = None
    for_: str | None = None
    severity: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    time_to_resolve: str | None = None
    enabled: bool = True


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated together and in this order; `interval` is ISO 8601."""

    name: str
    interval: str
    rules: tuple[Rule, ...]

    @property
    def alerts(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.alert)


@dataclass(frozen=True)
class Objectives:
    """What the workload promises. Ratios are parts of all requests, over 30 days."""

    availability: float = 0.999
    """Requests that are not answered with a server error."""
    latency: float = 0.95
    """Requests that are answered within the threshold."""
    latency_threshold_seconds: float = 0.3
    """Must be the end of a bucket of the workload's histogram."""

    def __post_init__(self) -> None:
        for name in ("availability", "latency"):
            if not 0.94 <= getattr(self, name) < 1:
                # Below, 14.4 times the budget would be more than all requests: the fast alert could never fire.
                raise ValueError(f"{name} = {getattr(self, name)}; allowed: 0.94 up to, but not including, 1")
        if not self.latency_threshold_seconds > 0:
            raise ValueError(f"latency_threshold_seconds = {self.latency_threshold_seconds}; allowed: above 0")


_CONSTANTS = {
    "slo:availability:objective_ratio": "availability",
    "slo:latency:objective_ratio": "latency",
    "slo:latency:threshold_seconds": "latency_threshold_seconds",
}
"""Recording rules whose expression begins with the number of an objective."""

_LEADING_NUMBER = re.compile(r"^\d+(\.\d+)?(?= \*)")

_NAME_JOINTS = {"UXRecordingRulesRuleGroup": " - "}
"""The portal looks for the groups of recording rules by their names, and this one's is spelt in its own way."""


def load(directory: Path = RULES) -> tuple[RuleGroup, ...]:
    """All groups of all rule files. RuleFileError with everything that is wrong with any of them."""
    problems: list[str] = []
    groups: list[tuple[str, Mapping[str, Any]]] = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            groups += [(path.name, group) for group in read(path)]
        except RuleFileError as error:
            problems += error.problems
    problems += duplicates(groups)
    if problems:
        raise RuleFileError(problems)
    return tuple(_group(group) for _, group in groups)


def with_objectives(groups: Iterable[RuleGroup], objectives: Objectives) -> tuple[RuleGroup, ...]:
    """The same rules, judging the workload by these objectives."""

    def judged(rule: Rule) -> Rule:
        name = _CONSTANTS.get(rule.record or "")
        if not name:
            return rule
        number = f"{getattr(objectives, name):.10f}".rstrip("0").rstrip(".")
        expression, count = _LEADING_NUMBER.subn(number, rule.expression)
        assert count == 1, f"{rule.record} must begin with a number"
        return replace(rule, expression=expression)

    return tuple(replace(group, rules=tuple(map(judged, group.rules))) for group in groups)


def without_alerts(groups: Iterable[RuleGroup], names: Collection[str]) -> tuple[RuleGroup, ...]:
    """The same rules with these alerts switched off. ValueError for a name that no alert has."""
    found = tuple(groups)
    known = {rule.alert for group in found for rule in group.alerts}
    if unknown := sorted(set(names) - known):
        raise ValueError(f"no such alert: {', '.join(unknown)}; allowed: {', '.join(sorted(filter(None, known)))}")
    return tuple(
        replace(group, rules=tuple(replace(rule, enabled=rule.alert not in names) for rule in group.rules))
        for group in found
    )


def group_name(group: RuleGroup, cluster_name: str) -> str:
    """The rule group's name in Azure: one group per cluster, also where a workspace holds several."""
    return f"{group.name}{_NAME_JOINTS.get(group.name, '-')}{cluster_name}"


def rule_args(group: RuleGroup, action_group_id: Input[str]) -> list[PrometheusRuleArgs]:
    """A group's rules for the provider; every alert goes to the action group."""
    return [
        PrometheusRuleArgs(
            record=rule.record,
            alert=rule.alert,
            expression=rule.expression,
            for_=rule.for_,
            severity=rule.severity,
            labels=rule.labels or None,
            annotations=rule.annotations or None,
            enabled=rule.enabled,
            actions=[PrometheusRuleGroupActionArgs(action_group_id=action_group_id)] if rule.alert else None,
            resolve_configuration=PrometheusRuleResolveConfigurationArgs(
                auto_resolved=True, time_to_resolve=rule.time_to_resolve
            )
            if rule.alert
            else None,
        )
        for rule in group.rules
    ]


def describe(groups: Iterable[RuleGroup]) -> str:
    """The page for those who are called: every alert with its severity, its meaning and what to do first. Markdown."""
    lines = [
        "# Alerts",
        "",
        "Made from the rule files in `components/observability/rules`; a test holds the two together. Make it again by",
        "`python -m components.observability.prometheus_rules > docs/alerts.md`.",
        "",
        "*For*: how long the condition must last before anybody is told. Severity 0 is critical, 1 error, 2 warning,",
        "3 informational, 4 verbose.",
    ]
    for group in groups:
        if not group.alerts:
            continue
        lines += [
            "",
            f"## {group.name}",
            "",
            "| alert | severity | for | meaning | first thing to do |",
            "|---|---|---|---|---|",
        ]
        for rule in group.alerts:
            waits, texts = to_prometheus(rule.for_ or ""), rule.annotations
            lines.append(f"| {rule.alert} | {rule.severity} | {waits} | {texts['summary']} | {texts['first_step']} |")
    return "\n".join(lines) + "\n"


def _group(raw: Mapping[str, Any]) -> RuleGroup:
    return RuleGroup(raw["name"], to_iso(raw["interval"]), tuple(map(_rule, raw["rules"])))


def _rule(raw: Mapping[str, Any]) -> Rule:
    expression, labels = raw["expr"].strip(), dict(raw.get("labels", {}))
    if "record" in raw:
        return Rule(expression, record=raw["record"], labels=labels)
    annotations = dict(raw["annotations"])
    return Rule(
        expression,
        alert=raw["alert"],
        for_=to_iso(raw["for"]),
        severity=int(labels.pop("severity")),
        labels=labels,
        time_to_resolve=to_iso(annotations.pop("time_to_resolve", TIME_TO_RESOLVE)),
        annotations=annotations,
    )


if __name__ == "__main__":
    print(describe(load()), end="")
