"""What the directory must hold: groups that administer and approve, and the service that runs managed agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from azure.core.exceptions import HttpResponseError

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.clouds import Answer
from operations.doctor.register import DOCTOR

AGENTS_APPLICATION: Final = "31687f79-5e43-4c1e-8c63-d9f4bff5cf8b"
"""DevOpsInfrastructure, the same in every directory; its object id differs."""


class Group(Answer):
    display_name: str


class Member(Answer):
    id: str


class Members(Answer):
    value: list[Member]


class ServicePrincipal(Answer):
    app_id: str


@DOCTOR("groups", "the groups that administer the cluster exist and have members", LOGIN)
def groups(place: Place) -> Judged:
    for id in place.settings.cluster.admin_groups:
        yield from judge_group("cluster.adminGroups", id, _members(place, id), fewest=1)


@DOCTOR(
    "approvers",
    "the group that approves releases exists, with two members or more",
    LOGIN,
    applies=lambda place: place.settings.delivery.approvers is not None,
)
def approvers(place: Place) -> Judged:
    id = str(place.settings.delivery.approvers)
    return judge_group("delivery.approvers", id, _members(place, id), fewest=2)


def _members(place: Place, id: str) -> int | None:
    """How many there are, up to two; None where there is no such group."""
    try:
        place.clouds.graph(f"groups/{id}", Group, **{"$select": "id,displayName"})
        found = place.clouds.graph(f"groups/{id}/transitiveMembers", Members, **{"$select": "id", "$top": "2"})
    except HttpResponseError as error:
        if error.status_code == 404:
            return None
        raise
    return len(found.value)


def judge_group(key: str, id: str, members: int | None, *, fewest: int) -> Iterator[Amiss]:
    if members is None:
        yield Amiss(
            f"{key} names {id}, which is no group of the directory", "az ad group show --group <name> --query id"
        )
    elif members < fewest:
        why = "whoever starts a release cannot approve it" if fewest > 1 else "nobody could reach the cluster"
        yield Amiss(f"the group {id} ({key}) has {members} members", f"add people: {why}")


@DOCTOR(
    "agents-service",
    "agents.servicePrincipalId is the service that runs managed agents",
    LOGIN,
    applies=lambda place: place.settings.agents.kind == "managed",
)
def agents_service(place: Place) -> Judged:
    id = str(place.settings.agents.service_principal_id)
    try:
        found = place.clouds.graph(f"servicePrincipals/{id}", ServicePrincipal, **{"$select": "id,appId"})
        return judge_agents_service({id: found.app_id}, id)
    except HttpResponseError as error:
        if error.status_code == 404:
            return judge_agents_service({}, id)
        raise


def judge_agents_service(known: Mapping[str, str], id: str) -> Iterator[Amiss]:
    """`known` are applications by the object id of their service principal."""
    if known.get(id) != AGENTS_APPLICATION:
        yield Amiss(
            f"agents.servicePrincipalId {id} is {known.get(id, 'nobody')}, and not DevOpsInfrastructure",
            f"az ad sp show --id {AGENTS_APPLICATION} --query id",
        )
