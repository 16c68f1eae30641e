"""What the engine knows of a change beyond what is declared: that a secret is another one, that the cloud has drifted.

A preview masks secrets on both sides, so that they look alike; that one changed is its word alone. And where the cloud
has something else than what is declared, both sides declare the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rehearsal.cloud.replacements import touches
from review.values import Difference, Secret, differences, identity, shown, text, veiled

_STEP: Final = re.compile(r'\[(\d+)\]|\["([^"]+)"\]|([^.\[\]]+)')


def beyond(
    before: Any, after: Any, outputs: Mapping[str, Any], touched: Iterable[str], explained: set[str]
) -> Iterator[Difference]:
    """The differences at the paths that the engine names, as far as no other difference explains them.

    `before` and `after` are veiled inputs, `outputs` what the cloud has answered before, `explained` patterns of paths.
    """
    roots = []
    for path in dict.fromkeys(touched):
        both = at(before, path), at(after, path)
        if all(isinstance(side, Secret) for side in both):
            named = _named(before, after, path)
            yield Difference(named, *map(shown, both))
        else:
            roots.append(path.split("[")[0])
    for path in dict.fromkeys(roots):
        if any(touches(each, path) or touches(path, each) for each in explained):
            continue
        declared = at(after, path)
        yield from differences(_as_declared(veiled(at(outputs, path), path), declared), declared, path)


def at(value: Any, path: str) -> Any:
    """What stands at a path of the engine's; None if nothing does."""
    for step in _steps(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(holds_secret, value.values()))
    return any(map(holds_secret, value)) if isinstance(value, list) else isinstance(value, Secret)


def _named(before: Any, after: Any, path: str) -> str:
    """The path with entries of lists called by what identifies them, as in every other difference."""
    made = ""
    for step in _steps(path):
        if isinstance(step, int):
            key = identity(before, after) if isinstance(before, list) and isinstance(after, list) else ""
            made += f"[{text(after[step][key]) if key else step}]"
            before, after = (at(side, f"[{step}]") for side in (before, after))
        else:
            made += f".{step}" if made else step
            before, after = (side.get(step) if isinstance(side, Mapping) else None for side in (before, after))
    return made


def _steps(path: str) -> list[int | str]:
    return [int(index) if index else quoted or plain for index, quoted, plain in _STEP.findall(path)]


def _as_declared(real: Any, declared: Any) -> Any:
    """What the cloud has, without all that nobody declared: services fill in a lot by themselves."""
    if isinstance(real, Mapping) and isinstance(declared, Mapping):
        return {key: _as_declared(real[key], declared[key]) for key in declared if key in real}
    if isinstance(real, list) and isinstance(declared, list) and len(real) == len(declared):
        key = identity(real, declared)
        places = {text(each[key]): each for each in declared} if key else {}
        return [_as_declared(each, places.get(text(each[key]), each) if key else each) for each in real]
    return real
