#!/usr/bin/env python3
"""Opens a pull request to the platform repository with the stack file that write_environment.py has written.

Needs Python 3.11, git, and the Azure CLI, signed in as an identity that may push branches and open pull requests. The
branch is named by the environment: a second run pushes to the same one, and finds the pull request that there is.

Exit codes: 0 it is open, 1 it is not, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs by its path, from any directory
from pipelines.scripts import stack_plan
from pipelines.scripts.agent import fail
from pipelines.scripts.azure_devops import RESOURCE, Project, project, values
from pipelines.scripts.commands import CommandError, Patience, az_token, run
from pipelines.scripts.http_json import HttpError

TARGET = "refs/heads/main"
REPOSITORY = "platform"
AUTHOR = {"name": "Pipeline environment", "email": "environment@pipelines.invalid"}


def result(path: Path) -> Mapping[str, Any]:
    """What was decided. CommandError where it is not that."""
    try:
        found = json.loads(path.read_text("utf-8"))
        name = stack_plan.stack(found["environment"])
        if found["file"] != f"Pulumi.{name}.yaml":
            raise ValueError(found["file"])
    except (OSError, ValueError, KeyError, TypeError, argparse.ArgumentTypeError):
        raise CommandError(f"{path}: does not say which environment was written; run write_environment.py") from None
    return dict(found)


def description(said: Mapping[str, Any]) -> str:
    """What a reviewer should know."""
    lines = [f"A new environment, made from `{said['from']}`: tier {said['tier']}, region {said['region']}.", ""]
    lines += [f"- `{each['key']}`: {each['why']}" for each in said.get("decisions", ())]
    if said.get("warnings"):
        lines += ["", "Worth a word:", *(f"- {each}" for each in said["warnings"])]
    if said.get("next"):
        lines += ["", "Next:", *(f"{number}. {each}" for number, each in enumerate(said["next"], 1))]
    return "\n".join(lines)[:4000]


def push(directory: Path, said: Mapping[str, Any], branch: str, token: str, remote: str) -> None:
    """One commit on what was checked out, to a branch of its own."""
    # By the environment: what stands in the arguments can be read by everybody on the agent.
    header = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}",
        "GIT_TERMINAL_PROMPT": "0",
    }
    who = {f"GIT_{role}_{key.upper()}": value for role in ("AUTHOR", "COMMITTER") for key, value in AUTHOR.items()}
    environment = {**os.environ, **who, **header}
    run(["git", "checkout", "-B", branch], directory=directory)
    run(["git", "add", "--", str(said["file"])], directory=directory)
    message = f"Environment {said['environment']}, made from {said['from']}"
    run(["git", "commit", "--message", message], directory=directory, environment=environment)
    # The branch is the pipeline's own, and whoever works on it by hand renames it.
    run(["git", "push", "--force", remote, f"HEAD:refs/heads/{branch}"], directory=directory, environment=environment)


def ask(there: Project, branch: str, said: Mapping[str, Any]) -> int:
    """The number of the pull request, which there is or which is opened."""
    pulls = f"git/repositories/{REPOSITORY}/pullrequests"
    for each in values(there.get(pulls)):
        if each.get("sourceRefName") == f"refs/heads/{branch}" and each.get("status") == "active":
            there.patch(f"{pulls}/{each['pullRequestId']}", {"description": description(said)})
            return int(each["pullRequestId"])
    body = {
        "sourceRefName": f"refs/heads/{branch}",
        "targetRefName": TARGET,
        "title": f"New environment {said['environment']}",
        "description": description(said),
    }
    return int(there.post(pulls, body)["pullRequestId"])


def main(
    arguments: Sequence[str], pause: Callable[[float], None] = time.sleep, token: Callable[[], str] | None = None
) -> int:
    parser = argparse.ArgumentParser(description="Opens a pull request with the file of a new environment.")
    parser.add_argument("--project", required=True, type=Path, help="directory of the program")
    parser.add_argument("--result", required=True, type=Path, help="file that write_environment.py has written")
    parser.add_argument("--remote", default="origin")
    asked = parser.parse_args(arguments)
    patience = Patience(120, pause)
    try:
        said = result(asked.result)
        if said.get("unchanged"):
            raise CommandError(f"{said['file']} is on main already, as it would be written; there is nothing to open")
        there, branch = project(patience, token), f"environments/{said['environment']}"
        push(asked.project, said, branch, (token or (lambda: az_token(RESOURCE, patience)))(), asked.remote)
        number = ask(there, branch, said)
    except (CommandError, HttpError) as error:
        return fail(f"pull request: {error}")
    print(f"Pull request {number} brings the environment {said['environment']} to main")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
