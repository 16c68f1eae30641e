"""What the identities that plan and apply an environment may do: a closed list, as plain data.

plan: reads all state and unseals its secrets; reads its environment, inside its cluster too, and the Defender plans
that its stack owns.

apply: writes the state of its own stack alone, and does everything in its own resource group but hand on roles of its
own choice: it hands on those that an environment grants, and no other. It administers its cluster, locks what
production keeps, and owns Defender's plans where its stack does. On a registry of another stack that images come from,
it hands on the one role that this takes.

What lies elsewhere (a hub, its DNS zones, a route table, a workspace of the estate) belongs to somebody else, who has
to grant what it takes: `asked` lists it, and the stack's output `askedOfOthers` tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pulumi import Input

from bootstrap.conditions import hands_on_only, state_of, writes_only
from components.access import INFRASTRUCTURE_ROLES, ROLES
from components.delivery.rights import IMPORTER, Right, Rights

GRANTS = "Role Based Access Control Administrator"
PULLER = "AcrPull"


@dataclass(frozen=True)
class Store:
    """Where state lies, as far as rights are granted on it."""

    container_id: Input[str]
    key_id: Input[str]


@dataclass(frozen=True)
class Reach:
    """What an environment's infrastructure reaches."""

    key: str
    """Name of its stack."""
    project: str
    """Name of the Pulumi project of all environments."""
    group_id: str
    production: bool
    plans_of: str | None
    """The subscription whose Defender plans its stack owns."""
    promotes_from: Input[str] | None = None
    """Id of the registry that images are promoted from."""
    borrows_from: Input[str] | None = None
    """Id of the registry of another stack that its cluster pulls from."""


def administrator(number: int, store: Store) -> Rights:
    """People who run the bootstrap, and any stack by hand. They write state; who may purge it stays with the owner of
    the subscription."""
    return {
        f"administrators-{number}-write-state": Right("Storage Blob Data Contributor", store.container_id),
        f"administrators-{number}-unseal-state": Right("Key Vault Crypto User", store.key_id),
    }


def plan(reach: Reach, store: Store) -> Rights:
    """A preview takes no lock and writes no state."""
    who = f"plan-{reach.key}"
    rights = {
        f"{who}-reads-state": Right("Storage Blob Data Reader", store.container_id),
        f"{who}-unseals-state": Right("Key Vault Crypto User", store.key_id),
        f"{who}-reads-environment": Right("Reader", reach.group_id),
        f"{who}-fetches-credentials": Right("Azure Kubernetes Service Cluster User Role", reach.group_id),
        f"{who}-reads-cluster": Right("Azure Kubernetes Service RBAC Reader", reach.group_id),
    }
    if reach.plans_of:
        rights[f"{who}-reads-defender-plans"] = Right("Security Reader", f"/subscriptions/{reach.plans_of}")
    return rights


def apply(reach: Reach, store: Store) -> Rights:
    who = f"apply-{reach.key}"
    own_state = writes_only(state_of(reach.project, reach.key))
    rights = {
        f"{who}-writes-state": Right("Storage Blob Data Contributor", store.container_id, own_state),
        f"{who}-unseals-state": Right("Key Vault Crypto User", store.key_id),
        f"{who}-makes-environment": Right("Contributor", reach.group_id),
        f"{who}-hands-on-roles": Right(GRANTS, reach.group_id, hands_on_only(ROLES.values())),
        # Contributor writes nothing of Microsoft.Authorization, and clusters have policies of their own.
        f"{who}-assigns-policies": Right("Resource Policy Contributor", reach.group_id),
        f"{who}-administers-cluster": Right("Azure Kubernetes Service RBAC Cluster Admin", reach.group_id),
    }
    if reach.production:
        rights[f"{who}-locks"] = Right("Locks Contributor", reach.group_id)
    if reach.plans_of:
        rights[f"{who}-owns-defender-plans"] = Right("Security Admin", f"/subscriptions/{reach.plans_of}")
    if reach.promotes_from is not None:
        rights[f"{who}-hands-on-importer"] = Right(GRANTS, reach.promotes_from, hands_on_only([ROLES[IMPORTER]]))
    if reach.borrows_from is not None:
        rights[f"{who}-hands-on-puller"] = Right(GRANTS, reach.borrows_from, hands_on_only([ROLES[PULLER]]))
    return rights


ESTATE: Mapping[str, str] = {
    "microsoft.network/virtualnetworks": "Network Contributor",
    "microsoft.network/routetables": "Network Contributor",
    "microsoft.network/privatednszones": "Private DNS Zone Contributor",
    "microsoft.operationalinsights/workspaces": "Log Analytics Contributor",
}
"""What `up` needs on things of the estate that a stack refers to, by their type in lower case."""


def asked(resource_ids: Iterable[str], names_zone_of_cluster: str | None) -> list[dict[str, str]]:
    """What others grant to the apply identity, on things of theirs; sorted. With a zone of theirs for the API server,
    the cluster's own identity needs a role there, which `up` hands on."""
    found = [(each, ESTATE[kind]) for each in resource_ids if (kind := _type(each)) in ESTATE]
    if names_zone_of_cluster:
        found.append((names_zone_of_cluster, GRANTS))
    return [{"scope": scope, "role": role} for scope, role in sorted(found)]


def _type(resource_id: str) -> str:
    parts = resource_id.lower().split("/providers/")[-1].split("/")
    return f"{parts[0]}/{parts[1]}" if len(parts) > 1 else ""


POWERFUL = frozenset(INFRASTRUCTURE_ROLES)
"""Roles that no condition here lets anybody hand on."""
