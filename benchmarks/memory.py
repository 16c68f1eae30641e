"""How much memory a process holds, and held at most; in MB (10**6 bytes).

Linux's `ru_maxrss` of a child is at least what its parent held when it started the child, because it outlives the
exec. So the door keeps itself small, and takes the CLI's peak from /proc (`VmHWM`, which starts anew with the
exec) while the CLI runs. Elsewhere `ru_maxrss` has to do.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_MEGABYTE: Final = 1_000_000
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss`."""


def peak() -> float:
    """The most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / _MEGABYTE


def peak_of_children() -> float:
    """The most that one of the ended child processes ever held, or this process when it started it."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT / _MEGABYTE


def resident() -> float:
    """What this process holds now; where the system does not tell, the most that it ever held."""
    try:
        pages = int((_PROC / "self" / "statm").read_text("ascii").split()[1])
    except OSError:
        return peak()
    return pages * resource.getpagesize() / _MEGABYTE


def peak_of_running_children(pid: int) -> float | None:
    """The most that one of the running children of a process held so far; None where there is no way to know."""
    if not _PROC.is_dir():
        return None
    own = _program(pid)
    return max((_peak(child) for child in _children(pid) if _program(child) not in (None, own)), default=0.0)


def _children(pid: int) -> Iterator[int]:
    # Those of every thread: the SDK starts the CLI from the thread that asked for it.
    with suppress(OSError):
        for listed in (_PROC / str(pid) / "task").glob("*/children"):
            yield from map(int, listed.read_text("ascii").split())


def _program(pid: int) -> Path | None:
    """What the process runs. Until its exec a child is a picture of its parent, with the parent's memory."""
    try:
        return (_PROC / str(pid) / "exe").readlink()
    except OSError:
        return None


def _peak(pid: int) -> float:
    with suppress(OSError, IndexError):
        status = (_PROC / str(pid) / "status").read_text("ascii", "replace")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / _MEGABYTE
    return 0.0
