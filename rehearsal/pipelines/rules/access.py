"""Everything that a pipeline names is there, and the pipeline is let in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rehearsal.pipelines.commands import macros
from rehearsal.pipelines.finding import Finding
from rehearsal.pipelines.known import KNOWN, TASKS
from rehearsal.pipelines.rules.subject import Subject
from rehearsal.pipelines.walk import INLINE


def things(subject: Subject) -> Iterator[Finding]:
    """Connections, environments, variable groups and agent pools."""
    name = subject.pipeline.name
    for _, kind, said, thing in subject.used():
        if list(macros(said.value)):
            message = f"the {kind} {said.value!r} is known only in the run, and is looked up when it is compiled"
            yield Finding.at(said.at, "compile-time", message, "derive the name with ${{ }}")
        elif thing is None:
            message = f"the {kind} {said.value!r} is in no stack"
            yield Finding.at(said.at, "missing", message, "name one that a stack has made")
        elif name not in thing.pipelines:
            message = f"the pipeline {name} is not authorised for the {kind} {said.value}"
            yield Finding.at(said.at, "unauthorised", message, "authorise it in the stack, or do without it")


def images(subject: Subject) -> Iterator[Finding]:
    """Hosted images that the scripts are written for."""
    for job in (job for stage in subject.pipeline.stages for job in stage.jobs):
        for pool in dict.fromkeys((job.pool, *(phase.pool for phase in job.phases))):
            if pool and pool.image and pool.image not in KNOWN["images"]:
                message = f"the image {pool.image!r} is not one that the scripts are written for"
                yield Finding.at(pool.at, "image", message, f"name one of {', '.join(KNOWN['images'])}")


def repositories(subject: Subject) -> Iterator[Finding]:
    """Repositories that are named as resources or fetched by a step."""
    estate, name = subject.estate, subject.pipeline.name
    own = estate.definitions[name].repository
    aliases = {each.alias for each in subject.pipeline.repositories} | {"self", "none"}
    named = [(each.at, each.name.rpartition("/")[2]) for each in subject.pipeline.repositories]
    for moment in subject.moments:
        said = moment.step.text("repository")
        if moment.step.task != "checkout" or said in aliases:
            continue
        found = INLINE.fullmatch(said)
        if found and found["project"] == estate.project:
            named.append((moment.step.at, found["name"]))
        else:
            message = f"there is no repository {said!r} to check out"
            yield Finding.at(moment.step.at, "missing", message, f"name one of {', '.join(sorted(aliases))}")
    for at, repository in named:
        thing = estate.repositories.get(repository)
        if thing is None:
            yield Finding.at(at, "missing", f"the repository {repository!r} is in no stack", "name one that is there")
        elif name not in thing.pipelines and repository != own:
            message = f"the pipeline {name} is not authorised for the repository {repository}"
            yield Finding.at(at, "unauthorised", message, "authorise it in the stack, or do without it")


def sources(subject: Subject) -> Iterator[Finding]:
    """Pipelines that are named as resources."""
    for each in subject.pipeline.resources:
        if each.source not in subject.estate.definitions:
            message = f"the pipeline {each.source!r} is in no stack"
            yield Finding.at(each.at, "missing", message, "name one by its name in Azure DevOps")


def approvers(subject: Subject) -> Iterator[Finding]:
    """Groups that may resume a run: one, on one line, that exists."""
    for moment in subject.moments:
        for name, facts in TASKS.get(moment.step.task, {}).get("inputs", {}).items():
            said = moment.step.inputs.get(name)
            if facts.get("is") != "approvers" or said is None:
                continue
            found = re.fullmatch(r"\[(?P<project>[^\]]+)\]\\(?P<group>[^\n,]+)", said.value)
            if not found or found["project"] != subject.estate.project:
                message = f"{said.value!r} is not one group of the project"
                yield Finding.at(said.at, "approvers", message, r"write [project]\group, and one only")
            elif found["group"] not in subject.estate.approvers:
                message = f"the group {found['group']!r} is in no stack"
                yield Finding.at(said.at, "missing", message, "name the environment's approvers, and set them")


def extensions(subject: Subject) -> Iterator[Finding]:
    """Tasks that an extension brings."""
    for moment in subject.moments:
        wanted = TASKS.get(moment.step.task, {}).get("extension")
        if wanted and wanted not in subject.estate.extensions:
            message = f"the task {moment.step.task} comes with the extension {wanted}, which no stack installs"
            yield Finding.at(moment.step.at, "extension", message, "install it where delivery lives")
