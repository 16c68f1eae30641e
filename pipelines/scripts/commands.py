"""Runs the tools that the scripts stand on: bounded in time, patient with what comes late, brief in errors.

What it does not do: it knows no tool but `az` for a token, and never puts a secret into an argument or a message;
secrets go in through `feed`.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAUSES = (2, 4, 8, 15, 30)
"""Seconds between tries; the last one repeats."""

LATE = re.compile(
    r"\b(429|500|502|503|504)\b|too ?many ?requests|timed? ?out|time-out|timeout|connection (refused|reset|aborted)"
    r"|unexpected eof|\beof$|temporary failure|service ?unavailable|server ?busy|try again|no such host"
    r"|authorizationfailed|does not have authorization|forbidden|denied|unauthorized|\b40[13]\b",
    re.I,
)
"""How tools report what passes by itself. A role is effective minutes after it was granted, hence 401 and 403 too."""


class CommandError(Exception):
    """What went wrong, in one line for a person."""


class Patience:
    """The time that a script may spend waiting, in all."""

    def __init__(self, seconds: float, pause: Callable[[float], None] = time.sleep) -> None:
        self._left, self._pause = seconds, pause

    @staticmethod
    def late(said: str) -> bool:
        """Whether what a tool said passes by itself."""
        return bool(LATE.search(said))

    def waited(self, attempt: int) -> bool:
        """Pauses before the next try; False when the patience is used up."""
        if self._left <= 0:
            return False
        seconds = min(PAUSES[min(attempt, len(PAUSES) - 1)], self._left)
        self._left -= seconds
        self._pause(seconds)
        return True


def run(
    command: Sequence[str],
    *,
    feed: str | None = None,
    seconds: float = 300,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    patience: Patience | None = None,
    late: re.Pattern[str] = LATE,
) -> str:
    """Its stdout. CommandError when it fails, takes too long or is not there; `patience` repeats what is `late`."""
    attempt = 0
    while True:
        try:
            return _once(command, feed, seconds, directory, environment)
        except CommandError as error:
            if not patience or not late.search(str(error)) or not patience.waited(attempt):
                tries = f" (tries: {attempt + 1})" if attempt else ""
                raise CommandError(f"{error}{tries}") from None
        attempt += 1


def json_of(command: Sequence[str], **options: Any) -> Any:
    """What it printed, as JSON."""
    said = run(command, **options)
    try:
        return json.loads(said)
    except ValueError:
        raise CommandError(f"{name_of(command)}: the answer is not JSON: {shorten(said)}") from None


def az_token(resource: str, patience: Patience | None = None) -> str:
    """An Entra token for the resource, of whoever the Azure CLI is signed in as."""
    asked = ["az", "account", "get-access-token", "--resource", resource, "--query", "accessToken", "--output", "tsv"]
    token = run(asked, patience=patience).strip()
    if not token:
        raise CommandError("az account get-access-token: gives no token; run this in a task that is signed in to Azure")
    return token


def name_of(command: Sequence[str]) -> str:
    """The tool and what it was asked to do, without its arguments."""
    words = [Path(command[0]).name, *command[1:]]
    plain = next((i for i, word in enumerate(words) if i and not re.fullmatch(r"[a-z][a-z-]*", word)), len(words))
    return " ".join(words[: min(plain, 3)])


def shorten(said: str, length: int = 400) -> str:
    """On one line, the end kept: tools say last what matters."""
    line = " ".join(said.split())
    return line if len(line) <= length else "…" + line[-length:]


def stoppable() -> None:
    """From now on, a run that is cancelled ends a script by an error, so that it cleans up what it made."""

    def stop(*_: object) -> None:
        raise CommandError("stopped: the run was cancelled")

    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, stop)


def _once(
    command: Sequence[str],
    feed: str | None,
    seconds: float,
    directory: Path | None,
    environment: Mapping[str, str] | None,
) -> str:
    tool = shutil.which(command[0], path=environment.get("PATH") if environment else None)
    if not tool:
        raise CommandError(f"{command[0]} is not on the PATH; the pipeline installs it in a step before this one")
    with subprocess.Popen(
        [tool, *command[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=directory,
        env=environment,
    ) as process:
        try:
            said, complained = process.communicate(feed or "", timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise CommandError(f"{name_of(command)}: timed out after {seconds:g} s") from None
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        reason = shorten(complained) or shorten(said) or "it said nothing"
        raise CommandError(f"{name_of(command)}: exit {process.returncode}: {reason}")
    return said


def _end(process: subprocess.Popen[str]) -> None:
    """Gives it a moment to leave things in order: helm notes that it was stopped."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
