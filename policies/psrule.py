"""What PSRule for Azure asks of the kinds of resources that the program makes, and how each is answered.

The list stands in `psrule.yaml`, whose head tells what the fields mean; names, references and severities are facts of
that project. Every answer can be checked against an export: rules of the pack, which name what they answer, or a
property and the value that it must have.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml

from policies.model import Resource, Stack, each
from policies.rule import Rule, registered

LIST: Final = Path(__file__).with_name("psrule.yaml")
BENCHMARK: Final = "CIS Azure Kubernetes Service Benchmark 1.7.0"

ALL, SETTING = "all", "setting"
"""Where an exception holds, beside the names of stacks: everywhere, or where a setting says so."""


@dataclass(frozen=True)
class Demand:
    """A property of a kind of resources, and what it must be."""

    type: str
    """The kind: `network:Subnet`."""
    path: str
    name: str = "*"
    """Pattern of logical names."""
    of: str | None = None
    """Property and value, `mode=User`, that a resource must have to be meant."""
    wanted: tuple[str, Any] = ("present", True)
    """`is`, `in`, `least`, `matches`, `starts`, `absent`, `present`, `holds` or `lacks`, and its operand."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Demand:
        own = {key: raw[key] for key in ("type", "path", "name", "of") if key in raw}
        (wanted,) = ((key, value) for key, value in raw.items() if key not in own)
        return cls(**own, wanted=wanted)

    def meant(self, stack: Stack) -> tuple[Resource, ...]:
        """The resources that it is about."""
        return tuple(one for one in stack.of(self.type) if fnmatchcase(one.name, self.name) and self._selects(one))

    def _selects(self, resource: Resource) -> bool:
        path, _, value = (self.of or "").partition("=")
        return not path or str(resource.get(path)) == value

    def met(self, resource: Resource) -> bool:
        operator, operand = self.wanted
        values = [value for value in each(resource.inputs, self.path) if value is not None]
        if operator in ("absent", "present"):
            return bool(values) == (operator == "present")
        if operator == "holds":
            return set(operand) <= set(values)
        if operator == "lacks":
            return not set(operand) & set(values)
        return bool(values) and all(_TESTS[operator](value, operand) for value in values)

    def __str__(self) -> str:
        operator, operand = self.wanted
        subject = f"`{self.type.partition(':')[2]}.{self.path}`"
        told = {
            "is": f"is {_word(operand)}",
            "in": f"is {_words(operand, ' or ')}",
            "least": f"is at least {operand}",
            "matches": "meets the rule's limits",
            "starts": f"starts with {_word(operand)}",
            "absent": "is not set",
            "present": "is set",
            "holds": f"holds {_words(operand, ', ')}",
            "lacks": f"does not hold {_words(operand, ', ')}",
        }[operator]
        return f"{subject} {told}"


_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "is": lambda value, operand: value == operand,
    "in": lambda value, operand: value in operand,
    "least": lambda value, operand: float(value) >= operand,
    "starts": lambda value, operand: str(value).startswith(operand),
    "matches": lambda value, operand: re.fullmatch(operand, str(value), re.ASCII) is not None,
}


def _words(values: Any, between: str) -> str:
    return between.join(map(_word, values)) if isinstance(values, list) else ""


def _word(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@dataclass(frozen=True)
class Answer:
    """One rule of PSRule for Azure, and how it is answered."""

    rule: str
    ref: str | None
    severity: str
    synopsis: str
    demands: tuple[Demand, ...] = ()
    """Properties that meet it."""
    note: str | None = None
    """What a reader should know although it is met."""
    excepted: str | None = None
    """Where it is not followed: the name of a stack, `all` or `setting`."""
    where: str | None = None
    """The same in words, where these say more."""
    reason: str | None = None
    """Why it is not followed."""
    silent: str | None = None
    """Why it has nothing to say about what the program declares."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of the pack that see to it."""
        return tuple(rule.id for rule in registered() if self.rule in rule.psrule)

    @property
    def title(self) -> str:
        return f"{self.rule} ({self.ref})" if self.ref else self.rule

    @property
    def scope(self) -> str:
        """Where it is not followed, in words."""
        words = {ALL: "all", SETTING: "by setting"}
        return self.where or words.get(str(self.excepted), f"`{self.excepted}`")

    def followed(self, stack: str) -> bool:
        """Whether a shipped stack is meant to follow it."""
        return self.silent is None and self.excepted not in (stack, ALL)


@dataclass(frozen=True)
class Deviation:
    """Something that is done otherwise than one might expect, and that no rule of that project is about."""

    what: str
    where: str
    reason: str


def _answer(raw: Mapping[str, Any]) -> Answer:
    simple = ("rule", "ref", "severity", "synopsis", "note", "excepted", "where", "reason", "silent")
    return Answer(
        **{"ref": None, **{key: raw[key] for key in simple if key in raw}},
        demands=tuple(Demand.read(one) for one in raw.get("properties", ())),
    )


@functools.cache
def answers() -> Mapping[str, Answer]:
    """By name of the rule, in the order of the list."""
    return {raw["rule"]: _answer(raw) for raw in _list()["rules"]}


@functools.cache
def deviations() -> tuple[Deviation, ...]:
    return tuple(Deviation(**raw) for raw in _list()["deviations"])


@functools.cache
def _list() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(LIST.read_text("utf-8"))
    return found


def references(rule: Rule) -> str:
    """Where a rule of the pack is asked for elsewhere: PSRule for Azure, with its references, and the CIS benchmark."""
    return "; ".join(_references(rule))


def _references(rule: Rule) -> Iterator[str]:
    known = answers()
    if rule.psrule:
        yield "PSRule " + ", ".join(known[name].title if name in known else name for name in rule.psrule)
    if rule.cis:
        yield f"CIS AKS {', '.join(rule.cis)}"
