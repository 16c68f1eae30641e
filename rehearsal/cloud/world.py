"""What exists: the resources made so far and the estate around them, with the questions that rules ask.

Only the `Cloud` writes to it (`put`, `drop`, `reserve`, `admit`), under its lock. Keys are ARM ids in lower
case, because ARM compares ids without case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from rehearsal.cloud import arm, roles
from rehearsal.cloud.answers import Estate
from rehearsal.cloud.values import leaves


@dataclass(frozen=True)
class Resource:
    """One resource that exists. `implied` are the ids that exist because it does (a cluster's node group)."""

    id: str
    type_: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    implied: frozenset[str] = frozenset()
    refers_to: frozenset[str] = field(default=frozenset(), repr=False)
    principals: frozenset[str] = field(default=frozenset(), repr=False)


def references(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every ARM id in a resource's inputs with its path. Tags are text for people, so they do not count."""
    for key, value in inputs.items():
        if key != "tags":
            for path, leaf in leaves(value, key):
                if arm.is_id(leaf):
                    yield path, leaf


def principals(outputs: Mapping[str, Any]) -> frozenset[str]:
    """The directory object ids that a resource brings with it: managed identities of either sort."""
    found = {outputs.get("principalId")} if outputs.get("clientId") else set()
    identity = outputs.get("identity")
    if isinstance(identity, Mapping):
        found.add(identity.get("principalId"))
    return frozenset(value.lower() for value in found if isinstance(value, str))


class World:
    def __init__(self, estate: Estate) -> None:
        self.resources: dict[str, Resource] = {}
        self.reserved: dict[tuple[str, str], str] = {}
        self.inside: dict[str, dict[tuple[str, str], Resource]] = {}
        """What lives in the clusters, by lower-case id of the cluster; see `rehearsal.cloud.kubernetes`."""
        self.delivery: dict[tuple[str, str], Resource] = {}
        """What lives in Azure DevOps, by type and id; see `rehearsal.cloud.azuredevops`."""
        self._open(estate)

    def admit(self, estate: Estate) -> None:
        self._open(self.estate.merged(estate))

    def _open(self, estate: Estate) -> None:
        self.estate = estate
        self._subscriptions = {value.lower() for value in self.estate.subscriptions}
        self._given = {value.lower() for value in self.estate.resource_ids}

    def put(self, resource: Resource) -> None:
        self.resources[resource.id.lower()] = resource

    def drop(self, id: str) -> None:
        """Removes a resource and everything under it, as ARM does."""
        for key in [key for key in self.resources if arm.within(key, id)]:
            del self.resources[key]
            self.inside.pop(key, None)

    def reserve(self, arm_type: str, name: str, id: str) -> None:
        """Keeps a globally unique name after its resource is gone (soft delete)."""
        self.reserved[(arm_type, name.lower())] = id

    def find(self, id: str) -> Resource | None:
        """What the stand-in knows about an id; None also for things of the estate, which have no details."""
        return self.resources.get(id.lower())

    def knows_subscription(self, subscription: str) -> bool:
        return subscription.lower() in self._subscriptions

    def exists(self, id: str) -> bool:
        key = id.lower()
        return (
            key in self.resources
            or key in self._given
            or (key.count("/") == 2 and self.knows_subscription(arm.subscription_of(key)))
            or any(given.startswith(key + "/") for given in self._given)
            or any(key in resource.implied for resource in self.resources.values())
            or self._is_namespace(key)
        )

    def _is_namespace(self, key: str) -> bool:
        # A Kubernetes namespace is a scope for roles without being an ARM resource.
        cluster, separator, namespace = key.rpartition("/namespaces/")
        managed = cluster.rsplit("/", 2)[0].endswith("/microsoft.containerservice")
        return bool(separator) and managed and "/" not in namespace and self.exists(cluster)

    def of_type(self, token: str) -> Iterator[Resource]:
        return (resource for resource in self.resources.values() if resource.type_ == token)

    def holder_of(self, token: str, arm_type: str, name: str) -> str | None:
        """Who holds a globally unique name, if anyone does."""
        made = (resource.id for resource in self.of_type(token) if arm.same(resource.name, name))
        given = (id for id in self._given if arm.same(arm.type_of(id), arm_type) and arm.same(arm.name_of(id), name))
        return next(chain(made, given), None)

    def under(self, id: str) -> Iterator[Resource]:
        """The resources below an id, not itself."""
        return (found for key, found in self.resources.items() if key != id.lower() and arm.within(key, id))

    def users_of(self, id: str) -> Iterator[Resource]:
        """The resources outside an id's own subtree that refer to it or to something it implies."""
        key = id.lower()
        for other, resource in self.resources.items():
            if not arm.within(other, key) and key in resource.refers_to:
                yield resource

    def principal_type(self, principal: str) -> str | None:
        """What sort of principal an object id is in the directory, or None when it is not there."""
        wanted = principal.lower()
        known = (
            ("Group", self.estate.groups),
            ("User", self.estate.users),
            ("ServicePrincipal", self.estate.service_principals),
        )
        for sort, ids in known:
            if wanted in {value.lower() for value in ids}:
                return sort
        return "ServicePrincipal" if self.is_managed(principal) else None

    def is_managed(self, principal: str) -> bool:
        """Whether an object id belongs to an identity that was made here."""
        return any(principal.lower() in resource.principals for resource in self.resources.values())

    def granted(self, principal: str, scope: str, accepted: Iterable[str]) -> bool:
        """Whether a principal holds an accepted role (or Contributor, or Owner) on a scope or above it."""
        enough = {*accepted, roles.CONTRIBUTOR, roles.OWNER}
        return any(
            str(grant.inputs.get("principalId", "")).lower() == principal.lower()
            and arm.role_guid(str(grant.inputs.get("roleDefinitionId", ""))) in enough
            and arm.within(scope, str(grant.inputs.get("scope", "")))
            for grant in self.of_type("azure-native:authorization:RoleAssignment")
        )
