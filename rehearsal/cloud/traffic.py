"""Requests under way: faults and delays on demand, and writes that must not overlap.

A fault or delay is asked for by a test. Nothing here happens by chance: a rehearsal without them is the same
every time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal.cloud.answers import CloudError


@dataclass
class _Fault:
    type_: str
    error: CloudError
    times: int


class Traffic:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._delays: dict[str, float] = {}
        self._writing: set[str] = set()

    def fail(self, type_: str, error: CloudError, times: int) -> None:
        with self._lock:
            self._faults.append(_Fault(type_, error, times))

    def delay(self, type_: str, seconds: float) -> None:
        with self._lock:
            self._delays[type_] = seconds

    @contextmanager
    def write(self, type_: str, line: str | None, code: str | None) -> Iterator[None]:
        """One write. Two writes of one `line` at the same time are refused with `code`."""
        with self._lock:
            for fault in self._faults:
                if fault.type_ == type_ and fault.times > 0:
                    fault.times -= 1
                    raise fault.error
            if line is not None and code is not None:
                if line in self._writing:
                    raise CloudError(code, f"Another write to {line} is under way: write one after the other.")
                self._writing.add(line)
            seconds = self._delays.get(type_, 0.0)
        try:
            if seconds:
                time.sleep(seconds)
            yield
        finally:
            with self._lock:
                self._writing.discard(line or "")
