"""What runs when something fails: the conditions of a pipeline followed through one imagined run.

Conditions are evaluated as the service does (process/conditions.md, process/expressions.md): a step asks for the status
of its job, a job and a stage for the results of everything they depend on, directly or by way of others. Where a
condition hangs on a value of the run, the answer is `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from rehearsal.pipelines.evaluation import UNKNOWN, Function, Lookup, Scope, Unknown, Value, evaluate, to_bool, to_text
from rehearsal.pipelines.expressions import ExpressionError, parse
from rehearsal.pipelines.model import Job, Phase, Pipeline, Stage, Step
from rehearsal.pipelines.nodes import Text

Result = str | Unknown
"""`Succeeded`, `SucceededWithIssues`, `Failed`, `Canceled`, `Skipped`."""
Runs = bool | Unknown

_GOOD: Final = ("Succeeded", "SucceededWithIssues")
_Vertex = TypeVar("_Vertex", Stage, Job)


@dataclass(frozen=True)
class Mishap:
    """What goes wrong in a run."""

    failing: frozenset[Step] = frozenset()
    """Steps that fail, and so have run, unless they cannot."""
    lost: frozenset[Job] = frozenset()
    """Jobs that are cut off at their first step: the agent is gone, or the time is up."""
    refused: Mapping[Stage, str] = field(default_factory=dict)
    """Stages that a gate does not let start, and the result that leaves."""


@dataclass
class Run:
    """How an imagined run went."""

    ran: dict[Step, Runs] = field(default_factory=dict)
    jobs: dict[Job, Result] = field(default_factory=dict)
    stages: dict[Stage, Result] = field(default_factory=dict)

    @property
    def good(self) -> Runs:
        """The run is green."""
        return _all_good(self.stages.values(), ("Succeeded", "SucceededWithIssues", "Skipped"))


def simulate(pipeline: Pipeline, mishap: Mishap = Mishap()) -> Run:
    """Follows the pipeline through a run with the mishap."""
    run = Run()
    for stage in in_order(pipeline.stages):
        before = [run.stages[other] for other in ancestors(stage, pipeline.stages)]
        named = {other.name: run.stages[other] for other in pipeline.stages if other in run.stages}
        contexts = {"dependencies": _results({name: named[name] for name in _waits(stage) if name in named})}
        starts = _holds(stage.condition, contexts, _of_graph(before, named))
        if stage in mishap.refused and starts is not False:
            run.stages[stage] = mishap.refused[stage]
            starts = False
        for job in in_order(stage.jobs):
            _job(job, stage, pipeline, starts, mishap, run)
        if stage not in run.stages:
            run.stages[stage] = "Skipped" if starts is False else _together([run.jobs[job] for job in stage.jobs])
    return run


def in_order(nodes: Sequence[_Vertex]) -> Iterator[_Vertex]:
    """Each after everything that it waits for."""
    done: set[str] = set()
    while rest := [node for node in nodes if node.name not in done]:
        ready = [node for node in rest if _waits(node) <= done] or rest
        for node in ready:
            yield node
            done.add(node.name)


def ancestors(node: _Vertex, nodes: Sequence[_Vertex]) -> list[_Vertex]:
    """What it waits for, directly or by way of others."""
    by_name = {each.name: each for each in nodes}
    found: list[_Vertex] = []
    open_ = [by_name[name] for name in _waits(node) if name in by_name]
    while open_:
        one = open_.pop()
        if one not in found:
            found.append(one)
            open_ += [by_name[name] for name in _waits(one) if name in by_name]
    return found


def _waits(node: Stage | Job) -> set[str]:
    return {name.value for name in node.depends_on}


def _job(job: Job, stage: Stage, pipeline: Pipeline, starts: Runs, mishap: Mishap, run: Run) -> None:
    named = {other.name: run.jobs[other] for other in stage.jobs if other in run.jobs}
    before = [run.jobs[other] for other in ancestors(job, stage.jobs)]
    others = {
        each.name: {one.name: run.jobs[one] for one in each.jobs if one in run.jobs}
        for each in pipeline.stages
        if each.name in _waits(stage)
    }
    contexts = {
        "dependencies": _results({name: named[name] for name in _waits(job) if name in named}),
        "stageDependencies": _nested(others),
    }
    runs = starts if starts is False else _both(starts, _holds(job.condition, contexts, _of_graph(before, named)))
    if runs is False:
        run.ran.update(dict.fromkeys(job.steps, False))
        run.jobs[job] = "Skipped"
        return
    result = _phases(job, runs, mishap, run)
    if job in mishap.lost and runs is True:
        result = "Canceled"
    if job.continue_on_error and result == "Failed":
        result = "SucceededWithIssues"
    # A step that fails has run, and its job with it.
    certain = runs is True or not mishap.failing.isdisjoint(job.steps)
    run.jobs[job] = result if certain else UNKNOWN


def _phases(job: Job, runs: Runs, mishap: Mishap, run: Run) -> Result:
    """The steps of a job, hook by hook."""
    result: Result = "Succeeded"
    for phase in job.phases:
        wanted: Runs = {"on.failure": result == "Failed", "on.success": result in _GOOD}.get(
            phase.name, result in _GOOD
        )
        if isinstance(result, Unknown):
            wanted = UNKNOWN
        status = _phase(phase, _both(runs, wanted), "Canceled" if job in mishap.lost else "Succeeded", mishap, run)
        if wanted is not False and status not in ("Succeeded", result) and result != "Failed":
            result = status
    return result


def _phase(phase: Phase, runs: Runs, status: Result, mishap: Mishap, run: Run) -> Result:
    for step in phase.steps:
        asked = runs if runs is False else _both(runs, _holds(step.condition, {}, _of_job(status), status))
        # Where an agent is gone, nothing more runs on it, whatever a condition says.
        run.ran[step] = False if status == "Canceled" else asked
        if step in mishap.failing and asked is not False and status != "Canceled":
            run.ran[step] = True
            status = "SucceededWithIssues" if step.continue_on_error else "Failed"
    return status


def _holds(
    condition: Text | None,
    contexts: Mapping[str, Lookup],
    functions: Mapping[str, Function],
    status: Result | None = None,
) -> Runs:
    """Whether a condition lets its step, job or stage run; UNKNOWN also where it cannot be read."""

    def variable(name: str) -> Value:
        return status if status is not None and name.lower() == "agent.jobstatus" else UNKNOWN

    scope = Scope({"variables": variable, "pipeline": lambda _: UNKNOWN, **contexts}, functions)
    try:
        return to_bool(evaluate(parse(condition.value if condition else "succeeded()"), scope))
    except ExpressionError:
        return UNKNOWN


def _of_job(status: Result) -> Mapping[str, Function]:
    """The status functions as a step sees them."""

    def among(*results: str) -> Function:
        return lambda _: UNKNOWN if isinstance(status, Unknown) else status in results

    return {
        "always": lambda _: True,
        "succeeded": among(*_GOOD),
        "failed": among("Failed"),
        "canceled": among("Canceled"),
        "succeededorfailed": among(*_GOOD, "Failed"),
    }


def _of_graph(before: Sequence[Result], named: Mapping[str, Result]) -> Mapping[str, Function]:
    """The status functions as a job or a stage sees them: over all it depends on, or over those that it names."""

    def chosen(arguments: Sequence[Value]) -> Sequence[Result]:
        names = [to_text(argument).lower() for argument in arguments]
        return [result for name, result in named.items() if name.lower() in names] if names else before

    def some(results: Sequence[Result], wanted: Iterable[str]) -> Runs:
        if any(result in wanted for result in results if not isinstance(result, Unknown)):
            return True
        return UNKNOWN if any(isinstance(result, Unknown) for result in results) else False

    def any_of(*wanted: str, empty: bool) -> Function:
        return lambda arguments: some(found, wanted) if (found := chosen(arguments)) else empty

    return {
        "always": lambda _: True,
        # Of the whole run, which nobody cancels here.
        "canceled": lambda _: False,
        "succeeded": lambda arguments: _all_good(chosen(arguments), _GOOD),
        "failed": any_of("Failed", empty=False),
        "succeededorfailed": any_of(*_GOOD, "Failed", empty=True),
    }


def _all_good(results: Iterable[Result], good: Sequence[str]) -> Runs:
    found = list(results)
    if any(result not in good for result in found if not isinstance(result, Unknown)):
        return False
    return UNKNOWN if any(isinstance(result, Unknown) for result in found) else True


def _both(first: Runs, second: Runs) -> Runs:
    if first is False or second is False:
        return False
    return UNKNOWN if isinstance(first, Unknown) or isinstance(second, Unknown) else True


def _together(results: Sequence[Result]) -> Result:
    """The result of a stage from those of its jobs."""
    if any(isinstance(result, Unknown) for result in results):
        return UNKNOWN
    for worst in ("Failed", "Canceled", "SucceededWithIssues", "Succeeded"):
        if worst in results:
            return worst
    return "Skipped"


def _results(named: Mapping[str, Result]) -> Lookup:
    """`dependencies`: what it holds of one that is not waited for is nothing."""

    def one(name: str) -> Value | Lookup:
        found = next((result for known, result in named.items() if known.lower() == name.lower()), None)
        return None if found is None else lambda key: found if key.lower() == "result" else UNKNOWN

    return one


def _nested(stages: Mapping[str, Mapping[str, Result]]) -> Lookup:
    return lambda name: _results(next((jobs for known, jobs in stages.items() if known.lower() == name.lower()), {}))
