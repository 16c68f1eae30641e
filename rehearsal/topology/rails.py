"""The layout of the way to production: stations one below the other, and the lines between them.

What leads to the next station goes straight down. What leads further leaves for a rail: at the left what starts and
runs, at the right what images do. Each source has a track of its own, with a fork for each of its targets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rehearsal.topology.cards import PAD, card
from rehearsal.topology.nodes import Link, Way
from rehearsal.topology.scene import Box, Line, Rect, Text

TITLE: Final = "From pull request to production"
STATION: Final = 372.0
GAP: Final = 25.0
TRACK: Final = 10.0
PORT: Final = 11.0
HEADER: Final = 52.0
FIRST_PORT: Final = 13.0
RUN: Final = "run"


def width(way: Way) -> float:
    """Of the whole column, with its rails."""
    return STATION + _rail(way, RUN) + _rail(way, "images")


def column(way: Way, x: float, y: float) -> tuple[Box, tuple[Line, ...]]:
    """The way at a place, as high as it needs to be."""
    left = x + _rail(way, RUN)
    boxes: list[Box] = []
    for station in way.stations:
        boxes.append(card(station, left, boxes[-1].rect.bottom + GAP if boxes else y + HEADER, STATION))
    whole = Rect(x, y, width(way), (boxes[-1].rect.bottom if boxes else y + HEADER) + PAD * 2 - y)
    title = Text.fit(x + 14, y + 24, "environment", TITLE, whole.w - 28)
    facts = Text.fit(x + 14, y + 42, "label", " · ".join(way.facts), whole.w - 28)
    box = Box("way", "way", whole, f"{TITLE}\n{way.tooltip}", (title, facts), children=tuple(boxes))
    places = {each.key: each.rect for each in boxes}
    return box, (*_straight(way, places), *_railed(way, places, left))


def stretched(box: Box, height: float) -> Box:
    """The same column, made as high as what stands beside it."""
    return replace(box, rect=replace(box.rect, h=max(height, box.rect.h)))


def _rail(way: Way, kind: str) -> float:
    tracks = len(_sources(way, kind))
    return 14 + TRACK * tracks + (6 if tracks else 0)


def _sources(way: Way, kind: str) -> list[str]:
    """Stations from which a rail starts; those that lead farthest get the outermost track."""
    order = {station.key: n for n, station in enumerate(way.stations)}
    reach: defaultdict[str, int] = defaultdict(int)
    for link in way.links:
        if _side(link) == kind and not _is_next(way, link):
            span = abs(order[link.target] - order[link.sources[0]])
            reach[link.sources[0]] = max(reach[link.sources[0]], span)
    return sorted(reach, key=lambda key: (reach[key], order[key]))


def _side(link: Link) -> str:
    return RUN if link.kind == RUN else "images"


def _is_next(way: Way, link: Link) -> bool:
    keys = [station.key for station in way.stations]
    return keys.index(link.target) - keys.index(link.sources[0]) == 1


def _straight(way: Way, places: Mapping[str, Rect]) -> Iterator[Line]:
    """Down to the next station."""
    for link in filter(lambda each: _is_next(way, each), way.links):
        start, end = places[link.sources[0]], places[link.target]
        x = start.x + start.w / 2
        yield Line(
            role=link.kind,
            points=((x, start.bottom), (x, end.y)),
            tooltip=link.tooltip,
            label=_label(link, x + 9, end.y, start.w / 2 - 9),
        )


def _railed(way: Way, places: Mapping[str, Rect], left: float) -> Iterator[Line]:
    """Along the rails."""
    ports = _ports(way, places)
    for side, border, outwards in ((RUN, left, -1), ("images", left + STATION, 1)):
        for track, source in enumerate(_sources(way, side), start=1):
            x = border + outwards * (6 + TRACK * track)
            links = [
                each
                for each in way.links
                if each.sources[0] == source and _side(each) == side and not _is_next(way, each)
            ]
            start = (border, ports[side, source, ""])
            ways = [
                ((x, ports[side, each.target, source]), (border, ports[side, each.target, source])) for each in links
            ]
            *others, final = sorted(ways, key=lambda each: abs(each[0][1] - start[1]))
            yield Line(
                role=links[0].kind,
                points=(start, (x, start[1]), *final),
                tooltip="\n".join(each.tooltip for each in links),
                forks=tuple(others),
            )


def _ports(way: Way, places: Mapping[str, Rect]) -> Mapping[tuple[str, str, str], float]:
    """At which height a line meets a station at a side: what arrives first, what leaves below it."""
    met: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for side in (RUN, "images"):
        sources = _sources(way, side)
        for link in way.links:
            if _side(link) == side and not _is_next(way, link):
                met[side, link.target].append(link.sources[0])
        for source in sources:
            met[side, source].append("")
    return {
        (side, key, other): places[key].y + FIRST_PORT + PORT * n
        for (side, key), others in met.items()
        for n, other in enumerate(others)
    }


def _label(link: Link, x: float, y: float, room: float) -> Text | None:
    return Text.fit(x, y - 10, "badge", link.label, room) if link.label else None
