"""The report for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.report import Section, Style, render, unstyled
from review.document import Document, Group, Point
from review.judgement.verdict import Exit

_COLOUR: Final = {Exit.NO_CHANGE: "green", Exit.CHANGES: "yellow", Exit.TO_ACKNOWLEDGE: "red"}
_SIGN_COLOUR: Final = {"+": "green", "~": "yellow", "±": "red", "−": "red", "→": "cyan"}


def text(document: Document, style: Style = unstyled) -> str:
    """The whole report, without a line end at its end."""
    head = style(str(document.verdict), "bold", _COLOUR[document.exit])
    if document.exit is Exit.NO_CHANGE:
        return "\n".join((head, *document.counts, *document.notes, *document.about))
    sections = [
        Section(part.title, tuple(_point(point, document, style) for point in part.points)) for part in document.parts
    ]
    sections += [Section(_title(group, document), tuple(_lines(group, style))) for group in document.groups]
    sections.append(Section("Counts", (*document.counts, *document.notes)))
    sections += [Section("What was compared", document.about)] if document.about else []
    blocks = [head, render(sections, style)]
    if document.open:
        blocks.insert(1, f"To acknowledge: ACK='{' '.join(document.open)}'")
    return "\n\n".join(blocks)


def _title(group: Group, document: Document) -> str:
    return f"Changes in {group.stack}: {group.title}" if document.several else f"Changes: {group.title}"


def _point(point: Point, document: Document, style: Style) -> str:
    stack = f"{point.stack}: " if document.several else ""
    mark = style("! ", "red") if point.open else "✓ " if point.ack else "  "
    return f"{mark}{stack}{style(point.subject, 'bold')}: {point.text}"


def _lines(group: Group, style: Style) -> Iterator[str]:
    for line in group.lines:
        note = f" ({line.note})" if line.note else ""
        yield f"{style(line.sign, _SIGN_COLOUR[line.sign])} {line.op} {line.told}{note}"
        for row in line.rows:
            note = f"  ← {row.note}" if row.note else ""
            yield f"    {row.path}: {row.before} → {row.after}{style(note, 'red')}"
