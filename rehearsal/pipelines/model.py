"""A compiled pipeline as rules ask about it: stages, jobs, steps, and what each names. Plain data, judged elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rehearsal.pipelines.finding import Place
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.parameters import Parameter
from rehearsal.pipelines.sources import Origin


@dataclass(frozen=True)
class Variables:
    """A `variables:` in the order in which it is written: groups, and names with values."""

    groups: tuple[Text, ...] = ()
    values: tuple[tuple[Text, Text], ...] = ()


@dataclass(frozen=True)
class Pool:
    """Where a job runs: agents of a queue, a hosted image, or (`server`) no agent at all."""

    at: Place
    queue: str = ""
    image: str = ""
    server: bool = False


@dataclass(frozen=True, eq=False)
class Step:
    """A step; shortcuts (`bash:`, `publish:`, …) are the tasks that they stand for."""

    at: Place
    task: str
    """`AzureCLI@2`; `checkout` for a checkout."""
    name: str
    shown: str
    """Its display name."""
    inputs: Mapping[str, Text]
    env: Mapping[str, Text]
    condition: Text | None
    continue_on_error: bool
    restricted: bool = False
    """It may not command the agent."""

    @cached_property
    def script(self) -> Text | None:
        """The inline script of a shell, where it has one."""
        return self.inputs.get({"Bash@3": "script", "AzureCLI@2": "inlineScript"}.get(self.task, ""))

    def text(self, name: str) -> str:
        """An input, as it is called; empty where it is not given."""
        found = next((value for key, value in self.inputs.items() if key.lower() == name.lower()), None)
        return found.value if found else ""


@dataclass(frozen=True, eq=False)
class Phase:
    """Steps that run on one agent: a job's, or those of one hook of a deployment job."""

    name: str
    """The hook; empty for a job's only phase."""
    pool: Pool | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class Job:
    at: Place
    name: str
    environment: Text | None
    """Of a deployment job."""
    deployment: bool
    pool: Pool | None
    variables: Variables
    depends_on: tuple[Text, ...]
    condition: Text | None
    continue_on_error: bool
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> Iterator[Step]:
        return (step for phase in self.phases for step in phase.steps)


@dataclass(frozen=True, eq=False)
class Stage:
    at: Place
    name: str
    pool: Pool | None
    variables: Variables
    depends_on: tuple[Text, ...]
    condition: Text | None
    skippable: bool
    """Whoever starts a run by hand may leave it out."""
    jobs: tuple[Job, ...]

    @property
    def steps(self) -> Iterator[Step]:
        return (step for job in self.jobs for step in job.steps)

    def job(self, name: str) -> Job | None:
        return next((job for job in self.jobs if job.name == name), None)


@dataclass(frozen=True)
class RepositoryResource:
    at: Place
    alias: str
    name: str
    ref: str


@dataclass(frozen=True)
class PipelineResource:
    at: Place
    alias: str
    source: str
    branch: str
    branches: tuple[str, ...]
    """Whose runs start this pipeline; empty where none does."""


@dataclass(frozen=True)
class Starts:
    """What starts a pipeline by itself, as the file says it."""

    at: Place
    branches: tuple[str, ...] | None
    """Pushes to them; None where `trigger:` is left out, which means every branch."""
    pull_requests: tuple[str, ...] | None
    """To them, on GitHub; None where `pr:` is left out, which means every branch."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """One way in which a pipeline may be compiled."""

    name: str
    at: Place
    run_name: Text | None
    starts: Starts
    repositories: tuple[RepositoryResource, ...]
    resources: tuple[PipelineResource, ...]
    extends: Origin | None
    extends_at: Place
    taken: tuple[Parameter, ...]
    """Parameters of the template that it extends."""
    variables: Variables
    stages: tuple[Stage, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    """The values of its own parameters in this compilation."""

    @property
    def places(self) -> Iterator[tuple[Stage, Job, Phase, Step]]:
        """Every step with where it stands."""
        for stage in self.stages:
            for job in stage.jobs:
                for phase in job.phases:
                    for step in phase.steps:
                        yield stage, job, phase, step

    def stage(self, name: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.name == name), None)
