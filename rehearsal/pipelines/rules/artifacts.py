"""What is downloaded was published: by the run that a pipeline resource names, or earlier in the same run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.known import TASKS
from rehearsal.pipelines.model import Pipeline, Step
from rehearsal.pipelines.nodes import Text
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.simulation import ancestors
from rehearsal.pipelines.walk import WORKSPACE, Moment

RULE: Final = "artifact"


def published(step: Step) -> Text | None:
    """The name of the artifact that a step publishes."""
    for name, facts in TASKS.get(step.task, {}).get("inputs", {}).items():
        if facts.get("is") == "artifact":
            return step.inputs.get(name)
    return None


def downloads(subject: Subject) -> Iterator[Finding]:
    pipeline = subject.pipeline
    sources = {each.alias: each.source for each in pipeline.resources}
    for moment in subject.moments:
        if moment.step.task != "download" or (said := moment.step.text("from")) == "none":
            continue
        wanted = moment.step.text("artifact")
        if said == "current":
            if wanted and not any(_is(each, wanted) for each in subject.moments if _before(subject, each, moment)):
                message = f"no job before this one publishes the artifact {wanted!r}"
                yield Finding.at(moment.step.at, RULE, message, "publish it, or wait for the job that does")
        elif said not in sources:
            known = ", ".join(("current", *sources))
            message = f"there is no pipeline resource {said!r} to download from"
            yield Finding.at(moment.step.at, RULE, message, f"name one of {known}")
        elif wanted and not any(_publishes(each, wanted) for each in subject.all.get(sources[said], ())):
            message = f"the pipeline {sources[said]} publishes no artifact {wanted!r}"
            yield Finding.at(moment.step.at, RULE, message, "name one that it publishes")


def paths(subject: Subject) -> Iterator[Finding]:
    """Files of an artifact are read where a step before has put them: an own one at `$(Pipeline.Workspace)/<artifact>`,
    another pipeline's below its alias.
    """
    own = {said.value for moment in subject.moments if (said := published(moment.step))}
    places = [("current", "", name) for name in sorted(own)]
    for each in subject.pipeline.resources:
        theirs = {said.value for other in subject.all.get(each.source, ()) for said in _published(other)}
        places += [(each.alias, f"{each.alias}/", name) for name in sorted(theirs)]
    for moment in subject.moments:
        if published(moment.step):
            continue
        texts = [moment.seen.like(one.value) for one in (*moment.step.inputs.values(), *moment.step.env.values())]
        for alias, below, name in places:
            path = re.compile(rf"{WORKSPACE}/{re.escape(below + name)}(?![\w.-])")
            if any(path.search(text) for text in texts) and not _downloaded(moment, alias, name):
                message = f"the artifact {name} of {alias} is not downloaded before this step"
                yield Finding.at(moment.step.at, RULE, message, f"download: {alias}, artifact: {name}")


def twice(subject: Subject) -> Iterator[Finding]:
    """A run has each artifact once; a second one of the same name is refused."""
    seen: dict[str, Step] = {}
    for moment in subject.moments:
        name = published(moment.step)
        if name is None:
            continue
        if name.value in seen:
            message = f"the artifact {name.value!r} is published twice in a run"
            yield Finding.at(name.at, RULE, message, "give each its own name")
        seen[name.value] = moment.step


def _is(moment: Moment, name: str) -> bool:
    found = published(moment.step)
    return found is not None and found.value == name


def _published(pipeline: Pipeline) -> list[Text]:
    return [said for *_, step in pipeline.places if (said := published(step))]


def _publishes(pipeline: Pipeline, name: str) -> bool:
    return any(said.value == name for said in _published(pipeline))


def _before(subject: Subject, one: Moment, other: Moment) -> bool:
    """Whether one step comes before another in every run."""
    if one.phase is other.phase:
        return one in other.before
    if one.stage is other.stage:
        return one.job in ancestors(other.job, other.stage.jobs)
    return one.stage in ancestors(other.stage, subject.pipeline.stages)


def _downloaded(moment: Moment, alias: str, artifact: str) -> bool:
    found = [each.step for each in moment.before if each.step.task == "download"]
    if not found and moment.phase.name == "deploy":
        return True  # a deployment job downloads everything by itself when it is told nothing
    return any(step.text("from") == alias and step.text("artifact") in ("", artifact) for step in found)
