"""A pipeline walked through, step by step: what each step sees, runs, and finds on its agent.

An agent's directories are those of repos/multi-repo-checkout.md in MicrosoftDocs/azure-devops-docs: one checkout lies
at `$(Pipeline.Workspace)/s`, several each below it in a directory of the repository's name; `path:` puts one elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.pipelines.commands import Command, CommandError, commands
from rehearsal.pipelines.estate import Estate
from rehearsal.pipelines.harness import OF_THE_RUN
from rehearsal.pipelines.known import KNOWN
from rehearsal.pipelines.model import Job, Phase, Pipeline, Stage, Step
from rehearsal.pipelines.sources import Origin, Sources
from rehearsal.pipelines.variables import LOST, Known, Set, Visible, sets_itself, sets_of_script, visible

WORKSPACE: Final = KNOWN["variables"]["Pipeline.Workspace"]["like"]
SOURCES: Final = f"{WORKSPACE}/s"
INLINE: Final = re.compile(r"git://(?P<project>[^/]+)/(?P<name>[^@]+)@(?P<ref>.+)")
"""A checkout by name: `git://project/repository@ref`."""
_DIRECTORIES: Final = ("Build.SourcesDirectory", "Build.Repository.LocalPath", "System.DefaultWorkingDirectory")


@dataclass(frozen=True)
class Call:
    """A script file that a step calls."""

    said: str
    """Its path on the agent."""
    origin: Origin | None
    """Where it comes from; None where nothing was checked out."""
    file: Path | None
    """Where that lies here; None when the repository has no such file."""
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        return posixpath.basename(self.said)

    @property
    def facts(self) -> Mapping[str, object]:
        """What the rules must know about it."""
        found: Mapping[str, object] = KNOWN["scripts"].get(self.name, {})
        return found


@dataclass(frozen=True, eq=False)
class Moment:
    """One step at its turn."""

    stage: Stage
    job: Job
    phase: Phase
    step: Step
    seen: Visible
    commands: tuple[Command, ...]
    calls: tuple[Call, ...]
    unread: str
    """Why its script could not be split into commands; empty when it could."""
    before: tuple[Moment, ...]
    """The steps before it on the same agent."""
    sets: tuple[Set, ...]
    """Variables that it sets."""

    def calls_script(self, name: str) -> bool:
        return any(call.name == name for call in self.calls)


class Walk:
    """Walks through one compilation."""

    def __init__(self, pipeline: Pipeline, estate: Estate, sources: Sources) -> None:
        self._pipeline, self._estate, self._sources = pipeline, estate, sources
        self._aliases = {each.alias: each.name for each in pipeline.repositories}

    @property
    def _own(self) -> str:
        """The repository that the pipeline's file lies in."""
        return self._estate.definitions[self._pipeline.name].repository

    def moments(self) -> Iterator[Moment]:
        for stage in self._pipeline.stages:
            for job in stage.jobs:
                for phase in job.phases:
                    yield from self._phase(stage, job, phase)

    def checked_out(self, step: Step) -> str:
        """The repository that a checkout fetches; empty for `none` and for an alias that there is not."""
        said = step.text("repository")
        if said == "self":
            return self._own
        found = INLINE.fullmatch(said)
        return found["name"] if found else self._aliases.get(said, "")

    def _phase(self, stage: Stage, job: Job, phase: Phase) -> Iterator[Moment]:
        places = self._places(phase, job)
        names = visible(self._pipeline, self._estate, stage, job)
        only = next(iter(places.values())) if len(places) == 1 else SOURCES
        names |= {name.lower(): Known(name, only) for name in _DIRECTORIES}
        there: dict[str, str] = {}
        before: list[Moment] = []
        for step in phase.steps:
            if step in places:
                there[places[step]] = self.checked_out(step) if step.task == "checkout" else self._own
            moment = self._moment(stage, job, phase, step, Visible(dict(names)), dict(there), tuple(before))
            before.append(moment)
            yield moment
            if any(call.file is None for call in moment.calls):
                names |= {LOST.lower(): Known(LOST, "")}
            for one in moment.sets:
                name = f"{step.name}.{one.name}" if one.output else one.name
                if step.name or not one.output:
                    names[name.lower()] = Known(name, OF_THE_RUN, one.secret)

    def _places(self, phase: Phase, job: Job) -> dict[Step, str]:
        """The directory of every checkout. A job without one fetches its own repository before its first step, a
        deployment job nothing."""
        found = [step for step in phase.steps if step.task == "checkout" and step.text("repository") != "none"]
        if not found:
            has_none = any(step.task == "checkout" for step in phase.steps)
            return {} if job.deployment or has_none or not phase.steps else {phase.steps[0]: SOURCES}
        places = {}
        for step in found:
            beside = SOURCES if len(found) == 1 else f"{SOURCES}/{self.checked_out(step)}"
            places[step] = posixpath.join(WORKSPACE, step.text("path")) if step.text("path") else beside
        return places

    def _moment(
        self,
        stage: Stage,
        job: Job,
        phase: Phase,
        step: Step,
        seen: Visible,
        there: Mapping[str, str],
        before: tuple[Moment, ...],
    ) -> Moment:
        found: tuple[Command, ...] = ()
        unread = ""
        if step.script:
            env = {name: seen.like(value.value) for name, value in step.env.items()}

            def macro(name: str) -> str:
                return seen.like(f"$({name})") if seen.get(name) else OF_THE_RUN

            def variable(name: str) -> str:
                inherited = seen.environment(name)
                return env.get(name, inherited.like if inherited else "")

            try:
                found = tuple(commands(step.script.value, macro, variable))
            except CommandError as error:
                unread = str(error)
        home = seen.like(step.text("workingDirectory") or "$(System.DefaultWorkingDirectory)")
        calls = tuple(self._call(one, home, there) for one in found if one.script)
        sets = tuple(self._set_by(step, calls))
        return Moment(stage, job, phase, step, seen, found, calls, unread, before, sets)

    def _call(self, command: Command, home: str, there: Mapping[str, str]) -> Call:
        path = posixpath.normpath(posixpath.join(home, command.script))
        for directory, repository in sorted(there.items(), key=lambda pair: -len(pair[0])):
            if path.startswith(f"{directory}/"):
                origin = Origin(repository, path.removeprefix(f"{directory}/"))
                return Call(path, origin, self._sources.find(origin), command.arguments)
        return Call(path, None, None, command.arguments)

    def _set_by(self, step: Step, calls: tuple[Call, ...]) -> Iterator[Set]:
        yield from sets_itself(step)
        for call in () if step.restricted else calls:
            if call.facts.get("sets"):
                yield from _secrets(call.arguments)
            elif call.file:
                yield from sets_of_script(call.file)


def words_of(arguments: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and the words that are neither."""
    options: dict[str, str] = {}
    words = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
        elif equals:
            options[name] = value
        else:
            options[word] = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    return options, words


def _secrets(arguments: tuple[str, ...]) -> Iterator[Set]:
    """The variables of `SECRET=VARIABLE` and `SECRET`."""
    for word in words_of(arguments)[1]:
        secret, _, variable = word.partition("=")
        yield Set(variable or secret.upper().replace("-", "_"), secret=True, output=False)
