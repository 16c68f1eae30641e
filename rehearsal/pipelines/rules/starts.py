"""What starts each pipeline: a pull request, a merge, the end of another one; and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.rules.subject import Subject

RULE: Final = "starts"
MAIN: Final = "main"
CI: Final = "ci"
PUSHED: Final = (CI, "infrastructure")
"""Pipelines that a merge starts."""
VALIDATING: Final = ("pr", "infrastructure-pr")
"""Pipelines that a pull request must pass; the platform's own checks are for the stacks to say."""


def starts(subject: Subject) -> Iterator[Finding]:
    pipeline = subject.pipeline
    definition = subject.estate.definitions[pipeline.name]
    said = pipeline.starts
    triggers = [each for each in pipeline.resources if each.branches]
    pushes = (MAIN,) if pipeline.name in PUSHED else ()
    if said.branches != pushes:
        wanted = f"pushes to {MAIN}" if pushes else "no push"
        now = "every push" if said.branches is None else f"pushes to {', '.join(said.branches) or 'nothing'}"
        mend = f"write `trigger: branches: include: [{MAIN}]`" if pushes else "write `trigger: none`"
        yield Finding.at(said.at, RULE, f"{wanted} may start {pipeline.name}, but {now} would", mend)
    asked = pipeline.name == "pr"
    if pipeline.name in VALIDATING and not definition.github and not definition.validates:
        message = "no branch policy starts it, and Azure Repos does not read `pr:`"
        yield Finding.at(pipeline.at, RULE, message, "let a blocking build-validation policy start it")
    if said.pull_requests != ((MAIN,) if asked else ()):
        wanted = f"pull requests to {MAIN}" if asked else "no pull request"
        mend = f"write `pr: branches: include: [{MAIN}]`" if asked else "write `pr: none`"
        yield Finding.at(pipeline.at, RULE, f"on GitHub, {wanted} may start {pipeline.name}", mend)
    if pipeline.name == "cd" and not triggers:
        yield Finding.at(pipeline.at, RULE, f"the end of {CI} does not start cd", "give its resource a trigger")
    for each in triggers:
        if pipeline.name != "cd" or each.source != CI or each.branches != (MAIN,):
            message = f"the end of {each.source} on {', '.join(each.branches)} starts {pipeline.name}"
            yield Finding.at(each.at, RULE, message, f"let only the end of {CI} on {MAIN} start cd")
