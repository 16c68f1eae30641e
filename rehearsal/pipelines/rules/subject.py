"""What every rule is given, and how it says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rehearsal.pipelines.estate import Estate, Thing
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.known import TASKS
from rehearsal.pipelines.model import Pipeline, Stage, Step
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.simulation import Mishap, Run, simulate
from rehearsal.pipelines.sources import Sources
from rehearsal.pipelines.walk import Moment, Walk


@dataclass(frozen=True)
class Subject:
    """One compilation, and what it is held against."""

    pipeline: Pipeline
    estate: Estate
    sources: Sources
    all: Mapping[str, Sequence[Pipeline]]
    """Every compilation of every pipeline, by the pipeline's name."""

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(Walk(self.pipeline, self.estate, self.sources).moments())

    def without(self, moment: Moment) -> Run:
        """A run in which the step fails."""
        if moment.step not in self._runs:
            self._runs[moment.step] = simulate(self.pipeline, Mishap(frozenset({moment.step})))
        return self._runs[moment.step]

    @cached_property
    def _runs(self) -> dict[Step, Run]:
        return {}

    def calling(self, script: str, stage: Stage | None = None) -> list[Moment]:
        """The steps that call a script, in a stage or anywhere."""
        return [each for each in self.moments if each.calls_script(script) and stage in (None, each.stage)]

    def connections(self, step: Step) -> Iterator[Text]:
        """The service connections that a step names."""
        for name, facts in TASKS.get(step.task, {}).get("inputs", {}).items():
            if facts.get("is") == "connection" and name in step.inputs:
                yield step.inputs[name]

    def environments(self, stage: Stage) -> frozenset[str]:
        """Names of the environments that a stage deploys to."""
        return frozenset(job.environment.value for job in stage.jobs if job.environment)

    def used(self) -> Iterator[tuple[Stage, str, Text, Thing | None]]:
        """Every connection, environment, group and queue that is named: where, of which kind, the name, and what it
        is."""
        pipeline, estate = self.pipeline, self.estate
        for stage in pipeline.stages:
            levels = [pipeline.variables, stage.variables, *(job.variables for job in stage.jobs)]
            for group in (group for level in levels for group in level.groups):
                yield stage, "variable group", group, estate.groups.get(group.value)
            for job in stage.jobs:
                if job.environment:
                    yield stage, "environment", job.environment, estate.environments.get(job.environment.value)
                for pool in dict.fromkeys((job.pool, *(phase.pool for phase in job.phases))):
                    if pool and pool.queue:
                        yield stage, "agent pool", Text(pool.queue, pool.at), estate.queues.get(pool.queue)
                for step in job.steps:
                    for name in self.connections(step):
                        yield stage, "service connection", name, estate.connections.get(name.value)


Rule = Callable[[Subject], Iterator[Finding]]
