"""Alert rules that run a query: scheduled searches of logs, and groups of Prometheus rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.azure.alerts import AGGREGATIONS, GROUP_TYPE, OPERATORS, check_severity
from rehearsal.cloud.azure.metrics import WORKSPACE_TYPE, region
from rehearsal.cloud.durations import duration, is_duration
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import lookup, may_be, text

_FREQUENCIES: Final = (
    *("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT45M"),
    *("PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H", "P1D"),
)
_WINDOWS: Final = (*_FREQUENCIES, "P2D")
_LOG_KINDS: Final = ("LogAlert", "LogToMetric")
_METRIC: Final = re.compile(r"^[A-Za-z_:][A-Za-z0-9_:]*$")
_LABEL: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
MOST_RULES: Final = 20


def _search_is_valid(request: Request) -> None:
    kind = request.get("kind", "LogAlert")
    refuse_unless(
        request.may_be("kind", None, *_LOG_KINDS),
        "BadRequest",
        f"Query rule {request.name}: kind '{kind}' is not one of {', '.join(_LOG_KINDS)}.",
    )
    check_severity(request, request.inputs, "severity")
    if kind != "LogAlert" or lookup(request.inputs, "kind") is UNKNOWN:
        return
    for key in ("criteria", "evaluationFrequency", "scopes", "severity", "windowSize"):
        refuse_unless(
            lookup(request.inputs, key) not in (None, [], ()),
            "BadRequest",
            f"Query rule {request.name}: '{key}' is required for kind LogAlert.",
        )
    for path, allowed in (("evaluationFrequency", _FREQUENCIES), ("windowSize", _WINDOWS)):
        refuse_unless(
            request.may_be(path, *allowed),
            "BadRequest",
            f"Query rule {request.name}: {path} '{request.get(path)}' is not one of {', '.join(allowed)}.",
        )


def _silence_is_valid(request: Request) -> None:
    for path in ("muteActionsDuration", "overrideQueryTimeRange"):
        refuse_unless(
            is_duration(request.inputs, path),
            "BadRequest",
            f"Query rule {request.name}: {path} '{request.get(path)}' is not an ISO 8601 duration.",
        )
    refuse_unless(
        not (request.get("autoMitigate") is True and request.given("muteActionsDuration")),
        "BadRequest",
        f"Query rule {request.name}: muteActionsDuration and autoMitigate exclude each other.",
    )


def _conditions_are_valid(request: Request) -> None:
    conditions = lookup(request.inputs, "criteria.allOf")
    if not request.given("criteria") or lookup(request.inputs, "criteria") is UNKNOWN or conditions is UNKNOWN:
        return
    refuse_unless(
        isinstance(conditions, (list, tuple)) and len(conditions) == 1,
        "BadRequest",
        f"Query rule {request.name}: criteria.allOf must hold exactly one condition.",
    )
    for condition in request.blocks("criteria.allOf"):
        _condition_is_valid(request, condition)


def _condition_is_valid(request: Request, condition: Mapping[str, Any]) -> None:
    query = lookup(condition, "query")
    refuse_unless(
        query is UNKNOWN or bool(str(query or "").strip()),
        "BadRequest",
        f"Query rule {request.name}: the query is empty.",
    )
    if request.get("kind", "LogAlert") == "LogAlert":
        for key, allowed in (("operator", OPERATORS), ("timeAggregation", AGGREGATIONS)):
            refuse_unless(
                may_be(condition, key, *allowed),
                "BadRequest",
                f"Query rule {request.name}: {key} '{condition.get(key)}' is not one of {', '.join(allowed)}.",
            )
        refuse_unless(
            lookup(condition, "threshold") is not None,
            "BadRequest",
            f"Query rule {request.name}: threshold is missing.",
        )
        refuse_unless(
            may_be(condition, "timeAggregation", "Count") or lookup(condition, "metricMeasureColumn") is not None,
            "BadRequest",
            f"Query rule {request.name}: timeAggregation '{condition.get('timeAggregation')}' needs a "
            "metricMeasureColumn.",
        )
    periods = lookup(condition, "failingPeriods.numberOfEvaluationPeriods")
    failing = lookup(condition, "failingPeriods.minFailingPeriodsToAlert")
    refuse_unless(
        not isinstance(periods, int) or 1 <= periods <= 6,
        "BadRequest",
        f"Query rule {request.name}: numberOfEvaluationPeriods is {periods}; allowed are 1 to 6.",
    )
    refuse_unless(
        not isinstance(failing, int) or not isinstance(periods, int) or 1 <= failing <= periods,
        "BadRequest",
        f"Query rule {request.name}: minFailingPeriodsToAlert is {failing} of {periods} periods.",
    )


def _group_is_valid(request: Request) -> None:
    rules = lookup(request.inputs, "rules")
    refuse_unless(
        not isinstance(rules, (list, tuple)) or 1 <= len(rules) <= MOST_RULES,
        "BadRequest",
        f"Property name: Rules.Count, Error: 'Rules Count' must be between 1 and {MOST_RULES}. You entered "
        f"{len(rules or ())}."
        if isinstance(rules, (list, tuple))
        else "",
    )
    interval = duration(request.get("interval", "PT1M"))
    refuse_unless(
        lookup(request.inputs, "interval") is UNKNOWN
        or (interval is not None and timedelta(minutes=1) <= interval <= timedelta(minutes=15)),
        "BadRequest",
        f"Rule group {request.name}: interval '{request.get('interval')}' is not between PT1M and PT15M.",
    )
    scopes = lookup(request.inputs, "scopes")
    first = scopes[0] if isinstance(scopes, (list, tuple)) and scopes else scopes
    refuse_unless(
        scopes is UNKNOWN or first is UNKNOWN or (isinstance(first, str) and _is_workspace(first)),
        "BadRequest",
        f"Rule group {request.name}: the first of scopes must be an Azure Monitor workspace; it is '{first}'.",
    )


def _is_workspace(id: str) -> bool:
    return arm.is_id(id) and arm.same(arm.type_of(id), WORKSPACE_TYPE)


def _rules_are_valid(request: Request) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(request.blocks("rules")):
        name = text(rule, "alert") or text(rule, "record") or str(number)
        where = f"Rule group {request.name}: rule '{name}'"
        both = [key for key in ("record", "alert") if lookup(rule, key) not in (None, "")]
        refuse_unless(len(both) == 1, "BadRequest", f"{where} must have exactly one of record and alert.")
        expression = lookup(rule, "expression")
        refuse_unless(
            expression is UNKNOWN or bool(str(expression or "").strip()), "BadRequest", f"{where} has no expression."
        )
        for path in ("for", "resolveConfiguration.timeToResolve"):
            refuse_unless(
                is_duration(rule, path), "BadRequest", f"{where}: {path} '{lookup(rule, path)}' is not a duration."
            )
        check_severity(request, rule, "severity")
        record = text(rule, "record")
        refuse_unless(
            record is None or _METRIC.match(record) is not None, "BadRequest", f"{where} is no name of a metric."
        )
        labels = rule.get("labels")
        for label in labels if isinstance(labels, Mapping) else ():
            refuse_unless(_LABEL.match(label) is not None, "BadRequest", f"{where}: '{label}' is no name of a label.")
        if "alert" in both and isinstance(rule["alert"], str):
            # Records may share a name: they differ in their labels then.
            refuse_unless(name not in seen, "BadRequest", f"{where} is there twice.")
            seen.add(name)


def _group_lies_with_its_workspace(request: Request) -> None:
    found = request.world.find(request.texts("scopes")[0])
    refuse_unless(
        found is None or region(found.inputs.get("location")) == region(request.get("location")),
        "BadRequest",
        f"Rule group {request.name} lies in {request.get('location')}; it must lie in the region of its workspace.",
    )


KINDS: Final = (
    Kind(
        token="azure-native:monitor:ScheduledQueryRule",
        arm_type="Microsoft.Insights/scheduledQueryRules",
        path=("ruleName",),
        links={"actions.actionGroups[*]": GROUP_TYPE},
        shape=(_search_is_valid, _silence_is_valid, _conditions_are_valid),
    ),
    Kind(
        token="azure-native:alertsmanagement:PrometheusRuleGroup",
        arm_type="Microsoft.AlertsManagement/prometheusRuleGroups",
        path=("ruleGroupName",),
        required=("rules", "scopes"),
        links={"rules[*].actions[*].actionGroupId": GROUP_TYPE},
        shape=(_group_is_valid, _rules_are_valid),
        world=(_group_lies_with_its_workspace,),
    ),
)
