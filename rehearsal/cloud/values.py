"""Pure helpers over nested plain data: paths, differences, and which outputs a preview may show.

Paths are camelCase and written as the engine writes them: `networkProfile.podCidr`, `subnets[0].name`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.cloud.answers import UNKNOWN

# One fixed namespace: the same resource has the same principal, client and customer id in every run.
_NAMESPACE = uuid.UUID("5f0b8a4e-3d0c-5c68-9a53-0d2b8f6f6a11")
_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")


def guid(*parts: str) -> str:
    """A GUID that depends on nothing but its parts, ignoring case as ARM does."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts).lower()))


def lookup(value: Any, path: str) -> Any:
    """What stands at a dotted path: None when absent, UNKNOWN when it or an ancestor is unknown."""
    for key in path.split("."):
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def blocks(value: Any, path: str) -> Iterator[Mapping[str, Any]]:
    """The mappings of the list at a path, leaving out elements that are unknown."""
    found = lookup(value, path)
    if isinstance(found, (list, tuple)):
        yield from (element for element in found if isinstance(element, Mapping))


def texts(value: Any, path: str) -> list[str]:
    """The known strings of the list at a path."""
    found = lookup(value, path)
    return [element for element in found if isinstance(element, str)] if isinstance(found, (list, tuple)) else []


def text(value: Any, path: str) -> str | None:
    """The string at a path; None when it is absent, unknown, or something else."""
    found = lookup(value, path)
    return found if isinstance(found, str) else None


def may_be(value: Any, path: str, *allowed: Any) -> bool:
    """Whether what stands at a path is one of those allowed, or could still turn out to be. Absent is None."""
    found = lookup(value, path)
    return found is UNKNOWN or found in allowed


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All scalar values with their paths; an empty mapping or list counts as one."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from leaves(child, join(path, str(key)))
    elif isinstance(value, (list, tuple)) and value:
        for index, child in enumerate(value):
            yield from leaves(child, f"{path}[{index}]")
    else:
        yield path, value


def join(path: str, key: str) -> str:
    """A path extended by a key; keys that are not plain words are quoted, as the engine does."""
    if not _PLAIN_KEY.match(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values differ, as deep as both sides have structure. None equals absent."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), join(path, str(key)))
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from differences(before, after, f"{path}[{index}]")
    elif old != new:
        yield path


def foreseen(inputs: Any, outputs: Any) -> Any:
    """The part of `outputs` that follows from `inputs` alone; everything else becomes UNKNOWN.

    This is what a preview may show: a property that the service computes is unknown until it has.
    """
    if isinstance(inputs, Mapping) and isinstance(outputs, Mapping):
        return {key: foreseen(inputs[key], value) if key in inputs else UNKNOWN for key, value in outputs.items()}
    if isinstance(inputs, list) and isinstance(outputs, list) and len(inputs) == len(outputs):
        return [foreseen(before, after) for before, after in zip(inputs, outputs, strict=True)]
    return outputs if inputs == outputs else UNKNOWN


def known(outputs: Any) -> dict[str, Any]:
    """Top-level outputs that are unknown are left out: the engine takes what is missing for unknown."""
    return {key: value for key, value in outputs.items() if value is not UNKNOWN}


def placed(value: Any, path: str, new: Any) -> Any:
    """A copy of `value` in which `path` holds `new`; what is missing on the way is made."""
    return _placed(value, _steps(path), new)


def _placed(value: Any, steps: Sequence[str | int], new: Any) -> Any:
    if not steps:
        return new
    step, *rest = steps
    if isinstance(step, str):
        base = dict(value) if isinstance(value, Mapping) else {}
        return {**base, step: _placed(base.get(step), rest, new)}
    items = list(value) if isinstance(value, (list, tuple)) else []
    items.extend([None] * (step + 1 - len(items)))
    items[step] = _placed(items[step], rest, new)
    return items


def reached(value: Any, path: str) -> tuple[Any, Any]:
    """What stands at a path and what holds it; None when only the last step is missing.

    Raises:
        LookupError: the way ends before the last step, or the path is not written as one.
    """
    found, holder, walked = value, None, ""
    for step in _steps(path):
        holder = found
        if isinstance(step, int) and isinstance(holder, (list, tuple)):
            found = holder[step] if step < len(holder) else None
        elif isinstance(step, str) and isinstance(holder, Mapping):
            found = holder.get(step)
        else:
            raise LookupError(f"nothing lies below '{walked}'")
        walked = f"{walked}[{step}]" if isinstance(step, int) else join(walked, step)
    if walked != path or not path:
        raise LookupError("a path is written as agentPoolProfiles[0].count")
    return found, holder


def _steps(path: str) -> list[str | int]:
    found = re.findall(r"\[(\d+)\]|\[\"([^\"]+)\"\]|([^.\[\]]+)", path)
    return [int(index) if index else quoted or plain for index, quoted, plain in found]
