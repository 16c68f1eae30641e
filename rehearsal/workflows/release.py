"""One model of what happens between a pull request and production, read from either platform.

A part of it is something that is gated as one: the checks of a change, what CI makes, an environment of a release. It
says what stands before it, what comes before it, and what is done in it, in order: which script, as whom, with which
options, and which of the application's own commands. Two platforms whose models are equal deliver in the same way.

What it leaves out is what a platform does by itself: fetching, signing in, installing tools, publishing results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.delivery.checks import NONPRODUCTION, PRODUCTION
from rehearsal.graph import Graph
from rehearsal.pipelines.commands import Command, commands
from rehearsal.pipelines.compilation import compilations
from rehearsal.pipelines.estate import Estate as PipelineEstate
from rehearsal.pipelines.model import Pipeline
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.sources import Sources
from rehearsal.pipelines.walk import Moment
from rehearsal.workflows.estate import Estate
from rehearsal.workflows.reading import Job, Workflow, Workflows
from rehearsal.workflows.rules import LOGIN, calls

APART: Final = frozenset({"tools.sh", "find_cluster.py"})
"""Scripts that bring what a machine of the platform lacks."""

NOT_ON_GITHUB: Final = frozenset({"required-template", "business-hours"})
"""Gates that no rule of an environment is; docs/github.md says what takes their place."""


@dataclass(frozen=True)
class Act:
    """Something that is done."""

    what: str
    """A script by its file name, or a command of the application's."""
    who: str = ""
    """The identity in Azure: `ci`, `deploy`, `promote`, `dashboards`; nobody, if empty."""
    options: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    name: str
    """`pr`, `ci`, or the key of an environment."""
    after: frozenset[str]
    """Environments that must have gone well."""
    gates: frozenset[str]
    """By their names in `components.delivery.checks`."""
    asked: bool
    """Whether a person can be asked in between."""
    inside: bool
    """Whether it runs on machines inside its network."""
    acts: tuple[Act, ...]


# ---------------------------------------------------------------- Azure Pipelines


def of_pipelines(root: Path, exports: Mapping[str, Mapping[str, Any]]) -> dict[str, Part]:
    """The model of the project's pipelines, held against the exports of its stacks."""
    sources, estate = Sources(root), PipelineEstate.of(exports)
    compiled = {name: compilations(sources, estate, each)[0] for name, each in estate.definitions.items()}
    found = {}
    for name in ("pr", "ci"):
        subject = Subject(compiled[name][0], estate, sources, compiled)
        found[name] = Part(name, frozenset(), _checks_before(exports, name), False, False, _done(subject.moments))
    plain, asking = (_releasing(compiled["cd"], asked) for asked in ("false", "true"))
    subject = Subject(plain, estate, sources, compiled)
    keys = [stage.name for stage in plain.stages if subject.environments(stage)]
    asked = {stage.name.removeprefix("validate_") for stage in asking.stages if stage.name.startswith("validate_")}
    for stage in plain.stages:
        if stage.name not in keys:
            continue
        moments = [each for each in subject.moments if each.stage is stage]
        after = frozenset(each.value for each in stage.depends_on if each.value in keys)
        inside = bool(stage.pool and stage.pool.queue)
        gates = _checks_before(exports, stage.name)
        found[stage.name] = Part(stage.name, after, gates, stage.name in asked, inside, _done(moments))
    return found


def _releasing(compiled: Sequence[Pipeline], asked: str) -> Pipeline:
    """The compilation with Helm, in which a person is asked in between or not."""
    wanted = {"model": "helm", "manualValidation": asked}
    return next(each for each in compiled if {key: value.lower() for key, value in each.given.items()} == wanted)


def _done(moments: Iterable[Moment]) -> tuple[Act, ...]:
    """In the order of their jobs; jobs that wait for nobody come where they are written."""
    found: list[Act] = []
    for moment in moments:
        who = moment.step.text("azureSubscription").partition("-")[0]
        found += _acts(moment.commands, who)
    return tuple(found)


_CHECKS: Final = {
    "CheckApproval": "approval",
    "CheckBranchControl": "branch-control",
    "CheckBusinessHours": "business-hours",
    "CheckExclusiveLock": "exclusive-lock",
    "CheckRequiredTemplate": "required-template",
}


def _checks_before(exports: Mapping[str, Mapping[str, Any]], name: str) -> frozenset[str]:
    """The gates before an environment or, for CI, before its connection."""
    found = set()
    for export in exports.values():
        graph = Graph.of(export)
        things = {
            (kind, each.id): each.name
            for kind, of in (("environment", "index:Environment"), ("endpoint", "index:ServiceEndpointAzureRM"))
            for each in graph.of_kind(of)
        }
        for cls, gate in _CHECKS.items():
            for each in graph.of_kind(f"index:{cls}"):
                key = (str(each.get("targetResourceType")), str(each.get("targetResourceId")))
                if things.get(key) == name:
                    found.add(gate)
    return frozenset(found)


# ---------------------------------------------------------------- GitHub Actions


def of_workflows(root: Path, exports: Mapping[str, Mapping[str, Any]]) -> dict[str, Part]:
    """The model of the project's workflows, held against the exports of its stacks on GitHub."""
    workflows, estate = Workflows(root), Estate.of(exports)
    found = {}
    for name in ("pr", "ci"):
        workflow = workflows.all[name]
        gates = frozenset().union(*(_rules_before(estate, job) for job in workflow.jobs))
        found[name] = Part(name, frozenset(), gates, False, False, _steps(workflow.jobs))
    cd = workflows.all["cd"]
    for call in (each for each in cd.calls if len(each.path) == 2):
        key = call.path[1]
        jobs = [job for job in cd.jobs if job.path[1:2] == (key,) and job.path[2:] == ("release",)]
        found[key] = Part(
            key,
            frozenset(call.needs) & estate.stacks.keys(),
            frozenset().union(*(_rules_before(estate, job) for job in jobs)),
            _asks(cd, key),
            any(not job.runner.startswith("ubuntu-") for job in jobs),
            _steps(jobs),
        )
    return found


def _asks(cd: Workflow, key: str) -> bool:
    return any(job.path[1:] == (key, "validate") and job.environment == f"validate-{key}" for job in cd.jobs)


def _rules_before(estate: Estate, job: Job) -> frozenset[str]:
    there = estate.environments.get(job.environment)
    if there is None:
        return frozenset()
    rules = {"approval": there.reviewed, "branch-control": there.main_only}
    rules["exclusive-lock"] = job.concurrency.get("cancel-in-progress") is False
    return frozenset(gate for gate, stands in rules.items() if stands)


def _steps(jobs: Iterable[Job]) -> tuple[Act, ...]:
    found: list[Act] = []
    for job in jobs:
        who = ""
        for step in job.steps:
            if step.uses.startswith(f"{LOGIN}@"):
                who = step.given["client-id"].split("vars.")[1].partition("_")[0].lower()
            scripts = [*calls(step)]
            found += _acts(scripts or commands(step.run, str, str), who)
    return tuple(found)


# ---------------------------------------------------------------- both


def _acts(said: Iterable[Command], who: str) -> Iterator[Act]:
    for command in said:
        name = command.script.rpartition("/")[2]
        if name and name not in APART:
            # Who needs nobody's rights is nobody.
            alone = name in ("scan_verdict.py",)
            yield Act(name, "" if alone else who, frozenset(_options(command)))
        elif command.words[:2] == (".venv/bin/python", "-m") and command.words[2] != "pip":
            yield Act(" ".join(word for word in command.words[2:5] if not word.startswith("-")))
        elif command.words[:2] == ("docker", "build"):
            yield Act(f"docker build {command.words[command.words.index('--target') + 1]}")


def _options(command: Command) -> Iterator[str]:
    """Those that say something: an empty value is as good as none."""
    for place, word in enumerate(command.arguments):
        if word.startswith("--") and "" not in command.arguments[place + 1 : place + 2]:
            yield word


def wanted_gates(production: bool) -> frozenset[str]:
    """The gates of an environment of this tier on GitHub."""
    return frozenset(PRODUCTION if production else NONPRODUCTION) - NOT_ON_GITHUB
