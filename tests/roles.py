"""Azure's built-in roles by what they let somebody do, as far as a registry is concerned.

Data from Microsoft's list of built-in roles (azure-docs, articles/role-based-access-control/built-in-roles: containers,
monitor, privileged, general), kept apart from the program's own table of roles, so that a wrong id there is found. A
role without actions here is known by name only: it is not meant to be granted where a registry is within reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REGISTRY = "Microsoft.ContainerRegistry/registries"


@dataclass(frozen=True)
class Role:
    name: str
    actions: tuple[str, ...] | None = None
    """Control and data actions alike; None: not on record."""
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        return _matches(self.actions or (), action) and not _matches(self.not_actions, action)


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) is not None for pattern in patterns
    )


_CONTENT = f"{REGISTRY}/repositories/content"
_METADATA = f"{REGISTRY}/repositories/metadata"

BUILT_IN: Mapping[str, Role] = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": Role("AcrPull", (f"{REGISTRY}/pull/read",)),
    "8311e382-0749-4cb8-b61a-304f252e45ec": Role("AcrPush", (f"{REGISTRY}/pull/read", f"{REGISTRY}/push/write")),
    "c2f4ef07-c644-48eb-af81-4b1b4947fb11": Role("AcrDelete", (f"{REGISTRY}/artifacts/delete",)),
    "6cef56e8-d556-48e5-a04f-b8e64114680f": Role(
        "AcrImageSigner", (f"{REGISTRY}/sign/write", f"{REGISTRY}/trustedCollections/write")
    ),
    "c8d4ff99-41c3-41a8-9f60-21dfdad59608": Role(
        "AcrQuarantineWriter", (f"{REGISTRY}/quarantine/*", f"{REGISTRY}/quarantinedArtifacts/*")
    ),
    "577a9874-89fd-4f24-9dbd-b5034d0ad23a": Role(
        "Container Registry Data Importer and Data Reader",
        (
            f"{REGISTRY}/importImage/action",
            f"{REGISTRY}/read",
            f"{REGISTRY}/pull/read",
            f"{_CONTENT}/read",
            f"{_METADATA}/read",
            f"{REGISTRY}/catalog/read",
        ),
    ),
    "b93aa761-3e63-49ed-ac28-beffa264f7ac": Role(
        "Container Registry Repository Reader", (f"{_METADATA}/read", f"{_CONTENT}/read")
    ),
    "2a1e307c-b015-4ebd-883e-5b7698a07328": Role(
        "Container Registry Repository Writer",
        (f"{_METADATA}/read", f"{_CONTENT}/read", f"{_METADATA}/write", f"{_CONTENT}/write"),
    ),
    "2efddaa5-3f1f-4df3-97df-af3f13818f4c": Role(
        "Container Registry Repository Contributor", (f"{_METADATA}/*", f"{_CONTENT}/*")
    ),
    "fb382eab-e894-4461-af04-94435c366c3f": Role(
        "Container Registry Tasks Contributor",
        (f"{REGISTRY}/tasks/*", f"{REGISTRY}/taskruns/*", f"{REGISTRY}/scheduleRun/action", f"{REGISTRY}/runs/*"),
    ),
    "3bc748fc-213d-45c1-8d91-9da5725539b9": Role(
        "Container Registry Contributor and Data Access Configuration Administrator",
        (
            f"{REGISTRY}/write",
            f"{REGISTRY}/listCredentials/action",
            f"{REGISTRY}/regenerateCredential/action",
            f"{REGISTRY}/generateCredentials/action",
            f"{REGISTRY}/tokens/*",
            f"{REGISTRY}/scopeMaps/*",
        ),
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": Role("Reader", ("*/read",)),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": Role(
        "Contributor", ("*",), ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write")
    ),
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": Role("Owner", ("*",)),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": Role(
        "Role Based Access Control Administrator", ("Microsoft.Authorization/roleAssignments/write", "*/read")
    ),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": Role("User Access Administrator", ("*/read", "Microsoft.Authorization/*")),
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": Role(
        "Monitoring Reader", ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*")
    ),
    "73c42c96-874c-492b-b04d-ab87d138a893": Role(
        "Log Analytics Reader",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    "fb1c8493-542b-48eb-b624-b4c8fea62acd": Role("Security Admin"),
    "39bc4728-0917-49c7-9d2c-d95423bc2eb4": Role("Security Reader"),
    "36243c78-bf99-498c-9df9-86d9f8d28608": Role("Resource Policy Contributor"),
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": Role(
        "Locks Contributor", tuple(f"Microsoft.Authorization/locks/{each}" for each in ("read", "write", "delete"))
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": Role("Storage Blob Data Contributor"),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": Role("Storage Blob Data Reader"),
    "12338af0-0e69-4776-bea7-57ae8d297424": Role("Key Vault Crypto User"),
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": Role("Azure Kubernetes Service RBAC Cluster Admin"),
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": Role("Azure Kubernetes Service RBAC Reader"),
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": Role("Azure Kubernetes Service Cluster User Role"),
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": Role("Azure Kubernetes Service RBAC Writer"),
    "22926164-76b3-42b3-bc55-97df8dab3e41": Role("Grafana Admin"),
    "a79a5197-3a5c-4973-a920-486035ffd60f": Role("Grafana Editor"),
    "4633458b-17de-408a-b874-0445c86b69e6": Role("Key Vault Secrets User"),
    "f1a07417-d97a-45cb-824c-7a7467783830": Role("Managed Identity Operator"),
    "b0d8363b-8ddd-447d-831f-62ca05bff136": Role("Monitoring Data Reader"),
    "3913510d-42f4-4e42-8a64-420c390055eb": Role("Monitoring Metrics Publisher"),
    "4d97b98b-1d4f-4787-a291-c67834d212e7": Role("Network Contributor"),
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": Role("Private DNS Zone Contributor"),
}

PULLS = (f"{REGISTRY}/pull/read", f"{_CONTENT}/read")
"""Actions by which an image is read."""

WRITES = (
    f"{REGISTRY}/push/write",
    f"{REGISTRY}/importImage/action",
    f"{REGISTRY}/artifacts/delete",
    f"{REGISTRY}/sign/write",
    f"{REGISTRY}/trustedCollections/write",
    f"{REGISTRY}/quarantine/write",
    f"{REGISTRY}/quarantinedArtifacts/write",
    f"{_CONTENT}/write",
    f"{_CONTENT}/delete",
    f"{_METADATA}/write",
    f"{_METADATA}/delete",
    # By a task, whose runs push.
    f"{REGISTRY}/scheduleRun/action",
    f"{REGISTRY}/tasks/write",
    f"{REGISTRY}/taskruns/write",
    # By another door that one opens for oneself.
    f"{REGISTRY}/write",
    f"{REGISTRY}/delete",
    f"{REGISTRY}/listCredentials/action",
    f"{REGISTRY}/regenerateCredential/action",
    f"{REGISTRY}/generateCredentials/action",
    f"{REGISTRY}/tokens/write",
    f"{REGISTRY}/scopeMaps/write",
    f"{REGISTRY}/cacheRules/write",
    f"{REGISTRY}/importPipelines/write",
    "Microsoft.Authorization/roleAssignments/write",
)
"""Actions that change what a registry holds, or that make somebody able to."""


def role(definition_id: str) -> Role:
    """The role of a definition's id; one that is not on record is called by its GUID."""
    guid = definition_id.rpartition("/")[2].lower()
    return BUILT_IN.get(guid, Role(guid))
