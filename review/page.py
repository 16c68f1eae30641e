"""The report as one HTML page that needs nothing else: no network, no script, no font.

It is plain HTML, so that keyboard, screen reader and printer work by themselves. Colours follow what the reader's
system prefers; none of them tells anything that words do not. A finding leads to the change that it is about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from rehearsal import topology
from rehearsal.topology.marks import SIGNS
from rehearsal.words import count
from review.document import Document, Group, Line, Part, Point, Row
from review.judgement.verdict import Exit

_STYLE: Final = Path(__file__).with_name("page.css")
_CLASS: Final = {Exit.NO_CHANGE: "safe", Exit.CHANGES: "changes", Exit.TO_ACKNOWLEDGE: "danger"}
_MARK: Final = {Exit.NO_CHANGE: "=", Exit.CHANGES: "✓", Exit.TO_ACKNOWLEDGE: "!"}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page asks for nothing, and a browser is told to let it ask for nothing."""
_SHORT: Final = {"Replaced or deleted": "Lost", "Security that gets weaker": "Weaker", "What it costs": "Costs"}
_FEW: Final = 12
"""Changes of a component that are shown without being asked for."""


def page(document: Document, title: str = "Review of the infrastructure", picture: str = "") -> str:
    """`picture` is an SVG element."""
    return "\n".join(_page(document, title, picture)) + "\n"


def _page(document: Document, title: str, picture: str) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(f"{document.verdict.head} · {title}")}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}"><link rel="icon" href="data:,">'
    yield f"<style>\n{_STYLE.read_text('utf-8')}"
    if picture:
        yield f".topology {{\n{topology.STYLE}}}"
    yield f'</style></head><body class="{_CLASS[document.exit]}">'
    yield '<a class="skip" href="#findings">To the findings</a>'
    yield from _verdict(document, title)
    yield '<main id="findings" tabindex="-1">'
    if document.exit is not Exit.NO_CHANGE:
        for part in document.parts:
            yield from _part(part, document)
        if picture:
            yield from _picture(picture)
        yield '<section aria-labelledby="changes"><h2 id="changes">Changes by component</h2>'
        for group in document.groups:
            yield from _group(group, document)
        yield "</section>"
    yield "</main><footer>"
    for heading, lines in (("Counts", (*document.counts, *document.notes)), ("What was compared", document.about)):
        if lines:
            yield f"<h2>{heading}</h2><ul>{''.join(f'<li>{escape(each)}</li>' for each in lines)}</ul>"
    yield "</footer></body></html>"


def _verdict(document: Document, title: str) -> Iterator[str]:
    verdict = document.verdict
    told = f"<p>{escape(verdict.told[:1].upper() + verdict.told[1:])}.</p>" if verdict.told else ""
    yield f'<header><p class="title">{escape(title)}</p><div class="verdict"><span class="sign" aria-hidden="true">'
    yield f"{_MARK[document.exit]}</span><div><h1>{escape(verdict.head)}</h1>{told}</div></div>"
    if document.open:
        yield f'<div class="ack"><p>Read {count(len(document.open), "finding")}, then acknowledge by:</p>'
        yield f"<pre>{escape(document.acknowledgement)}</pre></div>"
    if document.exit is not Exit.NO_CHANGE:
        yield '<nav aria-label="Parts of the report"><ul>'
        for part in document.parts:
            grave = " grave" if any(point.open for point in part.points) else ""
            yield _tile(_name(part.title), len(part.points), _SHORT[part.title], grave if part.points else " none")
        yield _tile("changes", sum(len(group.lines) for group in document.groups), "Changes", "")
        yield "</ul></nav>"
    yield "</header>"


def _tile(target: str, number: int, words: str, sort: str) -> str:
    return f'<li><a class="tile{sort}" href="#{target}"><b>{number}</b> {escape(words)}</a></li>'


def _name(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _id(stack: str, place: str) -> str:
    return "c-" + re.sub(r"[^\w-]", "-", f"{stack}-{place}")


def _part(part: Part, document: Document) -> Iterator[str]:
    name = _name(part.title)
    if not part.points:
        yield f'<section class="none"><h2 id="{name}">{escape(part.title)}</h2><p>none</p></section>'
        return
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(part.title)}</h2>'
    places = {_id(group.stack, line.place) for group in document.groups for line in group.lines}
    yield '<ul class="points">'
    for point in part.points:
        yield from _point(point, document, places)
    yield "</ul></section>"


def _point(point: Point, document: Document, places: set[str]) -> Iterator[str]:
    mark = '<span class="chip open">to acknowledge</span>' if point.open else ""
    mark = mark or ('<span class="chip done">acknowledged</span>' if point.ack else "")
    stack = f'<span class="chip">{escape(point.stack)}</span>' if document.several else ""
    where = f"<code>{escape(point.place)}</code>" if point.place else ""
    if (target := _id(point.stack, point.place)) in places:
        where = f'<a href="#{target}">{where}</a>'
    sort = "open" if point.open else "done" if point.ack else "known"
    yield f'<li class="{sort}"><p>{mark}{stack}<strong>{escape(point.subject)}</strong> {where}</p>'
    yield f"<p>{escape(point.text)}</p></li>"


def _picture(picture: str) -> Iterator[str]:
    key = ", ".join(f"{sign} {fate}" for fate, sign in SIGNS.items())
    yield '<section aria-labelledby="picture"><h2 id="picture">Where it happens</h2><figure>'
    yield f'<div class="topology" role="region" tabindex="0" aria-label="Topology">{picture}</div>'
    yield f"<figcaption>Marked on its upper border is what is: {escape(key)}.</figcaption></figure></section>"


def _group(group: Group, document: Document) -> Iterator[str]:
    stack = f'<span class="chip">{escape(group.stack)}</span> ' if document.several else ""
    counts = Counter((line.op, line.sign) for line in group.lines)
    many = "".join(_count(op, sign, number) for (op, sign), number in sorted(counts.items()))
    state = " open" if len(group.lines) <= _FEW or any(line.rows for line in group.lines) else ""
    yield f'<details{state}><summary>{stack}{escape(group.title)} <span class="counts">{many}</span></summary>'
    yield '<ul class="lines">'
    for line in group.lines:
        yield from _line(line, group.stack)
    yield "</ul></details>"


def _count(op: str, sign: str, number: int) -> str:
    shown = f'<span aria-hidden="true">{sign}</span>{number}<span class="hidden"> {escape(op)}</span>'
    return f'<span class="op {escape(op)}">{shown}</span>'


def _line(line: Line, stack: str) -> Iterator[str]:
    note = f' <span class="quiet">({escape(line.note)})</span>' if line.note else ""
    sign = f'<span class="op {escape(line.op)}"><span aria-hidden="true">{line.sign}</span> {escape(line.op)}</span>'
    yield f'<li id="{_id(stack, line.place)}"><p>{sign} <strong>{escape(line.told)}</strong>{note}</p>'
    if line.rows:
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("property", "before", "after"))
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
        yield from map(_row, line.rows)
        yield "</tbody></table>"
    yield "</li>"


def _row(row: Row) -> str:
    note = f' <span class="effect">{escape(row.note)}</span>' if row.note else ""
    return (
        f'<tr><th scope="row"><code>{escape(row.path)}</code>{note}</th>'
        f'<td class="before"><code>{escape(row.before)}</code></td>'
        f'<td class="after"><code>{escape(row.after)}</code></td></tr>'
    )
