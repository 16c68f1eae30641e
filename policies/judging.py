"""Judges a stack by all rules, less what exceptions allow.

An exception is a setting: a rule, the resources that it is about, a reason and the last day that it holds. One that has
expired, or that names an unknown rule, is a breach itself; one that allows nothing any more is worth a word. Which day
it is, the caller says: the same export judged for the same day gives the same findings.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from policies.model import NotKnownError, Resource, Stack
from policies.rule import ADVISORY, MANDATORY, ResourceRule, Rule, Severity, StackRule


@dataclass(frozen=True)
class Exemption:
    """What is allowed to breach a rule, why, and until when; `aks-cicd:exceptions` has a list of them."""

    rule: str
    reason: str
    until: str
    """The last day that it holds, YYYY-MM-DD."""
    resource: str | None = None
    """A pattern of logical names, such as `pool-*`; None stands for every resource."""

    def expired(self, today: datetime.date) -> bool:
        return datetime.date.fromisoformat(self.until) < today

    def allows(self, rule: str, resource: str) -> bool:
        return rule == self.rule and fnmatchcase(resource, self.resource or "*")

    def __str__(self) -> str:
        return f"{self.rule} of {self.resource or 'every resource'}"


@dataclass(frozen=True)
class Finding:
    """A breach of a rule, or something wrong with an exception."""

    rule: str
    severity: Severity
    resource: str
    """Logical name; empty for what is about an exception."""
    urn: str
    found: str
    """What is wrong."""
    remedy: str
    reason: str = ""
    allowed: Exemption | None = None
    """The exception that allows it."""

    @property
    def blocks(self) -> bool:
        """Whether nothing allows it and it must not pass."""
        return self.severity == MANDATORY and self.allowed is None


EXPIRED, UNUSED, UNKNOWN = "exception-expired", "exception-unused", "exception-unknown"
"""What can be wrong with an exception, as ids beside those of rules."""


def breaches(rule: Rule, stack: Stack) -> Iterator[tuple[Resource, str]]:
    """What breaks a rule in a stack. A resource of which too little is known is passed over."""
    if isinstance(rule, ResourceRule):
        for resource in stack.resources:
            if rule.judges(resource.type):
                try:
                    yield from [(resource, words) for words in rule.check(resource.type, resource.inputs)]
                except NotKnownError:
                    continue
    elif isinstance(rule, StackRule):
        try:
            yield from list(rule.check(stack))
        except NotKnownError:
            return


def judge(
    stack: Stack, rules: Sequence[Rule], exemptions: Sequence[Exemption], today: datetime.date
) -> tuple[Finding, ...]:
    """All findings: those that block first, then by rule and resource."""
    used: set[Exemption] = set()
    found = []
    valid = [one for one in exemptions if not one.expired(today)]
    for rule in rules:
        for resource, words in breaches(rule, stack):
            allowed = next((one for one in valid if one.allows(rule.id, resource.name)), None)
            used |= {one for one in exemptions if one.allows(rule.id, resource.name)}
            found.append(
                Finding(rule.id, rule.severity, resource.name, resource.urn, words, rule.remedy, rule.reason, allowed)
            )
    found += faults(exemptions, [rule.id for rule in rules], today)
    found += (_unused(one) for one in valid if one not in used and one.rule in {rule.id for rule in rules})
    return tuple(sorted(found, key=lambda one: (not one.blocks, one.allowed is not None, one.rule, one.resource)))


def faults(exemptions: Iterable[Exemption], ids: Sequence[str], today: datetime.date) -> Iterator[Finding]:
    """What is wrong with exceptions by themselves."""
    for one in exemptions:
        if one.rule not in ids:
            near = get_close_matches(one.rule, ids, 1, 0.6)
            remedy = f"Did you mean {near[0]}?" if near else "docs/exceptions.md lists the rules."
            yield Finding(UNKNOWN, MANDATORY, "", "", f"no rule is called {one.rule}", remedy)
        elif one.expired(today):
            yield Finding(
                EXPIRED,
                MANDATORY,
                "",
                "",
                f"the exception from {one} ended on {one.until}",
                "Mend what it allowed and remove it, or decide anew and set another end.",
            )


def _unused(one: Exemption) -> Finding:
    return Finding(UNUSED, ADVISORY, "", "", f"the exception from {one} allows nothing", "Remove it.")


def exemptions_of(config: Any) -> tuple[Exemption, ...]:
    """The exceptions of a stack file, given what stands there as `aks-cicd:exceptions`.

    Raises ValueError, with a message for a person, for what the settings would refuse.
    """
    if config is None:
        return ()
    if not isinstance(config, list) or not all(isinstance(one, Mapping) for one in config):
        raise ValueError("aks-cicd:exceptions is no list of exceptions, each with the keys rule, reason and until")
    return tuple(_exemption(number, one) for number, one in enumerate(config))


def _exemption(number: int, said: Mapping[str, Any]) -> Exemption:
    key = f"aks-cicd:exceptions[{number}]"
    for needed in ("rule", "reason", "until"):
        if not isinstance(said.get(needed), str):
            raise ValueError(f"{key}.{needed} is {said.get(needed)!r}; it must be text, in quotes where it is a date")
    try:
        datetime.date.fromisoformat(said["until"])
    except ValueError:
        raise ValueError(f'{key}.until is {said["until"]!r}; write a date such as "2027-06-30"') from None
    resource = said.get("resource")
    return Exemption(said["rule"], said["reason"], said["until"], None if resource is None else str(resource))
