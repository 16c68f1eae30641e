"""Where the acts are played: the engine and the cloud, and a person who is told what is checked and what came out.

A check that fails does not end an act, because what follows may say more. An operation that fails although nothing was
arranged to make it fail does: there is nothing to go on from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import settings
from rehearsal.cloud import Cloud
from rehearsal.console import Console
from rehearsal.engine import EngineError, Rehearsal
from rehearsal.life.balance import Balance, weigh
from rehearsal.program import Stack
from rehearsal.run import Run

_WIDTH: Final = 44
_SHOWN: Final = 6
"""How many names stand in one line before the rest becomes a number."""

Environment = Stack[settings.Settings]


@dataclass(frozen=True)
class Check:
    """One thing that had to hold. `detail` is what came out."""

    act: str
    what: str
    holds: bool
    detail: str
    seconds: float


@dataclass
class Stage:
    """The place of one rehearsal. `runs` are the operations by what they were called, for whoever looks closer."""

    rehearsal: Rehearsal
    cloud: Cloud
    stacks: Sequence[Environment]
    console: Console
    act: str = ""
    checks: list[Check] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    life: int = 0
    """How often the environments have been taken down."""
    stays: set[str] = field(default_factory=set)
    """Ids of what a retired stack has left in the cloud on purpose."""
    _since: float = field(default_factory=time.monotonic)

    @contextmanager
    def playing(self, act: str, title: str) -> Iterator[None]:
        """One act, under its title."""
        self.act, self._since = act, time.monotonic()
        self.console.say()
        self.console.say(self.console.style(f"━━ {title} ", "bold") + self.console.style("━" * 8, "dim"))
        yield

    def expect(self, what: str, holds: bool, detail: str = "") -> None:
        """Says whether something holds, and what came out."""
        now = time.monotonic()
        check = Check(self.act, what, holds, detail, now - self._since)
        self._since = now
        self.checks.append(check)
        mark = self.console.style("✓", "green") if holds else self.console.style("✗", "red")
        self.console.say(f"  {mark} {what:<{_WIDTH}} {check.seconds:5.1f} s  {detail}".rstrip())

    def say(self, text: str) -> None:
        for line in text.splitlines():
            self.console.say(f"    {line}")

    def run(self, name: str, operation: Callable[..., Run], stack: str, **options: Any) -> Run:
        """An operation of the engine that is to succeed.

        Raises:
            EngineError: it did not.
        """
        with self.console.progress(f"  {name}") as progress:
            run = operation(stack, lambda done, each: progress.update(f"{done} resources  {each}"), **options)
        self.runs[name] = run
        return run

    def fails(self, name: str, operation: Callable[..., Run], stack: str, **options: Any) -> EngineError | None:
        """An operation that may fail: its error, or None if it did not."""
        try:
            self.run(name, operation, stack, **options)
        except EngineError as error:
            self.runs[name] = error.run
            return error
        return None

    def lives_on(self, stack: Environment) -> dict[str, int]:
        """What a stack's configuration must say after it was taken down: names that are taken get new ones."""
        return {"aks-cicd:generation": stack.settings.generation + self.life} if self.life else {}

    def exports(self) -> list[dict[str, Any]]:
        """The states of all stacks that are on the backend."""
        return [self.rehearsal.export(each.name) for each in self.stacks if self.rehearsal.has(each.name)]

    def balance(self) -> Balance:
        return weigh(self.exports(), self.cloud, self.stays)

    def expect_even(self, what: str = "engine and cloud agree") -> None:
        found = self.balance()
        self.expect(what, found.even, f"{len(self.cloud.resources)} resources in Azure" if found.even else str(found))


def listed(names: Iterable[str]) -> str:
    """Names in one line: few by name, many by number."""
    found = list(names)
    rest = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + rest


def counted(run: Run) -> str:
    """What a run did, by kind: `3 create, 1 update`."""
    said = [f"{count} {op}" for op, count in sorted(run.changes.items()) if count and op not in ("same", "read")]
    return ", ".join(said) or "nothing changes"


def touched(run: Run) -> list[str]:
    """What a run changed or would change, and where: `pool-apps (maxCount)`."""
    return [f"{step.name} ({', '.join(step.diff) or step.op})" for step in run.changed()]
