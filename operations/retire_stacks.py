"""The stacks of this project on one backend, through the Pulumi CLI: to look at, and to take down.

Which backend, and whose login, the environment and the directory say: the user's own, or a rehearsal's. The CLI is
never asked to select a stack, because that would change what the user has selected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulumi import automation

from rehearsal.engine import reason
from rehearsal.errors import RehearsalError

Watch = Callable[[str], None]
"""Told the latest line of the CLI."""

_ERROR: Final = re.compile(r"^\s*error: (.*)", re.M)


class RetireError(RehearsalError):
    """A stack cannot be retired; the message says why and what to do."""


@dataclass(frozen=True)
class Stacks:
    """`work` is the directory with the project's Pulumi.yaml; `command` the CLI."""

    work: Path
    command: automation.PulumiCommand

    def names(self) -> list[str]:
        found: list[dict[str, Any]] = json.loads(self._run(["stack", "ls", "--json"]))
        return [str(each["name"]).split("/")[-1] for each in found]

    def export(self, stack: str) -> dict[str, Any]:
        """The state of a stack; secrets stay sealed."""
        found: dict[str, Any] = json.loads(self._run(["stack", "export", "--stack", stack]))
        return found

    def unprotect(self, stack: str) -> None:
        """Takes Pulumi's protection off every resource; the cloud hears nothing of it."""
        self._run(["state", "unprotect", "--all", "--yes", "--stack", stack])

    def destroy(self, stack: str, only: Sequence[str] = (), watch: Watch | None = None) -> None:
        """Deletes the resources of a stack, or only those of some URNs, which nothing may depend on."""
        targets = [argument for urn in only for argument in ("--target", urn)]
        self._run(["destroy", "--yes", "--skip-preview", "--color", "never", "--stack", stack, *targets], watch)

    def _run(self, arguments: list[str], watch: Watch | None = None) -> str:
        try:
            return str(self.command.run(list(arguments), str(self.work), {}, on_output=watch).stdout)
        except automation.CommandError as failure:
            # The diagnostics of resources stand in what it prints, and say more than its last word.
            found = dict.fromkeys(_ERROR.findall(str(failure)))
            words = "\n".join(found) or reason(str(failure))
            raise RetireError(f"pulumi {' '.join(arguments[:2])} failed:\n{words}") from None
