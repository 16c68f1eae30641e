"""One row of the table of run records. Pure.

The schema stands in `components/observability/data/run_record.yaml`, from which the table and its collection rule are
made. It is repeated here, because the step that writes a record needs nothing but the standard library; a test holds
the two together. What it does not do: it asks nobody and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STREAM = "Custom-DeliveryRuns_CL"

COLUMNS = {
    "TimeGenerated": "datetime",
    "RunId": "string",
    "Pipeline": "string",
    "Environment": "string",
    "Event": "string",
    "Gate": "string",
    "Result": "string",
    "DurationSeconds": "long",
    "CommitId": "string",
    "CommitTime": "datetime",
    "Digest": "string",
    "Author": "string",
    "Url": "string",
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What all rows of a run say."""

    run: int
    pipeline: str
    commit: str
    committed: datetime | None
    digest: str
    author: str
    url: str


@dataclass(frozen=True)
class Event:
    """Run, environment, event and gate together are a row's identity: who reads can tell a row that came twice."""

    kind: str
    """started, waiting, passed or finished."""
    at: datetime
    environment: str = ""
    gate: str = ""
    result: str = ""
    seconds: float | None = None


def row(subject: Subject, event: Event) -> Row:
    """Values that there are not are empty texts; times and numbers are left out."""
    values = {
        "TimeGenerated": _text(event.at),
        "RunId": str(subject.run),
        "Pipeline": subject.pipeline,
        "Environment": event.environment,
        "Event": event.kind,
        "Gate": event.gate,
        "Result": event.result,
        "DurationSeconds": None if event.seconds is None else max(round(event.seconds), 0),
        "CommitId": subject.commit,
        "CommitTime": _text(subject.committed) if subject.committed else None,
        "Digest": subject.digest,
        "Author": subject.author,
        "Url": subject.url,
    }
    return {name: values[name] for name in COLUMNS if values[name] is not None}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
