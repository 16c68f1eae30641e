"""Which variables a step sees, where each comes from, and what it looks like in a run.

Sources, the later ones covering the earlier: Azure Pipelines itself, then groups and values of the pipeline, its stage
and its job, then what steps before it in the same job have set (`##vso[task.setvariable …]` in their script, or in the
script that they call).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from rehearsal.pipelines.commands import MACRO
from rehearsal.pipelines.estate import Estate
from rehearsal.pipelines.harness import OF_THE_RUN
from rehearsal.pipelines.known import KNOWN, TASKS, predefined
from rehearsal.pipelines.model import Job, Pipeline, Stage, Step, Variables
from rehearsal.pipelines.nodes import Foreign

_SETS: Final = re.compile(r"##vso\[task\.setvariable variable=([\w.]+)([^\]]*)\]", re.I)

LOST: Final = "something that sets variables and is not there"


@dataclass(frozen=True)
class Set:
    """A variable that a step sets."""

    name: str
    secret: bool
    output: bool


@dataclass(frozen=True)
class Known:
    """A variable that is there."""

    name: str
    like: str
    secret: bool = False
    foreign: bool = False
    """Somebody outside chooses its text."""


class Visible:
    """The variables at one place of a pipeline."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known

    def get(self, name: str) -> Known | None:
        return self._known.get(name.lower())

    @property
    def whole(self) -> bool:
        """Every variable is known; false where a group or a script that brings some is not there."""
        return LOST not in self._known

    def like(self, text: str) -> str:
        """A text with its macros replaced, those of their values too; unknown ones stay."""
        for _ in range(8):
            replaced = MACRO.sub(lambda found: self._like(found[1], found[0]), text)
            if replaced == text:
                break
            text = replaced
        return text

    def environment(self, name: str) -> Known | None:
        """The variable that a shell sees under a name; secrets are in no environment unless a step puts them there."""
        for one in self._known.values():
            if not one.secret and re.sub(r"[. ]", "_", one.name).upper() == name:
                return one
        return Known(name, f"/{name.lower()}") if name in KNOWN["environment"] else None

    def foreign(self, name: str) -> bool:
        """Whether somebody outside chooses its text, or that of a variable that its value names."""
        found = self.get(name)
        if found is None:
            return False
        inner = (one for one in MACRO.findall(found.like) if one.lower() != name.lower())
        return found.foreign or any(self.foreign(one) for one in inner)

    def _like(self, name: str, otherwise: str) -> str:
        found = self.get(name)
        return found.like if found else otherwise


def base(pipeline: Pipeline, estate: Estate) -> Iterator[Known]:
    """What Azure Pipelines brings to every job of a pipeline."""
    asked = estate.definitions[pipeline.name].validates or pipeline.starts.pull_requests not in (None, ())
    for one in predefined(each.alias for each in pipeline.resources).values():
        if one.only not in ("deployment", *([] if asked else ["pr"])):
            yield Known(one.name, one.like, one.name == "System.AccessToken", one.foreign)


def visible(pipeline: Pipeline, estate: Estate, stage: Stage | None = None, job: Job | None = None) -> dict[str, Known]:
    """By name in lower case, at the level of the pipeline, of a stage, or of a job."""
    found = {one.name.lower(): one for one in base(pipeline, estate)}
    if job and job.deployment:
        own = [one for one in predefined(()).values() if one.only == "deployment"]
        found |= {one.name.lower(): Known(one.name, one.like) for one in own}
    for level in (pipeline, stage, job):
        if level is not None:
            found |= {one.name.lower(): one for one in _level(level.variables, estate)}
    return found


def sets_itself(step: Step) -> Iterator[Set]:
    """What the task and the inline script of a step set."""
    for name in TASKS.get(step.task, {}).get("outputs", ()):
        yield Set(name, secret=False, output=True)
    if hit := step.text("cacheHitVar"):
        yield Set(hit, secret=False, output=False)
    if step.script and not step.restricted:
        yield from _named(step.script.value)


def sets_of_script(path: Path) -> tuple[Set, ...]:
    """What a script file sets: in words of the agent, or by `set_variable(…)` of `agent`."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> tuple[Set, ...]:
    """`changed` makes a file that is written again another one."""
    text = path.read_text("utf-8")
    found = list(_named(text))
    if path.suffix == ".py":
        for node in ast.walk(_tree(text)):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", None) != "set_variable":
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                marks = {mark.arg: getattr(mark.value, "value", True) for mark in node.keywords}
                found.append(Set(str(node.args[0].value), bool(marks.get("secret")), bool(marks.get("output"))))
    return tuple(found)


def _tree(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])  # said by `command_lines`, when the script is started


def _named(text: str) -> Iterator[Set]:
    for name, marks in _SETS.findall(text):
        lowered = marks.lower()
        yield Set(name, "issecret=true" in lowered, "isoutput=true" in lowered)


def _level(variables: Variables, estate: Estate) -> Iterator[Known]:
    for group in variables.groups:
        thing = estate.groups.get(group.value)
        if thing is None:
            yield Known(LOST, "")
            continue
        for name, like in (thing.variables or {}).items():
            yield Known(name, like)
    for key, value in variables.values:
        like = OF_THE_RUN if value.value.startswith("$[") else value.value
        yield Known(key.value, like, foreign=isinstance(value.value, Foreign))
