"""Security that gets weaker: properties by the table in `properties`, and what no table of properties can say.

A thing that goes takes its gates, locks and logs along: their going is told by what the thing's own loss says, and not
a second time here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rehearsal.exposure import public_endpoint
from rehearsal.graph import Resource
from rehearsal.run import UNKNOWN
from review.judgement import rights
from review.judgement.findings import Finding
from review.judgement.properties import SAFE, AtLeast, NoLess, NoMore, Safe, Stays
from review.model import Change, Changes, Op
from review.values import UNSEALED, differences

Judge = Callable[[Change, Changes], Iterator[Finding]]

_GUARDS: Final[Mapping[str, tuple[str, str]]] = {
    "authorization:ManagementLockByScope": ("lock", "the lock goes: {} can be deleted"),
    "authorization:PolicyAssignment": ("hardening", "the policy goes: {} lets in what it refused"),
    "monitor:DiagnosticSetting": ("watch", "logs of {} are not kept any more"),
    "networking.k8s.io:NetworkPolicy": ("access", "the filter goes: pods of {} may talk as the other policies allow"),
    "network:NetworkSecurityGroup": ("access", "the filter goes"),
    "index:BranchPolicy": ("gate", "the policy goes: the branch takes what it held back"),
    "index:Check": ("gate", "the gate before {} goes"),
    "index:RepositoryRuleset": ("gate", "the rules go: the branch takes what they held back"),
    "index:RepositoryEnvironmentDeploymentPolicy": ("gate", "the limit to branches goes"),
    "index:ActionsRepositoryPermissions": ("hardening", "every action may run"),
    "index:WorkflowRepositoryPermissions": ("hardening", "the token of a run may write"),
    "security:Pricing": ("watch", "Defender no longer looks for threats"),
    "security:SecurityContact": ("watch", "nobody is told of threats"),
}
"""What protects something else, by the start of its kind: its sign, and what its going means."""

_TARGETS: Final = ("targetResourceId", "scope", "resourceUri")
"""Where a guard names what it protects."""
_WATCHES: Final = ("ScheduledQueryRule", "ActivityLogAlert", "PrometheusRuleGroup", "ActionGroup")
_LATER: Final = "somebody who is known only afterwards"
_ANYBODY: Final = frozenset({"*", "internet", "0.0.0.0/0", "any", "::/0"})


def weaker(changes: Changes) -> Iterator[Finding]:
    """Every finding, those of one resource together."""
    for change in changes.changes:
        if change.resource.custom:
            for judge in _JUDGES:
                yield from judge(change, changes)
    for subject, reason in changes.exceptions.items():
        yield Finding("exception", subject, subject, f"excepted from the policies: {reason}")


def _properties(change: Change, changes: Changes) -> Iterator[Finding]:
    """What was safe and is not any more; of something new, what is not safe from its first day."""
    if change.after is None:
        return
    for rule in SAFE.get(change.kind, ()):
        if change.before is not None:
            told = _worse(rule, at(change.before, rule.path), at(change.after, rule.path))
        elif isinstance(rule, Stays) and not change.kind.startswith("authorization:"):
            now = at(change.after, rule.path)
            told = "" if _is(rule, now) else rule.told
        else:
            told = ""
        if told:
            yield Finding.about(change, rule.sign, told, grave=getattr(rule, "grave", True))


def _worse(rule: Safe, before: Any, after: Any) -> str:
    match rule:
        case Stays():
            return rule.told if _is(rule, before) and not _is(rule, after) else ""
        case AtLeast():
            old, new = (rule.unset if value is None else value for value in (before, after))
            fell = isinstance(old, (int, float)) and isinstance(new, (int, float)) and new < old
            return f"{rule.told}: {_number(old)} → {_number(new)}" if fell else ""
        case NoMore():
            come = _new_entries(before, after)
            if rule.empty_is_all and _entries(before) and not _entries(after):
                return f"{rule.told}: every one, it was {', '.join(_entries(before))}"
            if rule.empty_is_all and not _entries(before):
                return ""
            told = (_LATER if each == UNKNOWN else each for each in come)
            return f"{rule.told}: also {', '.join(told)}" if come else ""
        case NoLess():
            gone = _new_entries(after, before)
            return f"{rule.told}: no more {', '.join(gone)}" if gone else ""


def _is(rule: Stays, value: Any) -> bool:
    return (rule.unset if value is None else value) in rule.good


def at(resource: Resource, path: str) -> Any:
    """The value at a dotted path; a dot of a key's own is written with a backslash."""
    value: Any = resource.properties
    for key in re.split(r"(?<!\\)\.", path):
        value = value.get(key.replace("\\.", ".")) if isinstance(value, Mapping) else None
    return value


def _entries(value: Any) -> list[str]:
    if isinstance(value, str):
        return [entry for part in value.split(",") if (entry := part.strip())]
    return [_short(entry) for entry in value or ()]


def _new_entries(before: Any, after: Any) -> list[str]:
    known = set(_entries(before))
    return [entry for entry in dict.fromkeys(_entries(after)) if entry not in known]


def _short(entry: Any) -> str:
    """An entry by its content, in a stable order: `value 203.0.113.0/24`."""
    if isinstance(entry, Mapping):
        if name := entry.get("name") or entry.get("category"):
            return f"{name}{'' if entry.get('enabled', True) else ' (off)'}"
        return " ".join(f"{key} {_short(entry[key])}" for key in sorted(entry))
    if isinstance(entry, list):
        return "[" + "; ".join(map(_short, entry)) + "]"
    return str(entry)


def _number(value: float) -> str:
    return "no limit" if value == float("inf") else f"{value:g}"


def _public(change: Change, changes: Changes) -> Iterator[Finding]:
    """An address that the internet reaches, or that answers more of it than before."""
    if change.after is None or not (now := public_endpoint(change.after)):
        return
    before = public_endpoint(change.before) if change.before else ""
    if not before:
        grave = "(Entra ID only)" not in now
        yield Finding.about(change, "public", f"reachable from the internet: {now}", grave=grave)
    elif before.endswith(")") and not now.endswith(")"):
        yield Finding.about(change, "public", f"answers everybody: {now}, before {before}")


def _unsealed(change: Change, changes: Changes) -> Iterator[Finding]:
    """What was a secret, and is none any more: whoever reads the state reads it."""
    if told := ", ".join(each.path for each in change.differences if each.after == UNSEALED):
        yield Finding.about(change, "secret", f"stands in the state in plain text: {told}")


def _option(change: Change, changes: Changes) -> Iterator[Finding]:
    before, after = change.before, change.after
    if before and after and before.protected and not after.protected:
        yield Finding.about(change, "protection", "the engine no longer refuses to delete it")
    if before and after and before.retained and not after.retained:
        yield Finding.about(change, "protection", "a destroy takes it from the cloud as well")


def _guard(change: Change, changes: Changes) -> Iterator[Finding]:
    """A lock, a gate, a policy or a log that goes, while what it protects stays."""
    found = next((told for start, told in _GUARDS.items() if change.kind.startswith(start)), None)
    if found is None or change.before is None or (change.op is Op.DELETE and change.before.retained):
        return
    old = _protects(change.before)
    if change.op is Op.DELETE:
        gone = {each.id for each in _sides(changes, Op.DELETE)}
        users = {old} if old else _filtered(change.before, changes)
        if not users or users - gone:
            yield Finding.about(change, found[0], found[1].format(_called(old, changes)))
    elif change.op is Op.REPLACE and change.after is not None:
        new = _protects(change.after)
        remade = {gone.id for gone in _sides(changes, Op.REPLACE)}
        if new != old and old not in remade:
            yield Finding.about(
                change, found[0], f"stands before {_called(new, changes)}, no longer before {_called(old, changes)}"
            )


def _sides(changes: Changes, op: Op) -> Iterator[Resource]:
    return (change.before for change in changes.of(op) if change.before is not None)


def _protects(guard: Resource) -> str:
    return next((str(found) for key in _TARGETS if (found := guard.get(key))), "")


def _filtered(filter_: Resource, changes: Changes) -> set[str]:
    """The subnets behind a network security group, which does not name them."""
    return {each.id for each in changes.before.resources if each.get("networkSecurityGroup.id") == filter_.id}


def _called(id_: str, changes: Changes) -> str:
    known = (each for graph in (changes.before, changes.after) for each in graph.resources)
    named = next((each.name for each in known if each.custom and each.id == id_), "")
    return named or id_.rstrip("/").rpartition("/")[2] or "it"


def _alert(change: Change, changes: Changes) -> Iterator[Finding]:
    if change.op is Op.DELETE and change.resource.short_type in _WATCHES:
        yield Finding.about(change, "watch", "nobody is told of this any more", grave=False)


def _hours(change: Change, changes: Changes) -> Iterator[Finding]:
    """Business hours let more through when a day comes, the start is earlier or the end later."""
    if change.kind != "index:CheckBusinessHours" or not (change.before and change.after):
        return
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    told = [f"also on {day}" for day in days if change.after.get(day) and not change.before.get(day)]
    for key, word, earlier in (("startTime", "from", True), ("endTime", "until", False)):
        old, new = (str(side.get(key, "")) for side in (change.before, change.after))
        if old and new and (new < old if earlier else new > old):
            told.append(f"{word} {new}, before {word} {old}")
    if told:
        yield Finding.about(change, "gate", f"releases pass {', '.join(told)}")


def _approvals(change: Change, changes: Changes) -> Iterator[Finding]:
    """No minimum means that all have to approve, so the fewest is one."""
    if change.kind != "index:CheckApproval" or not (change.before and change.after):
        return
    old, new = (
        int(side.get("minimumRequiredApprovers", 0)) or len(side.get("approvers", []))
        for side in (change.before, change.after)
    )
    if new < old:
        yield Finding.about(change, "gate", f"approvals that it takes: {old} → {new}")


def _filter(change: Change, changes: Changes) -> Iterator[Finding]:
    """Rules of a network security group: one that allows more comes, or one that denies goes."""
    if change.kind != "network:NetworkSecurityGroup" or not (change.before and change.after):
        return
    old, new = (
        {each["name"]: each for each in side.get("securityRules", [])} for side in (change.before, change.after)
    )
    for name, rule in new.items():
        if rule.get("access") == "Allow" and list(differences(old.get(name, {}), rule)):
            source = str(rule.get("sourceAddressPrefix") or ", ".join(rule.get("sourceAddressPrefixes") or ["?"]))
            whom = "EVERYBODY" if source.lower() in _ANYBODY else source
            way = "lets in" if rule.get("direction") == "Inbound" else "lets out"
            ports = rule.get("destinationPortRange") or ", ".join(rule.get("destinationPortRanges") or ["*"])
            yield Finding.about(change, "access", f"{name} {way} {whom} to port {ports}")
    for name, rule in old.items():
        if rule.get("access") == "Deny" and new.get(name, {}).get("access") != "Deny":
            yield Finding.about(change, "access", f"{name} no longer denies")


def _subnet(change: Change, changes: Changes) -> Iterator[Finding]:
    if change.kind != "network:Subnet" or not (change.before and change.after):
        return
    for path, told in (
        ("networkSecurityGroup.id", "no filter stands before it"),
        ("routeTable.id", "its traffic no longer takes the given route"),
    ):
        if change.before.get(path) and not change.after.get(path):
            yield Finding.about(change, "access", told)


def _pools(change: Change, changes: Changes) -> Iterator[Finding]:
    """Agents that every project may use."""
    if change.kind != "devopsinfrastructure:Pool" or change.after is None:
        return
    before, after = (
        any(each.get("openAccess") for each in (side.get("organizationProfile.organizations", []) if side else []))
        for side in (change.before, change.after)
    )
    if after and not before:
        yield Finding.about(change, "right", "every project of the organisation may use the agents")


def _nobody_agrees(change: Change, changes: Changes) -> Iterator[Finding]:
    """An environment on GitHub that waited for somebody, and waits for nobody any more."""
    if change.kind != "index:RepositoryEnvironment" or not (change.before and change.after):
        return
    if at(change.before, "reviewers") and not at(change.after, "reviewers"):
        yield Finding.about(change, "gate", "nobody has to approve any more")


_JUDGES: Final[tuple[Judge, ...]] = (
    _public,
    _properties,
    _unsealed,
    _option,
    _guard,
    _alert,
    _hours,
    _approvals,
    _nobody_agrees,
    _filter,
    _subnet,
    _pools,
    rights.judge,
)
