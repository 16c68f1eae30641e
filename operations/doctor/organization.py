"""What the Azure DevOps organisation must have: rights, extensions, and a machine for the first job."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from components.delivery.extensions import KNOWN
from operations.checking import LOGIN, ORGANIZATION, Amiss, Judged, Place
from operations.clouds import Answer
from operations.doctor.register import DOCTOR

COLLECTION: Final = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7"
"""Namespace of the permissions of an organisation; their one token is `NAMESPACE:`."""
EDIT, CREATE_PROJECTS = 2, 4
POOLS: Final = "101eae8c-1709-47f9-b308-0e476c39b998"
"""Namespace of the permissions of agent pools; `AgentPools` stands for all of them."""
MANAGE_POOLS: Final = 2
TASK: Final = "security-devops"
"""The extension without which no pipeline of an application compiles."""


class Permissions(Answer):
    value: list[bool]


@DOCTOR(
    "organization",
    "whoever is signed in may make in the organisation what this stack makes there",
    LOGIN,
    ORGANIZATION,
)
def organization(place: Place) -> Judged:
    def may(namespace: str, bit: int, token: str) -> bool:
        path = f"_apis/permissions/{namespace}/{bit}"
        (answer,) = place.clouds.devops(path, Permissions, tokens=token, **{"api-version": "7.1-preview.2"}).value
        return answer

    home, settings = place.settings.delivery.home, place.settings
    held = set()
    if may(COLLECTION, EDIT, "NAMESPACE:"):
        held.add("edit")
    if may(COLLECTION, CREATE_PROJECTS, "NAMESPACE:"):
        held.add("projects")
    if settings.agents.kind == "managed" and may(POOLS, MANAGE_POOLS, "AgentPools"):
        held.add("pools")
    return judge_rights(
        held,
        makes_project=bool(home and home.project and home.project.id is None),
        installs=bool(home and home.extensions),
        makes_pool=settings.agents.kind == "managed",
    )


def judge_rights(held: Collection[str], *, makes_project: bool, installs: bool, makes_pool: bool) -> Iterator[Amiss]:
    remedy = "join Project Collection Administrators, or have it granted in the organisation's settings"
    if makes_project and "projects" not in held:
        yield Amiss("you may not make projects", remedy)
    if installs and "edit" not in held:
        yield Amiss("you may not install extensions", f"{remedy}; or leave out delivery.home.extensions")
    if makes_pool and "pools" not in held:
        yield Amiss("you may not administer agent pools", "Organization settings, Agent pools, Security: Administrator")


class Extension(Answer):
    publisher_id: str
    extension_id: str


class Extensions(Answer):
    value: list[Extension]


@DOCTOR(
    "extensions", "the organisation has the extensions that pipelines need, and each has one owner", LOGIN, ORGANIZATION
)
def extensions(place: Place) -> Judged:
    path = "_apis/extensionmanagement/installedextensions"
    found = place.clouds.devops(path, Extensions, host="extmgmt.dev.azure.com", **{"api-version": "7.1-preview.1"})
    installed = {(each.publisher_id, each.extension_id) for each in found.value}
    home = place.settings.delivery.home
    return judge_extensions(installed, home.extensions if home else None)


def judge_extensions(installed: Collection[tuple[str, str]], owned: Sequence[str] | None) -> Iterator[Amiss]:
    """`owned` are those that this stack installs; None where delivery lives in another stack."""
    there = {key for key, known in KNOWN.items() if (known.publisher, known.extension) in installed}
    for key in owned or ():
        if key in there:
            yield Amiss(
                f"the extension {key} is installed already",
                "leave it out of delivery.home.extensions, unless this stack has installed it in a run before",
            )
    if TASK not in there and TASK not in (owned or ()):
        known = KNOWN[TASK]
        yield Amiss(
            f"the extension {known.publisher}.{known.extension} is not installed",
            "install it from the Marketplace, or name it in delivery.home.extensions where delivery lives",
        )


class Limit(Answer):
    is_hosted: bool
    parallelism_tag: str
    total_count: int


class Limits(Answer):
    value: list[Limit]


@DOCTOR("parallelism", "the organisation has an agent of Microsoft's for a job", LOGIN, ORGANIZATION)
def parallelism(place: Place) -> Judged:
    path = "_apis/distributedtask/resourcelimits"
    found = place.clouds.devops(path, Limits, **{"api-version": "7.1-preview.1"})
    private = [each.total_count for each in found.value if each.is_hosted and each.parallelism_tag == "Private"]
    return judge_parallelism(sum(private))


def judge_parallelism(jobs: int) -> Iterator[Amiss]:
    if jobs < 1:
        yield Amiss(
            "the organisation has no hosted job for private projects",
            "ask for the free one, which takes days: https://aka.ms/azpipelines-parallelism-request; or buy one",
        )
