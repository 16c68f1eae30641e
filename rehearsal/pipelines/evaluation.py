"""What an expression is worth, with what is known.

What is known only in a run is `UNKNOWN`, and a result that hangs on it is `UNKNOWN` too; so a condition can be told to
hold, not to hold, or neither. Conversions follow the documentation (process/expressions.md in
MicrosoftDocs/azure-devops-docs): the right operand takes the type of the left one, strings are compared without regard
to case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.pipelines.expressions import Call, ExpressionError, Index, Literal, Name, Tree
from rehearsal.pipelines.finding import Place
from rehearsal.pipelines.nodes import Map, Node, Seq, Text


class Unknown:
    """A value of the run."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

Value = None | bool | float | str | Map | Seq | Unknown
Lookup = Callable[[str], Any]
"""A named context: gives the value of a property, or another `Lookup`; ExpressionError where there is none."""
Function = Callable[[Sequence[Value]], Value]


@dataclass(frozen=True)
class Scope:
    """What an expression may name."""

    contexts: Mapping[str, Lookup | Value]
    functions: Mapping[str, Function]
    """Beside the general ones, by name in lower case."""


def evaluate(tree: Tree, scope: Scope) -> Any:
    """A `Value`, or a `Lookup` where the tree names a context and nothing in it."""
    if isinstance(tree, Literal):
        return tree.value
    if isinstance(tree, Name):
        return _context(tree.name, scope)
    if isinstance(tree, Index):
        return _indexed(evaluate(tree.of, scope), evaluate(tree.key, scope))
    return _called(tree, scope)


def _context(name: str, scope: Scope) -> Any:
    for known, value in scope.contexts.items():
        if known.lower() == name.lower():
            return value
    raise ExpressionError(f"{name!r} is not known here; known: {', '.join(sorted(scope.contexts))}")


def _indexed(of: Any, key: Any) -> Any:
    if isinstance(of, Unknown) or isinstance(key, Unknown):
        return UNKNOWN
    if callable(of):
        return of(to_text(key))
    if isinstance(of, Map):
        found = next((value for name, value in of.items if name.value.lower() == to_text(key).lower()), None)
        return None if found is None else value_of(found)
    if isinstance(of, Seq):
        place = to_number(key)
        return value_of(of.items[int(place)]) if place is not None and 0 <= place < len(of.items) else None
    if of is None:
        return None
    raise ExpressionError(f"{to_text(of)!r} has no property {to_text(key)!r}")


def value_of(node: Node) -> Value:
    return node.value if isinstance(node, Text) else node


def to_bool(value: Value) -> bool | Unknown:
    if isinstance(value, Unknown | bool):
        return value
    return value not in (None, "", 0.0)


def to_text(value: Value) -> str:
    """ExpressionError for a mapping, a sequence and what is known only in the run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, str):
        return value
    what = "known only in the run" if isinstance(value, Unknown) else "a mapping or a sequence"
    raise ExpressionError(f"text is expected, but the value is {what}")


def to_number(value: Value) -> float | None:
    """None where it cannot be converted."""
    if value in (None, ""):
        return 0.0
    try:
        return float(value) if isinstance(value, bool | float | str) else None
    except ValueError:
        return None


def same(left: Value, right: Value) -> bool | Unknown:
    """`eq`: false where the right operand does not convert."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, bool):
        return left == to_bool(right)
    if isinstance(left, float):
        return left == to_number(right)
    if left is None:
        return right in (None, "")
    if isinstance(left, str) and not isinstance(right, Map | Seq):
        return left.lower() == to_text(right).lower()
    return left is right


def _called(tree: Call, scope: Scope) -> Value:
    if tree.function in ("and", "or"):
        return _junction(tree, scope)
    known = {**FUNCTIONS, **scope.functions}
    if tree.function not in known:
        raise ExpressionError(f"the function {tree.function}() is not known here")
    least, most = ARITY.get(tree.function, (0, 99))
    if not least <= len(tree.arguments) <= most:
        raise ExpressionError(f"{tree.function}() takes {least}{f' to {most}' if most != least else ''} arguments")
    arguments = [evaluate(argument, scope) for argument in tree.arguments]
    if tree.function not in scope.functions and any(isinstance(argument, Unknown) for argument in arguments):
        return UNKNOWN
    return known[tree.function](arguments)


def _junction(tree: Call, scope: Scope) -> bool | Unknown:
    """`and` and `or`: one operand may settle it although another is unknown."""
    if len(tree.arguments) < 2:
        raise ExpressionError(f"{tree.function}() takes two arguments or more")
    settles = tree.function == "or"
    result: bool | Unknown = not settles
    for argument in tree.arguments:
        value = to_bool(evaluate(argument, scope))
        if value is settles:
            return settles
        if isinstance(value, Unknown):
            result = UNKNOWN
    return result


def _compared(accept: Callable[[Any, Any], bool]) -> Function:
    def compare(arguments: Sequence[Value]) -> bool:
        left, right = arguments
        if isinstance(left, str):
            return accept(left.lower(), to_text(right).lower())
        numbers = to_number(left), to_number(right)
        if None in numbers:
            raise ExpressionError("the operands cannot be compared")
        return accept(*numbers)

    return compare


def _format(arguments: Sequence[Value]) -> str:
    pattern, *values = [to_text(argument) for argument in arguments]

    def replaced(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if not found[1] or int(found[1]) >= len(values):
            raise ExpressionError(f"format() has no argument for {found[0]!r} in {pattern!r}")
        return values[int(found[1])]

    return re.sub(r"\{\{|\}\}|\{(\d*)[^}]*\}", replaced, pattern)


def _join(arguments: Sequence[Value]) -> str:
    separator, parts = arguments
    if not isinstance(parts, Seq):
        return to_text(parts)
    return to_text(separator).join(part.value if isinstance(part, Text) else "" for part in parts.items)


def _split(arguments: Sequence[Value]) -> Seq:
    nowhere = Place("", 0)
    parts = to_text(arguments[0]).split(to_text(arguments[1]))
    return Seq(tuple(Text(part, nowhere) for part in parts), nowhere)


def _length(arguments: Sequence[Value]) -> float:
    value = arguments[0]
    return float(len(value.items if isinstance(value, Map | Seq) else to_text(value)))


def _contains_value(arguments: Sequence[Value]) -> bool:
    of, wanted = arguments
    if not isinstance(of, Map | Seq):
        raise ExpressionError("containsValue() looks into a mapping or a sequence")
    values = of.items if isinstance(of, Seq) else tuple(value for _, value in of.items)
    return any(same(wanted, value_of(value)) is True for value in values)


def _json(arguments: Sequence[Value]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, Text):
            return value.value
        if isinstance(value, Seq):
            return [plain(item) for item in value.items]
        if isinstance(value, Map):
            return {key.value: plain(item) for key, item in value.items}
        return value

    return json.dumps(plain(arguments[0]), indent=2)


def _negated(arguments: Sequence[Value]) -> bool:
    return not to_bool(arguments[0])


def _among(arguments: Sequence[Value]) -> bool:
    return any(same(arguments[0], other) is True for other in arguments[1:])


def _texts(work: Callable[..., Value]) -> Function:
    return lambda arguments: work(*(to_text(argument) for argument in arguments))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "eq": lambda a: same(a[0], a[1]),
    "ne": lambda a: not same(a[0], a[1]),
    "gt": _compared(lambda left, right: left > right),
    "ge": _compared(lambda left, right: left >= right),
    "lt": _compared(lambda left, right: left < right),
    "le": _compared(lambda left, right: left <= right),
    "not": _negated,
    "xor": lambda a: to_bool(a[0]) != to_bool(a[1]),
    "in": _among,
    "notin": lambda a: not _among(a),
    "coalesce": lambda a: next((value for value in a if value not in (None, "")), None),
    "iif": lambda a: a[1] if to_bool(a[0]) else a[2],
    "format": _format,
    "join": _join,
    "split": _split,
    "length": _length,
    "contains": _texts(lambda whole, part: part.lower() in whole.lower()),
    "containsvalue": _contains_value,
    "startswith": _texts(lambda whole, part: whole.lower().startswith(part.lower())),
    "endswith": _texts(lambda whole, part: whole.lower().endswith(part.lower())),
    "lower": _texts(str.lower),
    "upper": _texts(str.upper),
    "trim": _texts(str.strip),
    "replace": _texts(str.replace),
    "converttojson": _json,
}

ARITY: Final[Mapping[str, tuple[int, int]]] = {
    **dict.fromkeys(("eq", "ne", "gt", "ge", "lt", "le", "xor", "contains", "containsvalue"), (2, 2)),
    **dict.fromkeys(("startswith", "endswith", "join", "split"), (2, 2)),
    **dict.fromkeys(("not", "length", "lower", "upper", "trim", "converttojson"), (1, 1)),
    **dict.fromkeys(("replace", "iif"), (3, 3)),
    **dict.fromkeys(("in", "notin", "format"), (1, 99)),
    "coalesce": (2, 99),
}
