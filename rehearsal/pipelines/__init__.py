"""The linter that holds the pipelines against the rehearsed stacks.

A pipeline fails late: names of connections, environments and groups are resolved when a run is compiled, variables when
a step starts, and what happens after a failure is seen after a failure. So the YAML is compiled here as Azure Pipelines
compiles it, in every way in which a run can start, and held against what the stacks really made and let the pipeline
use.

What it does not do: it runs no task and knows no Azure; `docs/unproven.md` names what only a real run shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rehearsal.pipelines.compilation import compilations
from rehearsal.pipelines.estate import Estate
from rehearsal.pipelines.finding import Finding, Place
from rehearsal.pipelines.model import Pipeline
from rehearsal.pipelines.rules import RULES, Subject
from rehearsal.pipelines.rules.command_lines import command_lines
from rehearsal.pipelines.rules.scripts import administrators
from rehearsal.pipelines.sources import SEEDS, Sources

__all__ = ["Finding", "Place", "lint"]

EXPECTED: Final = ("pr", "ci", "cd")
"""Without these there is no delivery; a look at no pipelines at all would find nothing wrong."""


def lint(directory: Path, exports: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """What is wrong with the pipelines of the project in `directory`, held against the exports of its stacks.

    The exports are those of `make preview`, by stack, in promotion order. Files that cannot be compiled are reported
    alone: what would follow from them is not known. Findings are sorted and come once. RehearsalError when there is
    nothing to judge.
    """
    sources, estate = Sources(directory), Estate.of(exports)
    compiled: dict[str, list[Pipeline]] = {}
    findings = {
        Finding(SEEDS, 1, "pipeline", f"no stack has the pipeline {name}", "give the exports of all stacks")
        for name in EXPECTED
        if name not in estate.definitions
    }
    for name, definition in estate.definitions.items():
        compiled[name], found = compilations(sources, estate, definition)
        findings.update(found)
    if findings:
        return sorted(findings)
    subjects = [Subject(each, estate, sources, compiled) for some in compiled.values() for each in some]
    for subject in subjects:
        for rule in RULES:
            findings.update(rule(subject))
    findings.update(command_lines(subjects))
    findings.update(administrators(sources))
    return sorted(findings)
