"""The layout of one environment: networks at the left, what stands beside them at the right, lines between.

The internet begins at the right border: what it reaches is tied to a sign on that border, and what leaves crosses
it. The network that somebody else owns lies below; lines to it run along the left border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rehearsal.topology import routes
from rehearsal.topology.cards import GAP, PAD, grid, is_open, stacked
from rehearsal.topology.nodes import Environment, Guard, Node
from rehearsal.topology.scene import Box, Icon, Line, Rect, Text

LEFT: Final = 26.0
INNER: Final = 336.0
BESIDE: Final = 224.0
RIGHT: Final = 24.0
INTERNET: Final = 18.0
HEADER: Final = 52.0
MORE_COLUMNS: Final = 3


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
    bottom = max([box.rect.bottom for box in (*inner, *beside)], default=top)
    texts = [*_header(environment, x, y, w)]
    if environment.more:
        texts.append(Text.fit(x + LEFT, bottom + 24, "label", "Without a picture of their own", INNER))
        bottom += 32
    more = grid(environment.more, x + LEFT, bottom, w - LEFT - RIGHT, MORE_COLUMNS, GAP * 2)
    bottom = max([bottom, *(box.rect.bottom for box in more)])
    rect = Rect(x, y, w, bottom + PAD * 2 - y)
    box = Box(
        key=environment.name,
        role="environment",
        rect=rect,
        tooltip=environment.tooltip,
        texts=tuple(texts),
        icons=_guard(environment, texts[0]),
        children=(*inner, *beside, *more),
    )
    strip = Rect(rect.right, y, INTERNET, rect.h)
    places = {each.key: each.rect for top_box in box.children for each in top_box.all()}
    edge = rect.right
    return Frame(
        box,
        _internet(environment, strip),
        (
            *routes.across(environment, places, x + LEFT + INNER, x + w - RIGHT - BESIDE),
            *(line for node in environment.services for line in _border(node, places[node.key], edge)),
        ),
        tuple(
            Icon(
                f"globe {node.access}",
                edge - 6,
                places[node.key].y + 9,
                f"{node.label} {node.name} answers the internet ({node.access})",
            )
            for node in environment.services
            if is_open(node)
        ),
    )


def _internet(environment: Environment, strip: Rect) -> Box:
    word = Text(strip.x + 5.5, strip.y + HEADER / 2 + 16, "badge", "INTERNET", "INTERNET", "middle", turned=True)
    return Box(
        f"{environment.name} internet", "internet", strip, f"The internet, as {environment.name} meets it", (word,)
    )


def _header(environment: Environment, x: float, y: float, w: float) -> list[Text]:
    name = Text.fit(x + 14, y + 24, "environment", environment.name, w * 0.45)
    tier = Text.fit(name.rect.right + 34, y + 24, "label", environment.tier, w * 0.4)
    facts = Text.fit(x + 14, y + 42, "label", " · ".join(environment.facts), w - 28)
    return [name, tier, facts]


def _guard(environment: Environment, name: Text) -> tuple[Icon, ...]:
    if environment.guard is Guard.NONE:
        return ()
    kind = "padlock locked" if environment.guard is Guard.LOCKED else "padlock"
    return (Icon(kind, name.rect.right + 8, name.y - 11, "the resource group is guarded against deletion"),)


def _border(node: Node, place: Rect, edge: float) -> list[Line]:
    """What ties a box to the internet at the border."""
    y = place.y + 15
    if is_open(node):
        told = f"{node.name} answers the internet"
        return [Line(f"open {node.access}", ((place.right, y), (edge - 6, y)), told, head=False)]
    if node.outward:
        return [Line("egress", ((place.right, y), (edge + INTERNET - 2, y)), f"{node.name} leads to the internet")]
    return []


def stretched(frame_: Frame, height: float) -> Frame:
    """The same frame, made as high as its neighbours."""
    box = replace(frame_.box, rect=replace(frame_.box.rect, h=height))
    return replace(frame_, box=box, internet=replace(frame_.internet, rect=replace(frame_.internet.rect, h=height)))
