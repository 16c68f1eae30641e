"""What became of a run, read from its timeline: its gates, and how each stage ended. Pure.

A timeline is a flat list of records, each with its parent: stage, below it its checks (`Checkpoint`, and below that
one `Checkpoint.Approval` for each approval) and its phases, jobs and tasks. The names of a few steps count here,
because a record holds a step's display name and not the name that YAML gives it. What it does not do: it asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TELEMETRY, ROLL_BACK, RECORD = "Telemetry gate", "Roll back", "Run record"
"""Display names of the steps in the pipelines' templates."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Gate:
    name: str
    """approval, validation or telemetry."""
    began: datetime
    ended: datetime | None
    passed: bool


class Timeline:
    """Of one run, as far as it has come."""

    def __init__(self, records: Iterable[Json]) -> None:
        self._records = list(records)
        self._by_id = {record["id"]: record for record in self._records}

    def stage(self, name: str) -> Json | None:
        """The record of a stage, by its name in YAML."""
        stages = [record for record in self._records if record.get("type") == "Stage"]
        named = [each for each in stages if name in (each.get("identifier"), each.get("name"))]
        return named[0] if named else None

    def result(self, stage: Json | None = None) -> str:
        """How a stage ended, or the whole run: by the jobs that have ended. The job that asks is none of them."""
        ended = [job for job in self._below(stage, "Job") if job.get("state") == "completed"]
        results = {self._outcome(job) for job in ended} - {"skipped"}
        if any(task.get("name") == ROLL_BACK and _good(task) for task in self._below(stage, "Task")):
            return "rolledback"
        if results & {"failed", "abandoned"}:
            return "failed"
        if "canceled" in results or (stage is not None and not results):
            return "canceled"
        return "succeeded"

    def gates(self, stage: Json) -> list[Gate]:
        """Those before and in an environment's stage, in the order in which they began."""
        validation = self.stage(f"validate_{stage.get('identifier')}")
        near = [*self._below(stage, "Task"), *(self._below(validation, "Task") if validation else ())]
        kinds = {
            "approval": list(self._below(stage, "Checkpoint.Approval")),
            "validation": [task for task in near if (task.get("task") or {}).get("name") == "ManualValidation"],
            "telemetry": [task for task in near if task.get("name") == TELEMETRY],
        }
        gates = (self._gate(name, records) for name, records in kinds.items())
        return sorted((gate for gate in gates if gate), key=lambda gate: gate.began)

    def touched(self, stage: Json) -> bool:
        """Whether anything of a stage has begun: a gate, or a job."""
        jobs = (job for job in self._below(stage, "Job") if job.get("result") != "skipped" and job.get("startTime"))
        return bool(self.gates(stage)) or any(jobs)

    def recorded(self) -> bool:
        """Whether all that this run had to record was recorded, without a warning."""
        steps = [task for task in self._below(None, "Task") if task.get("name") == RECORD]
        return bool(steps) and all(_good(step) and not step.get("warningCount") for step in steps)

    def _outcome(self, job: Json) -> str:
        """A job that may fail (continueOnError) has not failed for the phase around it."""
        phase = self._by_id.get(job.get("parentId"), {})
        return "succeeded" if phase.get("type") == "Phase" and _good(phase) else str(job.get("result"))

    def _gate(self, name: str, records: Sequence[Json]) -> Gate | None:
        """Several of one kind are one gate: it opens with the last of them."""
        began = [moment for record in records if (moment := self._began(record))]
        if not began:
            return None
        ends = [_moment(record.get("finishTime")) for record in records]
        ended = [end for end in ends if end]
        whole = len(ended) == len(records)
        return Gate(name, min(began), max(ended) if whole else None, whole and all(_good(each) for each in records))

    def _began(self, record: Json) -> datetime | None:
        """Where an approval has no time of its own, that of the checks around it."""
        if record.get("result") == "skipped":
            return None
        parent = self._by_id.get(record.get("parentId"), {}) if record.get("type") == "Checkpoint.Approval" else {}
        return _moment(record.get("startTime") or parent.get("startTime"))

    def _below(self, stage: Json | None, kind: str) -> Iterator[Json]:
        for record in self._records:
            if record.get("type") == kind and (stage is None or self._is_below(record, stage["id"])):
                yield record

    def _is_below(self, record: Json, root: str) -> bool:
        seen: set[str] = set()
        parent = record.get("parentId")
        while parent and parent != root and parent not in seen:
            seen.add(parent)
            parent = self._by_id.get(parent, {}).get("parentId")
        return bool(parent == root)


def _good(record: Json) -> bool:
    return record.get("state") == "completed" and record.get("result") in ("succeeded", "succeededWithIssues")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
