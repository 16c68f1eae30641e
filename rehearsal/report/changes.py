"""What a run would change in what exists already, danger first, with what is known of each change.

The engine says of every property whether its provider replaces for it. Whether the service then takes the change is
another question; where no source answers it, that is said, because a person may want to look before they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from rehearsal.cloud.effects import effect
from rehearsal.cloud.replacements import WORDS, Effect
from rehearsal.run import Run, Step
from rehearsal.words import count

Style = Callable[..., str]

_NEW: Final = ("create", "import")
_FEW: Final = 12
"""New resources up to this number are named."""


def changes(run: Run, style: Style) -> str:
    """The changes of a run, a line each with its properties below."""
    lines: list[str] = []
    for title, colour, steps in _groups(run):
        lines.append(style(f"{title}: {len(steps)}", colour))
        if title in ("create", "import") and len(steps) > _FEW:
            continue
        for step in steps:
            lines.append(f"  {step.name} ({step.type.rsplit(':', 1)[-1]})")
            lines += [f"    {path}: {words}" for path, words in properties(step)]
    unknown = sum(words == WORDS[Effect.UNKNOWN] for step in run.changed() for _, words in properties(step))
    if unknown:
        lines.append(
            style(f"{count(unknown, 'change')} of which no public source says whether the service takes it", "yellow")
        )
    return "\n".join(lines) or "Nothing changes."


def properties(step: Step) -> Iterator[tuple[str, str]]:
    """The properties that a step changes in what exists, with what each change does."""
    if step.op in (*_NEW, "delete"):
        return
    for path, kind in step.diff.items():
        if kind.endswith("replace"):
            yield path, WORDS[Effect.REPLACE]
        elif step.custom:
            yield path, effect(step.type, path).words


def _groups(run: Run) -> Iterator[tuple[str, str, list[Step]]]:
    steps = [step for step in run.changed() if step.type != "pulumi:pulumi:Stack"]
    replaced = {step.urn for step in steps if "replace" in step.op}
    # A replacement is several steps of the engine's, and one change.
    whole = {step.urn: step for step in steps if step.op in ("create-replacement", "replace")}
    yield from _group("replace", "red", list(whole.values()))
    rest = [step for step in steps if step.urn not in replaced]
    yield from _group("delete", "red", [step for step in rest if step.op == "delete"])
    yield from _group("update", "yellow", [step for step in rest if step.op == "update"])
    yield from _group("import", "green", [step for step in rest if step.op == "import"])
    yield from _group("create", "green", [step for step in rest if step.op == "create"])


def _group(title: str, colour: str, steps: list[Step]) -> Iterator[tuple[str, str, list[Step]]]:
    if steps:
        yield title, colour, steps
