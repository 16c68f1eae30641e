"""Expressions are worth what Azure Pipelines says they are, or nothing at all."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.pipelines.evaluation import UNKNOWN, Scope, evaluate
from rehearsal.pipelines.expressions import ExpressionError, parse, paths
from rehearsal.pipelines.finding import Place
from rehearsal.pipelines.nodes import Map, Seq, Text

AT = Place("file.yml", 1)


def text(value: str) -> Text:
    return Text(value, AT)


LIST = Seq((text("a"), text("b")), AT)
OBJECT = Map(((text("Name"), text("shop")), (text("list"), LIST)), AT)
VALUES: dict[str, Any] = {"flag": True, "off": False, "word": "Main", "empty": "", "list": LIST, "object": OBJECT}


def _parameter(name: str) -> Any:
    if name not in VALUES:
        raise ExpressionError(f"there is no parameter {name!r}")
    return VALUES[name]


SCOPE = Scope({"parameters": _parameter, "variables": lambda name: UNKNOWN}, {"always": lambda _: True})


def value(expression: str) -> Any:
    return evaluate(parse(expression), SCOPE)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("'it''s'", "it's"),
        ("-1.5", -1.5),
        ("True", True),
        ("parameters.word", "Main"),
        ("PARAMETERS['word']", "Main"),
        ("parameters.object.name", "shop"),
        ("parameters.object.absent", None),
        ("parameters.object.absent.more", None),
        ("parameters.list[1]", "b"),
        ("parameters.list[7]", None),
        ("eq(parameters.word, 'MAIN')", True),
        ("eq(parameters.flag, 'true')", True),
        # Any text but none is true where a truth value is asked for.
        ("eq(parameters.flag, 'false')", True),
        ("eq('false', parameters.off)", True),
        ("eq(1, '1.0')", True),
        ("eq(1, 'x')", False),
        ("ne(1, 'x')", True),
        ("eq(parameters.object.absent, '')", True),
        ("and(true, parameters.flag, '')", False),
        ("or(false, 0, 'x')", True),
        ("not('')", True),
        ("xor(true, false)", True),
        ("in('b', 'A', 'B')", True),
        ("notIn('c', 'A', 'B')", True),
        ("gt(2, '10')", False),
        ("le('alpha', 'BETA')", True),
        ("coalesce('', parameters.empty, 'last')", "last"),
        ("iif(parameters.off, 'yes', 'no')", "no"),
        ("format('{1}-{0} {{x}}', 'a', 'b')", "b-a {x}"),
        ("join('; ', parameters.list)", "a; b"),
        ("join(';', 'alone')", "alone"),
        ("length('four')", 4.0),
        ("length(parameters.list)", 2.0),
        ("contains('ABC', 'bc')", True),
        ("containsValue(parameters.list, 'B')", True),
        ("startsWith('refs/heads/main', 'REFS')", True),
        ("endsWith('refs/heads/main', 'Main')", True),
        ("lower('AB')", "ab"),
        ("upper('ab')", "AB"),
        ("trim(' a ')", "a"),
        ("replace('prod-eu', '-', '_')", "prod_eu"),
        ("split('a,b', ',')[1]", "b"),
        ("convertToJson(parameters.list)", '[\n  "a",\n  "b"\n]'),
        ("always()", True),
        # What only the run knows settles nothing, unless it does not matter.
        ("eq(variables['x'], 'y')", UNKNOWN),
        ("and(variables.x, false)", False),
        ("or(variables.x, true)", True),
        ("and(variables.x, true)", UNKNOWN),
        ("not(variables.x)", UNKNOWN),
    ],
)
def test_an_expression_is_worth_what_the_service_says(expression: str, wanted: Any) -> None:
    assert value(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "ends too early"),
        ("eq(1", "ends too early"),
        ("eq(1 2)", "',' is missing before '2'"),
        ("1 == 1", "is not understood"),
        ("eq(1, 1) 2", "'2' is too much"),
        ("'open", "is not understood"),
        ("parameters.", "ends too early"),
        ("parameters.7", "'.7' is too much"),
        ("parameters.*", "not a property"),
        ("parameters.nothing", "there is no parameter 'nothing'"),
        # The service knows no such literal.
        ("eq(parameters.word, null)", "'null' is not known here"),
        ("resources.x", "'resources' is not known here"),
        ("nosuch(1)", "the function nosuch() is not known"),
        ("eq(1)", "eq() takes 2 arguments"),
        ("and(true)", "and() takes two arguments or more"),
        ("parameters.word.more", "'Main' has no property 'more'"),
        ("lower(parameters.list)", "a mapping or a sequence"),
        ("gt(1, 'x')", "cannot be compared"),
        ("format('{2}', 'a')", "has no argument for '{2}'"),
        ("containsValue('a', 'a')", "looks into a mapping or a sequence"),
    ],
)
def test_what_has_no_value_says_why(expression: str, why: str) -> None:
    with pytest.raises(ExpressionError) as error:
        value(expression)
    assert why in str(error.value)


def test_the_paths_of_an_expression_are_those_with_literal_keys() -> None:
    tree = parse("and(eq(dependencies.a.outputs['b.c'], 'x'), variables[parameters.word], failed())")
    assert list(paths(tree)) == [("dependencies", "a", "outputs", "b.c"), ("variables",), ("parameters", "word")]
