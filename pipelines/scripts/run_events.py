"""What a run leaves behind: the rows of its own, of environments that could not write theirs, of pull requests.

What it does not do: it sends nothing, and reads no argument and no environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipelines.scripts.azure_builds import Json, moment
from pipelines.scripts.http_json import HttpError
from pipelines.scripts.run_row import Event, Row, Subject, row
from pipelines.scripts.run_timeline import Gate, Timeline

LOOK_BACK = 20
"""Earlier runs of CI among which the last one that sent its records is looked for."""
TWO_DAYS = timedelta(days=2)
"""Older rows would get the time of their arrival (Azure Monitor, column TimeGenerated)."""

_RESULTS = {"succeeded": "succeeded", "partiallySucceeded": "succeeded", "canceled": "canceled"}
"""Of a whole run; whatever else it may be is a failure."""

_ASKED = ("TfsGit", "GitHub Actions")
"""Sorts of repositories whose service is asked for a commit."""

Release = Mapping[str, Any]
"""What stands in `release.json`; empty where there is none."""


class Runs(Protocol):
    """What either platform tells of runs, in the shape of Azure DevOps."""

    def run(self, number: int) -> Json: ...

    def timeline(self, number: int) -> Timeline: ...

    def definition(self, name: str) -> int: ...

    def before(self, run: Json, most: int) -> Iterable[Json]: ...

    def finished(self, definition: int, since: datetime, until: datetime) -> list[Json]: ...

    def commit(self, repository: str, commit: str) -> Json: ...


class RecordError(Exception):
    """Why nothing can be recorded, in one line for a person."""


@dataclass(frozen=True)
class Here:
    """The run that is being recorded, and when."""

    builds: Runs
    number: int
    stage: str
    """Name in YAML of the stage that this step belongs to."""
    now: datetime


def of_run(here: Here, pipeline: str, environment: str, release: Release, following: Sequence[str]) -> list[Row]:
    """Rows of the whole run or, with an environment, of the stage that is about it.

    `following`: environments whose gate comes now.
    """
    run, timeline = here.builds.run(here.number), here.builds.timeline(here.number)
    began, stage = _began(run), None
    events = [Event("started", began, environment)]
    if environment:
        stage = timeline.stage(here.stage)
        if stage is None:
            raise RecordError(f"the run has no stage {here.stage!r}; whoever runs this says which it is")
        events += _gates(timeline.gates(stage), environment)
    result, seconds = timeline.result(stage), (here.now - began).total_seconds()
    events.append(Event("finished", here.now, environment, result=result, seconds=seconds))
    if result == "succeeded":
        # After the environment's own end, because the last row of a run tells where it stands.
        soon = here.now + timedelta(seconds=1)
        events += [Event("waiting", soon, each, "approval") for each in following]
    about = subject(here.builds, run, pipeline, release)
    return [row(about, event) for event in events]


def of_others(here: Here, home: str, stages: Mapping[str, str], release: Release) -> list[Row]:
    """Rows of the environments that write to other tables, for the table where the run was said to wait for them.

    `stages`: the name in YAML of each environment's stage, by the environment's key.
    """
    run, timeline = here.builds.run(here.number), here.builds.timeline(here.number)
    found = {key: timeline.stage(name) for key, name in stages.items()}
    if absent := sorted(stages[key] for key, stage in found.items() if stage is None):
        raise RecordError(f"the run has no stage {', '.join(absent)}; allowed: <name in YAML>=<key of the environment>")
    own = found.pop(home, None)
    waited_for, began = own is not None and timeline.result(own) == "succeeded", _began(run)
    events: list[Event] = []
    for key, stage in found.items():
        if stage is not None and (waited_for or timeline.touched(stage)):
            ended = moment(stage["finishTime"]) if stage.get("finishTime") else here.now
            events += _gates(timeline.gates(stage), key)
            seconds = (ended - began).total_seconds()
            events.append(Event("finished", ended, key, result=timeline.result(stage), seconds=seconds))
    about = subject(here.builds, run, "cd", release)
    return [row(about, event) for event in events]


def of_pull_requests(here: Here) -> list[Row]:
    """Rows of pull requests' runs that ended between the start of the last run of CI that sent any, and of this one."""
    run = here.builds.run(here.number)
    until = _began(run)
    since = until - TWO_DAYS
    for earlier in here.builds.before(run, LOOK_BACK):
        if here.builds.timeline(earlier["id"]).recorded():
            since = moment(earlier["startTime"])
            break
    rows = []
    for each in here.builds.finished(here.builds.definition("pr"), since, until):
        about, ended = subject(here.builds, each, "pr", {}), moment(each["finishTime"])
        began = moment(each.get("startTime") or each["finishTime"])
        result, seconds = _RESULTS.get(str(each.get("result")), "failed"), (ended - began).total_seconds()
        rows += [row(about, Event("started", began)), row(about, Event("finished", ended, "", "", result, seconds))]
    return rows


def subject(builds: Runs, run: Json, pipeline: str, release: Release) -> Subject:
    """What every row of a run says. The commit's author and time are asked for where the job's token may see them."""
    commit = str(release.get("commit") or run.get("sourceVersion") or "")
    author = str((run.get("requestedFor") or {}).get("displayName") or "")
    committed = None
    if pipeline == "pr":  # not merged yet, so there is no such time
        commit = str((run.get("triggerInfo") or {}).get("pr.sourceSha") or commit)
    else:
        # A merge starts a run at once.
        committed = moment(run["queueTime"]) if run.get("queueTime") else None
        repository = run.get("repository") or {}
        if repository.get("type") in _ASKED and commit:
            try:
                told = builds.commit(repository["id"], commit)
                author, committed = str(told["author"]["name"]), moment(told["committer"]["date"])
            except (HttpError, KeyError, TypeError, ValueError):
                pass  # a job's token sees a repository only if the pipeline names it
    url = str(((run.get("_links") or {}).get("web") or {}).get("href") or "")
    return Subject(int(run["id"]), pipeline, commit, committed, str(release.get("digest") or ""), author, url)


def _began(run: Json) -> datetime:
    return moment(run.get("startTime") or run["queueTime"])


def _gates(gates: Iterable[Gate], environment: str) -> list[Event]:
    events = []
    for gate in gates:
        events.append(Event("waiting", gate.began, environment, gate.name))
        if gate.passed and gate.ended:
            seconds = (gate.ended - gate.began).total_seconds()
            events.append(Event("passed", gate.ended, environment, gate.name, seconds=seconds))
    return events
