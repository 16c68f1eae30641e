"""What a rule of the pack is: an id, how grave a breach is, why, how to mend it, and a pure function that judges.

A rule is about a resource (type and properties, as the program declares them) or about a whole stack. To import a
module of `policies.rules` is to have its rules in `registered`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from policies.model import Properties, Resource, Stack, kind

Severity = Literal["mandatory", "advisory"]
MANDATORY: Final = "mandatory"
"""Holds in every environment: only an exception, with its reason and its end, allows a breach."""
ADVISORY: Final = "advisory"
"""The settings may decide otherwise; whoever reviews a change should know."""

ResourceCheck = Callable[[str, Properties], Iterable[str]]
"""Type and properties of a resource to what is wrong with it."""
StackCheck = Callable[[Stack], Iterable[tuple[Resource, str]]]
"""A stack to what is wrong, each with the resource that it is about."""


@dataclass(frozen=True)
class Rule:
    id: str
    severity: Severity
    reason: str
    """Why it must hold; one sentence, as the message of a breach has it."""
    remedy: str
    psrule: tuple[str, ...] = ()
    """Rules of PSRule for Azure that ask for the same."""
    cis: tuple[str, ...] = ()
    """Recommendations of the CIS Azure Kubernetes Service Benchmark 1.7.0 that ask for the same."""


@dataclass(frozen=True)
class ResourceRule(Rule):
    kinds: tuple[str, ...] = ()
    """Kinds of resources that it judges, as patterns: `network:Subnet`, `authorization:*`."""
    check: ResourceCheck = lambda type_, properties: ()

    def judges(self, type_: str) -> bool:
        return any(fnmatchcase(kind(type_), pattern) for pattern in self.kinds)


@dataclass(frozen=True)
class StackRule(Rule):
    check: StackCheck = lambda stack: ()


_registered: dict[str, Rule] = {}


def registered() -> tuple[Rule, ...]:
    """All rules of the modules that are imported, in the order of their declaration."""
    return tuple(_registered.values())


def on_resource(
    id: str,
    *kinds: str,
    severity: Severity,
    reason: str,
    remedy: str,
    psrule: tuple[str, ...] = (),
    cis: tuple[str, ...] = (),
) -> Callable[[ResourceCheck], ResourceCheck]:
    """Makes a rule of a function that judges resources of these kinds."""

    def register(check: ResourceCheck) -> ResourceCheck:
        _register(ResourceRule(id, severity, reason, remedy, psrule, cis, kinds, check))
        return check

    return register


def on_stack(
    id: str,
    *,
    severity: Severity,
    reason: str,
    remedy: str,
    psrule: tuple[str, ...] = (),
    cis: tuple[str, ...] = (),
) -> Callable[[StackCheck], StackCheck]:
    """Makes a rule of a function that judges a whole stack."""

    def register(check: StackCheck) -> StackCheck:
        _register(StackRule(id, severity, reason, remedy, psrule, cis, check))
        return check

    return register


def _register(rule: Rule) -> None:
    if rule.id in _registered:
        raise ValueError(f"two rules are called {rule.id}")
    _registered[rule.id] = rule
