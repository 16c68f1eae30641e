"""Requests under way: disturbances and delays on demand, and writes that must not overlap.

A disturbance or delay is asked for by a run (`rehearsal.faults`, `rehearsal.delays`). Nothing here happens by chance: a
rehearsal without them is the same every time, and with them too, as far as the engine's order is. What the provider
tries again by itself is tried again here, without its waits.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.cloud.answers import CloudError, GoneError, UnansweredError

ANY = "*"
"""Every type, or every operation."""


@dataclass(frozen=True)
class Disturbance:
    """Tries that fail, of one type (or each of all) and one operation: `nth` to `nth + times - 1`; `times` None is for
    ever.

    Tries are counted by type, or by resource with `every`. `retried` is how often the provider tries a failed request
    again by itself before anybody hears of it. With `done` the service has done what was asked, and only the answer is
    lost; with `ends` the provider goes with it.
    """

    type_: str
    operation: str
    error: CloudError
    nth: int = 1
    times: int | None = 1
    every: bool = False
    retried: int = 0
    done: bool = False
    ends: bool = False

    def hits(self, count: int) -> bool:
        return count >= self.nth and (self.times is None or count < self.nth + self.times)


@dataclass(frozen=True)
class Met:
    """One try that a disturbance hit. `heard` is False where the provider tried again by itself."""

    type_: str
    operation: str
    key: str
    code: str
    heard: bool


class Traffic:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._disturbances: list[Disturbance] = []
        self._counts: Counter[tuple[int, str, str, str]] = Counter()
        self._met: list[Met] = []
        self._delays: dict[str, float] = {}
        self._writing: set[str] = set()
        self._under_way = 0
        self._at_rest = threading.Condition(self._lock)

    @property
    def met(self) -> tuple[Met, ...]:
        with self._lock:
            return tuple(self._met)

    def rest(self, seconds: float) -> bool:
        """Waits until no write is under way any more; whether that came about in this time."""
        with self._at_rest:
            return self._at_rest.wait_for(lambda: not self._under_way, seconds)

    def fail(self, type_: str, error: CloudError, times: int) -> None:
        self.disturb([Disturbance(type_, ANY, error, times=times)])

    def disturb(self, disturbances: Iterable[Disturbance]) -> None:
        with self._lock:
            self._disturbances.extend(disturbances)

    def calm(self) -> None:
        """Ends all disturbances and delays; what was met stays."""
        with self._lock:
            self._disturbances.clear()
            self._counts.clear()
            self._delays.clear()

    def delay(self, type_: str, seconds: float, operation: str = ANY) -> None:
        with self._lock:
            self._delays[f"{type_} {operation}"] = seconds

    def slow(self, delays: Mapping[str, float], operation: str) -> None:
        for type_, seconds in delays.items():
            self.delay(type_, seconds, operation)

    @contextmanager
    def write(
        self, type_: str, operation: str, key: str, line: str | None = None, code: str | None = None
    ) -> Iterator[None]:
        """One write of `key`. Two writes of one `line` at the same time are refused with `code`."""
        with self._lock:
            lost = self._meet(type_, operation, key)
            if line is not None and code is not None:
                if line in self._writing:
                    raise CloudError(code, f"Another write to {line} is under way: write one after the other.")
                self._writing.add(line)
            self._under_way += 1
            seconds = self._delays.get(f"{type_} {operation}", self._delays.get(f"{type_} {ANY}", 0.0))
        try:
            if seconds:
                time.sleep(seconds)
            yield
        finally:
            with self._at_rest:
                self._writing.discard(line or "")
                self._under_way -= 1
                self._at_rest.notify_all()
        if lost is not None:
            raise UnansweredError(lost.error.code, lost.error.message, key)

    def _meet(self, type_: str, operation: str, key: str) -> Disturbance | None:
        """Refuses a write that is to fail; returns the disturbance that takes away its answer."""
        tried = 0
        while (hit := self._hit(type_, operation, key)) is not None:
            again = tried < hit.retried
            self._met.append(Met(type_, operation, key, hit.error.code, heard=not again))
            if hit.done:
                return hit
            if hit.ends:
                raise GoneError(hit.error.code, hit.error.message)
            if not again:
                raise CloudError(hit.error.code, hit.error.message)
            tried += 1
        return None

    def _hit(self, type_: str, operation: str, key: str) -> Disturbance | None:
        """Counts one try, up to the first disturbance that hits it."""
        for number, each in enumerate(self._disturbances):
            if each.type_ in (ANY, type_) and each.operation in (ANY, operation):
                counter = (number, type_, operation if each.operation != ANY else ANY, key if each.every else "")
                self._counts[counter] += 1
                if each.hits(self._counts[counter]):
                    return each
        return None
