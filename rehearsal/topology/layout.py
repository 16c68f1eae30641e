"""The layout of the whole: the way to production at the left; environments in rows that suit a landscape page, what
they lean on above them, the networks outside below them; and the legend at the foot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rehearsal.topology import legend, rails, routes
from rehearsal.topology.cards import card
from rehearsal.topology.frames import INTERNET, Frame, channel, frame, frame_width, stretched
from rehearsal.topology.nodes import Access, Environment, Estate, Node, Reference
from rehearsal.topology.scene import Box, Line, Scene, Text

PAGE: Final = (1123.0, 794.0)
"""A4 landscape at 96 dots an inch: only its proportions matter."""

MARGIN: Final = 20.0
HEADING: Final = 54.0
GUTTER: Final = 22.0
LANE: Final = 19.0
"""Height that one reference takes above a row of frames."""
BELOW: Final = 34.0
"""Room between a frame and the network outside, for the names of the lines that lead there."""


@dataclass(frozen=True)
class Row:
    """Environments side by side, with all that belongs to them."""

    frames: tuple[Frame, ...]
    outside: tuple[Box, ...]
    lines: tuple[Line, ...]
    lane: float
    """Where the lowest track for references lies."""
    bottom: float


def scene(estate: Estate) -> Scene:
    """The picture of an estate, in as many columns as let it be largest on a page, all rows about equally long."""
    many = len(estate.environments)
    columns = sorted({-(-many // rows) for rows in range(1, many + 1)}) or [1]
    pictures = [_in_columns(estate, each) for each in columns]
    return min(pictures, key=lambda made: max(made.width / PAGE[0], made.height / PAGE[1]))


def _in_columns(estate: Estate, columns: int) -> Scene:
    beside = rails.width(estate.way) + GUTTER if estate.way else 0
    outer = MARGIN + beside + LANE * sum(_far(each, estate, columns) for each in estate.references)
    y = MARGIN + HEADING
    way, way_lines = rails.column(estate.way, MARGIN, y) if estate.way else (None, ())
    rows = []
    for start in range(0, len(estate.environments), columns):
        members = estate.environments[start : start + columns]
        row = _row(members, estate, outer, y)
        rows.append(row)
        y = row.bottom + GUTTER
    each = (frame_width(estate.environments) if estate.environments else PAGE[0] / 2) + INTERNET
    shown = max(min(columns, len(estate.environments)), 1)
    right = outer + each * shown + GUTTER * (shown - 1)
    if way:
        way = rails.stretched(way, y - GUTTER - way.rect.y)
        y = way.rect.bottom + GUTTER
    key = legend.legend(MARGIN, y, right - MARGIN)
    frames = [made for row in rows for made in row.frames]
    title = " → ".join(environment.name for environment in estate.environments) or "no environment"
    return Scene(
        width=right + MARGIN,
        height=key.rect.bottom + MARGIN,
        title=f"Topology: {title}",
        description=describe(estate),
        boxes=(
            *([way] if way else []),
            *(box for made in frames for box in (made.box, made.internet)),
            *(box for row in rows for box in row.outside),
            key,
        ),
        lines=(
            *way_lines,
            *(line for made in frames for line in made.lines),
            *(line for row in rows for line in row.lines),
            *legend.lines(key),
            *_references(estate, rows, MARGIN + beside),
        ),
        texts=(
            Text.fit(MARGIN, MARGIN + 20, "heading", f"Topology: {title}", right - MARGIN),
            Text.fit(MARGIN, MARGIN + 39, "label", _subtitle(estate), right - MARGIN),
        ),
        icons=tuple(icon for made in frames for icon in made.icons),
    )


def describe(estate: Estate) -> str:
    """The picture in words, for whoever does not see it."""
    told = []
    for environment in estate.environments:
        opened = [f"{node.label} {node.name}" for node in environment.ways_in()]
        told.append(
            f"{environment.name}: {environment.tier or 'tier unknown'}; "
            f"{sum(1 for _ in environment.nodes())} boxes; "
            f"networks {', '.join(f'{n.name} {n.aside}' for n in environment.inner) or 'none'}; "
            f"reached from the internet: {', '.join(opened) or 'nothing'}; "
            f"leads to: {environment.outside.name if environment.outside else 'no other network'}."
        )
    told += [f"{reference.label}." for reference in estate.references]
    if estate.way:
        told.append(f"{rails.TITLE}: {', '.join(station.name for station in estate.way.stations)}.")
    return " ".join(told) or "No environment."


def _subtitle(estate: Estate) -> str:
    opened = [node for environment in estate.environments for node in environment.ways_in()]
    signed_in = sum(node.access is Access.SIGNED_IN for node in opened)
    many = "1 end point faces" if len(opened) == 1 else f"{len(opened)} end points face"
    told = f"As the stacks export it, in order of promotion. {many} the internet: the globes at the right borders"
    return f"{told}; {signed_in} of them by Entra ID only." if signed_in else f"{told}."


def _row(members: Sequence[Environment], estate: Estate, left: float, top: float) -> Row:
    names = {member.name for member in members}
    tracks = sum(bool(names & {each.reader, each.target}) for each in estate.references)
    y = top + (LANE * tracks + 10 if tracks else 0)
    wide = frame_width(estate.environments)
    between = channel(estate.environments)
    step = wide + INTERNET + GUTTER
    made = [frame(member, left + step * n, y, between) for n, member in enumerate(members)]
    height = max(each.box.rect.h for each in made)
    frames = [stretched(each, height) for each in made]
    bottom = y + height
    outside, lines = [], []
    together = groupby(zip(members, frames, strict=True), key=lambda pair: _hub(pair[0]))
    for hub, pairs in together:
        group = list(pairs)
        if not hub:
            continue
        first, last = group[0][1].box.rect, group[-1][1].box.rect
        box = card(_outside(hub, [member for member, _ in group]), first.x, bottom + BELOW, last.right - first.x)
        outside.append(box)
        lines += [
            line
            for member, placed in group
            if member.outside
            for line in routes.down(member.outside, placed.places, placed.box.rect, box.rect.y)
        ]
    lowest = max([bottom, *(box.rect.bottom for box in outside)])
    return Row(tuple(frames), tuple(outside), tuple(lines), y - 10, lowest)


def _hub(environment: Environment) -> str:
    return environment.outside.key if environment.outside else ""


def _outside(key: str, members: Sequence[Environment]) -> Node:
    """One box for neighbours that lead to the same network."""
    found = [member.outside for member in members if member.outside]
    return Node(
        key=f"outside {key} of {members[0].name}",
        role="outside",
        label="Network outside, owned by somebody else",
        name=found[0].name,
        facts=tuple(dict.fromkeys(fact for each in found for fact in each.facts)),
        tooltip="\n".join(dict.fromkeys(each.tooltip for each in found)),
    )


def _references(estate: Estate, rows: Sequence[Row], left: float) -> Iterator[Line]:
    """Each reference on a track of its own: up from its reader, along the lane, down to what it reads."""
    placed = {made.box.key: (row, made.box.rect) for row in rows for made in row.frames}
    used: dict[float, int] = {}
    far = 0
    for n, each in enumerate(estate.references):
        (row, reader), (other, target) = placed[each.reader], placed[each.target]
        start, end = (rect.x + rect.w / 2 + 16 * n for rect in (reader, target))
        up = _track(row, used)
        points = [(start, reader.y), (start, up)]
        if other is not row:
            far += 1
            x, down = left + LANE * (far - 1) + 4, _track(other, used)
            points += [(x, up), (x, down), (end, down)]
        else:
            points += [(end, up)]
        turn = points[2][0]
        yield Line(
            role="contract",
            points=(*points, (end, target.y)),
            tooltip=each.tooltip,
            label=Text.fit(
                start + (8 if turn > start else -8),
                up - 4,
                "badge",
                each.label,
                abs(turn - start) - 16,
                "start" if turn > start else "end",
            ),
        )


def _track(row: Row, used: dict[float, int]) -> float:
    used[row.lane] = used.get(row.lane, -1) + 1
    return row.lane - LANE * used[row.lane]


def _far(reference: Reference, estate: Estate, columns: int) -> bool:
    """Whether a reference leads to another row."""
    order: Mapping[str, int] = {each.name: n // columns for n, each in enumerate(estate.environments)}
    return order[reference.reader] != order[reference.target]
