"""Durations, as Prometheus writes them (`1h30m`) and as Azure does (ISO 8601, `PT1H30M`).

Both in whole seconds, which is finer than either service evaluates rules. What it does not do: months and years of
ISO 8601, whose length is not fixed, and milliseconds.
"""

from __future__ import annotations

import re

_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_PROMETHEUS = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")

ALLOWED = "a duration such as 5m or 1h30m: whole w, d, h, m, s, each once and in this order"


def seconds(text: str) -> int:
    """Length of a duration in either notation. ValueError when it is neither."""
    match = _PROMETHEUS.fullmatch(text) or _ISO.fullmatch(text)
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration; allowed: {ALLOWED}")
    return sum(int(count) * unit for count, unit in zip(match.groups(default="0"), _UNITS.values(), strict=True))


def to_iso(text: str) -> str:
    """ISO 8601, with the largest units first and no weeks: `90m` is `PT1H30M`, `2w` is `P14D`."""
    parts = {unit: f"{count}{unit.upper()}" for unit, count in _split(seconds(text)).items()}
    date, time = parts.pop("d", ""), "".join(parts.values())
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"


def to_prometheus(text: str) -> str:
    """Prometheus' notation, with the largest units first and no weeks: `PT90M` is `1h30m`."""
    return "".join(f"{count}{unit}" for unit, count in _split(seconds(text)).items()) or "0s"


def _split(total: int) -> dict[str, int]:
    counts = {}
    for unit in ("d", "h", "m", "s"):
        counts[unit], total = divmod(total, _UNITS[unit])
    return {unit: count for unit, count in counts.items() if count}
