"""A terminal gets one moving line and colours; a log gets few plain lines and none."""

from __future__ import annotations

import io
import time

import pytest

from rehearsal import console
from rehearsal.console import Console, clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_only_where_a_person_sees_them_and_wants_them(
    stream: io.StringIO, environ: dict[str, str], coloured: bool
) -> None:
    assert ("\x1b[31m" in Console(stream, environ).style("text", "red")) is coloured


def test_a_log_hears_of_long_work_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PLAIN_EVERY", 0.2)
    stream = io.StringIO()
    with Console(stream, {}).progress("work") as progress:
        progress.update("half done")
        time.sleep(0.5)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "work …"
    assert set(lines[1:]) == {"work  0 s  half done"}
    assert "\r" not in stream.getvalue()


def test_a_terminal_is_left_with_a_clean_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "TERMINAL_EVERY", 0.01)
    stream = Terminal()
    with Console(stream, {}).progress("work"):
        time.sleep(0.1)
    assert stream.getvalue().count("work") >= 2
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_log_hears_at_least_every_fifteen_seconds() -> None:
    assert console.PLAIN_EVERY <= 15


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0 s"), (59, "59 s"), (80, "1 min 20 s"), (600, "10 min 00 s")])
def test_time_is_told_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text
