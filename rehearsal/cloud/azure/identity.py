"""User-assigned managed identities and the federated credentials that let others sign in as them."""

from __future__ import annotations

from typing import Any, Final

from rehearsal.cloud import arm
from rehearsal.cloud.answers import CloudError
from rehearsal.cloud.github.subjects import ISSUER, issued
from rehearsal.cloud.kinds import Kind, Request, refuse_unless
from rehearsal.cloud.values import guid

CREDENTIAL: Final = "azure-native:managedidentity:FederatedIdentityCredential"
_CONNECTION_ISSUERS: Final = ("https://login.microsoftonline.com/", "https://vstoken.dev.azure.com/")


def _identity(request: Request) -> dict[str, Any]:
    return {
        "principalId": guid(request.id, "principal"),
        "clientId": guid(request.id, "client"),
        "tenantId": request.world.estate.tenant_id,
    }


def _issuer_and_audience(request: Request) -> None:
    issuer = request.get("issuer", "https://")
    refuse_unless(issuer.startswith("https://"), "BadRequest", f"The issuer '{issuer}' is not an https URL.")
    audiences = request.get("audiences")
    refuse_unless(
        audiences is None or len(audiences) == 1,
        "BadRequest",
        "A federated credential has exactly one audience.",
    )
    subject = request.get("subject", "x")
    refuse_unless(0 < len(subject) <= 600, "BadRequest", "The subject must have 1 to 600 characters.")


def _known_cluster_issuer(request: Request) -> None:
    """An issuer of a cluster must be the issuer of a cluster that exists; others belong to other services."""
    issuer = str(request.get("issuer", ""))
    if ".oic.prod-aks.azure.com/" not in issuer:
        return
    issuers = {
        str(cluster.outputs.get("oidcIssuerProfile", {}).get("issuerURL"))
        for cluster in request.world.of_type("azure-native:containerservice:ManagedCluster")
    }
    refuse_unless(issuer in issuers, "BadRequest", f"No cluster has the issuer '{issuer}'.")


def _issued(request: Request) -> None:
    """What Azure DevOps signs in with is its own secret of sorts: only a service connection tells its subject."""
    issuer, subject = str(request.get("issuer", "")), str(request.get("subject", ""))
    if issuer.lower().startswith("https://token.actions."):
        refuse_unless(
            issuer == ISSUER and subject in issued(request.world),
            "BadRequest",
            f"GitHub issues no token with the issuer '{issuer}' and the subject '{subject}': no environment has it, "
            "and a credential for it lets nobody in.",
        )
    if not issuer.startswith(_CONNECTION_ISSUERS):
        return
    told = (
        (found.outputs.get("workloadIdentityFederationIssuer"), found.outputs.get("workloadIdentityFederationSubject"))
        for found in request.world.delivery.values()
    )
    refuse_unless(
        (issuer, subject) in told,
        "BadRequest",
        f"No service connection issued the subject '{subject}' with the issuer '{issuer}': "
        "a credential for a subject it never issued lets nobody in.",
    )


def _few_and_distinct(request: Request) -> None:
    parent = arm.parent_of(request.id)
    siblings = [
        found
        for found in request.world.under(parent)
        if found.type_ == CREDENTIAL and not arm.same(found.id, request.id)
    ]
    refuse_unless(
        len(siblings) < 20,
        "BadRequest",
        f"{parent} already has 20 federated credentials, the most there can be.",
    )
    mine = (request.get("issuer"), request.get("subject"))
    for found in siblings:
        if (found.inputs.get("issuer"), found.inputs.get("subject")) == mine:
            raise CloudError("BadRequest", f"{found.id} already has issuer '{mine[0]}' with subject '{mine[1]}'.")


KINDS: Final = (
    Kind(
        token="azure-native:managedidentity:UserAssignedIdentity",
        arm_type="Microsoft.ManagedIdentity/userAssignedIdentities",
        path=("resourceName",),
        compute=_identity,
        # Azure would let it go and leave its users broken; the stand-in calls that what it is.
        in_use="IdentityInUse",
    ),
    Kind(
        token=CREDENTIAL,
        arm_type="Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        path=("resourceName", "federatedIdentityCredentialResourceName"),
        located=False,
        required=("issuer", "subject", "audiences"),
        shape=(_issuer_and_audience,),
        world=(_known_cluster_issuer, _issued, _few_and_distinct),
        one_at_a_time="ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    ),
)
