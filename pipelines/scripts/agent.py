"""What runs a script, an agent of Azure Pipelines or a runner of GitHub Actions, and what the script says to it.

The scripts are the same on both platforms; what they say goes through here, and so does what they must know of the run.
Off both, errors and warnings are plain lines on stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pipelines.scripts import azure_pipelines, github_actions


def on_agent() -> bool:
    """Whether somebody reads what is printed, and masks what is secret."""
    return azure_pipelines.on_agent() or github_actions.on_runner()


def set_variable(name: str, value: str, *, secret: bool = False, output: bool = False) -> None:
    """A variable for the steps that follow in the job; ValueError for a secret with a line break."""
    _face().set_variable(name, value, secret=secret, output=output)


def add_path(directory: Path) -> None:
    """Puts the directory first on the PATH of the steps that follow."""
    _face().add_path(directory)


def warn(message: str) -> None:
    """One line that shows on the run's summary and fails nothing."""
    _issue("warning", message)


def fail(message: str) -> int:
    """One line that shows on the run's summary; returns the exit code of a script that failed."""
    _issue("error", message)
    return 1


def plain(text: str) -> str:
    """Text from elsewhere (a pod's log, a command's stderr) that may be printed: it commands nobody."""
    return github_actions.plain(azure_pipelines.plain(text))


@dataclass(frozen=True)
class Origin:
    """Where a build comes from, as its provenance tells it."""

    kind: str
    """What sort of thing builds."""
    repository: str
    """Its address."""
    ref: str
    builder: str
    """What built: the pipeline."""
    invocation: str
    """The run."""


_AZURE = (
    "BUILD_REPOSITORY_URI",
    "BUILD_SOURCEBRANCH",
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_TEAMPROJECT",
    "SYSTEM_DEFINITIONID",
)
_GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_WORKFLOW_REF", "GITHUB_RUN_ATTEMPT")


class UnknownOriginError(Exception):
    """What the run does not tell, in one line for a person."""


def origin(run: int, told: Mapping[str, str] = os.environ) -> Origin:
    """Where the run with this id comes from. UnknownOriginError when its machine does not say."""
    names = _GITHUB if told.get("GITHUB_ACTIONS") == "true" else _AZURE
    if missing := [name for name in names if not told.get(name)]:
        raise UnknownOriginError(
            f"not set: {', '.join(missing)}; an agent sets them, and they say where a build is from"
        )
    if names is _GITHUB:
        repository = f"{told['GITHUB_SERVER_URL']}/{told['GITHUB_REPOSITORY']}"
        return Origin(
            "https://actions.github.io/buildtypes/workflow/v1",
            repository,
            told["GITHUB_REF"],
            f"{told['GITHUB_SERVER_URL']}/{told['GITHUB_WORKFLOW_REF']}",
            f"{repository}/actions/runs/{run}/attempts/{told['GITHUB_RUN_ATTEMPT']}",
        )
    project = f"{told['SYSTEM_COLLECTIONURI'].rstrip('/')}/{told['SYSTEM_TEAMPROJECT']}/_build"
    return Origin(
        "https://learn.microsoft.com/azure/devops/pipelines/",
        told["BUILD_REPOSITORY_URI"],
        told["BUILD_SOURCEBRANCH"],
        f"{project}?definitionId={told['SYSTEM_DEFINITIONID']}",
        f"{project}/results?buildId={run}",
    )


def _face() -> ModuleType:
    return github_actions if github_actions.on_runner() else azure_pipelines


def _issue(kind: str, message: str) -> None:
    line = " ".join(message.split())
    if github_actions.on_runner():
        github_actions.issue(kind, line)
    elif azure_pipelines.on_agent():
        azure_pipelines.issue(kind, line)
    else:
        print(f"{kind}: {line}", file=sys.stderr, flush=True)
