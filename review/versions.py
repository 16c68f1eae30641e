"""Two versions of the program, or a state and a version: what the engine says lies between them.

Only the stacks asked for are looked at, and those that they lean on. A version may have stacks that the other has not:
a new one is previewed against nothing, and one whose file goes is told as what it is, a stack that nobody manages.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rehearsal import toolchain
from rehearsal.console import Console
from rehearsal.graph import Graph
from rehearsal.program import promotion, stack_files
from review import commits, digest, exceptions, exports
from review.commits import Commit
from review.errors import ReviewError
from review.handover import importable
from review.model import Changes
from review.programs import Exports, Kept, previews, rehearsed
from validation import stackfile

PLACE: Final = Path("build") / "review"
Configs = Mapping[str, Mapping[str, Any]]
"""The `config` of stack files, by stack."""
_NOTHING: Final[Mapping[str, Any]] = {"version": 3, "deployment": {"manifest": {}, "resources": []}}


@dataclass(frozen=True)
class Found:
    """What was found, in promotion order, and from what: for the foot of the report."""

    changes: tuple[Changes, ...]
    about: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """A version of the program with its files. `told` is it at length."""

    program: Path
    called: str
    told: str

    def configs(self) -> dict[str, dict[str, Any]]:
        """Raises ReviewError for a stack file that cannot be read."""
        try:
            return {stack: stackfile.read(path) for stack, path in stack_files(self.program).items()}
        except stackfile.StackFileError as error:
            raise ReviewError(f"In {self.called}: {error}") from None

    @property
    def packages(self) -> str:
        path = self.program / "requirements.txt"
        return path.read_text("utf-8") if path.is_file() else ""


def from_exports(
    root: Path, known: Mapping[str, Mapping[str, Any]], about: Sequence[str], head: str, console: Console
) -> Found:
    """A version previewed against exports, of whatever cloud.

    Raises:
        ReviewError, ToolchainError: with a message for a person.
    """
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    with version(root, head) as after, _place(root) as place:
        stacks = _in_order(after.configs())
        for stack, export in known.items():
            _write(place / "known" / f"{stack}.json", importable(export, sealed=True))
        told = previews(after.program, after.called, [*known], place / "known", cli, place / "told")
    return Found(
        tuple(
            digest.changes(told[stack], stack, export=known[stack], around=known.values(), sealed=True)
            for stack in stacks
            if stack in told
        ),
        (
            *about,
            f"After: {after.told}, previewed with Pulumi {cli.version} on a stand-in cloud.",
            "Which policy exceptions are new, an export does not say.",
        ),
    )


def between_commits(root: Path, base: str, head: str, asked: Sequence[str], console: Console) -> Found:
    """A version previewed against what another one makes.

    Raises:
        ReviewError, ToolchainError: with a message for a person.
    """
    commit = commits.resolve(root, base)
    cli = toolchain.bring(toolchain.ways(root, console), console.say)
    with version(root, head) as after, _place(root) as place, commits.checkout(root, commit, place) as files:
        before = Version(files, f"the base {commit}", str(commit))
        old, new = before.configs(), after.configs()
        wanted = _wanted(asked, old, new)
        states, known_before = _states(root, commit, before, [name for name in old if name in wanted], cli, place)
        staying = [name for name in new if name in wanted]
        for stack in staying:
            _write(place / "known" / f"{stack}.json", importable(states.get(stack, _NOTHING), sealed=False))
        told = previews(after.program, after.called, staying, place / "known", cli, place / "told") if staying else {}
        alike = before.packages == after.packages
    made = [
        replace(
            digest.changes(told[stack], stack, export=states.get(stack), around=states.values()),
            stack=stack,
            exceptions=exceptions.added(old.get(stack, {}), new[stack]),
        )
        for stack in _in_order(new)
        if stack in told
    ]
    made += [_abandoned(stack, states[stack]) for stack in _in_order(old) if stack in states and stack not in new]
    how = "known from an earlier rehearsal of the same files, engine and packages" if known_before else "rehearsed"
    return Found(
        tuple(made),
        (
            f"Before: {before.told}, {how}.",
            f"After: {after.told}, previewed against that with Pulumi {cli.version} on a stand-in cloud.",
            *(() if alike else ("Both ran on the Python packages of here, though their requirements.txt differ.",)),
        ),
    )


def _states(
    root: Path, commit: Commit, before: Version, stacks: Sequence[str], cli: toolchain.Cli, place: Path
) -> tuple[Exports, bool]:
    """The stacks of the base, and whether they were known."""
    if not stacks:
        return {}, False
    kept = Kept(root / PLACE / "base")
    key = kept.key(commit, stacks, cli)
    if (found := kept.find(key)) is not None:
        return found, True
    made = rehearsed(before.program, before.called, stacks, cli, place / "base")
    kept.keep(key, place / "base")
    return made, False


def _abandoned(stack: str, export: Mapping[str, Any]) -> Changes:
    """A stack whose file goes. Nothing happens to its resources: that is what has to be told."""
    graph = Graph.of(export)
    nothing = exports.changes(export, export)
    return replace(nothing, stack=stack, abandoned=sum(each.custom for each in graph.resources))


def _wanted(asked: Sequence[str], old: Configs, new: Configs) -> set[str]:
    """The stacks asked for, on either side, and those that they lean on."""
    known = {*old, *new}
    if strange := [name for name in asked if name not in known]:
        raise ReviewError(f"There is no stack {' nor '.join(strange)} on either side: {', '.join(sorted(known))}.")
    wanted, left = set[str](), [*(asked or sorted(known))]
    while left:
        if (name := left.pop()) not in wanted:
            wanted.add(name)
            left += [each for side in (old, new) for each in _leans_on(side.get(name, {})) if each in known]
    return wanted


def _leans_on(config: Mapping[str, Any]) -> list[str]:
    """What a stack file says, whatever version of the settings will read it."""
    said = config.get("aks-cicd:stacks")
    return [each for each in said.values() if isinstance(each, str)] if isinstance(said, Mapping) else []


def _in_order(configs: Configs) -> tuple[str, ...]:
    return promotion({name: [each for each in _leans_on(found) if each in configs] for name, found in configs.items()})


@contextmanager
def version(root: Path, head: str) -> Iterator[Version]:
    """The version under review: of a commit, or the working tree."""
    if not head:
        yield Version(root, "the working tree", commits.working_tree(root))
        return
    commit = commits.resolve(root, head)
    with commits.checkout(root, commit, root / PLACE) as program:
        yield Version(program, str(commit), str(commit))


@contextmanager
def _place(root: Path) -> Iterator[Path]:
    """A directory for what the versions hand to each other, gone when the review ends."""
    (root / PLACE).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / PLACE, prefix="run-") as name:
        yield Path(name)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
