"""The report as every renderer shows it: the same parts in the same order, danger first.

It knows no terminal, no Markdown and no HTML; a renderer knows nothing but this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from rehearsal.cloud.replacements import WORDS, Effect
from rehearsal.words import count
from review.judgement.findings import Finding
from review.judgement.verdict import Exit, Judgement, Verdict, exit_code, open_acks, verdict
from review.model import Change, Difference, Op
from review.words import pair

SIGNS: Final = {
    Op.CREATE: "+",
    Op.UPDATE: "~",
    Op.REPLACE: "±",
    Op.DELETE: "−",
    Op.RENAME: "→",
}


_MOST_WAITING: Final = 5
_MANY: Final = 6
"""So many lines that say the same are told as one."""


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
    place: str
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
    verdict: Verdict
    exit: Exit
    open: tuple[str, ...]
    """What is still to be acknowledged."""
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]
    counts: tuple[str, ...]
    notes: tuple[str, ...]
    about: tuple[str, ...]
    """What was compared, and how."""
    several: bool
    """Whether there is more than one stack, so that each has to be named."""

    @property
    def acknowledgement(self) -> str:
        """One word on each line, which a shell and make take like one space."""
        return "ACK='" + "\n     ".join(self.open) + "'"


def document(judged: Sequence[Judgement], acknowledged: Iterable[str] = (), about: Sequence[str] = ()) -> Document:
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
        about=tuple(about),
        several=len(judged) > 1,
    )


def _points(
    judged: Sequence[Judgement], found: Sequence[tuple[Finding, ...]], left: Sequence[str]
) -> tuple[Point, ...]:
    """Those to acknowledge first; of the rest, those of one kind that say the same are one."""
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
    alike = Counter(map(_alike, points))
    folded: dict[tuple[str, ...], Point] = {}
    for point in points:
        if point.ack or alike[_alike(point)] < _MANY:
            folded[point.stack, point.subject, point.text, point.place] = point
        else:
            kind, number = point.subject.split()[0], alike[_alike(point)]
            folded[_alike(point)] = replace(point, subject=f"{number} × {kind}", place="")
    return tuple(sorted(folded.values(), key=lambda point: not point.ack))


def _alike(point: Point) -> tuple[str, ...]:
    return point.stack, point.subject.split()[0], point.text


def _groups(each: Judgement) -> tuple[Group, ...]:
    shown = (change for change in each.changes.changes if change.resource.custom or change.op is not Op.UPDATE)
    return tuple(
        Group(each.stack, component or "(no component)", tuple(_lines(list(changes))))
        for component, changes in groupby(shown, key=lambda change: change.component)
    )


def _lines(changes: Sequence[Change]) -> Iterator[Line]:
    """One for each change; many of one kind of which nothing but the name is to be told are one."""
    bare = Counter(_sort(change) for change in changes if not change.differences)
    told: set[tuple[str, ...]] = set()
    for change in changes:
        sort = _sort(change)
        if change.differences or change.was or bare[sort] < _MANY:
            yield _line(change)
        elif sort not in told:
            told.add(sort)
            names = [each.resource.name for each in changes if _sort(each) == sort and not each.differences]
            note = ", ".join(names[:_MANY]) + (f", and {len(names) - _MANY} more" if len(names) > _MANY else "")
            yield Line(SIGNS[change.op], change.op, f"{len(names)} × {sort[1]}", change.place, note, ())


def _sort(change: Change) -> tuple[str, ...]:
    return change.op, change.resource.short_type


def _line(change: Change) -> Line:
    rows = tuple(Row(each.path, *pair(each), _effect(each)) for each in change.differences)
    return Line(SIGNS[change.op], change.op, change.told, change.place, f"was {change.was}" if change.was else "", rows)


def _effect(each: Difference) -> str:
    if each.forces:
        return WORDS[Effect.REPLACE]
    return WORDS[Effect.REFUSED] if each.refused else WORDS[Effect.UNKNOWN] if each.doubtful else ""


def _counts(each: Judgement) -> str:
    counts = each.changes.counts
    told = [f"{counts[op]} to {op}" for op in Op if counts.get(op)]
    return f"{each.stack}: {', '.join([*told, f'{each.changes.unchanged} unchanged'])}"


def _notes(each: Judgement) -> Iterator[str]:
    if sealed := each.changes.sealed:
        yield f"{each.stack}: {count(sealed, 'secret')} sealed on both sides, and so not compared."
    if waiting := each.changes.waiting:
        told = [
            f"{change.told} ({', '.join(diff.path for diff in change.differences)})"
            for change in waiting[:_MOST_WAITING]
        ]
        more = f", and {len(waiting) - len(told)} more" if len(waiting) > len(told) else ""
        yield (
            f"{each.stack}: {count(len(waiting), 'resource')} will take a value from what is updated, "
            f"and change only if that does: {', '.join(told)}{more}."
        )
