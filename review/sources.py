"""What a review is made from: two versions of the program, an export and a version, two exports, or real previews.

Whatever it is, an engine has said what would happen (apart from two exports), and `digest` reads that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from rehearsal.console import Console
from review import digest, exports, versions
from review.errors import ReviewError
from review.versions import Found


@dataclass(frozen=True)
class Asked:
    """`base`: a commit, or files of one kind. `head`: a commit, a stack export, or empty for the working tree."""

    base: tuple[str, ...]
    head: str = ""
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file that was named as base: of a stack, as far as its content says so."""

    path: str
    content: Mapping[str, Any]
    stack: str
    project: str

    @property
    def is_export(self) -> bool:
        return "deployment" in self.content

    @property
    def told(self) -> str:
        return f"{Path(self.path).name}, an export of {self.stack}{_dated(self.content)}"


def find(root: Path, asked: Asked, console: Console) -> Found:
    """Raises ReviewError, and what the engine's tool chain raises."""
    named = [name for name in asked.base if Path(name).is_file()]
    if not named:
        if len(asked.base) > 1:
            raise ReviewError(f"{' and '.join(asked.base)}: one commit is compared, or several files.")
        return versions.between_commits(root, asked.base[0], asked.head, asked.stacks, console)
    if len(named) < len(asked.base):
        strange = " and ".join(name for name in asked.base if name not in named)
        raise ReviewError(f"{strange} is no file, and {named[0]} is one. Name files alone, or one commit.")
    files = _files(root, named, asked.stacks)
    if not files[0].is_export:
        if asked.head:
            raise ReviewError("A preview says itself what would change: leave out --head.")
        return _previews(files)
    if asked.head and Path(asked.head).is_file():
        return _two_exports(root, files, asked.head)
    about = [f"Before: {file.told}." for file in files]
    return versions.from_exports(root, {file.stack: file.content for file in files}, about, asked.head, console)


def _files(root: Path, named: Iterable[str], stacks: Sequence[str]) -> list[File]:
    """The files with their stacks; one that names none is of the one stack that was asked for."""
    files: list[File] = []
    found = [_file(root, name) for name in named]
    if len({file.is_export for file in found}) > 1:
        raise ReviewError("Some of the files are stack exports and some are previews. Name files of one kind.")
    for file in found:
        name = file.path
        if not file.stack:
            if len(stacks) != 1:
                raise ReviewError(f"{name} has no resource that names its stack. Say which it is: --stack NAME.")
            file = replace(file, stack=stacks[0])
        if stacks and file.stack not in stacks:
            raise ReviewError(f"{name} is of the stack {file.stack}, which --stack does not name.")
        if file.stack in [each.stack for each in files]:
            raise ReviewError(f"{name} is of the stack {file.stack}, like another file. Name one for each stack.")
        files.append(file)
    return files


def _file(root: Path, name: str) -> File:
    content = exports.read_json(Path(name))
    if "deployment" in content:
        states = exports.states(content, name)
    else:
        states = [step.get("newState") or step["oldState"] for step in digest.told(content, name)]
    project = str(yaml.safe_load((root / "Pulumi.yaml").read_text("utf-8"))["name"])
    stack, of = ("", project)
    if states:
        head = str(states[0]["urn"]).split("::")
        stack, of = head[0].rpartition(":")[2], head[1]
    if of != project:
        raise ReviewError(f"{name} is of the project {of}, and this is {project}. Name one of this project.")
    return File(name, content, stack, of)


def _previews(files: Sequence[File]) -> Found:
    around = []
    for file in files:
        known = [step["oldState"] for step in file.content.get("steps") or () if step.get("oldState")]
        around.append({"deployment": {"resources": known}})
    changes = (digest.changes(file.content, file.path, around=around) for file in files)
    return Found(
        tuple(replace(each, stack=file.stack) for each, file in zip(changes, files, strict=True)),
        (
            *(f"{file.stack}: {Path(file.path).name}, a preview that was made elsewhere." for file in files),
            "Which policy exceptions are new, a preview does not say.",
        ),
    )


def _two_exports(root: Path, files: Sequence[File], head: str) -> Found:
    if len(files) > 1:
        raise ReviewError("Two exports are compared, of one stack: one before, and one as --head.")
    (before,) = files
    after = _file(root, head)
    if not after.is_export:
        raise ReviewError(f"{head} is a preview. Name it alone: it says itself what would change.")
    changes = exports.changes(before.content, after.content)
    told = replace(after, stack=before.stack).told
    return Found(
        (replace(changes, stack=before.stack),),
        (f"Before: {before.told}.", f"After: {told}. No engine was asked."),
    )


def _dated(export: Mapping[str, Any]) -> str:
    time = str((export["deployment"].get("manifest") or {}).get("time", ""))
    return f" of {time[:16].replace('T', ' ')}" if time[:4] > "0001" else ""
