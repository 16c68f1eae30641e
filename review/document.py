"""The report as every renderer shows it: the same parts in the same order, danger first.

It knows no terminal, no Markdown and no HTML; a renderer knows nothing but this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rehearsal.words import count
from review.judgement.findings import Finding
from review.judgement.verdict import Exit, Judgement, exit_code, open_acks, verdict
from review.model import Change, Difference, Op
from review.words import pair

SIGNS: Final = {
    Op.CREATE: "+",
    Op.UPDATE: "~",
    Op.REPLACE: "±",
    Op.DELETE: "−",
    Op.RENAME: "→",
}


@dataclass(frozen=True)
class Point:
    """One finding in words. `ack` is the name to acknowledge it by, empty where that is not needed."""

    stack: str
    subject: str
    text: str
    place: str
    ack: str
    open: bool


@dataclass(frozen=True)
class Part:
    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Row:
    """One property that differs."""

    path: str
    before: str
    after: str
    note: str
    """What the property does to the resource, if that is not plain."""


@dataclass(frozen=True)
class Line:
    """One resource, or component, that changes."""

    sign: str
    op: str
    told: str
    note: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Group:
    """The changes of one component of one stack."""

    stack: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Document:
    verdict: str
    exit: Exit
    open: tuple[str, ...]
    """What is still to be acknowledged."""
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]
    counts: tuple[str, ...]
    notes: tuple[str, ...]
    several: bool
    """Whether there is more than one stack, so that each has to be named."""


def document(judged: Sequence[Judgement], acknowledged: Iterable[str] = ()) -> Document:
    """Raises ReviewError as `open_acks`."""
    acknowledged = tuple(acknowledged)
    left = open_acks(judged, acknowledged)
    kinds = (
        ("Replaced or deleted", [each.losses for each in judged]),
        ("Security that gets weaker", [each.weaker for each in judged]),
        ("What it costs", [each.costs for each in judged]),
    )
    return Document(
        verdict=verdict(judged, acknowledged),
        exit=exit_code(judged, acknowledged),
        open=left,
        parts=tuple(Part(title, _points(judged, found, left)) for title, found in kinds),
        groups=tuple(group for each in judged for group in _groups(each)),
        counts=tuple(_counts(each) for each in judged),
        notes=tuple(note for each in judged for note in _notes(each)),
        several=len(judged) > 1,
    )


def _points(
    judged: Sequence[Judgement], found: Sequence[tuple[Finding, ...]], left: Sequence[str]
) -> tuple[Point, ...]:
    """Those to acknowledge first."""
    points = [
        Point(
            each.stack,
            finding.subject,
            finding.text,
            finding.place,
            ack := finding.ack(each.stack) if finding.grave else "",
            ack in left,
        )
        for each, findings in zip(judged, found, strict=True)
        for finding in findings
    ]
    return tuple(sorted(points, key=lambda point: not point.ack))


def _groups(each: Judgement) -> tuple[Group, ...]:
    shown = (change for change in each.changes.changes if change.resource.custom or change.op is not Op.UPDATE)
    return tuple(
        Group(each.stack, component or "(no component)", tuple(map(_line, changes)))
        for component, changes in groupby(shown, key=lambda change: change.component)
    )


def _line(change: Change) -> Line:
    rows = tuple(Row(each.path, *pair(each), _effect(each)) for each in change.differences)
    return Line(SIGNS[change.op], change.op, change.told, f"was {change.was}" if change.was else "", rows)


def _effect(each: Difference) -> str:
    return "replaces" if each.forces else "refused in place" if each.refused else ""


def _counts(each: Judgement) -> str:
    counts = each.changes.counts
    told = [f"{counts[op]} to {op}" for op in Op if counts.get(op)]
    return f"{each.stack}: {', '.join([*told, f'{each.changes.unchanged} unchanged'])}"


def _notes(each: Judgement) -> tuple[str, ...]:
    sealed = each.changes.sealed
    told = f"{each.stack}: {count(sealed, 'secret')} sealed on both sides, and so not compared."
    return (told,) if sealed else ()
