"""What Azure DevOps tells: gates, approvers, agents and the last runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from components.delivery.pipelines import CD, CI
from operations.checking import LOGIN, ORGANIZATION, Amiss, Judged, Place
from operations.clouds import Answer
from operations.verify.facts import project
from operations.verify.register import VERIFY

CHECKS: Final = (
    "index:CheckApproval",
    "index:CheckBranchControl",
    "index:CheckBusinessHours",
    "index:CheckExclusiveLock",
    "index:CheckRequiredTemplate",
)
PREVIEW: Final = {"api-version": "7.1-preview.1"}


class Configuration(Answer):
    id: int
    version: int
    is_disabled: bool = False


class Configurations(Answer):
    value: list[Configuration]


@VERIFY("gates", "every gate stands as the program has made it", LOGIN, ORGANIZATION)
def gates(place: Place) -> Judged:
    wanted: dict[tuple[str, str], dict[int, tuple[str, int]]] = {}
    for check in place.graph.of_kind(*CHECKS):
        target = (str(check.get("targetResourceType")), str(check.get("targetResourceId")))
        wanted.setdefault(target, {})[int(check.id)] = (check.logical_name, int(check.get("version", 1)))
    for (kind, id), checks in wanted.items():
        path = f"{project(place)}/_apis/pipelines/checks/configurations"
        found = place.clouds.devops(path, Configurations, resourceType=kind, resourceId=id, **PREVIEW)
        yield from judge_gates(checks, found.value)


def judge_gates(wanted: Mapping[int, tuple[str, int]], found: Sequence[Configuration]) -> Iterator[Amiss]:
    """`wanted` are name and version of each check by its id; whoever changes one by hand raises its version."""
    there = {each.id: each for each in found}
    for id, (name, version) in wanted.items():
        if id not in there:
            yield Amiss(f"the gate {name} is gone", "find out who removed it; pulumi up --refresh brings it back")
        elif there[id].is_disabled:
            yield Amiss(f"the gate {name} is switched off", "find out who did it, and switch it on under Checks")
        elif there[id].version > version:
            yield Amiss(f"the gate {name} was changed by hand", "pulumi up --refresh sets it back")


class Membership(Answer):
    member_descriptor: str


class Memberships(Answer):
    value: list[Membership]


@VERIFY(
    "approvers",
    "those who approve are the directory's group, and nobody else",
    LOGIN,
    ORGANIZATION,
    applies=lambda place: place.settings.delivery.approvers is not None,
)
def approvers(place: Place) -> Judged:
    groups = {bool(each.get("scope")): str(each.get("descriptor")) for each in place.graph.of_kind("index:Group")}
    path = f"_apis/graph/memberships/{groups[True]}"
    found = place.clouds.devops(path, Memberships, host="vssps.dev.azure.com", direction="down", **PREVIEW)
    return judge_members([each.member_descriptor for each in found.value], groups[False])


def judge_members(members: Sequence[str], directory: str) -> Iterator[Amiss]:
    if directory not in members:
        yield Amiss("the directory's group is no approver", "pulumi up --refresh brings it back")
    if others := [each for each in members if each != directory]:
        yield Amiss(f"{len(others)} more may approve", "find out who added them; pulumi up --refresh takes them out")


class Queue(Answer):
    name: str


class Queues(Answer):
    value: list[Queue]


@VERIFY(
    "agents",
    "pipelines see the pool of managed agents",
    LOGIN,
    ORGANIZATION,
    applies=lambda place: place.settings.agents.kind == "managed",
)
def agents(place: Place) -> Judged:
    assert place.outputs is not None, "checks of this door see outputs"
    pool = str(place.outputs["agentPool"])
    path = f"{project(place)}/_apis/distributedtask/queues"
    found = place.clouds.devops(path, Queues, queueNames=pool, **PREVIEW)
    return judge_queue(pool, [each.name for each in found.value])


def judge_queue(pool: str, queues: Sequence[str]) -> Iterator[Amiss]:
    if pool not in queues:
        yield Amiss(f"the project has no queue {pool}", "look at the pool in the portal; pulumi up --refresh")


class Run(Answer):
    result: str | None = None
    build_number: str = ""


class Pipeline(Answer):
    name: str
    latest_completed_build: Run | None = None


class Pipelines(Answer):
    value: list[Pipeline]


@VERIFY("releases", "ci and cd have run to a good end", LOGIN, ORGANIZATION)
def releases(place: Place) -> Judged:
    path = f"{project(place)}/_apis/build/definitions"
    found = place.clouds.devops(path, Pipelines, includeLatestBuilds="true", **{"api-version": "7.1"})
    return judge_runs({each.name: each.latest_completed_build for each in found.value})


def judge_runs(latest: Mapping[str, Run | None]) -> Iterator[Amiss]:
    for name in (CI, CD):
        run = latest.get(name)
        if run is None:
            yield Amiss(f"{name} has never run to an end", "docs/pipelines.md, The first release")
        elif run.result not in ("succeeded", "partiallySucceeded"):
            yield Amiss(
                f"the last run of {name}, {run.build_number}, {run.result}", "docs/pipelines.md, When a step fails"
            )
