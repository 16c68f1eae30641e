"""The lines of one environment: across the channel between its networks and what stands beside them, and down to
the network outside.

Every line has a track of its own in the channel, and meets its box at a height of its own, so that no two lie on
one another. They may cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rehearsal.topology.nodes import Environment, Link, Outside
from rehearsal.topology.scene import Line, Point, Rect, Text

TRACK: Final = 9.0
LABEL: Final = 50.0
"""Room for the words before an arrow's head."""
PORTS: Final = 15.0
CLEAR: Final = 5.0

PEERED: Final = 8.0
ROUTED: Final = 17.0
BESIDE_LINES: Final = 28.0
"""How far from a frame's left border its lines downwards lie, and their name."""

_FIRST: Final = 22.0


def channel_width(environment: Environment) -> float:
    return TRACK * (len(environment.links) + 1) + LABEL


def across(environment: Environment, places: Mapping[str, Rect], left: float, right: float) -> Iterator[Line]:
    """The lines between the networks' right border and the left border of what stands beside."""
    drawn = [
        link for link in environment.links if link.target in places and any(source in places for source in link.sources)
    ]
    starts = _starts(drawn, places)
    ends = _ends(drawn, places, starts)
    # Lines that go up keep their order, lines that go down reverse it: then neither crosses its own kind.
    rising = sorted((n for n in starts if ends[n] < starts[n][0][1]), key=lambda n: starts[n][0][1])
    falling = sorted((n for n in starts if n not in rising), key=lambda n: -starts[n][0][1])
    for track, n in enumerate((*rising, *falling), start=1):
        x = left + TRACK * track
        link, (first, *others), end = drawn[n], starts[n], ends[n]
        yield Line(
            role=link.kind,
            points=(first, (x, first[1]), (x, end), (places[link.target].x, end)),
            tooltip=link.tooltip,
            head=link.kind != "control",
            branches=tuple((other, (x, other[1]), (x, first[1])) for other in others),
            label=Text.fit(right - 9, end - 4, "badge", link.label, LABEL, "end") if link.label else None,
        )


def down(outside: Outside, places: Mapping[str, Rect], frame: Rect, bottom: float) -> Iterator[Line]:
    """The lines along the left border of a frame to the network outside, which begins at `bottom`."""
    ways = (
        ("peering", outside.peered, PEERED, f"peered with {outside.name}"),
        ("egress", outside.routed, ROUTED, f"what leaves by way of {outside.name}"),
    )
    words = " and ".join(word for (_, keys, *_), word in zip(ways, ("peering", "way out"), strict=True) if keys)
    room = frame.w - BESIDE_LINES
    label: Text | None = Text.fit(frame.x + BESIDE_LINES, frame.bottom + 20, "badge", words, room)
    for role, keys, offset, told in ways:
        starts = [(places[key].x, places[key].y + 13) for key in keys if key in places]
        if starts:
            x, (first, *others) = frame.x + offset, sorted(starts)
            yield Line(
                role=role,
                points=(first, (x, first[1]), (x, bottom)),
                tooltip=told,
                branches=tuple((other, (x, other[1])) for other in others),
                label=label,
            )
            label = None


def _starts(links: list[Link], places: Mapping[str, Rect]) -> dict[int, list[Point]]:
    """Where each line leaves its boxes: below each other, from the first line of the box on."""
    taken: dict[str, int] = {}
    starts: dict[int, list[Point]] = {}
    for n, link in enumerate(links):
        for source in (each for each in link.sources if each in places):
            place = places[source]
            offset = taken.get(source, 0)
            taken[source] = offset + 1
            # The logs of a whole network leave at its foot, all else at the head of its box.
            y = place.bottom - 9 - offset * PORTS if link.kind == "logs" else place.y + 13 + offset * PORTS
            starts.setdefault(n, []).append((place.right, y))
    return starts


def _ends(links: list[Link], places: Mapping[str, Rect], starts: Mapping[int, list[Point]]) -> dict[int, float]:
    """At which height each line meets its target: apart from each other, and from all that leaves at the left."""
    leaving = [y for points in starts.values() for _, y in points]
    ends: dict[int, float] = {}
    for n in sorted(starts, key=lambda n: (places[links[n].target].y, starts[n][0][1])):
        place = places[links[n].target]
        heights = [place.y + _FIRST + step for step in range(max(int(place.h - _FIRST), 1))]
        free = [
            y
            for y in heights
            if all(abs(y - other) >= PORTS for other in ends.values())
            and all(abs(y - other) >= CLEAR for other in leaving)
        ]
        ends[n] = (free or heights)[0]
    return ends
