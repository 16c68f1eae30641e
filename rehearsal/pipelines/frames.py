"""What an expression sees while a run is compiled, and the evaluation of a scalar there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.pipelines.evaluation import Scope, Value, evaluate, to_text
from rehearsal.pipelines.expressions import ExpressionError, parse, paths
from rehearsal.pipelines.nodes import Foreign, Map, Node, Seq, Text
from rehearsal.pipelines.sources import Origin


@dataclass(frozen=True)
class Frame:
    """Where expansion stands: the file, and what its expressions may name."""

    origin: Origin
    parameters: Mapping[str, Value]
    variables: Mapping[str, str]
    """Known when the run is compiled, by name in lower case."""
    loops: Mapping[str, Value]
    depth: int = 0

    def value(self, expression: str) -> Value:
        """ExpressionError when it has none."""
        found: Value = evaluate(parse(expression), self.scope())
        return found

    def scalar(self, text: Text) -> Node:
        """A scalar with its expressions evaluated; one that is nothing but an expression may become anything.

        ExpressionError when one has no value.
        """
        if "${{" not in text.value:
            return text
        parts = list(_parts(text.value))
        if len(parts) == 1 and parts[0][0]:
            value = self.value(parts[0][1])
            if isinstance(value, Map | Seq):
                return value
            said = to_text(value)
        else:
            said = "".join(to_text(self.value(part)) if code else part for code, part in parts)
        foreign = any(code and self._foreign(part) for code, part in parts)
        return Text(Foreign(said) if foreign else said, text.at)

    def _foreign(self, expression: str) -> bool:
        """Whether somebody outside chooses a value that an expression names."""
        contexts = self.scope().contexts
        for name, *keys in paths(parse(expression)):
            value: Any = next((found for known, found in contexts.items() if known.lower() == name.lower()), None)
            if isinstance(value(keys[0]) if callable(value) and keys else value, Foreign):
                return True
        return False

    def with_variables(self, node: Node | None) -> Frame:
        """The frame with the variables of an expanded `variables:` that are plain values."""
        found: dict[str, str] = {}
        if isinstance(node, Map):
            found = {key.value.lower(): value.value for key, value in node.items if isinstance(value, Text)}
        elif isinstance(node, Seq):
            listed = [item for item in node.items if isinstance(item, Map) and item.get("name")]
            found = {item.text("name").lower(): item.text("value") for item in listed}
        plain = {name: value for name, value in found.items() if not value.startswith("$[")}
        return replace(self, variables={**self.variables, **plain})

    def scope(self) -> Scope:
        return Scope(
            {
                "parameters": _lookup("parameter", self.parameters),
                "variables": _lookup("variable that is known when a run is compiled", self.variables),
                **self.loops,
            },
            {},
        )


def _lookup(what: str, values: Mapping[str, Value]) -> Callable[[str], Value]:
    def look_up(name: str) -> Value:
        for known, value in values.items():
            if known.lower() == name.lower():
                return value
        raise ExpressionError(f"there is no {what} {name!r}")

    return look_up


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of a scalar: (is it an expression, its text). ExpressionError for one that does not end."""
    rest = text
    while rest:
        before, opening, after = rest.partition("${{")
        if before:
            yield False, before
        if not opening:
            return
        end, quoted = 0, False
        while not after.startswith("}}", end) or quoted:
            if end >= len(after):
                raise ExpressionError(f"the expression does not end: {rest!r}")
            quoted ^= after[end] == "'"
            end += 1
        yield True, after[:end]
        rest = after[end + 2 :]
