"""The layout of one box with everything in it: of given width, as high as it needs to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rehearsal.topology.nodes import Guard, Node
from rehearsal.topology.scene import FONTS, Badge, Box, Icon, Rect, Text
from rehearsal.topology.text import wrapped

PAD: Final = 8.0
GAP: Final = 7.0
LINE: Final = 16.0
BADGE_HEIGHT: Final = 16.0
BADGE_PAD: Final = 7.0
MOST_FACTS: Final = 7
"""Lines of facts in one box; what is more is counted, and said by the tooltip."""

_GUARDS: Final = {
    Guard.PROTECTED: ("padlock", "protected: Pulumi refuses to delete it"),
    Guard.LOCKED: ("padlock locked", "locked: Azure refuses to delete it, whoever asks"),
}
_LOGGED: Final = ("logs", "its logs go to a workspace")


def card(node: Node, x: float, y: float, w: float) -> Box:
    """The box of a node at a place."""
    left, right = x + PAD, x + w - PAD
    base = y + PAD + 10
    icons, badges, free = _marks(node, right, base)
    texts = []
    if node.label:
        texts.append(Text.fit(left, base, "label", node.label, free - left))
        base += LINE
        free = right
    if node.aside:
        aside = Text.fit(free, base, "label", node.aside, (free - left) * 0.55, "end")
        texts.append(aside)
        free = aside.rect.x - PAD
    texts.append(Text.fit(left, base, "name", node.name, free - left))
    lines = _facts(node, right - left)
    texts += [Text.fit(left, base + LINE * n, "fact", line, right - left) for n, line in enumerate(lines, start=1)]
    bottom = base + LINE * len(lines) + 4
    if node.badges:
        row = badge_row(node.badges, left, bottom + 3, right)
        badges += row
        bottom = row[-1].rect.bottom
    children = []
    for child in node.children:
        below = card(child, left, bottom + GAP, right - left)
        children.append(below)
        bottom = below.rect.bottom
    return Box(
        key=node.key,
        role=node.role,
        rect=Rect(x, y, w, bottom + PAD - (2 if not children else 0) - y),
        tooltip=node.tooltip,
        texts=tuple(texts),
        badges=tuple(badges),
        icons=tuple(icons),
        children=tuple(children),
    )


def stacked(nodes: Sequence[Node], x: float, y: float, w: float, gap: float) -> tuple[Box, ...]:
    """Boxes one below the other."""
    boxes: list[Box] = []
    for node in nodes:
        boxes.append(card(node, x, boxes[-1].rect.bottom + gap if boxes else y, w))
    return tuple(boxes)


def grid(nodes: Sequence[Node], x: float, y: float, w: float, columns: int, gap: float) -> tuple[Box, ...]:
    """Boxes in rows; a row is as high as its highest box."""
    each = (w - gap * (columns - 1)) / columns
    boxes: list[Box] = []
    for start in range(0, len(nodes), columns):
        row = [
            card(node, x + (each + gap) * place, y, each) for place, node in enumerate(nodes[start : start + columns])
        ]
        boxes += row
        y = max(box.rect.bottom for box in row) + gap
    return tuple(boxes)


def badge(text: str, x: float, y: float, role: str, room: float) -> Badge:
    inner = Text.fit(0, y + 12, "badge", text, room - 2 * BADGE_PAD, "middle")
    rect = Rect(x, y, inner.wide + 2 * BADGE_PAD, BADGE_HEIGHT)
    return Badge(rect, role, replace(inner, x=x + rect.w / 2))


def badge_row(words: Sequence[str], left: float, y: float, right: float) -> list[Badge]:
    """Badges side by side, in as many rows as they need."""
    found: list[Badge] = []
    x = left
    for word in words:
        role = "warning" if word.isupper() and word.startswith("NO ") else "plain"
        made = badge(word, x, y, role, right - left)
        if made.rect.right > right and found:
            x, y = left, y + BADGE_HEIGHT + 3
            made = badge(word, x, y, role, right - left)
        found.append(made)
        x = made.rect.right + 4
    return found


def _marks(node: Node, right: float, base: float) -> tuple[list[Icon], list[Badge], float]:
    """Signs at the right end of the first line, and how far the text may go."""
    badges, icons = [], []
    if node.access:
        made = badge(node.access.word, right, base - 12, node.access, right)
        right -= made.rect.w
        badges.append(badge(node.access.word, right, base - 12, node.access, made.rect.w))
        right -= 4
    for kind, told in [*([_GUARDS[node.guard]] if node.guard else []), *([_LOGGED] if node.logged else [])]:
        icons.append(Icon(kind, right - 12, base - 10, told))
        right -= 16
    return icons, badges, right


def _facts(node: Node, room: float) -> tuple[str, ...]:
    size, _ = FONTS["fact"]
    lines = wrapped(node.facts, room, size)
    shown = len(node.facts)
    while len(lines) > MOST_FACTS:
        shown -= 1
        lines = wrapped((*node.facts[:shown], f"and {len(node.facts) - shown} more"), room, size)
    return lines
