"""What a person sees while something takes its time: one line that keeps moving, and plain words otherwise.

On a terminal the progress line is rewritten in place. Anywhere else (a pipeline's log, a file) it is a plain
line at the start and then one every ten seconds, because a log keeps every line it is given.
Colours are used only on a terminal, and not where NO_COLOR is set (any value, as its convention has it).
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TextIO

PLAIN_EVERY: Final = 10.0
"""Seconds between two progress lines in a log. Pipelines are often read live: ten seconds say "alive"."""
TERMINAL_EVERY: Final = 0.2

_STYLES: Final[Mapping[str, str]] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}


def clock(seconds: float) -> str:
    """``7 s``, ``1 min 20 s``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


class Progress:
    """The text of one thing under way; whoever does the work calls :meth:`update` from any thread."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.detail = ""
        self._started = time.monotonic()

    def update(self, detail: str) -> None:
        self.detail = detail

    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def line(self) -> str:
        detail = f"  {self.detail}" if self.detail else ""
        return f"{self.label}  {clock(self.elapsed())}{detail}"


class Console:
    """Writes to one stream, and knows whether a person watches it live."""

    def __init__(self, stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        environ = os.environ if environ is None else environ
        self.terminal = self._stream.isatty() and environ.get("TERM") != "dumb"
        self.colour = self.terminal and "NO_COLOR" not in environ

    def say(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def style(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_STYLES[name] for name in names)}m{text}\x1b[0m"

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Shows `label` with its elapsed time and its latest detail until the block ends."""
        progress = Progress(label)
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(progress, done), daemon=True)
        if not self.terminal:
            self.say(f"{label} …")
        ticker.start()
        try:
            yield progress
        finally:
            done.set()
            ticker.join()

    def _tick(self, progress: Progress, done: threading.Event) -> None:
        every = TERMINAL_EVERY if self.terminal else PLAIN_EVERY
        while not done.wait(every):
            if self.terminal:
                width = shutil.get_terminal_size().columns - 1
                self._stream.write(f"\r\x1b[K{progress.line()[:width]}")
                self._stream.flush()
            else:
                self.say(progress.line())
        if self.terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
