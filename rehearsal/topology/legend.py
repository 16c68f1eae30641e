"""What the signs mean, in words: colour is never the only carrier of a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.topology.scene import Box, Icon, Line, Rect, Text

_LINES: Final = (
    ("run", "starts, deploys"),
    ("images", "images on their way"),
    ("pull", "pulls images (role AcrPull)"),
    ("private", "private link"),
    ("egress", "way out"),
    ("logs", "diagnostic logs of all that is marked"),
    ("metrics", "metrics"),
    ("control", "nodes and API server"),
    ("peering", "peering"),
    ("contract", "stack reference"),
)
_ICONS: Final = (
    ("globe public", "PUBLIC: answers the whole internet"),
    ("globe signed-in", "PUBLIC, ENTRA ID: answers tokens of Entra ID only"),
    ("globe restricted", "RESTRICTED: answers listed addresses"),
    ("padlock", "protected: Pulumi refuses to delete it"),
    ("padlock locked", "locked: Azure refuses too"),
    ("logs", "its logs go to a workspace"),
)
_FOREIGN: Final = "broken frame: owned elsewhere"
_SAMPLE: Final = 30.0
_SIGN: Final = 18.0
_ROW: Final = 20.0
_PAD: Final = 12.0


def legend(x: float, y: float, w: float) -> Box:
    """The box at the foot: signs with their meaning, in as many rows as the width asks for."""
    texts, icons, children = [], [], []
    for kind, words, left, base in _placed(x, y, w):
        texts.append(Text.fit(left + _room(kind, words), base, "label", words, w))
        if words == _FOREIGN:
            children.append(Box("legend foreign", kind, Rect(left, base - 11, 22, 13), words))
        elif (kind, words) in _ICONS:
            icons.append(Icon(kind, left, base - 10, words))
    rect = Rect(x, y, w, max(text.y for text in texts) + _PAD - y)
    return Box("legend", "legend", rect, "Legend", tuple(texts), (), tuple(icons), tuple(children))


def lines(box: Box) -> Iterator[Line]:
    """The samples of lines, which lie in the box."""
    for kind, words, left, base in _placed(box.rect.x, box.rect.y, box.rect.w):
        if (kind, words) in _LINES:
            yield Line(kind, ((left, base - 4), (left + _SAMPLE - 6, base - 4)), words, head=kind != "control")


def _room(kind: str, words: str) -> float:
    """What a sign takes before its words."""
    return _SIGN if (kind, words) in _ICONS else _SAMPLE


def _placed(x: float, y: float, w: float) -> Iterator[tuple[str, str, float, float]]:
    """Each entry with the left end of its sign and its base line."""
    left, base = x + _PAD, y + 22
    for kind, words in (*_ICONS, ("service foreign", _FOREIGN), *_LINES):
        wide = _room(kind, words) + Text.fit(0, 0, "label", words, w).rect.w
        if left + wide > x + w - _PAD and left > x + _PAD:
            left, base = x + _PAD, base + _ROW
        yield kind, words, left, base
        left += wide + 22
