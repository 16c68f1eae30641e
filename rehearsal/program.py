"""Which stacks are run, with which configuration, in which order: what is decided before an engine starts.

Every problem of every stack is found at once, so that a person mends them in one go. What a setting may be is
not judged here: that is `settings.parse`, which is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from rehearsal.errors import RehearsalError
from validation import stackfile

_FILE: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.yaml")


class ProgramError(RehearsalError):
    """What keeps the program from being run at all; `problems` are whole messages for a person."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Leaning(Protocol):
    """What this module needs to know of an environment's settings."""

    @property
    def leans_on(self) -> tuple[str, ...]:
        """Names of the stacks that this one reads."""


S = TypeVar("S", bound=Leaning)


@dataclass(frozen=True)
class Stack(Generic[S]):
    """One environment, ready to be run."""

    name: str
    config: Mapping[str, Any]
    settings: S


def stack_files(root: Path) -> dict[str, Path]:
    """The stack files of the project, by stack."""
    found = ((_FILE.fullmatch(path.name), path) for path in sorted(root.glob("Pulumi.*.yaml")))
    return {match["stack"]: path for match, path in found if match}


def plan(
    root: Path,
    names: Sequence[str],
    parse: Callable[[str, Mapping[str, Any]], S],
    refusal: type[Exception],
    drafts: Mapping[str, Path] | None = None,
) -> tuple[Stack[S], ...]:
    """The stacks `names` (none: all that have a file) and what they lean on, in the order of promotion.

    `drafts` are files of stacks that are not in the project yet; each stands in for one of its stack.

    `parse` turns a stack's configuration into settings, or raises `refusal` with a message for a person.

    Raises:
        ProgramError: with every problem of every stack concerned.
    """
    files = {**stack_files(root), **(drafts or {})}
    if not files:
        raise ProgramError(["There is no stack file (Pulumi.<stack>.yaml) in this project."])
    stacks: dict[str, Stack[S]] = {}
    problems: list[str] = []
    wanted = [(name, "") for name in names or files]
    seen: set[str] = set()
    while wanted:
        name, because = wanted.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if name not in files:
            exist = ", ".join(f"Pulumi.{stack}.yaml" for stack in files)
            problems.append(f"{because}There is no stack file Pulumi.{name}.yaml. Those that exist: {exist}.")
            continue
        try:
            config = stackfile.read(files[name])
            stacks[name] = Stack(name, config, parse(name, config))
        except (stackfile.StackFileError, refusal) as error:
            problems.append(str(error))
        else:
            leans_on = stacks[name].settings.leans_on
            wanted += [(leant, f"Stack {name} leans on {leant}. ") for leant in leans_on]
    if problems:
        raise ProgramError(problems)
    order = promotion({name: stack.settings.leans_on for name, stack in stacks.items()})
    return tuple(stacks[name] for name in order)


def promotion(leans_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The stacks so that each comes after those it leans on; alphabetical where that leaves a choice.

    Raises:
        ProgramError: a stack leans on itself, directly or in a circle.
    """
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = (*path[path.index(name) :], name)
            what = "on itself" if len(circle) == 2 else f"in a circle: {' → '.join(circle)}"
            raise ProgramError([f"Stack {name} leans {what}. A stack reads only those promoted before it."])
        if name not in order:
            for leant in sorted(leans_on[name]):
                visit(leant, (*path, name))
            order.append(name)

    for name in sorted(leans_on):
        visit(name, ())
    return tuple(order)
