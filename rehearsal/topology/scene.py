"""The picture as plain shapes with places: what layout makes, what painting reads, and what tests measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rehearsal.topology.text import clean, fitted, width

Point = tuple[float, float]

FONTS: Final[Mapping[str, tuple[float, bool]]] = MappingProxyType(
    {
        "heading": (20, True),
        "environment": (16, True),
        "name": (13, True),
        "label": (12, False),
        "fact": (12, False),
        "badge": (10.5, True),
    }
)
"""Size in pixels, and whether bold, of each style of text. The style sheet says the same."""


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    def holds(self, other: Rect) -> bool:
        across = self.x <= other.x and other.right <= self.right
        return across and self.y <= other.y and other.bottom <= self.bottom

    def overlaps(self, other: Rect) -> bool:
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True)
class Text:
    """One line. `y` is its base line, `content` what fitted, `whole` what it says when pointed at."""

    x: float
    y: float
    style: str
    content: str
    whole: str
    anchor: str = "start"
    turned: bool = False
    """Read from top to bottom."""

    @classmethod
    def fit(cls, x: float, y: float, style: str, whole: str, room: float, anchor: str = "start") -> Text:
        whole = clean(whole)
        return cls(x, y, style, fitted(whole, room, *FONTS[style]), whole, anchor)

    @property
    def css(self) -> str:
        """Apart from the class of a box that is an environment."""
        return "environment-text" if self.style == "environment" else self.style

    @property
    def wide(self) -> float:
        return width(self.content, *FONTS[self.style])

    @property
    def rect(self) -> Rect:
        size, _ = FONTS[self.style]
        wide = self.wide
        if self.turned:
            return Rect(self.x - size * 0.2, self.y - wide / 2, size, wide)
        left = {"start": self.x, "end": self.x - wide, "middle": self.x - wide / 2}[self.anchor]
        return Rect(left, self.y - size * 0.8, wide, size)


@dataclass(frozen=True)
class Badge:
    """A word in a rounded frame. Capitals warn: `role` may colour it, but never says more than the word does."""

    rect: Rect
    role: str
    text: Text


@dataclass(frozen=True)
class Icon:
    """A sign of 12 by 12 pixels; `kind` is one of those that painting knows."""

    kind: str
    x: float
    y: float
    tooltip: str

    @property
    def rect(self) -> Rect:
        return Rect(self.x, self.y, 12, 12)


@dataclass(frozen=True)
class Box:
    """A frame with what lies in it. `key` is that of the node, so that lines find it."""

    key: str
    role: str
    rect: Rect
    tooltip: str
    texts: tuple[Text, ...] = ()
    badges: tuple[Badge, ...] = ()
    icons: tuple[Icon, ...] = ()
    children: tuple[Box, ...] = ()
    fate: str = ""
    """What happens to it; the border says so."""
    tab: Badge | None = None
    """What happens to it and to all that it stands for, on its upper border."""

    def all(self) -> Iterator[Box]:
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True)
class Line:
    """A connection of straight pieces, with an arrow head at its end if `head`; branches join it at its bend.

    Forks leave it at its bend, and have a head each.
    """

    role: str
    points: tuple[Point, ...]
    tooltip: str
    head: bool = True
    branches: tuple[tuple[Point, ...], ...] = ()
    forks: tuple[tuple[Point, ...], ...] = ()
    label: Text | None = None


@dataclass(frozen=True)
class Scene:
    """The whole picture. Lines lie above the boxes' frames and below nothing."""

    width: float
    height: float
    title: str
    description: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    texts: tuple[Text, ...]
    icons: tuple[Icon, ...]
