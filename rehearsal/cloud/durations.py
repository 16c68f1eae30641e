"""ISO 8601 durations as Azure Monitor writes them, such as PT5M or P1D."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from rehearsal.cloud.answers import UNKNOWN
from rehearsal.cloud.values import lookup

_DURATION: Final = re.compile(
    r"^P(?=.)(?:(?P<days>\d+)D)?(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)


def duration(value: object) -> timedelta | None:
    """The length of time that a text says, or None when it is no such text."""
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    return timedelta(**{key: int(number) for key, number in match.groupdict().items() if number is not None})


def is_duration(block: Any, path: str) -> bool:
    """Whether what stands at a path is a duration, unknown or absent."""
    value = lookup(block, path)
    return value is None or value is UNKNOWN or duration(value) is not None
