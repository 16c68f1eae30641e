"""What a plan of a stack is on disk: the report, the engine's plan, and what both are about.

    about.json    stack, commit, and `changes`: none, changes, or acknowledge
    review.md     the report as a comment, review.html as a page; where something changes
    plan.json     the engine's plan; where it is to be applied

Nothing here calls a tool or a service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.scripts.arguments import kind

NONE, CHANGES, ACKNOWLEDGE = "none", "changes", "acknowledge"
WORDS = {0: NONE, 2: CHANGES, 3: ACKNOWLEDGE}
"""What the exit codes of a review mean (docs/review.md)."""

REPORT, PAGE, PLAN, ABOUT = "review.md", "review.html", "plan.json", "about.json"

stack = kind(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,9}", "the name of a stack, such as staging")
backend = kind(r"(azblob|file)://\S+", "azblob://<container>?storage_account=<name>, as the bootstrap tells it")

_PROGRAM = re.compile(
    r"(components|wiring|validation|policies|pipelines|workload)/.*|[a-z_]+\.py|Pulumi\.yaml|requirements\.txt"
)
"""What every stack is made of; pipelines and workload are what repositories are seeded with."""


class PlanError(Exception):
    """No plan that can be used; the message says how to mend it."""


@dataclass(frozen=True)
class About:
    stack: str
    commit: str
    changes: str

    def write(self, directory: Path) -> None:
        (directory / ABOUT).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read(directory: Path) -> About:
    """PlanError where there is none."""
    path = directory / ABOUT
    try:
        found = json.loads(path.read_text("utf-8"))
        about = About(str(found["stack"]), str(found["commit"]), str(found["changes"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise PlanError(f"{path}: is no plan; let plan_stack.py write one, and fetch its artifact") from None
    if about.changes not in WORDS.values():
        raise PlanError(f"{path}: changes is {about.changes!r}; allowed: {', '.join(WORDS.values())}")
    return about


def concerns(paths: Iterable[str], stack: str) -> bool:
    """Whether a change of these files may change a stack: its own file, or what every stack is made of."""
    return any(path == f"Pulumi.{stack}.yaml" or _PROGRAM.fullmatch(path) for path in paths)
