"""Action groups, and the alert rules of Azure Monitor that lie on the activity log and on platform metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.durations import duration
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.roles import ROLES
from rehearsal.cloud.values import blocks, lookup, may_be, text

GROUP_TYPE: Final = "Microsoft.Insights/actionGroups"
_EMAIL: Final = re.compile(r"^[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+$")
# Activity log alerts may also be kept in the two European regions, for data residency.
_LOG_REGIONS: Final = ("global", "westeurope", "northeurope")
_CATEGORIES: Final = (
    "Administrative",
    "Alert",
    "Autoscale",
    "Policy",
    "Recommendation",
    "ResourceHealth",
    "Security",
    "ServiceHealth",
)
_FREQUENCIES: Final = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H")
_WINDOWS: Final = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D")
SEVERITIES: Final = (0, 1, 2, 3, 4)
OPERATORS: Final = ("Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")
AGGREGATIONS: Final = ("Average", "Count", "Maximum", "Minimum", "Total")


def _at(request: Request, allowed: tuple[str, ...]) -> None:
    location = str(request.get("location", "global")).lower().replace(" ", "")
    refuse_unless(
        location in allowed,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{request.kind.arm_type}'; "
        f"available are {', '.join(allowed)}.",
    )


def _receivers(request: Request) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in request.inputs:
        if key.endswith("Receivers"):
            for block in request.blocks(key):
                yield key, block


def _group_is_valid(request: Request) -> None:
    _at(request, ("global",))
    short = request.get("groupShortName", "x")
    refuse_unless(bool(short), "BadRequest", f"Action group {request.name}: groupShortName is empty.")
    refuse_unless(
        len(short) <= 12,
        "GroupShortNameIsTooLong",
        f"The action group short name '{short}' is too long. Please specify a short name with '12' or less characters.",
    )
    seen: set[str] = set()
    for key, receiver in _receivers(request):
        name = text(receiver, "name")
        refuse_unless(
            lookup(receiver, "name") not in (None, ""), "BadRequest", f"Action group {request.name}: {key} lack a name."
        )
        refuse_unless(
            name is None or name.lower() not in seen,
            "BadRequest",
            f"Action group {request.name}: two receivers are named '{name}'; names must be unique.",
        )
        seen |= {name.lower()} if name is not None else set()


def _receivers_can_be_reached(request: Request) -> None:
    for receiver in request.blocks("emailReceivers"):
        address = text(receiver, "emailAddress")
        refuse_unless(
            lookup(receiver, "emailAddress") is UNKNOWN or bool(address and _EMAIL.match(address)),
            "BadRequest",
            f"Action group {request.name}: '{address}' is not a valid email address.",
        )
    for receiver in request.blocks("webhookReceivers"):
        uri = text(receiver, "serviceUri")
        refuse_unless(
            lookup(receiver, "serviceUri") is UNKNOWN or bool(uri and uri.startswith(("https://", "http://"))),
            "BadRequest",
            f"Action group {request.name}: '{uri}' is not a valid service URI.",
        )
    for receiver in request.blocks("armRoleReceivers"):
        role = text(receiver, "roleId")
        refuse_unless(
            role is None or role.lower() in ROLES,
            "BadRequest",
            f"Action group {request.name}: there is no built-in role '{role}'.",
        )


def _conditions_name_a_category(request: Request) -> None:
    _at(request, _LOG_REGIONS)
    refuse_unless(
        lookup(request.inputs, "condition.allOf") not in (None, [], ()),
        "BadRequest",
        f"Activity log alert {request.name}: condition.allOf is empty; at least one condition is needed.",
    )
    conditions = list(request.blocks("condition.allOf"))
    for leaf in (inner for block in conditions for inner in (*blocks(block, "anyOf"), block)):
        compared = [key for key in ("equals", "containsAny", "anyOf") if lookup(leaf, key) is not None]
        refuse_unless(
            len(compared) == 1 and ("anyOf" in compared or lookup(leaf, "field") is not None),
            "BadRequest",
            f"Activity log alert {request.name}: a condition has a field with equals or containsAny, or anyOf.",
        )
    whole = lookup(request.inputs, "condition.allOf")
    if isinstance(whole, (list, tuple)) and not any(
        block is UNKNOWN or lookup(block, "field") in (UNKNOWN, "category") for block in whole
    ):
        refuse_unless(False, "BadRequest", f"Activity log alert {request.name}: no condition is on 'category'.")
    for block in conditions:
        if block.get("field") == "category":
            refuse_unless(
                may_be(block, "equals", *_CATEGORIES),
                "BadRequest",
                f"Activity log alert {request.name}: category '{block.get('equals')}' is not one of "
                f"{', '.join(_CATEGORIES)}.",
            )


def _scopes_are_near(request: Request) -> None:
    _has_scopes(request)
    for scope in request.texts("scopes"):
        refuse_unless(
            arm.is_id(scope) and arm.same(arm.subscription_of(scope), request.subscription),
            "BadRequest",
            f"Activity log alert {request.name}: scope '{scope}' does not lie in the alert's own subscription.",
        )


def _has_scopes(request: Request) -> None:
    refuse_unless(
        lookup(request.inputs, "scopes") not in ([], ()), "BadRequest", f"Alert rule {request.name} has no scopes."
    )
    for scope in request.texts("scopes"):
        refuse_unless(arm.is_id(scope), "BadRequest", f"Alert rule {request.name}: scope '{scope}' is no resource id.")


def check_severity(request: Request, block: Any, path: str) -> None:
    refuse_unless(
        may_be(block, path, None, *SEVERITIES) and lookup(block, path) is not False,
        "BadRequest",
        f"Alert rule {request.name}: severity {lookup(block, path)} is not between 0 and 4.",
    )


def _metric_alert_is_valid(request: Request) -> None:
    _at(request, ("global",))
    _has_scopes(request)
    check_severity(request, request.inputs, "severity")
    for path, allowed in (("evaluationFrequency", _FREQUENCIES), ("windowSize", _WINDOWS)):
        refuse_unless(
            request.may_be(path, *allowed),
            "BadRequest",
            f"Metric alert {request.name}: {path} '{request.get(path)}' is not one of {', '.join(allowed)}.",
        )
    frequency, window = duration(request.get("evaluationFrequency")), duration(request.get("windowSize"))
    refuse_unless(
        frequency is None or window is None or window >= frequency,
        "BadRequest",
        f"Metric alert {request.name}: windowSize is shorter than evaluationFrequency.",
    )


def _criteria_are_valid(request: Request) -> None:
    kind = text(request.inputs, "criteria.odataType")
    if kind is not None and "MultipleMetricCriteria" not in kind:
        return
    refuse_unless(
        lookup(request.inputs, "criteria.allOf") not in (None, [], ()),
        "BadRequest",
        f"Metric alert {request.name}: criteria.allOf is empty.",
    )
    seen: set[object] = set()
    for block in request.blocks("criteria.allOf"):
        name = text(block, "name")
        refuse_unless(name is None or name not in seen, "BadRequest", f"Two criteria are named '{name}'.")
        seen.add(name)
        for key, allowed in (("operator", (*OPERATORS, "GreaterOrLessThan")), ("timeAggregation", AGGREGATIONS)):
            refuse_unless(
                may_be(block, key, *allowed),
                "BadRequest",
                f"Metric alert {request.name}: {key} '{block.get(key)}' of '{name}' is not one of "
                f"{', '.join(allowed)}.",
            )


KINDS: Final = (
    Kind(
        token="azure-native:monitor:ActionGroup",
        arm_type=GROUP_TYPE,
        path=("actionGroupName",),
        required=("groupShortName", "enabled"),
        shape=(_group_is_valid, _receivers_can_be_reached),
    ),
    Kind(
        token="azure-native:monitor:ActivityLogAlert",
        arm_type="Microsoft.Insights/activityLogAlerts",
        path=("activityLogAlertName",),
        required=("actions", "condition", "scopes"),
        links={"actions.actionGroups[*].actionGroupId": GROUP_TYPE},
        shape=(_conditions_name_a_category, _scopes_are_near),
    ),
    Kind(
        token="azure-native:monitor:MetricAlert",
        arm_type="Microsoft.Insights/metricAlerts",
        path=("ruleName",),
        required=("criteria", "enabled", "evaluationFrequency", "scopes", "severity", "windowSize"),
        links={"actions[*].actionGroupId": GROUP_TYPE},
        shape=(_metric_alert_is_valid, _criteria_are_valid),
    ),
)
