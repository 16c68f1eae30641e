"""What Azure says of single resources: alert rules, locks, plans, the plan of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.verify.register import VERIFY

RULES: Final[Mapping[str, str]] = {
    "monitor:ScheduledQueryRule": "2023-12-01",
    "alertsmanagement:PrometheusRuleGroup": "2023-03-01",
    "monitor:ActivityLogAlert": "2020-10-01",
}
"""Kinds of alert rules, and the version of the interface that each is asked by."""
JUDGED_BY_HEALTH: Final = ("monitor:ScheduledQueryRule", "alertsmanagement:PrometheusRuleGroup")
"""Azure tells whether these could be evaluated lately."""
HEALTH: Final = "providers/Microsoft.ResourceHealth/availabilityStatuses/current"


@VERIFY("alert-rules", "every alert rule is there, enabled and healthy", LOGIN)
def alert_rules(place: Place) -> Judged:
    for kind, version in RULES.items():
        for rule in place.graph.of_kind(kind):
            found = place.clouds.resource(rule.id, version)
            health = None
            if found and kind in JUDGED_BY_HEALTH:
                health = place.clouds.resource(f"{rule.id}/{HEALTH}", "2022-10-01")
            yield from judge_rule(rule.id.rpartition("/")[2], found, health)


def judge_rule(name: str, found: Mapping[str, Any] | None, health: Mapping[str, Any] | None) -> Iterator[Amiss]:
    if found is None:
        yield Amiss(f"{name} is gone", "pulumi up --refresh brings it back")
        return
    properties = found["properties"]
    off = [str(each.get("record") or each.get("alert")) for each in properties.get("rules", ()) if not each["enabled"]]
    if not properties["enabled"]:
        yield Amiss(f"{name} is switched off", "pulumi up --refresh switches it on again")
    elif off:
        yield Amiss(f"{name}: {', '.join(off)} are switched off", "pulumi up --refresh switches them on again")
    state = health["properties"]["availabilityState"] if health else None
    if state not in (None, "Available", "Unknown"):
        yield Amiss(
            f"{name} is {state}: {health['properties'].get('summary', '') if health else ''}".rstrip(": "),
            "open Resource health of the rule; a query that fails names its table or column",
        )


@VERIFY("locks", "every lock of production is there", LOGIN, applies=lambda place: place.settings.production)
def locks(place: Place) -> Judged:
    wanted = [each.id for each in place.graph.of_kind("authorization:ManagementLockByScope")]
    yield from judge_locks({id: place.clouds.resource(id, "2020-05-01") for id in wanted})


def judge_locks(found: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Amiss]:
    if not found:
        yield Amiss("the stack has made no lock", "pulumi up with cluster.reachable as it is")
    for id, lock in found.items():
        if lock is None or lock["properties"]["level"] != "CanNotDelete":
            yield Amiss(f"{id.rpartition('/')[2]} is gone or weaker", "pulumi up --refresh brings it back")


@VERIFY(
    "plans",
    "Defender's plans are on, with every extension",
    LOGIN,
    applies=lambda place: place.settings.defender.plans != "none",
)
def plans(place: Place) -> Judged:
    base = f"/subscriptions/{place.settings.azure.subscription_id}/providers/Microsoft.Security/pricings"
    for plan in ("Containers", "KeyVaults"):
        yield from judge_plan(plan, place.clouds.resource(f"{base}/{plan}", "2024-01-01"))


def judge_plan(name: str, found: Mapping[str, Any] | None) -> Iterator[Amiss]:
    tier = found["properties"]["pricingTier"] if found else "not there"
    if found is None or tier != "Standard":
        yield Amiss(f"the plan {name} is {tier}", "pulumi up of the stack whose defender.plans is managed")
        return
    off = [each["name"] for each in found["properties"].get("extensions") or () if each["isEnabled"] != "True"]
    if off:
        yield Amiss(f"the plan {name} lacks {', '.join(off)}", "pulumi up of the stack whose defender.plans is managed")


@VERIFY(
    "table-plans",
    "tables that are said to be on the Basic plan are",
    LOGIN,
    applies=lambda place: bool(place.settings.logs.basic_tables),
)
def table_plans(place: Place) -> Judged:
    assert place.outputs is not None, "checks of this door see outputs"
    workspace = place.outputs["contract"]["logWorkspaceId"]
    for table in place.settings.logs.basic_tables:
        found = place.clouds.resource(f"{workspace}/tables/{table}", "2023-09-01")
        yield from judge_table(table, found)


def judge_table(name: str, found: Mapping[str, Any] | None) -> Iterator[Amiss]:
    plan = found["properties"]["plan"] if found else "not there"
    if plan != "Basic":
        yield Amiss(f"the table {name} is {plan}", "pulumi up --refresh; a table changes its plan once a week at most")
