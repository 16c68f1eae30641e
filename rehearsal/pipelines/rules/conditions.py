"""Conditions can be read, name what there is, and do not forget that something may have failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.evaluation import ARITY, FUNCTIONS
from rehearsal.pipelines.expressions import ExpressionError, calls, parse, paths
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Job, Stage, Step
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.rules.variables import outputs
from rehearsal.pipelines.variables import Visible

RULE: Final = "condition"
STATUS: Final = ("always", "canceled", "failed", "succeeded", "succeededorfailed")


def conditions(subject: Subject) -> Iterator[Finding]:
    for stage in subject.pipeline.stages:
        yield from _condition(subject, stage.condition, stage, None, None)
        for job in stage.jobs:
            yield from _condition(subject, job.condition, stage, job, None)
    for moment in subject.moments:
        yield from _condition(subject, moment.step.condition, moment.stage, moment.job, (moment.step, moment.seen))


def _condition(
    subject: Subject, text: Text | None, stage: Stage, job: Job | None, step: tuple[Step, Visible] | None
) -> Iterator[Finding]:
    if text is None:
        return
    try:
        tree = parse(text.value)
    except ExpressionError as error:
        yield Finding.at(text.at, RULE, str(error), "correct the expression")
        return
    called = list(calls(tree))
    for call in called:
        least, most = ARITY.get(call.function, (0, 99))
        if call.function not in (*FUNCTIONS, "and", "or", *STATUS):
            yield Finding.at(text.at, RULE, f"the function {call.function}() is not known", "use another")
        elif not least <= len(call.arguments) <= most or (step and call.function in STATUS and call.arguments):
            message = f"{call.function}() does not take {len(call.arguments)} arguments here"
            yield Finding.at(text.at, RULE, message, "correct the call")
    allowed = ("variables",) if step else ("variables", "dependencies", "stageDependencies", "pipeline")
    found = list(paths(tree))
    for path in found:
        if path[0] not in allowed:
            message = f"{path[0]} is not known in the condition of a {'step' if step else 'job or stage'}"
            yield Finding.at(text.at, RULE, message, f"known: {', '.join(allowed)}")
    asks = any(call.function in STATUS for call in called) or any(path[-1] == "result" for path in found)
    if not asks:
        message = f"{text.value!r} holds whether or not something has failed before"
        yield Finding.at(text.at, RULE, message, "write and(succeeded(), …)")
    if step is None:
        yield from outputs(subject, text, tree, stage, job)
        return
    for path in found:
        if path[0] == "variables" and len(path) > 1 and step[1].get(path[1]) is None and step[1].whole:
            yield Finding.at(text.at, "variable", f"no variable {path[1]!r} is known here", "correct the name")
