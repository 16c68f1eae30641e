"""R27: what a run was is written down at its end, whatever became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from components.delivery.pipelines import UPDATES
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Pipeline
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.simulation import Mishap, ancestors, simulate
from rehearsal.pipelines.walk import Moment

RULE: Final = "record"
SCRIPT: Final = "run_record.py"
INFRASTRUCTURE: Final = ("infrastructure-pr", "infrastructure", "drift", "environment")


def records(subject: Subject) -> Iterator[Finding]:
    """A pipeline that has an identity writes its own record; the others' is forwarded by one that has.

    Records are of deliveries. Who proposes updates delivers nothing, and what becomes of a proposal is in its own run;
    those of the infrastructure are no releases, and the state has their history.
    """
    if subject.pipeline.name in (UPDATES, *INFRASTRUCTURE):
        return
    if not any(True for moment in subject.moments for _ in subject.connections(moment.step)):
        if not any(_forwards(other) for others in subject.all.values() for other in others):
            message = f"nobody writes down the runs of {subject.pipeline.name}"
            yield Finding.at(subject.pipeline.at, RULE, message, f"let ci call {SCRIPT} forward")
        return
    last = _last(subject)
    if last is None:
        at = subject.pipeline.extends_at
        yield Finding.at(at, RULE, f"the last step of the run does not call {SCRIPT}", "end with a job that does")
        return
    for moment in subject.moments:
        if moment is not last and subject.without(moment).ran[last.step] is not True:
            message = f"nothing is written down when this step of {moment.job.name} fails"
            yield Finding.at(moment.step.at, RULE, message, f"let the job {last.job.name} run always()")
    for stage in subject.pipeline.stages:
        for result in ("Skipped", "Failed", "Canceled") if stage is not last.stage else ():
            run = simulate(subject.pipeline, Mishap(refused={stage: result}))
            if run.ran[last.step] is not True:
                message = f"nothing is written down when the gates of {stage.name} leave it {result.lower()}"
                yield Finding.at(stage.at, RULE, message, f"let the stage {last.stage.name} run always()")
                break
    yield from _own_records(subject)
    yield from _decides(subject)


def _last(subject: Subject) -> Moment | None:
    """The step that calls the script, in the job that waits for all others, with nothing after it."""
    stages = subject.pipeline.stages
    for stage in stages:
        if len(ancestors(stage, stages)) < len(stages) - 1:
            continue
        for job in stage.jobs:
            steps = [each for each in subject.moments if each.job is job]
            if len(ancestors(job, stage.jobs)) == len(stage.jobs) - 1 and steps and steps[-1].calls_script(SCRIPT):
                return steps[-1]
    return None


def _own_records(subject: Subject) -> Iterator[Finding]:
    """Each environment's own stage writes to that environment's table."""
    for stage in subject.pipeline.stages:
        if not subject.environments(stage):
            continue
        own = subject.calling(SCRIPT, stage)
        if not own:
            message = f"the stage {stage.name} leaves no record in the table of its environment"
            yield Finding.at(stage.at, RULE, message, f"end it with a job that calls {SCRIPT}")
        for moment in subject.moments:
            if moment.stage is not stage or not own or moment is own[-1]:
                continue
            if subject.without(moment).ran[own[-1].step] is not True:
                message = f"the stage {stage.name} leaves no record when this step of {moment.job.name} fails"
                yield Finding.at(
                    moment.step.at, RULE, message, "let the job of its record run always(), after this one"
                )


def _decides(subject: Subject) -> Iterator[Finding]:
    """A record that cannot be written stops nothing and turns nothing red."""
    for moment in subject.calling(SCRIPT):
        if subject.without(moment).good is not True:
            message = "a record that cannot be written makes the run fail"
            yield Finding.at(moment.step.at, RULE, message, "write continueOnError: true")


def _forwards(pipeline: Pipeline) -> bool:
    return any(
        step.script and re.search(rf"{SCRIPT}\S*\s+forward\b", step.script.value) for *_, step in pipeline.places
    )
