"""What happens to the resources that a picture shows: a tab on the box of each, and the rest of it in its tooltip.

A box may stand for several resources: one that is drawn, and what belongs to it, such as a gate or a lock. Its border
tells the fate of the former, the tab of all. What stands behind no box of its own (a resource group, a peering) is told
by the frame around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rehearsal.topology.cards import BADGE_PAD
from rehearsal.topology.nodes import Estate
from rehearsal.topology.scene import Badge, Box, Rect, Scene, Text


class Fate(StrEnum):
    """What happens to a resource, the worst first: where a box stands for several, that is its colour."""

    GONE = "gone"
    REPLACED = "replaced"
    CHANGED = "changed"
    NEW = "new"


SIGNS: Final[Mapping[Fate, str]] = {Fate.GONE: "−", Fate.REPLACED: "±", Fate.CHANGED: "~", Fate.NEW: "+"}
HEIGHT: Final = 14.0
WAY: Final = "way"
MORE: Final = "more"


@dataclass(frozen=True)
class Mark:
    """`told` is the resource in words."""

    fate: Fate
    told: str


def marked(scene: Scene, estate: Estate, marks: Mapping[str, Mark]) -> Scene:
    """The picture with a tab on each box of which something is in `marks`, which are by URN."""
    by_key = dict(_by_key(estate, marks))
    return replace(scene, boxes=tuple(_marked(box, by_key) for box in scene.boxes))


@dataclass(frozen=True)
class Fates:
    """What happens to the resource that a box draws, if anything, and to what else the box stands for."""

    own: Mark | None
    parts: tuple[Mark, ...]

    @property
    def all(self) -> tuple[Mark, ...]:
        return (*((self.own,) if self.own else ()), *self.parts)


def _by_key(estate: Estate, marks: Mapping[str, Mark]) -> Iterator[tuple[str, Fates]]:
    shown: set[str] = set()
    stations = [node for top in (estate.way.stations if estate.way else ()) for node in top.all()]
    for node in (*(node for each in estate.environments for node in each.nodes()), *stations):
        found = [urn for urn in dict.fromkeys(node.covers) if urn in marks]
        shown.update(found)
        if found:
            own = marks.get(node.covers[0]) if node.role != MORE else None
            yield node.key, Fates(own, tuple(marks[urn] for urn in found if marks[urn] is not own))
    frames = [(each.name, each.covers) for each in estate.environments]
    for key, covers in (*frames, *([(WAY, estate.way.covers)] if estate.way else [])):
        left = tuple(marks[urn] for urn in dict.fromkeys(covers) if urn in marks and urn not in shown)
        if left:
            yield key, Fates(None, left)


def _marked(box: Box, by_key: Mapping[str, Fates]) -> Box:
    box = replace(box, children=tuple(_marked(child, by_key) for child in box.children))
    found = by_key.get(box.key)
    if not found:
        return box
    lines = (box.tooltip, *(f"{SIGNS[each.fate]} {each.fate}: {each.told}" for each in found.all))
    fate = found.own.fate if found.own else Fate.CHANGED
    return replace(box, fate=fate, tab=_tab(found, box.rect), tooltip="\n".join(lines))


def _tab(found: Fates, rect: Rect) -> Badge:
    own = f"{SIGNS[found.own.fate]} {found.own.fate}" if found.own else ""
    counts = Counter(mark.fate for mark in found.parts)
    parts = ", ".join(f"{SIGNS[fate]} {counts[fate]} {fate}" for fate in Fate if counts[fate])
    words = "; ".join(filter(None, (own, f"of it {parts}" if parts else "")))
    text = Text.fit(0, rect.y + 3, "badge", words, rect.w - 4 * BADGE_PAD, "middle")
    tab = Rect(rect.x + BADGE_PAD, rect.y - HEIGHT / 2, text.wide + 2 * BADGE_PAD, HEIGHT)
    worst = min((mark.fate for mark in found.all), key=list(Fate).index)
    return Badge(tab, worst, replace(text, x=tab.x + tab.w / 2))
