"""Conditions of role assignments, as far as the program writes them: their grammar, and what they let through.

    !(ActionMatches{'…'})                              the request is not for this action
    @Request[<attribute>] <operator> {a, b}            the request says one of these
    @Resource[<attribute>] <operator> 'pattern'        what is asked for is like this

with AND, OR and parentheses. Operators are `ForAnyOfAnyValues:GuidEquals` and `StringLike`, whose `*` is any text.
Source: Microsoft's page "Azure role assignment condition format and syntax". What it does not do: other operators,
attributes of principals and environments, suboperations.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GUID_EQUALS: Final = "ForAnyOfAnyValues:GuidEquals"
LIKE: Final = "StringLike"
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<action>ActionMatches\{'(?P<name>[^']+)'\})"
    r"|(?P<source>@(?:Request|Resource)\[[^\]]+\])"
    rf"|(?P<operator>{GUID_EQUALS}|{LIKE})"
    r"|(?P<list>\{[^}']*\})"
    r"|'(?P<text>[^']*)'"
    r"|(?P<word>AND|OR|!|\(|\)))"
)


class ConditionError(ValueError):
    """No condition that is known here; says where it stops being one."""


@dataclass(frozen=True)
class Asked:
    """One request: the action, and what `@Request[…]` and `@Resource[…]` say, by attribute with its source."""

    action: str
    attributes: Mapping[str, str]


def allows(condition: str, asked: Asked) -> bool:
    """Whether a role with this condition lets the request through. ConditionError for what is none."""
    return _Reading(condition, asked).whole()


def check(condition: str) -> None:
    """ConditionError for what is no condition."""
    allows(condition, Asked("", {}))


class _Reading:
    """Reads and judges at once; both sides of AND and OR are always read, so that the grammar is checked to its end."""

    def __init__(self, condition: str, asked: Asked) -> None:
        self._asked = asked
        self._tokens: list[re.Match[str]] = []
        place = 0
        while condition[place:].strip():
            token = _TOKEN.match(condition, place)
            if token is None:
                raise ConditionError(f"not understood from '{condition[place:].strip()[:40]}' on")
            self._tokens.append(token)
            place = token.end()

    def whole(self) -> bool:
        found = self._either()
        if self._tokens:
            raise ConditionError(f"'{self._tokens[0].group().strip()}' is left over")
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._takes("OR"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._takes("AND"):
            other = self._one()
            found = found and other
        return found

    def _one(self) -> bool:
        if self._takes("!"):
            return not self._one()
        if self._takes("("):
            found = self._either()
            if not self._takes(")"):
                raise ConditionError("a parenthesis is not closed")
            return found
        token = self._next("an expression")
        if token["action"]:
            return fnmatch.fnmatchcase(self._asked.action.lower(), token["name"].lower())
        if token["source"]:
            return self._compared(token["source"])
        raise ConditionError(f"'{token.group().strip()}' is no expression")

    def _compared(self, source: str) -> bool:
        operator, value = self._next("an operator")["operator"], self._next("a value")
        said = self._asked.attributes.get(source.lower(), "").lower()
        if operator == GUID_EQUALS and value["list"]:
            return said in {each.strip().lower() for each in value["list"].strip("{}").split(",")}
        if operator == LIKE and value["text"] is not None:
            return fnmatch.fnmatchcase(said, value["text"].lower())
        raise ConditionError(f"{source} is compared by '{operator}' with '{value.group().strip()}'")

    def _takes(self, word: str) -> bool:
        if self._tokens and self._tokens[0]["word"] == word:
            del self._tokens[0]
            return True
        return False

    def _next(self, wanted: str) -> re.Match[str]:
        if not self._tokens:
            raise ConditionError(f"{wanted} is missing at the end")
        return self._tokens.pop(0)
