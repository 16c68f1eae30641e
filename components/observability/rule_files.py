"""Rule files: read, and judged before anything is made of them.

All problems are told at once, each with file, group and rule, what is allowed and how to mend it. What it does not do:
it does not parse expressions (promtool does, in the tests), and it translates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.observability import durations

MOST_RULES = 20
"""Of one group; the managed service refuses more, and the limit cannot be raised (Azure Monitor service limits)."""

INTERVAL_SECONDS = range(60, 15 * 60 + 1)
"""Between two evaluations of a group (Azure Monitor service limits)."""

TIME_TO_RESOLVE = "10m"
"""For alerts that do not say."""

SEVERITIES = ("0", "1", "2", "3", "4")
TEXTS = ("summary", "description", "first_step")

_GROUP_KEYS = ("name", "interval", "rules")
_RECORD_KEYS = ("record", "expr", "labels")
_ALERT_KEYS = ("alert", "expr", "for", "labels", "annotations")
_ANNOTATIONS = (*TEXTS, "time_to_resolve")
_GROUP_NAME = re.compile(r"[^:@/#{}%&+*<>?]+")
"""What Azure takes in the name of a rule group."""


class RuleFileError(ValueError):
    """Everything that is wrong with the rule files."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def read(path: Path) -> list[Mapping[str, Any]]:
    """The groups of a rule file as they stand in it. RuleFileError with all that is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise RuleFileError([_said(path.name, f"does not parse: {told}", "YAML", "mend that line")]) from None
    if not isinstance(content, dict) or list(content) != ["groups"] or not _maps(content["groups"]):
        raise RuleFileError([_said(path.name, "is not a rule file", "one key, groups, with a list", "see the others")])
    problems = [_said(f"{path.name}: {where}", *rest) for where, *rest in _groups(content["groups"])]
    if problems:
        raise RuleFileError(problems)
    found: list[Mapping[str, Any]] = content["groups"]
    return found


def duplicates(groups: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Problems of names that several groups or rules have; `groups` comes with the file of each."""
    places: dict[str, list[str]] = {}
    for file, group in groups:
        places.setdefault(f"group {group['name']}", []).append(file)
        for rule in group["rules"]:
            places.setdefault(_identity(rule), []).append(f"{file}: group {group['name']}")
    return [
        _said(" and ".join(dict.fromkeys(where)), f"{what} stands there {len(where)} times", "once", "rename one")
        for what, where in places.items()
        if len(where) > 1
    ]


def _identity(rule: Mapping[str, Any]) -> str:
    if "alert" in rule:
        return f"alert {rule['alert']}"
    labels = "".join(f" {key}={value}" for key, value in sorted(rule.get("labels", {}).items()))
    return f"record {rule['record']}{labels}"


Found = Iterator[tuple[str, str, str, str]]
"""Where, what is wrong, what is allowed, how to mend."""


def _groups(groups: Sequence[Mapping[str, Any]]) -> Found:
    for index, group in enumerate(groups, 1):
        where = f"group {group.get('name', index)}"
        yield from _keys(where, group, _GROUP_KEYS, required=_GROUP_KEYS)
        name, rules = group.get("name"), group.get("rules")
        if not isinstance(name, str) or not _GROUP_NAME.fullmatch(name):
            yield where, f"name = {name!r}", "a text without : @ / # { } % & + * < > ?", "rename the group"
        if _length(group.get("interval")) not in INTERVAL_SECONDS:
            yield where, f"interval = {group.get('interval')!r}", "1m to 15m", "set interval: 1m"
        if not _maps(rules) or not rules:
            yield where, "has no rules", f"a list of 1 to {MOST_RULES} rules", "add a rule or remove the group"
            continue
        if len(rules) > MOST_RULES:
            yield where, f"has {len(rules)} rules", f"1 to {MOST_RULES}", "split the group"
        for number, rule in enumerate(rules, 1):
            yield from _rule(f"{where}: rule {rule.get('alert') or rule.get('record') or number}", rule)


def _rule(where: str, rule: Mapping[str, Any]) -> Found:
    if ("alert" in rule) == ("record" in rule):
        yield where, "is neither or both of alert and record", "exactly one of them", "name it by one of the two"
        return
    alert = "alert" in rule
    allowed = _ALERT_KEYS if alert else _RECORD_KEYS
    yield from _keys(where, rule, allowed, required=_ALERT_KEYS if alert else _RECORD_KEYS[:2])
    if not isinstance(rule.get("expr", "?"), str) or not rule.get("expr", "?").strip():
        yield where, f"expr = {rule['expr']!r}", "an expression", "write one"
    yield from _texts(where, "labels", rule)
    if not alert:
        return
    yield from _texts(where, "annotations", rule)
    severity = _map(rule, "labels").get("severity")
    if severity not in SEVERITIES:
        listed = ", ".join(f'"{each}"' for each in SEVERITIES)
        yield where, f"label severity = {severity!r}", f"one of {listed}", 'add severity: "3"'
    if "for" in rule and _length(rule["for"]) < 60:
        yield where, f"for = {rule['for']!r}", f"1m or more, as {durations.ALLOWED}", "set for: 5m"
    annotations = _map(rule, "annotations")
    yield from _keys(f"{where}: annotations", annotations, _ANNOTATIONS, required=TEXTS)
    if "time_to_resolve" in annotations and _length(annotations["time_to_resolve"]) < 60:
        told = f"annotation time_to_resolve = {annotations['time_to_resolve']!r}"
        yield where, told, f"1m or more, as {durations.ALLOWED}", f"remove it, which means {TIME_TO_RESOLVE}"


def _keys(where: str, found: Mapping[str, Any], allowed: Sequence[str], *, required: Sequence[str]) -> Found:
    listed = ", ".join(allowed)
    for key in found:
        if key not in allowed:
            yield where, f"has an unknown key {key!r}", listed, "remove it or mend its spelling"
    for key in required:
        if key not in found:
            yield where, f"lacks {key}", listed, f"add {key}"


def _texts(where: str, key: str, rule: Mapping[str, Any]) -> Found:
    value = rule.get(key, {})
    wrong = {"": value} if not isinstance(value, dict) else {k: v for k, v in value.items() if not _text(v)}
    for name, said in wrong.items():
        yield where, f"{key} {name} = {said!r}".replace("  ", " "), "names with texts", "put the value in quotes"


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _map(rule: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = rule.get(key)
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _length(value: Any) -> int:
    """In seconds; 0 for what is no duration."""
    try:
        return durations.seconds(value) if isinstance(value, str) else 0
    except ValueError:
        return 0


def _said(where: str, wrong: str, allowed: str, mend: str) -> str:
    return f"{where}: {wrong}; allowed: {allowed}; mend: {mend}"
