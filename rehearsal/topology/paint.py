"""From the shapes of a picture to SVG text.

Built as a tree and serialised by the standard library, so that a name cannot become markup. No scripts and nothing
fetched; colours stand in `style.css`, which goes into the picture, or into the page around it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from rehearsal.topology.scene import Badge, Box, Icon, Line, Point, Rect, Scene, Text
from rehearsal.topology.text import clean, is_known

STYLE: Final = (Path(__file__).parent / "style.css").read_text("utf-8")
_SHEET: Final = (Path(__file__).parent / "sheet.css").read_text("utf-8")
"""For a picture that is a document of its own."""
_HEAD: Final = 8.0

# Each sign in a square of 12 by 12: elements with their attributes.
_SIGNS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "padlock": (("path", "d=M3.2 6V3.8a2.8 2.8 0 0 1 5.6 0V6"), ("rect", "x=2 y=6 width=8 height=5.4 rx=1")),
    "globe": (
        ("circle", "cx=6 cy=6 r=6.5"),
        ("ellipse", "cx=6 cy=6 rx=2.8 ry=6.5"),
        ("path", "d=M-0.5 6H12.5"),
    ),
    "logs": (("path", "d=M1 2.5H11M1 6H11M1 9.5H7"),),
}


def svg(scene: Scene) -> str:
    """The picture as one self-contained SVG document."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{fragment(scene, STYLE + _SHEET)}\n'


def fragment(scene: Scene, style: str = "") -> str:
    """The picture as one element, for a page that has `STYLE` itself."""
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_n(scene.width)} {_n(scene.height)}",
            "width": _n(scene.width),
            "height": _n(scene.height),
            "role": "img",
            "aria-labelledby": "topology-title topology-description",
        },
    )
    ET.SubElement(root, "title", {"id": "topology-title"}).text = clean(scene.title)
    ET.SubElement(root, "desc", {"id": "topology-description"}).text = clean(scene.description)
    if style:
        ET.SubElement(root, "style").text = style
    _rect(root, Rect(0, 0, scene.width, scene.height), {"class": "paper"})
    for box in scene.boxes:
        _box(root, box)
    for line in scene.lines:
        _line(root, line)
    for icon in scene.icons:
        _icon(root, icon)
    for text in scene.texts:
        _text(root, text)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def _box(parent: ET.Element, box: Box) -> None:
    group = _group(parent, f"box {box.role}" + (f" marked {box.fate}" if box.fate else ""), box.tooltip)
    _rect(group, box.rect, {} if box.role == "internet" else {"rx": "4"})
    for child in box.children:
        _box(group, child)
    for badge in box.badges:
        _badge(group, badge)
    for icon in box.icons:
        _icon(group, icon)
    for text in box.texts:
        _text(group, text)
    if box.tab:
        _badge(group, box.tab, "tab")


def _badge(parent: ET.Element, badge: Badge, sort: str = "mark") -> None:
    group = _group(parent, f"{sort} {badge.role}", badge.text.whole)
    _rect(group, badge.rect, {"rx": "7"})
    _text(group, badge.text)


def _icon(parent: ET.Element, icon: Icon) -> None:
    group = _group(parent, f"icon {icon.kind}", icon.tooltip)
    group.set("transform", f"translate({_n(icon.x)} {_n(icon.y)})")
    for tag, attributes in _SIGNS[icon.kind.split()[0]]:
        if tag == "path":
            ET.SubElement(group, tag, {"d": attributes.removeprefix("d=")})
        else:
            ET.SubElement(group, tag, dict(each.split("=") for each in attributes.split()))


def _line(parent: ET.Element, line: Line) -> None:
    group = _group(parent, f"line {line.role}", line.tooltip)
    headed = (*([line.points] if line.head else []), *line.forks)
    plain = (*([] if line.head else [line.points]), *line.branches)
    for way in (*((*each[:-1], _before(each[-2], each[-1])) for each in headed), *plain):
        ET.SubElement(group, "polyline", {"points": _points(way)})
    for *_, before, tip in headed:
        ET.SubElement(group, "polygon", {"points": _points((tip, *_wings(before, tip)))})
    if line.label:
        _text(group, line.label)


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _direction(before: Point, tip: Point) -> Point:
    """One pixel towards the tip; all pieces of a line are level or upright."""
    return ((tip[0] > before[0]) - (tip[0] < before[0]), (tip[1] > before[1]) - (tip[1] < before[1]))


def _before(before: Point, tip: Point) -> Point:
    """Where the line ends so that it does not show beyond its arrow head."""
    dx, dy = _direction(before, tip)
    return (tip[0] - dx * _HEAD / 2, tip[1] - dy * _HEAD / 2)


def _wings(before: Point, tip: Point) -> tuple[Point, Point]:
    dx, dy = _direction(before, tip)
    x, y = tip[0] - dx * _HEAD, tip[1] - dy * _HEAD
    half = _HEAD / 2
    return ((x + dy * half, y + dx * half), (x - dy * half, y - dx * half))


def _group(parent: ET.Element, classes: str, tooltip: str) -> ET.Element:
    group = ET.SubElement(parent, "g", {"class": classes})
    # Line breaks are wanted here, and only here.
    ET.SubElement(group, "title").text = "\n".join(clean(line) for line in tooltip.split("\n"))
    return group


def _rect(parent: ET.Element, rect: Rect, attributes: Mapping[str, str]) -> None:
    place = {"x": _n(rect.x), "y": _n(rect.y), "width": _n(rect.w), "height": _n(rect.h)}
    ET.SubElement(parent, "rect", {**place, **attributes})


def _text(parent: ET.Element, text: Text) -> None:
    attributes = {"class": text.css, "x": _n(text.x), "y": _n(text.y)}
    if text.anchor != "start":
        attributes["text-anchor"] = text.anchor
    if is_known(text.content):
        attributes |= {"textLength": _n(text.wide), "lengthAdjust": "spacingAndGlyphs"}
    if text.turned:
        attributes["transform"] = f"rotate(90 {_n(text.x)} {_n(text.y)})"
    element = ET.SubElement(parent, "text", attributes)
    element.text = text.content
    if text.content != text.whole:
        whole = ET.SubElement(element, "title")
        whole.text = text.whole


def _n(number: float) -> str:
    """Tenths of a pixel, without a needless nought."""
    return f"{number:.1f}".removesuffix(".0")
