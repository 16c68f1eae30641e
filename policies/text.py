"""Findings as text for a terminal, a log or a comment: what blocks first, what an exception allows last."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from policies.judging import Finding
from policies.psrule import references
from policies.rule import MANDATORY, Rule

WIDTH = 112

Style = Callable[..., str]
"""Takes a text and the names of its styles: bold, dim, red, green, yellow, cyan."""


def unstyled(text: str, *_: str) -> str:
    return text


def render(findings: Sequence[Finding], rules: Iterable[Rule], style: Style = unstyled) -> str:
    """The findings of one stack. `rules` are those that it was judged by."""
    known = {rule.id: rule for rule in rules}
    lines = [style(f"Policies: {_summary(findings, len(known))}", "bold")]
    for _, same in groupby(findings, lambda one: (one.rule, one.remedy, one.allowed)):
        lines += _lines([*same], known, style)
    return "\n".join(lines)


def _summary(findings: Sequence[Finding], rules: int) -> str:
    counts = (
        (sum(one.blocks for one in findings), "mandatory"),
        (sum(not one.blocks and one.allowed is None for one in findings), "advisory"),
        (sum(one.allowed is not None for one in findings), "allowed by an exception"),
    )
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{rules} rules, {told or 'all met'}"


def _lines(same: Sequence[Finding], known: Mapping[str, Rule], style: Style) -> Iterator[str]:
    """What one rule has found, and then once why that is wrong and how to mend it, or why it is allowed."""
    first = same[0]
    if first.allowed:
        yield from ("  " + style(f"allowed    {one.rule}  {one.resource}: {one.found}", "dim") for one in same)
        yield from _wrapped(f"until {first.allowed.until}: {first.allowed.reason}", style)
        return
    colour = "red" if first.severity == MANDATORY else "yellow"
    for one in same:
        where = f"  {one.resource}: " if one.resource else "  "
        yield f"  {style(f'{one.severity:<9}', colour)}  {style(one.rule, 'bold')}{where}{one.found}"
    yield from _wrapped(" ".join(filter(None, (first.reason, first.remedy))), style)
    if first.rule in known and (told := references(known[first.rule])):
        yield from _wrapped(f"See {told}.", style)


def _wrapped(text: str, style: Style) -> Iterator[str]:
    indent = " " * 13
    lines = textwrap.wrap(text, WIDTH - len(indent), break_on_hyphens=False)
    yield from (indent + style(line, "dim") for line in lines)
