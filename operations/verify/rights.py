"""Who may pull from where, and whether identities and connections still know each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from operations.checking import LOGIN, ORGANIZATION, Amiss, Judged, Place
from operations.clouds import Answer
from operations.verify.facts import facts, project
from operations.verify.register import VERIFY
from rehearsal.graph import Resource

PULL: Final = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
"""AcrPull."""


@VERIFY("pull", "the cluster may pull from its own tier's registry, and from no other", LOGIN)
def pull(place: Place) -> Judged:
    known = facts(place)
    (kubelet,) = (
        each for each in place.graph.of_kind("managedidentity:UserAssignedIdentity") if each.logical_name == "kubelet"
    )
    held = {
        key: _held(place, known[key], str(kubelet.get("principalId")))
        for key in ("registryId", "sourceRegistryId")
        if known.get(key)
    }
    return judge_pull(held["registryId"], held.get("sourceRegistryId", ()))


def _held(place: Place, scope: str, principal: str) -> tuple[str, ...]:
    """Roles on a registry, or on what it lies in, by id."""
    found = place.clouds.roles.role_assignments.list_for_scope(scope, filter=f"assignedTo('{principal}')")
    return tuple(str(each.role_definition_id).rpartition("/")[2] for each in found)


def judge_pull(own: Sequence[str], other: Sequence[str]) -> Iterator[Amiss]:
    """The kubelet's roles on its own registry, and on the one that images are promoted from."""
    if PULL not in own:
        yield Amiss("the kubelet may not pull from its own registry", "pulumi up --refresh grants it again")
    if other:
        yield Amiss(
            f"the kubelet holds {', '.join(other)} on the registry that images are promoted from",
            "remove the grant: an image that no one has promoted could run",
        )


class Parameters(Answer):
    workload_identity_federation_issuer: str
    workload_identity_federation_subject: str


class Authorization(Answer):
    parameters: Parameters


class Connection(Answer):
    authorization: Authorization
    is_ready: bool


class Use(Answer):
    result: str | None = None


class Execution(Answer):
    data: Use


class Executions(Answer):
    value: list[Execution]


CREDENTIALS: Final = "2023-01-31"


@VERIFY("federation", "every connection is known to its identity, and has signed in", LOGIN, ORGANIZATION)
def federation(place: Place) -> Judged:
    credentials = {each.name: each for each in place.graph.of_kind("managedidentity:FederatedIdentityCredential")}
    for endpoint in place.graph.of_kind("index:ServiceEndpointAzureRM"):
        here, version = project(place), {"api-version": "7.1"}
        connection = place.clouds.devops(f"{here}/_apis/serviceendpoint/endpoints/{endpoint.id}", Connection, **version)
        history = place.clouds.devops(
            f"{here}/_apis/serviceendpoint/{endpoint.id}/executionhistory", Executions, top="5", **version
        )
        known = _credential(place, credentials.get(f"connection-{endpoint.name}"))
        yield from judge_federation(endpoint.name, connection, known, [each.data.result for each in history.value])


def _credential(place: Place, resource: Resource | None) -> Mapping[str, Any] | None:
    return place.clouds.resource(resource.id, CREDENTIALS) if resource else None


def judge_federation(
    name: str, connection: Connection, credential: Mapping[str, Any] | None, results: Sequence[str | None]
) -> Iterator[Amiss]:
    """`results` of the latest uses, the newest first."""
    said = connection.authorization.parameters
    known = credential["properties"] if credential else {}
    if (known.get("issuer"), known.get("subject")) != (
        said.workload_identity_federation_issuer,
        said.workload_identity_federation_subject,
    ):
        yield Amiss(f"the connection {name} is not the one that its identity trusts", "pulumi up --refresh")
    elif not connection.is_ready:
        yield Amiss(f"the connection {name} is not ready", "open it in Project settings, Service connections")
    elif not results:
        yield Amiss(f"the connection {name} was never used", "bring a release, and run this again")
    elif not any(result in ("succeeded", "succeededWithIssues") for result in results):
        yield Amiss(f"the connection {name} did not sign in lately", "the failed job says why: AADSTS and a number")
