"""A summary as sections of lines, and how they become text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Style = Callable[..., str]


def unstyled(text: str, *_: str) -> str:
    return text


@dataclass(frozen=True)
class Section:
    """One part of the summary; lines are already sorted."""

    title: str
    lines: tuple[str, ...]
    style: str = ""


def render(sections: Iterable[Section], style: Style = unstyled) -> str:
    blocks = []
    for section in sections:
        body = [style(line, section.style) if section.style else line for line in section.lines] or ["none"]
        blocks.append("\n".join((style(section.title, "bold"), *(f"  {line}" for line in body))))
    return "\n\n".join(blocks)


def table(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Rows in columns that are as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def block(head: str, lines: Iterable[str]) -> tuple[str, ...]:
    """A line with others below it."""
    return head, *(f"  {line}" for line in lines)
