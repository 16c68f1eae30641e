"""What a check is, how checks are run, and how their outcome is told: one line each, with the remedy.

A check gathers facts and judges them; the judgement is a pure function of the facts. It needs nothing of another check,
so that each can be run alone. What a check needs and is not there makes it skipped, by name. An answer that is not
understood is never taken for a good one.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError

from operations import outputs
from operations.clouds import Clouds, NoLoginError
from operations.errors import OperationsError
from rehearsal import preview
from rehearsal.console import Console
from rehearsal.graph import Graph
from settings import Settings
from validation.checks import is_placeholder
from validation.problems import nearest

ROOT: Final = Path(__file__).resolve().parent.parent
LOGIN: Final = "a login (az login)"
ORGANIZATION: Final = "an organisation of Azure DevOps that is no placeholder"

OK, BAD, SKIPPED = "ok", "bad", "skipped"
_STYLES: Final[Mapping[str, str]] = {OK: "green", BAD: "red", SKIPPED: "yellow"}


@dataclass(frozen=True)
class Amiss:
    """One thing that is not as it should be, and how to mend it."""

    said: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.said}: {self.remedy}"


@dataclass(frozen=True)
class Place:
    """What checks look at: an environment, its clouds, and what its stack has made."""

    root: Path
    settings: Settings
    clouds: Clouds
    graph: Graph = field(default_factory=lambda: Graph(()))
    outputs: Mapping[str, Any] | None = None
    """Of the stack; only once it is up."""
    config: Mapping[str, Any] | None = None


Judged = Iterable[Amiss]


@dataclass(frozen=True)
class Check:
    name: str
    about: str
    """What is true when it is well."""
    needs: frozenset[str]
    look: Callable[[Place], Judged]
    applies: Callable[[Place], bool]


@dataclass(frozen=True)
class Outcome:
    check: Check
    state: str
    words: tuple[str, ...]


class Register:
    """The checks of one door."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    @property
    def ordered(self) -> list[Check]:
        """What needs nothing first, because what is missing there is missing everywhere."""
        return sorted(self.checks, key=lambda check: (len(check.needs), check.name))

    def __call__(
        self, name: str, about: str, *needs: str, applies: Callable[[Place], bool] = lambda place: True
    ) -> Callable[[Callable[[Place], Judged]], Callable[[Place], Judged]]:
        def declare(look: Callable[[Place], Judged]) -> Callable[[Place], Judged]:
            self.checks.append(Check(name, about, frozenset(needs), look, applies))
            return look

        return declare


def run(checks: Sequence[Check], place: Place, there: frozenset[str]) -> Iterable[Outcome]:
    """The outcome of each check that applies; `there` is what checks may need."""
    for check in checks:
        if not check.applies(place):
            continue
        if missing := sorted(check.needs - there):
            yield Outcome(check, SKIPPED, (f"needs {' and '.join(missing)}",))
            continue
        amiss = _looked(check, place)
        yield Outcome(check, BAD if amiss else OK, tuple(map(str, amiss)) or (check.about,))


def _looked(check: Check, place: Place) -> list[Amiss]:
    try:
        return list(check.look(place))
    except HttpResponseError as error:
        code = getattr(error.error, "code", None) if error.error else None
        why = f"{error.status_code} {code or error.reason or ''}".strip()
        return [Amiss(f"it cannot be told, the answer was {why}", _remedy(error.status_code))]
    except AzureError as error:
        return [Amiss(f"it cannot be told: {_line(error)}", "look at the network and the sign-in, and run it again")]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        said = f"it cannot be told, the answer is not understood ({type(error).__name__}: {_line(error)})"
        return [Amiss(said, "the service may have changed; look by hand")]


def _remedy(status: int | None) -> str:
    if status in (302, 203, 401):
        return "sign in to the directory that the service is connected to: az login --tenant <tenantId>"
    if status == 403:
        return "whoever is signed in lacks the right to read this"
    return "run it again; if it stays so, look by hand"


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:160]


def told(outcome: Outcome, console: Console) -> Iterable[str]:
    """One line for a check that is well or skipped, and one for each thing that is amiss."""
    for words in outcome.words:
        yield f"{console.style(f'{outcome.state:8}', _STYLES[outcome.state])}{outcome.check.name:18} {words}"


def code(outcomes: Iterable[Outcome]) -> int:
    """0: all is well. 1: something is amiss. 3: nothing is, as far as it could be looked at."""
    states = {outcome.state for outcome in outcomes}
    return 1 if BAD in states else 3 if SKIPPED in states else 0


def door(name: str, register: Register, arguments: list[str], *, up: bool) -> int:
    """A door of checks: `up` says whether its stack is, and is read."""
    parser = argparse.ArgumentParser(prog=f"python -m operations {name}", allow_abbrev=False)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--check", default="", help="only this one; several with commas")
    parser.add_argument("--list", action="store_true", help="names the checks")
    parser.add_argument("--export", metavar="FILE", help="of the stack; by default the backend is asked")
    asked = parser.parse_args(arguments)
    console = Console(sys.stdout)
    if asked.list:
        for check in register.ordered:
            console.say(f"{check.name:18} {check.about}")
        return 0
    # The client tells of a missing login by itself, beside the check that does.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    checks = chosen(register.ordered, asked.check)
    place = at(ROOT, asked.stack)
    if up:
        export = outputs.read_export(Path(asked.export)) if asked.export else outputs.ask_backend(ROOT, asked.stack)
        place = standing(place, export)
    found = []
    for outcome in run(checks, place, available(place)):
        found.append(outcome)
        for words in told(outcome, console):
            console.say(words)
    result = code(found)
    endings = {0: "All is well.", 1: "Something is amiss.", 3: "Nothing is amiss, as far as it could be looked at."}
    console.say(endings[result])
    return result


def chosen(checks: Sequence[Check], names: str) -> list[Check]:
    """The checks of these names, all if none is said. Raises OperationsError."""
    known = {check.name: check for check in checks}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            hint = nearest(name, known) or f"choose from {', '.join(known)}"
            raise OperationsError(f"There is no check {name}: {hint}")
    return [known[name] for name in wanted] or list(checks)


def at(root: Path, stack: str) -> Place:
    """An environment as its file says it. Raises ProgramError where the file is not valid."""
    (*_, found) = preview.plan(root, [stack])
    said = found.settings
    clouds = Clouds.signed_in(said.azure.tenant_id, said.azure.subscription_id, said.organization)
    return Place(root, said, clouds, config=found.config)


def standing(place: Place, export: Mapping[str, Any]) -> Place:
    """The same, with what its stack has made. Raises OperationsError where it is not up."""
    told = outputs.outputs_of(export, place.settings.stack)
    outputs.up(told, place.settings.stack)
    return Place(place.root, place.settings, place.clouds, Graph.of(export), told, place.config)


def available(place: Place) -> frozenset[str]:
    """What checks may count on: whether somebody is signed in, and where to."""
    organization = place.settings.organization
    there = {ORGANIZATION} if organization and not is_placeholder(organization) else set()
    try:
        place.clouds.who()
        there.add(LOGIN)
    except NoLoginError:
        pass
    return frozenset(there)
