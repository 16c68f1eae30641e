"""An identity of the pipelines: who a job is to Azure, what it may do, and which pipelines may be it.

There is no secret: a service connection exchanges the token of a run for one of the identity's. Issuer and subject
of that exchange come from the connection itself; Azure DevOps has changed their form before, so they are never
built here. The order is identity, connection, federated credential and rights, gates, authorisation: when a pipeline
may first use the connection, everything before it stands.

What it does not do: it decides no rights (`rights`) and no gates (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_azuredevops import (
    ServiceEndpointAzureRM,
    ServiceEndpointAzureRMCredentialsArgs,
    ServiceEndpointAzureRMFeaturesArgs,
)

from components.access import grant
from components.delivery.approvers import Approvers
from components.delivery.authorization import authorize
from components.delivery.checks import ChecksArgs, gate
from components.delivery.rights import Rights
from components.placement import Placement

AUDIENCE = "api://AzureADTokenExchange"
"""Of tokens that Entra ID exchanges for its own."""


@dataclass(frozen=True)
class Subscription:
    """Where the connections of an environment lead."""

    tenant_id: str
    id: str
    name: str
    """As Azure DevOps shows it; it has no effect."""


@dataclass(frozen=True)
class PipelineIdentityArgs:
    place: Placement
    purpose: str
    """What it is for, which names the identity: `ci`, `deploy`, `promote`."""
    connections: Sequence[str]
    """Names of its service connections, at least one."""
    subscription: Subscription
    checks: ChecksArgs
    """What stands before each connection; names the project too."""
    rights: Rights
    pipelines: Mapping[str, Input[int]]
    """Who may use the connections: name to id."""
    approvers: Approvers | None = None


PIPELINE_IDENTITY = "aks-cicd:delivery:PipelineIdentity"
"""Type of the component on every platform, so that identity and rights stay when the platform changes."""


def identify(
    name: str, place: Placement, purpose: str, granted: Rights, parent: Resource
) -> tuple[UserAssignedIdentity, list[Resource]]:
    """The identity of a job and what it may do, whatever platform the job runs on."""
    identity = UserAssignedIdentity(
        name,
        resource_name_=place.names.identity(purpose),
        resource_group_name=place.resource_group,
        location=place.location,
        tags=place.tags,
        opts=ResourceOptions(parent=parent),
    )
    rights: list[Resource] = [
        grant(
            what,
            right.role,
            to=identity.principal_id,
            on=right.scope,
            names=place.names,
            parent=parent,
            condition=right.condition,
        )
        for what, right in granted.items()
    ]
    return identity, rights


class PipelineIdentity(ComponentResource):
    """One identity with its service connections."""

    client_id: Output[str]
    principal_id: Output[str]
    connection_ids: dict[str, Output[str]]
    """By name of the connection."""

    def __init__(self, name: str, args: PipelineIdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(PIPELINE_IDENTITY, name, None, opts)
        self._args, self._name = args, name
        identity, rights = identify(name, args.place, args.purpose, args.rights, self)
        self.client_id, self.principal_id = identity.client_id, identity.principal_id
        self.connection_ids = {}
        before: list[Resource] = []
        for logical, connection_name in self._connections():
            connection = self._connection(logical, connection_name, identity)
            # Azure refuses two writes to the credentials of one identity at a time.
            before = [self._federate(logical, connection_name, identity, connection, before)]
            self._open(logical, connection, after=[*before, *rights])
            self.connection_ids[connection_name] = connection.id
        self.register_outputs({"clientId": self.client_id, "connectionIds": self.connection_ids})

    def _connections(self) -> list[tuple[str, str]]:
        """Logical and physical name of each connection; a logical name holds no value of the settings."""
        if len(self._args.connections) == 1:
            return [(f"{self._name}-connection", self._args.connections[0])]
        return [(f"{self._name}-connection-{number}", each) for number, each in enumerate(self._args.connections, 1)]

    def _connection(self, logical: str, name: str, identity: UserAssignedIdentity) -> ServiceEndpointAzureRM:
        args = self._args
        return ServiceEndpointAzureRM(
            logical,
            project_id=args.checks.project_id,
            service_endpoint_name=name,
            description=f"Federated with the identity {args.place.names.identity(args.purpose)}; holds no secret.",
            service_endpoint_authentication_scheme="WorkloadIdentityFederation",
            credentials=ServiceEndpointAzureRMCredentialsArgs(serviceprincipalid=identity.client_id),
            azurerm_spn_tenantid=args.subscription.tenant_id,
            azurerm_subscription_id=args.subscription.id,
            azurerm_subscription_name=args.subscription.name,
            # A sign-in would be tried before there is a credential for it.
            features=ServiceEndpointAzureRMFeaturesArgs(validate=False),
            opts=ResourceOptions(parent=self),
        )

    def _federate(
        self,
        logical: str,
        name: str,
        identity: UserAssignedIdentity,
        connection: ServiceEndpointAzureRM,
        after: Sequence[Resource],
    ) -> FederatedIdentityCredential:
        place = self._args.place
        return FederatedIdentityCredential(
            f"{logical}-signs-in",
            federated_identity_credential_resource_name=place.names.federated_credential(name),
            resource_name_=identity.name,
            resource_group_name=place.resource_group,
            issuer=connection.workload_identity_federation_issuer,
            subject=connection.workload_identity_federation_subject,
            audiences=[AUDIENCE],
            opts=ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _open(self, logical: str, connection: ServiceEndpointAzureRM, after: Sequence[Resource]) -> None:
        """Gates, then authorisation."""
        args = self._args
        gates = gate(logical, "endpoint", connection.id, args.checks, self)
        if args.approvers:
            gates.append(args.approvers.may_see(logical, "endpoint", connection.id, self))
        authorize(
            logical,
            "endpoint",
            connection.id,
            args.pipelines,
            project_id=args.checks.project_id,
            parent=self,
            after=[*after, *gates],
        )
