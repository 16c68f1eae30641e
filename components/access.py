"""Who may reach a resource: role grants (`grant`) and private end points (`connect_privately`).

Every grant of the program is made by `grant`, so that all have a deterministic name (nothing is granted twice when
a run is repeated), a principal type (without it Azure looks the principal up, and a new identity may not have
replicated yet), and are replaced delete-first (a second assignment of the same name is refused).

It decides nothing: which identity gets which role where stands with the component that owns the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pulumi import Input, Output, Resource, ResourceOptions
from pulumi_azure_native.authorization import PrincipalType, RoleAssignment
from pulumi_azure_native.network import (
    PrivateDnsZoneConfigArgs,
    PrivateDnsZoneGroup,
    PrivateEndpoint,
    PrivateLinkServiceConnectionArgs,
)

from components.naming import Names
from components.placement import Placement

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
        "Azure Kubernetes Service Cluster User Role": "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        "Azure Kubernetes Service RBAC Writer": "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
        "Container Registry Data Importer and Data Reader": "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
        "Grafana Admin": "22926164-76b3-42b3-bc55-97df8dab3e41",
        "Grafana Editor": "a79a5197-3a5c-4973-a920-486035ffd60f",
        "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
        "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
        "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
        "Monitoring Data Reader": "b0d8363b-8ddd-447d-831f-62ca05bff136",
        "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
        "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }
)
"""Azure's built-in roles that an environment grants; ids as in Microsoft's list of built-in roles. No other is used."""

INFRASTRUCTURE_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "Azure Kubernetes Service RBAC Cluster Admin": "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        "Azure Kubernetes Service RBAC Reader": "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
        "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Locks Contributor": "28bf596f-4eb7-45ce-b5bc-6cf482fec137",
        "Resource Policy Contributor": "36243c78-bf99-498c-9df9-86d9f8d28608",
        "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Security Admin": "fb1c8493-542b-48eb-b624-b4c8fea62acd",
        "Security Reader": "39bc4728-0917-49c7-9d2c-d95423bc2eb4",
        "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    }
)
"""Those that the bootstrap grants beside them. No environment does: who plans and applies it cannot come from it."""


def role_name(role_definition_id: str) -> str:
    """The name of a role by the id of its definition; the bare GUID for one that the program does not grant."""
    guid = role_definition_id.rpartition("/")[2].lower()
    return next((name for name, known in {**ROLES, **INFRASTRUCTURE_ROLES}.items() if known == guid), guid)


def role_definition_id(role: str, subscription_id: str) -> str:
    """Azure answers with the definition as seen from the scope's subscription; so that is what we send."""
    guid = ROLES.get(role) or INFRASTRUCTURE_ROLES[role]
    return f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def grant(
    name: str,
    role: str,
    *,
    to: Input[str],
    on: Input[str],
    names: Names,
    parent: Resource,
    kind: Literal["ServicePrincipal", "Group"] = "ServicePrincipal",
    condition: str | None = None,
) -> RoleAssignment:
    """Grants a role of `ROLES` or `INFRASTRUCTURE_ROLES` to a principal (object id) on a scope (resource id).

    `name` says who gets what, such as `kubelet-pulls-images`; it is unique in the environment, and the physical name
    is made from it. `condition` narrows the role, in the language of Azure's role assignment conditions.
    """
    # The scope may lie in another subscription than ours: a hub's DNS zone, the registry that images come from.
    definition = Output.from_input(on).apply(lambda scope: role_definition_id(role, scope.split("/")[2]))
    return RoleAssignment(
        name,
        role_assignment_name=names.role_assignment(f"{name}/{role}"),
        scope=on,
        role_definition_id=definition,
        principal_id=to,
        principal_type=PrincipalType.GROUP if kind == "Group" else PrincipalType.SERVICE_PRINCIPAL,
        condition=condition,
        condition_version="2.0" if condition else None,
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )


@dataclass(frozen=True)
class PrivateLink:
    """Where private end points go: a subnet, and the DNS zone that answers for the resource."""

    subnet_id: Input[str]
    zone_id: Input[str]


def connect_privately(
    name: str,
    target_id: Input[str],
    *,
    group: Literal["registry", "vault"],
    link: PrivateLink,
    place: Placement,
    parent: Resource,
) -> PrivateEndpoint:
    """A private end point for a resource, and its record in the DNS zone. `group` is Azure's name of the sub-resource.

    The end point ends in the physical name of `name`: `registry`, `ci-vault`, …
    """
    endpoint = PrivateEndpoint(
        f"{name}-endpoint",
        private_endpoint_name=place.names.private_endpoint(name),
        resource_group_name=place.resource_group,
        location=place.location,
        tags=place.tags,
        # Not SubnetArgs: that class fills in network policies, which a reference to a subnet must not send.
        subnet={"id": link.subnet_id},
        custom_network_interface_name=f"{place.names.private_endpoint(name)}-nic",
        private_link_service_connections=[
            PrivateLinkServiceConnectionArgs(name=group, private_link_service_id=target_id, group_ids=[group])
        ],
        opts=ResourceOptions(parent=parent),
    )
    PrivateDnsZoneGroup(
        f"{name}-dns",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=place.resource_group,
        private_dns_zone_configs=[PrivateDnsZoneConfigArgs(name=group, private_dns_zone_id=link.zone_id)],
        opts=ResourceOptions(parent=parent),
    )
    return endpoint
