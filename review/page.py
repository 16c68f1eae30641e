"""The report as one HTML page that needs nothing else: no network, no script, no font.

It is plain HTML, so that keyboard, screen reader and printer work by themselves. Colours follow what the reader's
system prefers; none of them tells anything that words do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from review.document import Document, Group, Line, Part
from review.judgement.verdict import Exit

_STYLE: Final = Path(__file__).with_name("page.css")
_CLASS: Final = {Exit.NO_CHANGE: "safe", Exit.CHANGES: "changes", Exit.TO_ACKNOWLEDGE: "danger"}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The page asks for nothing, and a browser is told to let it ask for nothing."""


def page(document: Document, title: str = "Review of the infrastructure") -> str:
    return "\n".join(_page(document, title)) + "\n"


def _page(document: Document, title: str) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield f"<style>\n{_STYLE.read_text('utf-8')}</style></head><body>"
    yield '<a class="skip" href="#changes">To the changes</a>'
    yield f'<main><h1 class="{_CLASS[document.exit]}">{escape(document.verdict)}</h1>'
    if document.open:
        yield f"<p>To acknowledge:</p><pre>ACK='{escape(' '.join(document.open))}'</pre>"
    if document.exit is not Exit.NO_CHANGE:
        for part in document.parts:
            yield from _part(part, document)
        yield '<section aria-labelledby="changes"><h2 id="changes" tabindex="-1">Changes by component</h2>'
        for group in document.groups:
            yield from _group(group, document)
        yield "</section>"
    yield '<section aria-labelledby="counts"><h2 id="counts">Counts</h2><ul>'
    yield from (f"<li>{escape(each)}</li>" for each in (*document.counts, *document.notes))
    yield "</ul></section></main></body></html>"


def _part(part: Part, document: Document) -> Iterator[str]:
    name = part.title.lower().replace(" ", "-")
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(part.title)}</h2>'
    if not part.points:
        yield '<p class="quiet">none</p></section>'
        return
    yield "<ul>"
    for point in part.points:
        stack = f"{escape(point.stack)}: " if document.several else ""
        mark = '<span class="open">to acknowledge</span> ' if point.open else ""
        mark = mark or ('<span class="done">acknowledged</span> ' if point.ack else "")
        where = f' <code class="quiet">{escape(point.place)}</code>'
        yield f"<li>{mark}{stack}<strong>{escape(point.subject)}</strong>: {escape(point.text)}{where}</li>"
    yield "</ul></section>"


def _group(group: Group, document: Document) -> Iterator[str]:
    title = f"{group.stack}: {group.title}" if document.several else group.title
    yield f'<details open><summary>{escape(title)} <span class="quiet">({len(group.lines)})</span></summary>'
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{escape(title)}"><table><thead><tr>'
    yield "".join(f'<th scope="col">{head}</th>' for head in ("resource", "property", "before", "after"))
    yield "</tr></thead><tbody>"
    for line in group.lines:
        yield from _rows(line)
    yield "</tbody></table></div></details>"


def _rows(line: Line) -> Iterator[str]:
    note = f' <span class="quiet">({escape(line.note)})</span>' if line.note else ""
    sign = f'<span class="op {escape(line.op)}"><span aria-hidden="true">{line.sign}</span> {escape(line.op)}</span>'
    span = f' rowspan="{len(line.rows)}"' if len(line.rows) > 1 else ""
    head = f'<th scope="row"{span}>{sign} <code>{escape(line.told)}</code>{note}</th>'
    if not line.rows:
        yield f"<tr>{head}<td></td><td></td><td></td></tr>"
    for number, row in enumerate(line.rows):
        note = f' <strong class="replace">{escape(row.note)}</strong>' if row.note else ""
        cells = (
            f"<code>{escape(row.path)}</code>{note}",
            *(f"<code>{escape(v)}</code>" for v in (row.before, row.after)),
        )
        yield f"<tr>{head if number == 0 else ''}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
