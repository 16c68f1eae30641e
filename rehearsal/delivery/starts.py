"""What starts a pipeline, as its YAML says it.

Reads `trigger`, `pr`, `schedules` and the triggers of `resources.pipelines`, which Azure Pipelines takes from the file
itself and never from a template. What it does not do: paths and tags of a filter are left out, and expressions are not
evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

ANY: tuple[str, ...] = ("any branch",)


@dataclass(frozen=True)
class Starts:
    """Branches whose pushes and pull requests start a run, pipelines (to branches) whose end does, and schedules."""

    pushes: tuple[str, ...] = ()
    pull_requests: tuple[str, ...] = ()
    completions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schedules: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return (
            *([f"a push to {' '.join(self.pushes)}"] if self.pushes else []),
            *([f"a pull request to {' '.join(self.pull_requests)}"] if self.pull_requests else []),
            *(
                f"the end of {pipeline}" + (f" on {' '.join(branches)}" if branches != ANY else "")
                for pipeline, branches in self.completions.items()
            ),
            *(f"the clock, {cron}" for cron in self.schedules),
        )


@cache
def read(text: str, reads_pr: bool) -> Starts | None:
    """What a pipeline's YAML says; None if it is no YAML of a pipeline. Azure Repos does not read `pr`, GitHub does."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(content, Mapping):
        return None
    return Starts(
        pushes=_branches(content.get("trigger", True)),
        pull_requests=_branches(content.get("pr", True)) if reads_pr else (),
        completions=dict(_completions(content)),
        schedules=tuple(str(each.get("cron")) for each in _items(content.get("schedules"))),
    )


def _completions(content: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    resources = content.get("resources")
    for each in _items(resources.get("pipelines") if isinstance(resources, Mapping) else None):
        # A pipeline that is only named, to take something from it, starts nothing.
        if branches := _branches(each.get("trigger", "none")):
            yield str(each.get("source", "?")), branches


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _branches(trigger: Any) -> tuple[str, ...]:
    """The branches of a trigger in any of its forms: a word, a list, or filters of both kinds."""
    if isinstance(trigger, list):
        return tuple(map(str, trigger))
    if isinstance(trigger, Mapping):
        branches = trigger.get("branches", True)
        return _branches(branches.get("include", True) if isinstance(branches, Mapping) else branches)
    return () if trigger in ("none", None, False) else ANY
