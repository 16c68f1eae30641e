"""What a change does to a resource, by property path: replaces it, is taken in place, is refused, or nobody knows.

The knowledge is `replacements.yaml`, a source per line. Beside it stand rules that hold for every type: what addresses
a resource (its name, parents, group or scope) and its location replace it. What only the service refuses is `fixed` of
a kind, and is what the stand-in refuses too. Of azure-native, the rest is not known, and is said to be: it updates in
place, and whether the service takes that is the service's secret.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from rehearsal.cloud.answers import Change
from rehearsal.cloud.values import differences

if TYPE_CHECKING:
    from rehearsal.cloud.kinds import Kind

TABLE: Final = Path(__file__).with_name("replacements.yaml")
_INDEX = re.compile(r"\[\d+\]")


class Effect(StrEnum):
    """What a change does; the strongest first, for a change that touches several properties at once."""

    REPLACE = "replace"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SERVICE_FILLS = "service-fills"
    IN_PLACE = "in-place"


WORDS: Final[Mapping[Effect, str]] = {
    Effect.REPLACE: "replaces",
    Effect.REFUSED: "the service refuses it",
    Effect.UNKNOWN: "may replace: not known",
    Effect.SERVICE_FILLS: "in place; the service also changes it by itself",
    Effect.IN_PLACE: "in place",
}
"""For people."""


@dataclass(frozen=True)
class Judgement:
    """What a change does, and who says so."""

    effect: Effect
    source: str

    @property
    def words(self) -> str:
        return WORDS[self.effect]

    def at(self, path: str) -> Change:
        return Change(path, self.effect is Effect.REPLACE, self.effect.value, self.source)


NOT_KNOWN: Final = Judgement(Effect.UNKNOWN, "no public source is known")
_ADDRESS: Final = Judgement(Effect.REPLACE, "it is part of the resource's address, or its location")
_FIXED: Final = Judgement(Effect.REFUSED, "what the service is known to refuse; see the kind in rehearsal/cloud/azure")


def changed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    """The paths at which two sets of inputs differ. Names of the engine's own (`__defaults`) do not count."""
    return (path for path in differences(olds, news) if not path.startswith("__"))


def touches(path: str, root: str) -> bool:
    """Whether a change at `path` changes what `root` names; `[*]` in a root stands for any list index.

    A whole block that comes or goes touches what lies in it. A whole list element does not: it is another
    element then, not a changed one.
    """
    return _within(path, root) or _around(path, root)


def _within(path: str, root: str) -> bool:
    plain = _INDEX.sub("[*]", path)
    return plain == root or plain.startswith((f"{root}.", f"{root}["))


def _around(path: str, root: str) -> bool:
    plain = _INDEX.sub("[*]", path)
    return root.startswith(f"{plain}.") and plain[-1] != "]"


def table(type_: str) -> Mapping[str, Judgement]:
    """The lines of one type, by path."""
    return _tables().get(type_, {}) | _every(type_)


def force_new(type_: str) -> tuple[str, ...]:
    """The paths for which the provider itself replaces a resource of this type, apart from its address."""
    return tuple(path for path, found in table(type_).items() if found.effect is Effect.REPLACE)


def judge(kind: Kind, path: str) -> Judgement:
    """What a change at a path does to a resource of azure-native."""
    roots = (*kind.addressing, *(("location",) if kind.located else ()))
    if any(touches(path, root) for root in roots):
        return _ADDRESS
    lines = {**dict.fromkeys(kind.fixed, _FIXED), **table(kind.token)}
    inner = [root for root in lines if _within(path, root)]
    if inner:
        return lines[max(inner, key=len)]
    outer = [lines[root] for root in lines if _around(path, root)]
    # A block of which only parts are known is itself not known, unless a known part is worse than that.
    return min((NOT_KNOWN, *outer), key=lambda found: list(Effect).index(found.effect)) if outer else NOT_KNOWN


def declared(type_: str, path: str, roots: tuple[str, ...]) -> Judgement:
    """What a change does where the provider's schema says it of every property (Azure DevOps, Kubernetes)."""
    service = "devops-schema" if type_.startswith("azuredevops:") else "kubernetes"
    effect = Effect.REPLACE if any(touches(path, root) for root in roots) else Effect.IN_PLACE
    return Judgement(effect, sources()[service])


@cache
def sources() -> Mapping[str, str]:
    return {name: str(text) for name, text in _content()["sources"].items()}


@cache
def _content() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return content


@cache
def _tables() -> Mapping[str, dict[str, Judgement]]:
    return {type_: _lines(lines) for type_, lines in _content()["types"].items()}


@cache
def _every(type_: str) -> dict[str, Judgement]:
    found = (lines for pattern, lines in _content()["every"].items() if fnmatch.fnmatchcase(type_, pattern))
    return {path: judgement for lines in found for path, judgement in _lines(lines).items()}


def _lines(lines: Mapping[str, Mapping[str, str]]) -> dict[str, Judgement]:
    return {path: Judgement(Effect(line["is"]), sources()[line["source"]]) for path, line in lines.items()}
