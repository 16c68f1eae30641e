#!/usr/bin/env python3
"""Files a work item for a stack that has drifted, with the report; one for each stack, renewed while it is open.

Needs Python 3.11 and the Azure CLI, signed in as an identity that may file work items. Where nothing has drifted any
more, the open item is told so, and stays open: why it drifted is for a person to find out.

Exit codes: 0 nothing has drifted, or it is filed, 1 it could not be filed, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import html
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import stack_plan
from pipelines.scripts.agent import fail, warn
from pipelines.scripts.azure_devops import Project, project, run_address
from pipelines.scripts.commands import CommandError, Patience
from pipelines.scripts.comment_plan import report_of
from pipelines.scripts.http_json import HttpError
from pipelines.scripts.stack_plan import NONE, About, PlanError

KIND = "Issue"
TAG = "drift"
PATCH = "application/json-patch+json"


def title(stack: str) -> str:
    """Finds the item again."""
    return f"The stack {stack} has drifted"


def description(report: str) -> str:
    """The report as the field takes it, as it stands in the log."""
    where = f'<p><a href="{html.escape(run_address())}">The run that found it</a></p>' if run_address() else ""
    return f"{where}<pre>{html.escape(report.strip())}</pre>"


def find(there: Project, stack: str) -> int | None:
    """The open item of the stack."""
    asked = (
        "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
        f"AND [System.Tags] CONTAINS '{TAG}' AND [System.Title] = '{title(stack)}' "
        "AND [System.State] NOT IN ('Closed', 'Done', 'Removed') ORDER BY [System.Id]"
    )
    found = there.post("wit/wiql", {"query": asked}).get("workItems")
    if not isinstance(found, list):
        raise HttpError("wit/wiql: the answer holds no workItems; are Boards switched on in the project?")
    return int(found[0]["id"]) if found else None


def file(there: Project, about: About, report: str) -> str:
    """Files or renews the item, and tells which."""
    open_ = find(there, about.stack)
    if about.changes == NONE:
        if open_ is None:
            return "nothing has drifted"
        there.patch(f"wit/workitems/{open_}", [_field("System.History", "Nothing has drifted any more.")], PATCH)
        return f"nothing has drifted any more, which work item {open_} is told"
    fields = [_field("System.Description", description(report))]
    if open_ is not None:
        there.patch(f"wit/workitems/{open_}", fields, PATCH)
        return f"work item {open_} is renewed"
    fields += [_field("System.Title", title(about.stack)), _field("System.Tags", TAG)]
    return f"work item {there.post(f'wit/workitems/${KIND}', fields, PATCH)['id']} is filed"


def _field(name: str, value: str) -> dict[str, Any]:
    return {"op": "add", "path": f"/fields/{name}", "value": value}


def main(
    arguments: Sequence[str], pause: Callable[[float], None] = time.sleep, token: Callable[[], str] | None = None
) -> int:
    parser = argparse.ArgumentParser(description="Files a work item for a stack that has drifted.")
    parser.add_argument("--plan", required=True, type=Path, help="directory that plan_stack.py has written")
    asked = parser.parse_args(arguments)
    try:
        about = stack_plan.read(asked.plan)
        report = report_of(about, asked.plan)
        done = file(project(Patience(120, pause), token), about, report)
    except (CommandError, PlanError) as error:
        return fail(f"drift: {error}")
    except HttpError as error:
        boards = "; work items need Boards: add boards to aks-cicd:delivery.home.project.services"
        return fail(f"drift of {about.stack}: {error}{boards if error.status in (400, 404) else ''}")
    if about.changes != NONE:
        warn(f"{title(about.stack)}: {done}")
    print(f"{about.stack}: {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
