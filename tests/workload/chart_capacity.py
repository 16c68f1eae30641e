"""Arithmetic of Kubernetes that the chart's numbers are held against: quantities, roll-outs, budgets; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

_UNITS = {"m": Fraction(1, 1000), "": Fraction(1), "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30)}


def quantity(text: str | int) -> Fraction:
    """CPUs or bytes: `250m`, `2`, `256Mi`. ValueError for a unit that nothing here uses."""
    number, unit = str(text), ""
    while number and not number[-1].isdigit():
        number, unit = number[:-1], number[-1] + unit
    if unit not in _UNITS:
        raise ValueError(f"{text!r} has the unit {unit!r}; known are {', '.join(filter(None, _UNITS))}")
    return Fraction(number) * _UNITS[unit]


def share(value: str | int, of: int) -> int:
    """A number of pods, or a percentage of them rounded up, as budgets and maxSurge are."""
    return math.ceil(Fraction(value[:-1]) * of / 100) if isinstance(value, str) else value


def evictable(budget: Mapping[str, Any], pods: int, healthy: int) -> int:
    """How many pods that serve may be evicted now. `pods` is the number that is wanted, as the autoscaler set it."""
    if "maxUnavailable" in budget:
        wanted = pods - share(budget["maxUnavailable"], pods)
    else:
        wanted = share(budget["minAvailable"], pods)
    return max(0, healthy - max(0, wanted))


def drains_blocked(budget: Mapping[str, Any], numbers: Iterable[int]) -> list[str]:
    """In which states a drain of nodes would wait for ever, for each number of pods that there may be."""
    found = [f"{pods} pods that all serve" for pods in numbers if evictable(budget, pods, pods) < 1]
    if budget.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
        found.append("pods that do not serve")
    return found


def most_pods(replicas: int, surge: str | int) -> int:
    """How many pods exist at most while a release replaces all of them.

    As many as are wanted and the surge, and beside them all that were there before: a pod that is being stopped takes
    up quota until it has ended, and the surge does not count it.
    """
    return 2 * replicas + share(surge, replicas)


def overdrawn(hard: Mapping[str, str], pods: Iterable[tuple[int, Mapping[str, Any]]]) -> list[str]:
    """What of a quota so many pods with such resources (of their one container) would go beyond."""
    each = list(pods)
    taken = {
        "pods": Fraction(sum(number for number, _ in each)),
        **{
            f"{kind}.{name}": sum((number * quantity(of[kind][name]) for number, of in each), Fraction())
            for kind, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
        },
    }
    return [f"{name}: {taken[name]} of {limit}" for name, limit in hard.items() if taken[name] > quantity(limit)]
