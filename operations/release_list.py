"""The door `list-environment`: gives an environment its line in the list that CD goes through.

Azure Pipelines resolves the names of a run before its first job, so a line is added once the stack is up, and not
before. Where managed agents run the release, the line names their pool, which the stack tells by its output.

The list is a data file that people read: one line is put behind the others, and nothing else of it is touched. What
comes out is read again, and held against what went in.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from operations import outputs
from operations.errors import OperationsError
from rehearsal import preview
from rehearsal.console import Console
from settings import Settings

ROOT: Final = Path(__file__).resolve().parent.parent
LIST: Final = Path("pipelines/templates/release.yml")
PLACE: Final = ("stages", 0, "parameters", "environments")
"""Where the list stands in that file."""


@dataclass(frozen=True)
class Line:
    """One environment of a release, as templates/environment.yml takes it."""

    key: str
    promotes_from: str | None = None
    after: str | None = None
    approvers: bool = True
    pool: str | None = None
    pull: bool = False

    def __str__(self) -> str:
        said = {
            "key": self.key,
            "promotesFrom": self.promotes_from,
            "after": self.after,
            "approvers": None if self.approvers else "false",
            "pool": self.pool,
            "pull": "true" if self.pull else None,
        }
        return "{ " + ", ".join(f"{name}: {value}" for name, value in said.items() if value) + " }"


def line(settings: Settings, pool: str | None) -> Line | None:
    """The line of an environment; None where no pipeline brings an image to its registry."""
    if settings.stacks.promotes_from:
        return Line(settings.stack, promotes_from=settings.stacks.promotes_from, pool=pool, pull=settings.pulls)
    if settings.stacks.registry:
        before, asked = settings.stacks.registry, settings.production
        return Line(settings.stack, after=before, approvers=asked, pool=pool, pull=settings.pulls)
    return Line(settings.stack, pool=pool, pull=settings.pulls) if settings.delivery.home else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations list-environment",
        description="Adds an environment whose stack is up to the list of CD.",
        allow_abbrev=False,
    )
    parser.add_argument("--stack", required=True, help="the environment")
    parser.add_argument("--export", metavar="FILE", help="of `pulumi stack export`; by default the backend is asked")
    asked = parser.parse_args(arguments)
    export = outputs.read_export(Path(asked.export)) if asked.export else outputs.ask_backend(ROOT, asked.stack)
    added = list_environment(ROOT, asked.stack, export)
    if added is None:
        Console().say(f"{LIST}: {asked.stack} is listed already; nothing to do.")
    else:
        Console().say(f"{LIST}: added\n  - {added}\nBring it to main by a pull request; make preview judges it before.")
    return 0


def list_environment(root: Path, stack: str, export: Mapping[str, Any]) -> Line | None:
    """Adds the environment to the list; None where it is there already, in these words.

    Raises OperationsError where the stack is not up, or its line cannot be.
    """
    (*_, found) = preview.plan(root, [stack])
    if found.settings.on_github:
        raise OperationsError(
            f"The stack {stack} is delivered by GitHub, whose list is read by GitHub alone. Add a job {stack} to "
            "workflows/platform/release.yml, as docs/github.md tells; make preview judges it."
        )
    told = outputs.outputs_of(export, stack)
    outputs.up(told, stack)
    pool = told.get("agentPool")
    if found.settings.agents.kind == "managed" and not pool:
        raise OperationsError(
            f"The stack {stack} tells of no agentPool, and its agents are managed: run pulumi up --stack {stack} with "
            "this version of the program first."
        )
    wanted = line(found.settings, pool)
    if wanted is None:
        raise OperationsError(
            f"No release can reach {stack}: no pipeline brings images to its own registry. Set stacks.registry to the "
            f"stack whose images it runs, such as {found.settings.stacks.delivery}, and remove registry."
        )
    path = root / LIST
    before = path.read_text("utf-8")
    after = with_line(before, wanted)
    if after == before:
        return None
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(after, "utf-8")
    beside.replace(path)
    return wanted


def with_line(text: str, wanted: Line) -> str:
    """The file with the line behind the last one of the list."""
    said = yaml.safe_load(str(wanted))
    listed = _list(yaml.safe_load(text))
    for each in listed:
        if each == said:
            return text
        if each.get("key") == wanted.key:
            raise OperationsError(
                f"{LIST} lists {wanted.key} already, in other words: {each}. Its stack says {wanted}. Change the line "
                "by hand, or remove it and run this again."
            )
    before = wanted.promotes_from or wanted.after
    if before and before not in [each.get("key") for each in listed]:
        raise OperationsError(
            f"{LIST} does not list {before}, after which {wanted.key} comes. Add that one first: make list-environment "
            f"STACK={before}"
        )
    last = _list(yaml.compose(text, Loader=yaml.SafeLoader)).value[-1]
    lines = [f"{each}\n" for each in text.splitlines()]
    behind = last.end_mark.line + (1 if last.end_mark.column else 0)
    lines.insert(behind, f"{' ' * (last.start_mark.column - 2)}- {wanted}\n")
    changed = "".join(lines)
    if _list(yaml.safe_load(changed)) != [*listed, said]:
        raise OperationsError(f"{LIST} is laid out in a way that this command does not know. Add by hand: - {wanted}")
    return changed


def _list(document: Any) -> Any:
    """The list of environments in a document, as values or as nodes with their places."""
    try:
        for part in PLACE:
            document = _below(document, part)
    except (KeyError, IndexError, TypeError, StopIteration):
        raise OperationsError(f"{LIST} has no list of environments at {'.'.join(map(str, PLACE))}.") from None
    return document


def _below(node: Any, part: str | int) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next(value for key, value in node.value if key.value == part)
    return node.value[part] if isinstance(node, yaml.SequenceNode) else node[part]
