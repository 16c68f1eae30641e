"""The gates before environments and service connections, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rehearsal.delivery.index import ENVIRONMENT, Index, Thing, area_of, is_connection
from rehearsal.delivery.people import called
from rehearsal.graph import Graph, Resource
from rehearsal.words import count, last

APPROVAL: Final = "approval"
BRANCH: Final = "branch control"
LOCK: Final = "exclusive lock"
TEMPLATE: Final = "required template"
HOURS: Final = "business hours"

OF_PRODUCTION: Final = (APPROVAL, BRANCH, LOCK, TEMPLATE)
"""What stands before everything of production, unless the settings switch it off."""

NAMES: Final[Mapping[str, str]] = {
    "index:CheckApproval": APPROVAL,
    "index:CheckBranchControl": BRANCH,
    "index:CheckExclusiveLock": LOCK,
    "index:CheckRequiredTemplate": TEMPLATE,
    "index:CheckBusinessHours": HOURS,
}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Gate:
    """One check. `told` is all of it, `sign` the few words that fit on a box."""

    name: str
    told: str
    sign: str
    resource: Resource


@dataclass(frozen=True)
class Gated:
    """A thing with the gates before it, in the order of `NAMES`."""

    thing: Thing
    gates: tuple[Gate, ...]

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """What the gates say: equal where two things are guarded alike."""
        return tuple((gate.name, gate.told) for gate in self.gates)

    def lacks(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        standing = {gate.name for gate in self.gates}
        return tuple(name for name in wanted if name not in standing)


def is_gate(resource: Resource) -> bool:
    return resource.kind.startswith("index:Check")


def target(index: Index, check: Resource, stack: str) -> Thing:
    """What a check stands before."""
    return index.thing(str(check.get("targetResourceType", "")), check.get("targetResourceId", ""), stack)


def gated(index: Index, graph: Graph) -> tuple[Gated, ...]:
    """Every environment and connection of a stack, and whatever else has a gate; environments first."""
    things = [
        Thing(area_of(resource), resource.id, resource.name, resource)
        for resource in graph.resources
        if resource.custom and (resource.kind == ENVIRONMENT or is_connection(resource))
    ]
    checks = [
        (target(index, check, graph.stack), gate(index, check, graph.stack))
        for check in graph.resources
        if is_gate(check)
    ]
    before: defaultdict[tuple[str, str], list[Gate]] = defaultdict(list)
    for thing, found in checks:
        before[thing.key].append(found)
    all_ = {thing.key: thing for thing in (*(thing for thing, _ in checks), *things)}
    return tuple(
        Gated(thing, tuple(sorted(before[key], key=_place)))
        for key, thing in sorted(all_.items(), key=lambda pair: (pair[1].area != "environment", pair[1].name))
    )


def gate(index: Index, check: Resource, stack: str) -> Gate:
    """A check in words. One of a kind that is not known is there by its kind alone."""
    name = NAMES.get(check.kind, check.short_type)
    tell = _TOLD.get(name)
    told, sign = tell(index, check, stack) if tell else ("", check.short_type)
    return Gate(name, told, sign, check)


def approvers(index: Index, check: Resource, stack: str) -> tuple[str, ...]:
    """Names of those who approve."""
    return tuple(called(index, id_, stack) for id_ in check.get("approvers", []))


def _place(gate: Gate) -> tuple[int, str, str]:
    order = (*NAMES.values(), gate.name)
    return order.index(gate.name), gate.name, gate.told


def _approval(index: Index, check: Resource, stack: str) -> tuple[str, str]:
    who = ", ".join(approvers(index, check, stack)) or "NOBODY"
    many = check.get("minimumRequiredApprovers", 0)
    waits = check.get("timeout")
    words = (
        f"by {who}",
        f"{many} of them" if many else "all of them",
        "WHO ASKS MAY APPROVE" if check.get("requesterCanApprove") else "never by who asks",
        f"within {count(round(waits / 60), 'hour')}" if waits else "",
    )
    return ", ".join(filter(None, words)), f"approval: {who}"


def _branch(index: Index, check: Resource, stack: str) -> tuple[str, str]:
    branches = [branch.strip() for branch in str(check.get("allowedBranches", "*")).split(",")]
    which = " ".join("any branch" if branch in ("", "*") else _short(branch) for branch in branches)
    verified = bool(check.get("verifyBranchProtection"))
    unknown = verified and bool(check.get("ignoreUnknownProtectionStatus"))
    words = (
        f"{which} only",
        "protected" if verified else "PROTECTED OR NOT",
        "passes where that is not known" if unknown else "",
    )
    return ", ".join(filter(None, words)), f"{which} only" if verified else f"{which}, PROTECTED OR NOT"


def _lock(index: Index, check: Resource, stack: str) -> tuple[str, str]:
    return "one run at a time", "one at a time"


def _template(index: Index, check: Resource, stack: str) -> tuple[str, str]:
    named = [
        f"{each.get('templatePath')} of {each.get('repositoryName')} at {_short(str(each.get('repositoryRef', '')))}"
        for each in check.get("requiredTemplates", [])
    ]
    files = " ".join(last(each.get("templatePath")) for each in check.get("requiredTemplates", []))
    return " or ".join(named), f"template {files}"


def _hours(index: Index, check: Resource, stack: str) -> tuple[str, str]:
    hours = f"{_weekdays(check)} {check.get('startTime')}–{check.get('endTime')}"
    return f"{hours} {check.get('timeZone')}", hours


def _weekdays(check: Resource) -> str:
    """`Mon–Fri`; days that do not follow each other one by one."""
    on = [place for place, day in enumerate(_DAYS) if check.get(day)]
    names = [_DAYS[place][:3].capitalize() for place in on]
    if len(on) > 2 and on[-1] - on[0] == len(on) - 1:
        return f"{names[0]}–{names[-1]}"
    return " ".join(names) or "never"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


_TOLD: Final[Mapping[str, Callable[[Index, Resource, str], tuple[str, str]]]] = {
    APPROVAL: _approval,
    BRANCH: _branch,
    LOCK: _lock,
    TEMPLATE: _template,
    HOURS: _hours,
}
