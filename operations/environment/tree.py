"""The plain values of an environment's settings while a new one is made from them, with what a person should know.

A path is the key as it stands in the stack file after `aks-cicd:`, such as `cluster.userPools.apps.minNodes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from settings import PROJECT, Settings
from validation.checking import as_said


@dataclass(frozen=True)
class Note:
    """Why a value is as it is. It becomes a comment above the key, and a line of what the door says at its end."""

    path: str
    text: str


@dataclass
class Tree:
    """Values as they are said, and the notes on them."""

    said: dict[str, Any]
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, settings: Settings) -> Tree:
        return cls(sections(settings))

    def get(self, path: str) -> Any:
        node: Any = self.said
        for part in path.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        return node

    def set(self, path: str, value: Any, why: str = "") -> None:
        """Only a value that differs is a decision, and worth a note."""
        if self.get(path) == value:
            return
        *above, last = path.split(".")
        node = self.said
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
        self.note(path, why)

    def drop(self, path: str, why: str = "") -> None:
        """Takes a key out, and the mappings that it leaves empty."""
        if self.get(path) is None:
            return
        above, _, last = path.rpartition(".")
        node = self.get(above) if above else self.said
        del node[last]
        if above and not node:
            self.drop(above)
        self.note(path, why)

    def note(self, path: str, why: str) -> None:
        if why:
            self.notes.append(Note(path, why))

    @property
    def config(self) -> dict[str, Any]:
        """As `config` of a stack file."""
        return {f"{PROJECT}:{section}": value for section, value in self.said.items()}


def sections(settings: Settings) -> dict[str, Any]:
    """What a stack file says, section by section, in the order of the model; what it leaves out is left out."""
    found = {}
    for name, known in Settings.model_fields.items():
        value = getattr(settings, name)
        if name != "stack" and (known.is_required() or value != known.get_default(call_default_factory=True)):
            found[known.alias or name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return as_said(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value
