"""Role grants in plain words: what a principal may do, where, and what that reaches over to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rehearsal.delivery.index import Index
from rehearsal.graph import Resource
from rehearsal.words import last, scope_name

ACR_PULL: Final = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH: Final = "8311e382-0749-4cb8-b61a-304f252e45ec"
IMPORTER: Final = "577a9874-89fd-4f24-9dbd-b5034d0ad23a"
"""Container Registry Data Importer and Data Reader."""
PUBLISHER: Final = "3913510d-42f4-4e42-8a64-420c390055eb"
"""Monitoring Metrics Publisher, which lets in whatever Azure Monitor takes: metrics, traces, rows of a table."""

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    ACR_PULL: ("pulls images", " from {}"),
    ACR_PUSH: ("pushes images", " to {}"),
    IMPORTER: ("reads and imports images", " of {}"),
    PUBLISHER: ("sends telemetry", " to {}"),
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": ("fetches credentials", " of {}"),  # AKS Cluster User Role
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": ("writes in {}", ""),  # AKS RBAC Writer
    "22926164-76b3-42b3-bc55-97df8dab3e41": ("administers {}", ""),  # Grafana Admin
    "a79a5197-3a5c-4973-a920-486035ffd60f": ("edits dashboards", " of {}"),  # Grafana Editor
    "12338af0-0e69-4776-bea7-57ae8d297424": ("uses the key {}", ""),  # Key Vault Crypto User
    "4633458b-17de-408a-b874-0445c86b69e6": ("reads secrets", " of {}"),  # Key Vault Secrets User
    "73c42c96-874c-492b-b04d-ab87d138a893": ("reads logs", " of {}"),  # Log Analytics Reader
    "f1a07417-d97a-45cb-824c-7a7467783830": ("assigns the identity {}", ""),  # Managed Identity Operator
    "b0d8363b-8ddd-447d-831f-62ca05bff136": ("reads metrics", " of {}"),  # Monitoring Data Reader
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": ("reads monitoring data", " of {}"),  # Monitoring Reader
    "4d97b98b-1d4f-4787-a291-c67834d212e7": ("changes the network {}", ""),  # Network Contributor
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": ("writes DNS records", " of {}"),  # Private DNS Zone Contributor
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": ("reads settings", " of {}"),  # Reader
}
"""What each of Azure's built-in roles lets somebody do, and where; by the GUID that it has in every directory."""


def role(grant: Resource) -> str:
    """The GUID of the granted role."""
    return last(grant.get("roleDefinitionId")).lower()


def told(grant: Resource, role_name: str, index: Index, stack: str) -> str:
    """One grant of a stack in plain words; a role without words is named."""
    what, where = _words(grant, role_name, index, stack)
    scope = str(grant.get("scope", ""))
    return (what + where).format(scope_name(scope)) + reach(scope, index, stack)


def short(grant: Resource, index: Index, stack: str) -> str:
    """The same without the place, but for one that belongs to another stack."""
    what, _ = _words(grant, last(grant.get("roleDefinitionId")), index, stack)
    scope = str(grant.get("scope", ""))
    place = scope_name(scope).partition(" of ")[0]
    return what.format(place) + reach(scope, index, stack)


def _words(grant: Resource, role_name: str, index: Index, stack: str) -> tuple[str, str]:
    scope = str(grant.get("scope", ""))
    if role(grant) == PUBLISHER and (tables := _tables(index.find("arm", scope, stack))):
        return f"writes rows of {' '.join(tables)}", " by {}"
    return WORDS.get(role(grant), (f"has the role {role_name}", " on {}"))


def reach(scope: str, index: Index, stack: str) -> str:
    """A mark for what does not belong to the stack itself."""
    if not scope.strip("/"):
        return ""
    owner = index.owner_at(scope, stack)
    if owner == stack:
        return ""
    return f" ← {owner or 'no stack at hand'}"


def _tables(rule: Resource | None) -> tuple[str, ...]:
    """The tables of a workspace that a collection rule writes to, which says more than its own name."""
    flows: Iterable[Mapping[str, Any]] = rule.get("dataFlows", []) if rule else []
    found = {str(flow.get("outputStream", "")) for flow in flows}
    return tuple(sorted(each.removeprefix("Custom-") for each in found if each.startswith("Custom-")))
