"""Every variable that is read is there: macros, variables of the shell, and values that other jobs have set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.commands import macros, shell_variables
from rehearsal.pipelines.expressions import ExpressionError, Tree, parse, paths
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.model import Job, Stage
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.variables import Visible, visible
from rehearsal.pipelines.walk import Moment

RULE: Final = "variable"
_MEND: Final = "link the group that has it, set it, or correct the name"


def in_steps(subject: Subject) -> Iterator[Finding]:
    """Macros in inputs and environments, and what scripts read from their environment."""
    for moment in subject.moments:
        step = moment.step
        for text in (*step.inputs.values(), *step.env.values()):
            yield from _macros(text, moment.seen, f"step of the job {moment.job.name}")
        if step.script:
            for name in shell_variables(step.script.value):
                if name in step.env or moment.seen.environment(name) or not moment.seen.whole:
                    continue
                secret = next((one for one in (moment.seen.get(name),) if one and one.secret), None)
                mend = f"map it: `env: {name}: $({name})`" if secret else "map it in `env:`, or correct the name"
                yield Finding.at(step.script.at, RULE, f"the shell has no variable {name}", mend)


def in_variables(subject: Subject) -> Iterator[Finding]:
    """Macros in the values of variables, at the level where they are written, and run-time expressions there."""
    pipeline, estate = subject.pipeline, subject.estate
    levels: list[tuple[Stage | None, Job | None]] = [(None, None)]
    for stage in pipeline.stages:
        levels += [(stage, None), *((stage, job) for job in stage.jobs)]
    for stage_, job in levels:
        own = (job or stage_ or pipeline).variables
        seen = Visible(visible(pipeline, estate, stage_, job))
        for name, value in own.values:
            if value.value.startswith("$["):
                yield from _runtime(subject, value, stage_, job)
            else:
                yield from _macros(value, seen, f"variable {name.value}")


def _macros(text: Text, seen: Visible, where: str) -> Iterator[Finding]:
    for name in dict.fromkeys(macros(text.value)):
        if seen.get(name) is None and seen.whole:
            yield Finding.at(text.at, RULE, f"no variable {name!r} is known in the {where}", _MEND)


def _runtime(subject: Subject, value: Text, stage: Stage | None, job: Job | None) -> Iterator[Finding]:
    """`$[ … ]`: what it names of other jobs was set there."""
    try:
        tree = parse(value.value.removeprefix("$[").removesuffix("]"))
    except ExpressionError as error:
        yield Finding.at(value.at, "expression", str(error), "correct the expression")
        return
    allowed = ("variables", "dependencies", "stageDependencies") if job else ("variables", "stageDependencies")
    strange = sorted({path[0] for path in paths(tree)} - set(allowed))
    for name in strange:
        message = f"{name} is not known in a variable of a {'job' if job else 'stage or pipeline'}"
        yield Finding.at(value.at, "expression", message, f"known: {', '.join(allowed)}")
    if not strange:
        yield from outputs(subject, value, tree, stage, job)


def outputs(subject: Subject, text: Text, tree: Tree, stage: Stage | None, job: Job | None) -> Iterator[Finding]:
    """Values that an expression takes from other jobs and stages, each by the path that its kind of job demands."""
    for path in paths(tree):
        root = path[0].lower()
        if root == "dependencies" and len(path) > 1:
            yield from _of_dependencies(subject, text, path, stage, job)
        elif root == "stagedependencies" and len(path) > 2 and stage:
            yield from _of_stages(subject, text, path, stage)
        elif root == "variables" and len(path) > 1:
            known = Visible(visible(subject.pipeline, subject.estate, stage, job))
            if known.get(path[1]) is None and known.whole:
                yield Finding.at(text.at, RULE, f"no variable {path[1]!r} is known here", _MEND)


def _of_dependencies(
    subject: Subject, text: Text, path: tuple[str, ...], stage: Stage | None, job: Job | None
) -> Iterator[Finding]:
    """Of jobs of the same stage, or, in a stage's condition, of stages: `outputs['job.step.variable']`."""
    waiting = (job or stage or subject.pipeline.stages[0]).depends_on
    if path[1] not in [name.value for name in waiting]:
        message = f"dependencies holds nothing of {path[1]!r}, which is not waited for"
        yield Finding.at(text.at, "dependency", message, f"add {path[1]} to dependsOn")
        return
    if len(path) < 4 or path[2] != "outputs":
        return
    if job and stage:
        of = stage.job(path[1])
        if of:
            yield from _set_in(subject, text, stage, of, path[3])
        return
    other = subject.pipeline.stage(path[1])
    name, _, rest = path[3].partition(".")
    of = other.job(name) if other else None
    if other is None or of is None:
        yield Finding.at(text.at, "dependency", f"the stage {path[1]} has no job {name!r}", "name one")
    else:
        yield from _set_in(subject, text, other, of, rest)


def _of_stages(subject: Subject, text: Text, path: tuple[str, ...], stage: Stage) -> Iterator[Finding]:
    """Of jobs of other stages: `stageDependencies.stage.job.outputs['step.variable']`."""
    other = subject.pipeline.stage(path[1])
    if other is None or path[1] not in [name.value for name in stage.depends_on]:
        message = f"stageDependencies holds nothing of {path[1]!r}, which is not waited for"
        yield Finding.at(text.at, "dependency", message, f"add {path[1]} to dependsOn")
        return
    of = other.job(path[2])
    if of is None:
        yield Finding.at(text.at, "dependency", f"the stage {path[1]} has no job {path[2]!r}", "name one")
    elif len(path) > 4 and path[3] == "outputs":
        yield from _set_in(subject, text, other, of, path[4])


def _set_in(subject: Subject, text: Text, stage: Stage, job: Job, path: str) -> Iterator[Finding]:
    """A job's outputs are `step.variable`; a deployment job's have the job's own name before them."""
    said = path
    if job.deployment:
        before, _, path = path.partition(".")
        if before != job.name:
            message = f"{said!r} is no output of the deployment job {job.name}"
            yield Finding.at(text.at, "dependency", message, f"write {job.name}.<step>.<variable>")
            return
    step, _, name = path.partition(".")
    found = _moment(subject, stage, job, step)
    if found is None:
        yield Finding.at(
            text.at, "dependency", f"the job {job.name} has no step {step!r}", "name the step that sets it"
        )
    elif any(call.file is None for call in found.calls):
        return  # said by `scripts.files`
    elif name.lower() not in [one.name.lower() for one in found.sets if one.output]:
        message = f"the step {step} of the job {job.name} sets no output variable {name!r}"
        yield Finding.at(text.at, "dependency", message, "name one that it sets with isOutput=true")


def _moment(subject: Subject, stage: Stage, job: Job, step: str) -> Moment | None:
    """Of a deployment job, only what `deploy` sets is known under the job's name."""
    phases = ("", "deploy")
    return next(
        (
            each
            for each in subject.moments
            if each.stage is stage and each.job is job and each.step.name == step and each.phase.name in phases
        ),
        None,
    )
