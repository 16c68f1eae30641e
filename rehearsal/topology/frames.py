"""The layout of one environment: networks at the left, what stands beside them at the right, lines between.

The internet begins at the right border: what it reaches is tied to a sign on that border, and what leaves crosses
it. The network that somebody else owns lies below; lines to it run along the left border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rehearsal.topology import routes
from rehearsal.topology.cards import GAP, PAD, badge, grid, stacked
from rehearsal.topology.nodes import Environment, Guard, Node
from rehearsal.topology.scene import Badge, Box, Icon, Line, Rect, Text

LEFT: Final = 26.0
INNER: Final = 336.0
BESIDE: Final = 300.0
RIGHT: Final = 24.0
INTERNET: Final = 18.0
HEADER: Final = 52.0
LOWEST: Final = 120.0
"""Height of an environment without anything in it."""
MORE_COLUMNS: Final = (2, 3)


@dataclass(frozen=True)
class Frame:
    """An environment with its place, the strip of internet at its right, and the lines and signs within."""

    box: Box
    internet: Box
    lines: tuple[Line, ...]
    icons: tuple[Icon, ...]

    @property
    def places(self) -> Mapping[str, Rect]:
        return {box.key: box.rect for top in self.box.children for box in top.all()}


def frame_width(environments: tuple[Environment, ...]) -> float:
    """One width for all, so that they compare: with room for the lines of the one that has most."""
    return LEFT + INNER + channel(environments) + BESIDE + RIGHT


def channel(environments: tuple[Environment, ...]) -> float:
    return max(routes.channel_width(environment) for environment in environments)


def frame(environment: Environment, x: float, y: float, between: float) -> Frame:
    """An environment at a place; `between` is the room for lines."""
    w = LEFT + INNER + between + BESIDE + RIGHT
    top = y + HEADER
    inner = stacked(environment.inner, x + LEFT, top, INNER, GAP * 2)
    beside = stacked(environment.services, x + w - RIGHT - BESIDE, top, BESIDE, GAP * 2)
    heading, more = _more(environment, (inner, beside), x, top, w)
    texts = (*_header(environment, x, y, w), *heading)
    bottom = max([top, *(box.rect.bottom for box in (*inner, *beside, *more))])
    rect = Rect(x, y, w, max(bottom + PAD * 2 - y, LOWEST))
    box = Box(
        key=environment.name,
        role="environment",
        rect=rect,
        tooltip=environment.tooltip,
        texts=texts,
        badges=_tier(environment, texts[0]),
        icons=_guard(environment, texts[0]),
        children=(*inner, *beside, *more),
    )
    strip = Rect(rect.right, y, INTERNET, rect.h)
    places = {each.key: each.rect for top_box in box.children for each in top_box.all()}
    edge = rect.right
    return Frame(
        box,
        _internet(environment.name, strip),
        (
            *routes.across(environment, places, x + LEFT + INNER, x + w - RIGHT - BESIDE),
            *(line for node in environment.beside() for line in _border(node, places[node.key], edge)),
        ),
        tuple(
            Icon(
                f"globe {node.access}",
                edge - 6,
                places[node.key].y + 9,
                f"{node.label} {node.name} answers the internet ({node.access.word})",
            )
            for node in environment.ways_in()
            if node.access
        ),
    )


def _more(
    environment: Environment, beside: tuple[tuple[Box, ...], ...], x: float, top: float, w: float
) -> tuple[tuple[Text, ...], tuple[Box, ...]]:
    """What has no picture of its own: in one of the columns, or below both, wherever the frame stays lower."""
    if not environment.more:
        return (), ()
    left, right = (max([top - GAP * 2, *(box.rect.bottom for box in column)]) for column in beside)
    ways = []
    for at, below, room, many in (
        (x + LEFT, left, INNER, 1),
        (x + w - RIGHT - BESIDE, right, BESIDE, 1),
        *((x + LEFT, max(left, right), w - LEFT - RIGHT, columns) for columns in MORE_COLUMNS),
    ):
        heading = Text.fit(at, below + 25, "label", "Also in this stack", room)
        boxes = grid(environment.more, at, below + 33, room, many, GAP)
        ways.append((max(left, right, *(box.rect.bottom for box in boxes)), heading, boxes))
    _, heading, boxes = min(ways, key=lambda way: way[0])
    return (heading,), boxes


def _internet(name: str, strip: Rect) -> Box:
    word = Text(strip.x + 5.5, strip.bottom - 44, "badge", "INTERNET", "INTERNET", "middle", turned=True)
    return Box(f"{name} internet", "internet", strip, f"The internet, as {name} meets it", (word,))


def _header(environment: Environment, x: float, y: float, w: float) -> list[Text]:
    name = Text.fit(x + 14, y + 24, "environment", environment.name, w * 0.45)
    facts = Text.fit(x + 14, y + 42, "label", " · ".join(environment.facts), w - 28)
    return [name, facts]


def _tier(environment: Environment, name: Text) -> tuple[Badge, ...]:
    if not environment.tier:
        return ()
    return (badge(environment.tier, name.rect.right + 30, name.y - 12, "plain", INNER),)


def _guard(environment: Environment, name: Text) -> tuple[Icon, ...]:
    if environment.guard is Guard.NONE:
        return ()
    kind = "padlock locked" if environment.guard is Guard.LOCKED else "padlock"
    return (Icon(kind, name.rect.right + 8, name.y - 11, "the resource group is guarded against deletion"),)


def _border(node: Node, place: Rect, edge: float) -> list[Line]:
    """What ties a box to the internet at the border."""
    y = place.y + 15
    if node.access and node.access.is_open:
        told = f"{node.name} answers the internet"
        return [Line(f"open {node.access}", ((place.right, y), (edge - 6, y)), told, head=False)]
    if node.outward:
        return [Line("egress", ((place.right, y), (edge + INTERNET - 2, y)), f"{node.name} leads to the internet")]
    return []


def stretched(frame_: Frame, height: float) -> Frame:
    """The same frame, made as high as its neighbours."""
    box = replace(frame_.box, rect=replace(frame_.box.rect, h=height))
    return replace(frame_, box=box, internet=_internet(box.key, replace(frame_.internet.rect, h=height)))
