from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from shop import logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What was written to standard output, filled in when the test asks."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    logs.set_up()

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter([json.loads(line) for line in stream.getvalue().splitlines()])

    yield Lines()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_object_whatever_is_in_it(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("shop.test").info("two\nlines", extra={"order": 'with "quotes"'})
    [line] = lines
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "shop.test", "message": "two\nlines", "order": 'with "quotes"'}


def test_an_exception_is_part_of_its_line(lines: list[dict[str, Any]]) -> None:
    try:
        raise RuntimeError("reason")
    except RuntimeError:
        logging.getLogger("shop.test").exception("it failed")
    [line] = lines
    assert line["message"] == "it failed"
    assert line["exception"].endswith("RuntimeError: reason")


def test_a_line_within_a_request_is_found_by_its_trace(lines: list[dict[str, Any]]) -> None:
    context = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        logging.getLogger("shop.test").info("within")
    logging.getLogger("shop.test").info("outside")
    within, outside = lines
    assert within["trace_id"] == "00000000000000000000000000000abc"
    assert within["span_id"] == "0000000000000def"
    assert "trace_id" not in outside


def test_libraries_are_heard_when_they_warn_and_not_otherwise(lines: list[dict[str, Any]]) -> None:
    for name in ("azure.core", "urllib3.connectionpool", "uvicorn.error"):
        logging.getLogger(name).info("progress")
        logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in lines] == ["trouble"] * 3
