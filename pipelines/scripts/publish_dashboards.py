#!/usr/bin/env python3
"""Publishes the dashboards to a Grafana workspace, from a pipeline task that is signed in to Azure.

Needs Python 3.11 and the Azure CLI, and no package. In this order: all files are judged before anything is sent; data
sources are found; then the folder, then each dashboard by its uid, then everything is read back. A second run changes
nothing. What comes late (a role just granted, a Grafana that is busy) is waited for, up to --wait minutes in all.

What it does not do: it deletes nothing, it makes no data source, and it never prints the token.

Exit codes: 0 published (or nothing to do), 1 failed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import re
import sys
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts.grafana_api import Grafana, GrafanaError, Json, cli_token

DASHBOARDS = Path(__file__).resolve().parents[2] / "components" / "observability" / "dashboards"

PROMETHEUS_TYPES = ("prometheus", "grafana-azureprometheus-datasource")
"""Grafana 13 turns the first into the second when it signs in with Entra ID."""

BUILT_IN = "azure-monitor-oob"
"""uid of the Azure Monitor data source that Azure makes; for a Grafana that has several."""


def find_sources(listed: Sequence[Json], metrics_url: str) -> dict[str, Json]:
    """The data source of each variable. GrafanaError when it cannot be told which."""
    host = _host(metrics_url)
    metrics = [each for each in listed if each["type"] in PROMETHEUS_TYPES and _host(each.get("url") or "") == host]
    logs = [each for each in listed if each["type"] == "grafana-azure-monitor-datasource"]
    if len(logs) > 1:
        logs = [each for each in logs if each["uid"] == BUILT_IN] or logs
    found = {"prometheus": metrics, "azuremonitor": logs}
    wanted = {"prometheus": f"Prometheus at {host}", "azuremonitor": "Azure Monitor"}
    for name, sources in found.items():
        if len(sources) != 1:
            there = ", ".join(sorted(f"{each['name']} ({each['type']})" for each in listed)) or "none"
            raise GrafanaError(
                f"{len(sources)} data sources are {wanted[name]}, 1 is needed; Grafana has: {there}; "
                "link the metrics workspace to Grafana, or remove those that are too many"
            )
    return {name: sources[0] for name, sources in found.items()}


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc.lower()


def fill(content: Mapping[str, Any], sources: Mapping[str, Json], workspace: str) -> Json:
    """The dashboard with the defaults of its variables set for this environment."""
    filled: Json = copy.deepcopy(dict(content))
    for variable in filled["templating"]["list"]:
        if variable["type"] == "datasource" and variable["name"] in sources:
            source = sources[variable["name"]]
            variable["current"] = {"selected": True, "text": source["name"], "value": source["uid"]}
        elif variable["name"] == "workspace":
            variable["current"] = {"selected": True, "text": workspace, "value": workspace}
            variable["query"], variable["hide"] = workspace, 2
    return filled


def essence(content: Mapping[str, Any]) -> Json:
    """What must be the same when it is read back: Grafana may add fields, but change none of these."""
    panels = [each for panel in content.get("panels", ()) for each in (panel, *panel.get("panels", ()))]
    return {
        "title": content.get("title"),
        "panels": [
            (each.get("title"), [t.get("expr") or t.get("azureLogAnalytics") for t in each.get("targets") or ()])
            for each in panels
        ],
        "variables": {
            each["name"]: (each.get("current") or {}).get("value")
            for each in content.get("templating", {}).get("list", ())
            if each["type"] != "query"
        },
    }


def publish(grafana: Grafana, dashboards: Sequence[Json], folder: Json, *, dry_run: bool) -> list[str]:
    """Puts every dashboard in its place; one line for each."""
    if not grafana.get(f"/api/folders/{folder['uid']}") and not dry_run:
        grafana.post("/api/folders", folder, may_exist=True)
    lines = []
    for content in dashboards:
        there = grafana.get(f"/api/dashboards/uid/{content['uid']}")
        done = "created" if there is None else "unchanged" if _same(there, content, folder["uid"]) else "updated"
        if done != "unchanged" and not dry_run:
            body = {"dashboard": content, "folderUid": folder["uid"], "overwrite": True, "message": "published"}
            grafana.post("/api/dashboards/db", body)
        lines.append(f"{content['uid']}: {'would be ' if dry_run and done != 'unchanged' else ''}{done}")
    if not dry_run:
        for content in dashboards:
            _verify(grafana, content, folder["uid"])
    return lines


def _same(there: Mapping[str, Any], content: Mapping[str, Any], folder: str) -> bool:
    own = ("id", "version")
    stored = {key: value for key, value in there["dashboard"].items() if key not in own}
    return stored == content and there.get("meta", {}).get("folderUid") == folder


def _verify(grafana: Grafana, content: Mapping[str, Any], folder: str) -> None:
    attempt = 0
    wanted = essence(content)
    while True:
        there = grafana.get(f"/api/dashboards/uid/{content['uid']}")
        if there and essence(there["dashboard"]) == wanted and there.get("meta", {}).get("folderUid") == folder:
            return
        if not grafana.waited(attempt):
            raise GrafanaError(f"{content['uid']}: what Grafana gives back is not what was sent; look at it there")
        attempt += 1


def _dashboards_module() -> ModuleType:
    """By its path: its package may import what an agent does not have."""
    spec = importlib.util.spec_from_file_location("dashboards", DASHBOARDS / "__init__.py")
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _endpoint(text: str) -> str:
    parts = urllib.parse.urlsplit(text)
    local = parts.hostname in ("127.0.0.1", "localhost")
    if not parts.netloc or parts.path.strip("/") or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: https://<host>, as the stack's outputs have it")
    return text


def _workspace(text: str) -> str:
    if not re.fullmatch(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+", text, re.I):
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: the resource id of a Log Analytics workspace")
    return text


def main(
    arguments: Sequence[str],
    token: Callable[[], str] = cli_token,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    parser = argparse.ArgumentParser(description="Publishes the dashboards to a Grafana workspace.")
    parser.add_argument("--endpoint", required=True, type=_endpoint, help="of the Grafana workspace")
    parser.add_argument("--metrics", required=True, type=_endpoint, help="query endpoint of the metrics workspace")
    parser.add_argument("--workspace", required=True, type=_workspace, help="resource id of the logs' workspace")
    parser.add_argument("--folder", default="Delivery system", help="title of the folder, where it is made")
    parser.add_argument("--directory", type=Path, default=DASHBOARDS, help="of the dashboards' files")
    parser.add_argument("--wait", type=float, default=10, help="minutes to wait for what comes late")
    parser.add_argument("--dry-run", action="store_true", help="read, and say what would be done")
    options = parser.parse_args(arguments)
    module = _dashboards_module()
    try:
        found = module.load(options.directory)
        grafana = Grafana(options.endpoint, token, options.wait * 60, pause)
        sources = find_sources(grafana.get("/api/datasources") or [], options.metrics)
        filled = [fill(each.content, sources, options.workspace) for each in found]
        folder = {"uid": module.TAG, "title": options.folder}
        for line in publish(grafana, filled, folder, dry_run=options.dry_run):
            print(line)
    except module.DashboardError as error:
        print(
            f"error: nothing was published: {len(error.problems)} problem(s)",
            *error.problems,
            sep="\n  ",
            file=sys.stderr,
        )
        return 1
    except GrafanaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
