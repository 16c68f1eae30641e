"""Dashboards as data: one JSON file each, in the form that Grafana 12 imports; read and judged here.

All problems of all files are told at once, one line each, with file, place, what is allowed and how to mend it. The
publisher (`pipelines/scripts/publish_dashboards.py`) loads this file by its path, on an agent that has Python and
nothing else: so it imports the standard library only.

What it does not do: it does not parse queries (the tests do, with the languages' own parsers), and it talks to no
Grafana.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

DIRECTORY = Path(__file__).parent

TAG = "aks-cicd"
"""On every dashboard: the links between them are made by it."""

SCHEMA_VERSION = 41
"""Of Grafana 12; newer ones migrate it by themselves."""

PROMETHEUS = "prometheus"
AZURE_MONITOR = "grafana-azure-monitor-datasource"
SOURCES: Mapping[str, str] = {PROMETHEUS: "${prometheus}", AZURE_MONITOR: "${azuremonitor}"}
"""Type of a data source to the variable that every query takes it from."""

WORKSPACE = "workspace"
"""Variable with the resource id of the Log Analytics workspace."""

PANELS = ("timeseries", "stat", "table", "bargauge")
"""Panel types in use; all are part of Grafana itself. A row only groups."""

_UID = re.compile(r"[a-z0-9-]{1,40}")
_COLUMNS = 24


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that was read and judged. `content` is what Grafana takes."""

    file: str
    uid: str
    title: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """One query: of a panel, or `variable x` or `annotation x`."""

    panel: str
    language: Literal["promql", "kql"]
    text: str


class DashboardError(ValueError):
    """Everything that is wrong with the dashboards."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(directory: Path = DIRECTORY) -> tuple[Dashboard, ...]:
    """All dashboards of a directory, by file name. DashboardError with everything that is wrong with any of them."""
    problems: list[str] = []
    found: list[Dashboard] = []
    for path in sorted(directory.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            problems.append(_said(path.name, f"is not JSON ({error})", "one JSON object", "mend that line"))
            continue
        if not isinstance(content, dict):
            problems.append(_said(path.name, "is no dashboard", "one JSON object", "export it from Grafana again"))
            continue
        problems += [_said(f"{path.name}: {where}".removesuffix(": "), *rest) for where, *rest in _judge(content)]
        found.append(Dashboard(path.name, str(content.get("uid")), str(content.get("title")), content))
    for kind in ("uid", "title"):
        places: dict[str, list[str]] = {}
        for each in found:
            places.setdefault(getattr(each, kind), []).append(each.file)
        problems += [
            _said(", ".join(files), f"have the same {kind} {value!r}", "one of its own", "change all but one")
            for value, files in places.items()
            if len(files) > 1
        ]
    if not found and not problems:
        problems.append(_said(str(directory), "has no dashboards", "*.json", "name the right directory"))
    if problems:
        raise DashboardError(problems)
    return tuple(found)


def panels(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All panels in order, rows and what is folded into them included."""
    return [each for panel in content.get("panels", ()) for each in (panel, *panel.get("panels", ()))]


def variables(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = content.get("templating", {}).get("list", [])
    return found


def queries(dashboard: Dashboard) -> Iterator[Query]:
    """What the dashboard asks its data sources: by its panels, its variables and its annotations."""
    content = dashboard.content
    for panel in panels(content):
        for target in panel.get("targets", ()):
            yield from _query(panel["title"], target)
    for variable in variables(content):
        if variable["type"] == "query":
            yield from _query(f"variable {variable['name']}", variable["query"])
    for annotation in content.get("annotations", {}).get("list", ()):
        if "target" in annotation:
            yield from _query(f"annotation {annotation['name']}", annotation["target"])


def _query(where: str, target: Mapping[str, Any]) -> Iterator[Query]:
    if text := target.get("azureLogAnalytics", {}).get("query"):
        yield Query(where, "kql", text)
    # A variable of Prometheus has its selector in a function of Grafana's, which is no PromQL.
    elif text := target.get("expr") or target.get("query"):
        yield Query(where, "promql", re.sub(r"^label_values\((.*), *\w+\)$", r"\1", text))


Found = Iterator[tuple[str, str, str, str]]
"""Where, what is wrong, what is allowed, how to mend."""


def _judge(content: Mapping[str, Any]) -> Found:
    if not _UID.fullmatch(str(content.get("uid", ""))):
        yield "", f"uid = {content.get('uid')!r}", "1 to 40 of a-z, 0-9 and -", "give it one and never change it again"
    for key in ("title", "description"):
        if not str(content.get(key) or "").strip():
            yield "", f"has no {key}", "a text", f"add {key}"
    if TAG not in content.get("tags", ()):
        yield "", f"lacks the tag {TAG}", f"tags with {TAG}", "add it: the links between dashboards need it"
    if content.get("schemaVersion") != SCHEMA_VERSION:
        yield "", f"schemaVersion = {content.get('schemaVersion')!r}", str(SCHEMA_VERSION), "export it from Grafana 12"
    if content.get("id") is not None:
        yield "", f"id = {content['id']!r}", "none: it is the Grafana's that it came from", "remove it"
    declared = {variable.get("name") for variable in variables(content)}
    for where, target in _targets(content):
        yield from _source(where, target, declared)
    yield from _panels(panels(content))


def _targets(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for panel in panels(content):
        for target in panel.get("targets", ()):
            yield f"panel {panel.get('title')!r}", target
    for annotation in content.get("annotations", {}).get("list", ()):
        if "target" in annotation:
            yield f"annotation {annotation.get('name')!r}", annotation["target"]


def _source(where: str, target: Mapping[str, Any], declared: set[Any]) -> Found:
    source = target.get("datasource") or {}
    variable = SOURCES.get(source.get("type", "")) if isinstance(source, dict) else None
    if not variable or source.get("uid") != variable:
        yield where, f"datasource = {source!r}", f"the variables {', '.join(SOURCES.values())}", "take one of them"
        return
    if variable.strip("${}") not in declared:
        yield where, f"reads {variable}, which is not declared", "a variable of type datasource", "add the variable"
    if source["type"] == AZURE_MONITOR:
        logs = target.get("azureLogAnalytics") or {}
        text = logs.get("query")
        if logs.get("resources") != [f"${{{WORKSPACE}}}"]:
            yield where, f"resources = {logs.get('resources')!r}", f"[${{{WORKSPACE}}}]", "take the variable"
        if WORKSPACE not in declared:
            yield where, f"reads ${{{WORKSPACE}}}, which is not declared", "a variable of that name", "add it"
    else:
        text = target.get("expr")
    if not str(text or "").strip():
        yield where, "has a target without a query", "PromQL in expr or KQL in azureLogAnalytics.query", "write one"


def _panels(found: Sequence[Mapping[str, Any]]) -> Found:
    if not found:
        yield "", "has no panels", "rows and panels", "add one"
    taken: dict[tuple[int, int], str] = {}
    for panel in found:
        where, kind, grid = f"panel {panel.get('title')!r}", panel.get("type"), panel.get("gridPos") or {}
        if not panel.get("title"):
            yield where, "has no title", "a text", "say what is to be seen"
        if kind != "row":
            if kind not in PANELS:
                yield where, f"type = {kind!r}", ", ".join(("row", *PANELS)), "take one of them"
            if not panel.get("description"):
                yield where, "has no description", "a text", "say what to do with what is to be seen"
            if not panel.get("targets"):
                yield where, "has no query", "a list of targets", "add one or remove the panel"
        x, y, w, h = (grid.get(key, -1) for key in "xywh")
        if min(x, y) < 0 or min(w, h) < 1 or x + w > _COLUMNS:
            yield where, f"gridPos = {dict(grid)!r}", f"x, y, w, h within {_COLUMNS} columns", "mend the numbers"
            continue
        cells = [(column, line) for column in range(x, x + w) for line in range(y, y + h)]
        if others := sorted({taken[cell] for cell in cells if cell in taken}):
            yield where, f"lies over {', '.join(others)}", "free cells", "move one of them"
        taken.update(dict.fromkeys(cells, where))
    for before, after in pairwise([panel["gridPos"].get("y", -1) for panel in found if panel.get("gridPos")]):
        if after < before:
            yield "", f"a panel at line {after} follows one at line {before}", "from top to bottom", "sort the panels"
            break


def _said(where: str, wrong: str, allowed: str, mend: str) -> str:
    return f"{where}: {wrong}; allowed: {allowed}; mend: {mend}"
