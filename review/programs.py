"""Versions of the program, each run by itself: in its own directory, in a process of its own.

What they are asked for are doors of their own rehearsal (`rehearsal.against`), so that the version under review runs
with its own stand-in, and a base with the one that it was proven with. Both run on the packages and the engine of here.

A base is rehearsed once. Its exports are kept under what they follow from: the content of its files, the stacks asked
for, the engine and the packages. Whatever of that is another finds nothing there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from rehearsal.toolchain import Cli
from review.commits import Commit
from review.errors import ReviewError

Exports = dict[str, dict[str, Any]]
"""By stack."""

KEPT: Final = 5
"""Bases of which the exports are kept."""
_WHOLE: Final = "whole.json"


def rehearsed(program: Path, called: str, stacks: Sequence[str], cli: Cli, to: Path) -> Exports:
    """The stacks of a program as they are after an update on the stand-in, and those that they lean on.

    Raises:
        ReviewError: the program cannot be rehearsed; the message says which, and why.
    """
    run(program, called, ["export", str(to), *stacks], cli)
    return read(to)


def previews(program: Path, called: str, stacks: Sequence[str], known: Path, cli: Cli, to: Path) -> Exports:
    """What the engine tells of the program's stacks that have a file in `known`.

    Raises:
        ReviewError: as for `rehearsed`.
    """
    run(program, called, ["against", str(known), str(to), *stacks], cli)
    return read(to)


def read(directory: Path) -> Exports:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(directory.glob("*.json"))}


def run(program: Path, called: str, arguments: Sequence[str], cli: Cli) -> None:
    """One door of a program's rehearsal. What it says on the way is for the person who waits."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ["PATH"] = f"{cli.path.parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        sys.stderr.flush()
        done = subprocess.run(
            [sys.executable, "-m", "rehearsal", *arguments],
            cwd=program,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=2,  # the terminal, if it is one, so that progress shows as such
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ReviewError(f"{called} cannot be rehearsed: {error}") from None
    if done.returncode == 0:
        return
    said = done.stderr.strip()
    if "invalid choice" in said or "No module named rehearsal" in said:
        raise ReviewError(
            f"{called} is older than this review: its rehearsal has no door `{arguments[0]}`. "
            "Name a later commit, or an export of the stack."
        )
    # Without a message for a person it is a bug of that version, of which the last line says most.
    message = said[len("error: ") :] if said.startswith("error: ") else said.rpartition("\n")[2]
    raise ReviewError(f"{called} cannot be rehearsed. {message}")


class Kept:
    """Exports of bases that were rehearsed before, below one directory."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def key(self, base: Commit, stacks: Iterable[str], cli: Cli) -> str:
        """All that the exports follow from."""
        packages = sorted(f"{each.name}=={each.version}" for each in metadata.distributions())
        content = [base.tree, sorted(stacks), str(cli.version), sys.version, packages]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]

    def find(self, key: str) -> Exports | None:
        """What was kept, if it is whole."""
        place = self._place / key
        try:
            wanted: Mapping[str, str] = json.loads((place / _WHOLE).read_text("utf-8"))
            if any(_digest(place / name) != digest for name, digest in wanted.items()):
                return None
            os.utime(place)
            return {Path(name).stem: json.loads((place / name).read_text("utf-8")) for name in sorted(wanted)}
        except (OSError, ValueError, AttributeError):
            return None

    def keep(self, key: str, made: Path) -> None:
        """Keeps the files of a directory under a key, whole or not at all, and lets go of the oldest."""
        self._place.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self._place, prefix=".fresh-"))
        for path in made.glob("*.json"):
            shutil.copy(path, fresh)
        digests = {path.name: _digest(path) for path in fresh.glob("*.json")}
        (fresh / _WHOLE).write_text(json.dumps(digests), "utf-8")
        shutil.rmtree(self._place / key, ignore_errors=True)
        fresh.replace(self._place / key)
        known = sorted(self._place.glob("[!.]*"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in known[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
