"""The linter that holds the workflows of GitHub Actions against the rehearsed stacks, as `pipelines` does for Azure.

GitHub resolves names when a job starts: an environment that is not there is made, without a gate; a variable that is
not there is empty. So nothing would fail before it is too late. The workflows are read here as GitHub calls them, from
the application's repository into the platform's, and held against the environments, variables, identities and checks
that the stacks made. What the language itself allows is for actionlint and zizmor to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.pipelines.finding import Finding
from rehearsal.workflows.estate import Estate, on_github
from rehearsal.workflows.reading import Workflows
from rehearsal.workflows.rules import RULES

__all__ = ["lint", "on_github"]


def lint(directory: Path, exports: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """What is wrong with the workflows of the project in `directory`, held against the exports of its stacks.

    Findings are sorted and come once. RehearsalError when a workflow that is called is not there.
    """
    workflows, estate = Workflows(directory), Estate.of(exports)
    return sorted({finding for rule in RULES for finding in rule(workflows, estate)})
