"""YAML as Azure Pipelines reads it, with the place of every value.

Scalars stay the text that was written: what `yes` or `1.10` means is decided by the parameter or input that takes it.
Anchors, aliases, tags and keys that are not text are refused, as the service refuses them; so is a key given twice,
which a plain YAML parser would silently lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.pipelines.finding import Place


class YamlError(Exception):
    """A file that Azure Pipelines would not read."""

    def __init__(self, at: Place, message: str, mend: str) -> None:
        super().__init__(message)
        self.at, self.message, self.mend = at, message, mend


class Foreign(str):
    """Text that somebody outside chooses: the name of a branch, the message of a commit."""

    __slots__ = ()


class Broken(str):
    """Stands where an expression had no value, which has been said."""

    __slots__ = ()


@dataclass(frozen=True)
class Text:
    """A scalar."""

    value: str
    at: Place


@dataclass(frozen=True)
class Seq:
    items: tuple[Node, ...]
    at: Place


@dataclass(frozen=True)
class Map:
    items: tuple[tuple[Text, Node], ...]
    at: Place

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.items if name.value == key), None)

    @property
    def names(self) -> list[str]:
        return [key.value for key, _ in self.items]

    def text(self, key: str, default: str = "") -> str:
        """The scalar at a key; `default` where there is none."""
        found = self.get(key)
        return found.value if isinstance(found, Text) else default


Node = Text | Seq | Map


def texts(node: Node) -> Iterator[Text]:
    """Every scalar below, keys left out."""
    if isinstance(node, Text):
        yield node
    elif isinstance(node, Seq):
        for item in node.items:
            yield from texts(item)
    else:
        for _, value in node.items:
            yield from texts(value)


def load(path: Path, name: str) -> Node:
    """The document of a file; `name` is what findings call it. YamlError when it cannot be read."""
    try:
        return _Reader(path.read_text("utf-8"), name).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise YamlError(Place(name, line), f"this is not YAML: {error.problem}", "correct the line") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(Place(name, 1), f"this is not YAML: {error}", "save it as UTF-8 text") from None


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._name = name
        # The parser in C, where PyYAML has it: several times as fast, and the same events.
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)

    def document(self) -> Node:
        event = next(self._events)
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise YamlError(Place(self._name, 1), "the file is empty", "write the pipeline or template")
        node = self._node(event)
        next(self._events)  # the document's end
        if isinstance(more := next(self._events), yaml.DocumentStartEvent):
            raise YamlError(self._at(more), "a second document begins here", "keep one document in a file")
        return node

    def _at(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self._name, mark.line + 1 if mark else 1)

    def _node(self, event: yaml.Event) -> Node:
        at = self._at(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(at, "Azure Pipelines knows no YAML anchors", "use a template or a parameter")
        if tag := getattr(event, "tag", None):
            raise YamlError(at, f"Azure Pipelines knows no YAML tags ({tag})", "write the plain value")
        if isinstance(event, yaml.ScalarEvent):
            return Text(event.value, at)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(event))
            return Seq(tuple(items), at)
        return self._map(at)

    def _map(self, at: Place) -> Map:
        items: list[tuple[Text, Node]] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            if not isinstance(key, Text):
                raise YamlError(key.at, "a key is not text", "write a plain key")
            # Directives may repeat; what they insert is judged once it is inserted.
            if not key.value.startswith("${{") and any(key.value == other.value for other, _ in items):
                raise YamlError(key.at, f"the key {key.value!r} is given twice", "keep one of the two")
            items.append((key, self._node(next(self._events))))
        return Map(tuple(items), at)
