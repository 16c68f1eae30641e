"""Rights that come or get wider: grants, roles of Azure DevOps and Kubernetes, sign-ins, permissions of pipelines.

Whether one role allows more than another is told by rank. Of two with the same rank neither is known to be the wider
one, so a change between them is told too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.access import role_name
from rehearsal.graph import Resource
from rehearsal.run import UNKNOWN
from review.judgement.findings import Finding
from review.model import Change, Changes, Op

OTHER_ROLES: Final[Mapping[str, str]] = {
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": "Azure Kubernetes Service Cluster Admin Role",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "3498e952-d568-435e-9b2c-8d77e338d7f7": "Azure Kubernetes Service RBAC Admin",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""Built-in roles that the program never grants, but a reviewer should read the name of; ids as Microsoft has them."""

_RANKS: Final = (
    (5, ("Owner", "Role Based Access Control Administrator", "User Access Administrator")),
    (4, ("Contributor",)),
    (3, ("Admin", "Administrator", "Cluster Admin Role", "Network Contributor", "Private DNS Zone Contributor")),
    (
        2,
        (
            "AcrPush",
            "Azure Kubernetes Service RBAC Writer",
            "Container Registry Data Importer and Data Reader",
            "Grafana Editor",
            "Managed Identity Operator",
            "Monitoring Metrics Publisher",
        ),
    ),
    (
        1,
        (
            "AcrPull",
            "Azure Kubernetes Service Cluster User Role",
            "Key Vault Secrets User",
            "Log Analytics Reader",
            "Monitoring Data Reader",
            "Monitoring Reader",
            "Reader",
        ),
    ),
)
_DELIVERY_RANKS: Final = {"Reader": 1, "User": 2, "Creator": 3, "Publisher": 3, "Administrator": 4}
_KUBERNETES: Final = "rbac.authorization.k8s.io:"


def rank(role: str) -> int:
    """The more, the more it allows; a role that nobody has ranked counts as a writer's, an administrator's as such."""
    exact = next((level for level, names in _RANKS if role in names), 0)
    return exact or (3 if role.endswith(("Admin", "Administrator", "Contributor")) else 2)


def judge(change: Change, changes: Changes) -> Iterator[Finding]:
    if change.after is None:
        return
    match change.kind:
        case "authorization:RoleAssignment":
            yield from _grant(change, changes)
        case "authorization:RoleDefinition":
            yield Finding.about(change, "role", "what a role of our own allows is other than before")
        case "index:SecurityroleAssignment":
            yield from _delivery_role(change)
        case "index:PipelineAuthorization" if change.op is Op.CREATE:
            yield from _pipeline(change, changes)
        case "managedidentity:FederatedIdentityCredential":
            yield from _sign_in(change, changes)
        case kind if kind.startswith(_KUBERNETES):
            yield Finding.about(change, "role", "rights inside the cluster are other than before")


def _name(grant: Resource) -> str:
    known = role_name(str(grant.get("roleDefinitionId", "")))
    return OTHER_ROLES.get(known, known)


def _told(grant: Resource, changes: Changes) -> str:
    return changes.names.told(grant).replace(changes.names.granted(grant), _name(grant), 1)


def _grant(change: Change, changes: Changes) -> Iterator[Finding]:
    assert change.after is not None, "asked by `judge`"
    new, old = change.after, change.before
    if old is None:
        yield Finding.about(change, "role", f"new: {_told(new, changes)}")
        return
    before, after = _name(old), _name(new)
    if UNKNOWN in (str(new.get("roleDefinitionId")), str(new.get("scope"))):
        # Of what it is granted on, something is made anew: that is told there, and is what has to be acknowledged.
        text = f"{_told(old, changes)}: granted anew; on what, and as which role, is known only afterwards"
        yield Finding.about(change, "role", text, grave=False)
        return
    wider = [
        before != after and rank(after) >= rank(before),
        _wider_scope(str(old.get("scope", "")), str(new.get("scope", ""))),
        # A new principal under an identity that is replaced along with it is the same one to a reviewer.
        old.get("principalId") != new.get("principalId") and not _remade(str(old.get("principalId")), changes),
    ]
    if any(wider):
        yield Finding.about(change, "role", f"{_told(new, changes)}, before {_told(old, changes)}")


def _wider_scope(old: str, new: str) -> bool:
    """Whether a scope is other than one at or below the old one."""
    before, after = (scope.lower().rstrip("/") for scope in (old, new))
    return after != before and not after.startswith(f"{before}/")


def _remade(principal: str, changes: Changes) -> bool:
    known = {each.get("principalId") for each in changes.before.resources if each.urn in _replaced(changes)}
    return principal in known


def _replaced(changes: Changes) -> set[str]:
    return {change.before.urn for change in changes.of(Op.REPLACE) if change.before is not None}


def _delivery_role(change: Change) -> Iterator[Finding]:
    assert change.after is not None, "asked by `judge`"
    new = str(change.after.get("roleName", ""))
    old = str(change.before.get("roleName", "")) if change.before else ""
    if _DELIVERY_RANKS.get(new, 4) > _DELIVERY_RANKS.get(old, 0):
        yield Finding.about(change, "role", f"{new} of it{f', before {old}' if old else ''}")


def _pipeline(change: Change, changes: Changes) -> Iterator[Finding]:
    assert change.after is not None, "asked by `judge`"
    pipeline, used = change.after.get("pipelineId"), str(change.after.get("resourceId", ""))
    index = changes.names.index
    area = str(change.after.get("type", ""))
    whom = index.pipeline_name(pipeline, changes.stack) if pipeline else "EVERY PIPELINE"
    yield Finding.about(change, "right", f"{whom} may use {index.thing(area, used, changes.stack).words}")


def _sign_in(change: Change, changes: Changes) -> Iterator[Finding]:
    """Who may act as an identity. Of an identity that is new as well, its grants tell."""
    assert change.after is not None, "asked by `judge`"
    identity = change.after.get("resourceName")
    if change.before is None:
        made = {each.after.get("resourceName") for each in changes.of(Op.CREATE) if each.after and _is_identity(each)}
        if identity not in made:
            yield Finding.about(change, "signin", f"{_subject(change.after)} signs in as {identity}")
    elif told := [each for each in change.differences if each.path in ("issuer", "subject", "audiences")]:
        text = f"{_subject(change.after)} signs in as {identity}, before {_subject(change.before)}"
        # An issuer that is made anew is that of a cluster or a connection that is: told there.
        grave = any(each.path != "issuer" or each.after != UNKNOWN for each in told)
        yield Finding.about(change, "signin", text, grave=grave)


def _is_identity(change: Change) -> bool:
    return change.kind == "managedidentity:UserAssignedIdentity"


def _subject(credential: Resource) -> str:
    return f"{credential.get('subject')} of {credential.get('issuer')}"
