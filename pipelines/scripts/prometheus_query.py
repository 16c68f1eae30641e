"""The query API of a metrics workspace, which is Prometheus' own, for the scripts of the pipelines.

What it does not do: it writes no query and judges no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.scripts.http_json import HttpError, Service

RESOURCE = "https://prometheus.monitor.azure.com"
"""Queries of metrics workspaces, to Entra ID."""


@dataclass(frozen=True, order=True)
class Point:
    at: float
    """Seconds since 1970."""
    value: float


@dataclass(frozen=True)
class Series:
    labels: Mapping[str, str]
    points: Sequence[Point]


@dataclass(frozen=True)
class Metrics:
    service: Service

    def over(self, expression: str, start: float, end: float, step: int) -> list[Series]:
        """Its result at every step (seconds) from start to end. HttpError when there is no answer or it is refused."""
        asked = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": str(step)}
        return [
            Series(each["metric"], [Point(float(at), float(value)) for at, value in each["values"]])
            for each in self._result("query_range", asked)
        ]

    def at(self, expression: str, moment: float) -> list[Series]:
        """Its result at one moment; each series has one point. HttpError likewise."""
        asked = {"query": expression, "time": f"{moment:.3f}"}
        return [
            Series(each["metric"], [Point(float(each["value"][0]), float(each["value"][1]))])
            for each in self._result("query", asked)
        ]

    def _result(self, what: str, asked: Mapping[str, str]) -> list[Any]:
        path = f"/api/v1/{what}"
        body = self.service.post_form(path, asked).body
        try:
            if body["status"] == "success":
                found: list[Any] = body["data"]["result"]
                return found
        except (TypeError, KeyError):
            pass
        raise HttpError(f"POST {path}: the answer is not that of a Prometheus; is the address right?")
