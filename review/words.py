"""Values and differences as a person reads them: short, on one line, with the part of a long text that matters."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from rehearsal.run import UNKNOWN
from review.values import ABSENT, Difference

LONGEST: Final = 100
"""Characters of one value. A dashboard or a seeded file is thousands, of which one line differs."""


def value(given: Any) -> str:
    """One value on one line."""
    if given is ABSENT or given is None:
        return str(ABSENT)
    if given == UNKNOWN:
        return "(known only afterwards)"
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, (Mapping, list)):
        return _cut(_flat(given))
    return _cut(str(given))


def pair(each: Difference) -> tuple[str, str]:
    """Both sides; of long texts, the first lines that differ."""
    before, after = each.before, each.after
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > LONGEST:
        return _excerpts(before, after)
    if isinstance(before, list) and isinstance(after, list) and max(len(_flat(before)), len(_flat(after))) > LONGEST:
        return _lacking(before, after), _lacking(after, before)
    return value(before), value(after)


def _lacking(entries: list[Any], others: list[Any]) -> str:
    """A long list, told by what the other one has not."""
    own = [each for each in entries if each not in others]
    return _cut(f"{len(entries)} entries, " + (f"among them {_flat(own)}" if own else "all of them there too"))


def _flat(given: Any) -> str:
    if isinstance(given, Mapping):
        return ", ".join(f"{key} {_nested(inner)}" for key, inner in given.items())
    return ", ".join(_nested(inner) for inner in given)


def _nested(given: Any) -> str:
    return f"({_flat(given)})" if isinstance(given, (Mapping, list)) else value(given)


def _excerpts(before: str, after: str) -> tuple[str, str]:
    old, new = before.splitlines(), after.splitlines()
    for number, (was, now) in enumerate(zip_longest(old, new), start=1):
        if was != now:
            start = _start(was or "", now or "")
            return tuple(  # type: ignore[return-value]
                f"line {number}: {'…' if start else ''}{_cut(line[start:])}"
                if line is not None
                else f"{number - 1} lines"
                for line in (was, now)
            )
    return _cut(before), _cut(after)


def _start(was: str, now: str) -> int:
    """Where to begin so that the difference is seen."""
    if max(len(was), len(now)) <= LONGEST:
        return 0
    same = next((place for place, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    return max(0, same - LONGEST // 3)


def _cut(text: str) -> str:
    """What is no letter, mark or space (line ends, terminal codes) is written as its escape."""
    text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
