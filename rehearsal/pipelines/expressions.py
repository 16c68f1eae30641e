"""The grammar of Azure Pipelines' expressions: text to a tree. `evaluation` gives a tree its value.

The same language serves `${{ }}` at compile time, `$[ ]` and conditions at run time. What it does not do: no filtered
arrays and no versions; what it does not know is an `ExpressionError`, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache


class ExpressionError(Exception):
    """Why an expression cannot be read or evaluated."""


_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?![\w.]))"
    r"|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>[()\[\],.*]))"
)


@dataclass(frozen=True)
class Literal:
    value: bool | float | str


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Index:
    """`of.key` or `of[key]`."""

    of: Tree
    key: Tree


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Tree, ...]


Tree = Literal | Name | Index | Call


@lru_cache(maxsize=1024)
def parse(source: str) -> Tree:
    """ExpressionError for what is not an expression."""
    parser = _Parser(source)
    tree = parser.expression()
    parser.end()
    return tree


def calls(tree: Tree) -> Iterator[Call]:
    """Every function call of an expression, outermost first."""
    if isinstance(tree, Call):
        yield tree
        for argument in tree.arguments:
            yield from calls(argument)
    elif isinstance(tree, Index):
        yield from calls(tree.of)
        yield from calls(tree.key)


def paths(tree: Tree) -> Iterator[tuple[str, ...]]:
    """Every chain of names with literal keys: `dependencies.build.outputs['a.b']` is four parts."""
    if isinstance(tree, Name | Index):
        path = _path(tree)
        if path:
            yield path
            return
    if isinstance(tree, Call):
        for argument in tree.arguments:
            yield from paths(argument)
    elif isinstance(tree, Index):
        yield from paths(tree.of)
        yield from paths(tree.key)


def _path(tree: Tree) -> tuple[str, ...]:
    if isinstance(tree, Name):
        return (tree.name,)
    if isinstance(tree, Index) and isinstance(tree.key, Literal) and (before := _path(tree.of)):
        return (*before, str(tree.key.value))
    return ()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while source[position:].strip():
            found = _TOKEN.match(source, position)
            if not found:
                raise ExpressionError(f"{source[position:].strip()[:20]!r} is not understood in {source.strip()!r}")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            position = found.end()

    def end(self) -> None:
        if self._tokens:
            raise ExpressionError(f"{self._tokens[0][1]!r} is too much in {self._source.strip()!r}")

    def expression(self) -> Tree:
        kind, token = self._next()
        tree: Tree
        if kind == "text":
            tree = Literal(token[1:-1].replace("''", "'"))
        elif kind == "number":
            tree = Literal(float(token))
        elif kind == "name" and self._peek() == "(":
            tree = Call(token.lower(), self._arguments())
        elif kind == "name":
            literals: Mapping[str, Tree] = {"true": Literal(True), "false": Literal(False)}
            tree = literals.get(token.lower(), Name(token))
        else:
            raise ExpressionError(f"{token!r} stands where a value is expected in {self._source.strip()!r}")
        return self._dereferenced(tree)

    def _dereferenced(self, tree: Tree) -> Tree:
        while self._peek() in (".", "["):
            if self._next()[1] == ".":
                kind, token = self._next()
                if kind != "name":
                    raise ExpressionError(f"'.{token}' is not a property in {self._source.strip()!r}")
                tree = Index(tree, Literal(token))
            else:
                tree = Index(tree, self.expression())
                self._expect("]")
        return tree

    def _arguments(self) -> tuple[Tree, ...]:
        self._expect("(")
        arguments: list[Tree] = []
        while self._peek() != ")":
            arguments.append(self.expression())
            if self._peek() != ")":
                self._expect(",")
        self._expect(")")
        return tuple(arguments)

    def _peek(self) -> str:
        return self._tokens[0][1] if self._tokens and self._tokens[0][0] == "mark" else ""

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise ExpressionError(f"{self._source.strip()!r} ends too early")
        return self._tokens.pop(0)

    def _expect(self, mark: str) -> None:
        kind, token = self._next()
        if (kind, token) != ("mark", mark):
            raise ExpressionError(f"{mark!r} is missing before {token!r} in {self._source.strip()!r}")
