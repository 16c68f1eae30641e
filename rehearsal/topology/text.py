"""How wide a text is, and how it is made to fit.

Nobody knows which font a reader's machine has. Widths are those of Helvetica, which Arial and Liberation Sans share
and Segoe UI comes close to; the picture tells a renderer how long each text is, so that a wider font is condensed
instead of overflowing. What it does not do: it shapes no text, so scripts with ligatures are measured letter by
letter, which is wider than they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

_GROUPS: Final[Mapping[float, str]] = {
    0.222: "ijl'",
    0.278: "ft .,:;!/\\I|",
    0.333: "r()[]-`·",
    0.389: '*"{}',
    0.5: "cksvxyzJ",
    0.556: "abdeghnopqu0123456789L?$#_–",
    0.584: "+<>=~^×",
    0.611: "FTZ",
    0.667: "ABEKPSVXY&",
    0.722: "wCDHNRU",
    0.778: "GOQ",
    0.833: "mM",
    0.944: "W%",
    1.0: "@—…→",
}
_WIDTHS: Final = {letter: share for share, letters in _GROUPS.items() for letter in letters}
_OTHER: Final = 0.8
_WIDE: Final = 1.1
_BOLD: Final = 1.08
_ELLIPSIS: Final = "…"
SEPARATOR: Final = " · "


def clean(text: str) -> str:
    """What XML cannot hold, or what would turn the direction of the text around it, becomes a replacement character."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


@cache
def width(text: str, size: float, bold: bool = False) -> float:
    """In pixels, for a font size in pixels."""
    return sum(map(_share, text)) * size * (_BOLD if bold else 1)


@cache
def is_known(text: str) -> bool:
    """Whether the width is that of the font, and not a careful guess."""
    return all(letter in _WIDTHS for letter in text)


@cache
def _share(letter: str) -> float:
    wide = unicodedata.east_asian_width(letter) in "WF"
    return _WIDTHS.get(letter, _WIDE if wide else _OTHER)


@cache
def fitted(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, cut in its middle if it is too long: names of one environment differ at their ends."""
    if width(text, size, bold) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        head = (kept * 3 + 4) // 5
        short = text[:head] + _ELLIPSIS + text[len(text) - (kept - head) :]
        if width(short, size, bold) <= room:
            return short
    return ""


def wrapped(parts: Iterable[str], room: float, size: float) -> tuple[str, ...]:
    """The parts in as few lines as their order allows; a part is never broken, so it may still be too long."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{SEPARATOR}{part}" if lines else ""
        if longer and width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(lines)
