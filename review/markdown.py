"""The report as a comment of a pull request.

A comment has a limit, so the report is put together from whole pieces (a heading with a table, a row of it), danger
first; when the next one does not fit, a pointer to the whole report takes its place. A table is never cut inside a row
and never goes without its head.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rehearsal.words import count
from review.document import Document, Group, Part

LIMIT: Final = 65_000
"""Characters. GitHub takes 65,536 in a comment and Azure DevOps 150,000; some are left for what is put around it."""

LEAST: Final = 1_000
"""Characters that hold a verdict and the pointer."""

_HEAD: Final = "| | resource | property | before | after |\n|---|---|---|---|---|\n"
_ROOM: Final = 200
"""For the pointer."""


@dataclass(frozen=True)
class _Block:
    """A heading, and lines that may be cut between each other; `head` stands before the first of them."""

    heading: str
    head: str
    lines: Sequence[str]


def markdown(document: Document, *, limit: int = LIMIT, pointer: str = "the page of this review") -> str:
    """At most `limit` characters; `pointer` says where the whole report is, as Markdown.

    Raises:
        ValueError: not even the verdict fits.
    """
    text = f"## {_inline(str(document.verdict))}\n"
    if document.open:
        text += f"\nTo acknowledge:\n\n```\n{document.acknowledgement}\n```\n"
    room = limit - _ROOM - len(pointer)
    if len(text) > room and document.open:
        text = f"## {_inline(str(document.verdict))}\n\n{count(len(document.open), 'finding')} to acknowledge.\n"
    if len(text) > room:
        raise ValueError(f"{limit} characters do not hold the verdict; allow at least {len(text) + _ROOM}")
    blocks = list(_blocks(document))
    for number, block in enumerate(blocks):
        start = f"\n### {block.heading}\n\n{block.head}"
        taken: list[str] = []
        size = len(text) + len(start)
        for line in block.lines:
            if (size := size + len(line) + 1) > room:
                break
            taken.append(line)
        if taken:
            text += start + "\n".join(taken) + "\n"
        if len(taken) < len(block.lines):
            left = len(block.lines) - len(taken) + sum(len(later.lines) for later in blocks[number + 1 :])
            return f"{text}\n**Cut here: {count(left, 'line')} more in {pointer}.**\n"
    return text


def _blocks(document: Document) -> Iterator[_Block]:
    for part in document.parts:
        if part.points:
            yield _Block(part.title, "", list(_points(part, document)))
    for group in document.groups:
        title = f"{group.stack}: {group.title}" if document.several else group.title
        yield _Block(f"Changes: {_inline(title)}", _HEAD, list(_rows(group)))
    yield _Block("Counts", "", [f"- {_inline(each)}" for each in (*document.counts, *document.notes)])
    if document.about:
        yield _Block("What was compared", "", [f"- {_inline(each)}" for each in document.about])


def _points(part: Part, document: Document) -> Iterator[str]:
    for point in part.points:
        stack = f"{_inline(point.stack)}: " if document.several else ""
        mark = "❗ " if point.open else "✅ " if point.ack else ""
        yield f"- {mark}{stack}**{_inline(point.subject)}**: {_inline(point.text)}"


def _rows(group: Group) -> Iterator[str]:
    for line in group.lines:
        note = f" ({_inline(line.note)})" if line.note else ""
        name = f"{line.op} {_code(line.told)}{note}"
        if not line.rows:
            yield f"| {line.sign} | {name} | | | |"
        for number, row in enumerate(line.rows):
            sign, told = (line.sign, name) if number == 0 else ("", "")
            note = f" **{row.note}**" if row.note else ""
            yield f"| {sign} | {told} | {_code(row.path)}{note} | {_code(row.before)} | {_code(row.after)} |"


def _code(text: str) -> str:
    """Text in which nothing means anything, also inside a table; it stays on its line."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    flat = " ".join(text.split()).replace("|", "\\|")
    return f"{fence}{space}{flat}{space}{fence}" if flat else ""


def _inline(text: str) -> str:
    """Plain text without markup, mentions or references to issues."""
    flat = re.sub(r"([\\`*_{}\[\]<>|~])", r"\\\1", " ".join(text.split()))
    return re.sub(r"([@#])(?=\w)", "\\1\u200b", flat)  # a space of no width keeps nobody from reading it
