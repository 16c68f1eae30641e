"""Logs on standard output: one JSON object a line, so that the cluster's collector need not guess."""

from __future__ import annotations

import logging
import sys

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter

LEVEL = logging.INFO

QUIET = ("azure", "opentelemetry", "urllib3", "uvicorn")
"""Loggers of libraries: their warnings are ours to know, their progress is not."""


class TraceIds(logging.Filter):
    """Adds the ids by which a line is found beside its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            record.trace_id = trace.format_trace_id(context.trace_id)
            record.span_id = trace.format_span_id(context.span_id)
        return True


def set_up() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(TraceIds())
    handler.setFormatter(
        JsonFormatter(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            timestamp="time",
        )
    )
    logging.basicConfig(level=LEVEL, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
