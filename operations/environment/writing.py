"""The text of a stack file from typed settings: keys in the order of the model, notes as comments above their keys.

What it does not do: it decides nothing. Whether a mapping stands on one line is a matter of looks alone.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.emitter import Emitter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from operations.environment.tree import Note, sections
from settings import PROJECT, Settings


class _Emitter(Emitter):
    """With a space inside the braces of a mapping on one line."""

    def write_indicator(
        self, indicator: str, need_whitespace: bool, whitespace: bool = False, indention: bool = False
    ) -> None:
        spaced = {"{": "{ ", "}": " }"}.get(indicator, indicator)
        super().write_indicator(spaced, need_whitespace, whitespace, indention)


WIDTH: Final = 118
"""Of a comment, as in the files that ship."""
ONE_LINE: Final = frozenset({"window", "nodeOsWindow", "quota", "labels", "businessHours", "project"})
"""Small mappings that are read at a glance."""
ONE_A_LINE: Final = frozenset({"adminGroups"})
"""Lists whose entries are replaced one by one."""


def render(settings: Settings, heading: Iterable[str], notes: Iterable[Note]) -> str:
    """The whole file. A note on a key that the file does not hold is left to the door's own words."""
    said: dict[str, list[str]] = {}
    for note in notes:
        said.setdefault(note.path, []).append(note.text)
    config = CommentedMap()
    for section, value in sections(settings).items():
        key = f"{PROJECT}:{section}"
        config[key] = _node(section, value, section, said)
        _comment(config, key, section, said)
    content = CommentedMap({"config": config})
    stream = io.StringIO()
    writer = YAML()
    writer.Emitter = _Emitter
    writer.width = 4096  # ids are long, and a folded one cannot be found by a search
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(content, stream)
    comment = "".join(f"# {line}".rstrip() + "\n" for text in heading for line in _wrapped(text, WIDTH - 2))
    return comment + stream.getvalue()


def _node(name: str, value: Any, path: str, said: Mapping[str, list[str]]) -> Any:
    if isinstance(value, Mapping):
        mapping = CommentedMap()
        for key, inner in value.items():
            below = f"{path}.{key}"
            mapping[_text(key)] = _node(key, inner, below, said)
            _comment(mapping, key, below, said)
        if name in ONE_LINE and not any(each.startswith(f"{path}.") for each in said):
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list):
        items = CommentedSeq(_node("", each, path, said) for each in value)
        if name not in ONE_A_LINE and not any(isinstance(each, CommentedMap) for each in items):
            items.fa.set_flow_style()
        return items
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """In quotes where some reader of YAML would see a number or a time, a truth or nothing."""
    odd = re.fullmatch(r"[-+]?[0-9][0-9_.:,eExob-]*|(?i:y|n|yes|no|on|off|true|false|null|~)", value)
    return DoubleQuotedScalarString(value) if odd and not _dashed(value) else value


def _dashed(value: str) -> bool:
    """GUIDs have digits and hyphens, and nobody takes them for numbers."""
    return value.count("-") > 2


def _comment(mapping: CommentedMap, key: str, path: str, said: Mapping[str, list[str]]) -> None:
    if texts := said.get(path):
        indent = 2 * (path.count(".") + 1)
        lines = [line for text in texts for line in _wrapped(text, WIDTH - indent - 2)]
        mapping.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=indent)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
