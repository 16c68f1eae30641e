"""The words that steps give to Python scripts are words that the scripts take.

Macros and shell variables stand for what they look like in a run: facts of an environment have the values of the
rehearsed stack, so a script's own checks of them are tried too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rehearsal.pipelines.arguments import refusals
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.rules.subject import Subject

RULE: Final = "arguments"

_ANSWERS: Final[dict[tuple[str, str, tuple[str, ...]], str]] = {}
"""What scripts of the same text have said to the same words: by digest, name and words. Starting them costs more than
all other rules together."""


def command_lines(subjects: Sequence[Subject]) -> Iterator[Finding]:
    """All at once, for the same reason."""
    said: dict[tuple[Path, tuple[str, ...]], Place] = {}
    for moment in (moment for subject in subjects for moment in subject.moments):
        for call in moment.calls:
            if call.file and call.file.suffix == ".py" and moment.step.script:
                said.setdefault((call.file, call.arguments), moment.step.script.at)
    digests = {directory: _digest(directory) for directory in {file.parent for file, _ in said}}
    keys = {asked: (digests[asked[0].parent], asked[0].name, asked[1]) for asked in said}
    new = [asked for asked, key in keys.items() if key not in _ANSWERS]
    _ANSWERS.update(zip((keys[asked] for asked in new), refusals(new), strict=True))
    for asked, at in said.items():
        if why := _ANSWERS[keys[asked]]:
            name = asked[0].name
            yield Finding.at(at, RULE, f"{name} does not take these arguments: {why}", f"see {name} --help")


def _digest(directory: Path) -> str:
    """Of all scripts of a directory, because they import each other."""
    digest = hashlib.sha256()
    for file in sorted(directory.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
