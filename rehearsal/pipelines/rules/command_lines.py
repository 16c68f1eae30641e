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
    for asked, why in zip(said, answers([*said]), strict=True):
        if why:
            name = asked[0].name
            yield Finding.at(said[asked], RULE, f"{name} does not take these arguments: {why}", f"see {name} --help")


def answers(asked: Sequence[tuple[Path, tuple[str, ...]]]) -> list[str]:
    """For each call, why its script refuses the words; empty where it takes them. Nothing is asked twice."""
    digests = {directory: _digest(directory) for directory in {file.parent for file, _ in asked}}
    keys = {each: (digests[each[0].parent], each[0].name, each[1]) for each in asked}
    new = [each for each, key in keys.items() if key not in _ANSWERS]
    _ANSWERS.update(zip((keys[each] for each in new), refusals(new), strict=True))
    return [_ANSWERS[keys[each]] for each in asked]


def _digest(directory: Path) -> str:
    """Of all scripts of a directory, because they import each other."""
    digest = hashlib.sha256()
    for file in sorted(directory.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
