"""The cluster looks at signatures too: each image that comes in is held against the certificates, and reported.

This is AKS' Image Integrity, a preview: Ratify verifies, Azure Policy asks it at admission and shows the outcome as the
cluster's compliance. Azure knows no other effect than to report, and advises against it for production; what refuses
an image that is not signed is the release (`verify_image.py`). Somebody has to switch the feature on first, because no
version of the API that the program speaks has it (docs/supply-chain.md).

Ratify reads the registry as an identity of its own, which may do nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_azure_native.authorization import PolicyAssignment
from pulumi_azure_native.managedidentity import FederatedIdentityCredential, UserAssignedIdentity
from pulumi_kubernetes.apiextensions import CustomResource

from components.access import grant
from components.cluster.admission import parameters
from components.placement import InCluster, Placement

SIGNED_IMAGES = "/providers/Microsoft.Authorization/policyDefinitions/cf426bb8-b320-4321-8545-1b784a5df3a4"
"""[Preview]: [Image Integrity] Kubernetes clusters should only use images signed by notation."""
RATIFY = "system:serviceaccount:gatekeeper-system:ratify-admin"
"""The account that AKS runs Ratify as."""
NAMESPACE = "gatekeeper-system"
AUDIENCE = "api://AzureADTokenExchange"
API = "config.ratify.deislabs.io/v1beta1"


@dataclass(frozen=True)
class SignatureAuditArgs:
    place: Placement
    cluster_id: Input[str]
    oidc_issuer: Input[str]
    registry_id: Input[str]
    certificates: Sequence[str]
    """PEM, that signatures may be made with."""
    subject: str
    """What they are issued to."""
    inside: InCluster | None
    """Where objects are declared; None where the API server is not reached."""


def objects(certificates: Sequence[str], subject: str, client_id: Input[str]) -> Mapping[str, Mapping[str, Any]]:
    """What Ratify is told, by kind: whom to trust, how to read the registry, and how to judge."""
    policy = {
        "name": "release",
        "registryScopes": ["*"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:release"],
        "trustedIdentities": [f"x509.subject:{subject}"],
    }
    return {
        "CertificateStore": {"provider": "inline", "parameters": {"value": "".join(certificates)}},
        "Store": {
            "name": "oras",
            "parameters": {"authProvider": {"name": "azureWorkloadIdentity", "clientID": client_id}},
        },
        "Verifier": {
            "name": "notation",
            "artifactTypes": "application/vnd.cncf.notary.signature",
            "parameters": {
                "verificationCertStores": {"release": [f"{NAMESPACE}/release"]},
                "trustPolicyDoc": {"version": "1.0", "trustPolicies": [policy]},
            },
        },
    }


class SignatureAudit(ComponentResource):
    """What one cluster needs to look at signatures."""

    client_id: Output[str]

    def __init__(self, name: str, args: SignatureAuditArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:cluster:SignatureAudit", name, None, opts)
        place, own = args.place, ResourceOptions(parent=self)
        identity = UserAssignedIdentity(
            "admission-check",
            resource_name_=place.names.identity("admission"),
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=own,
        )
        FederatedIdentityCredential(
            "admission-check-signs-in",
            federated_identity_credential_resource_name="ratify",
            resource_name_=identity.name,
            resource_group_name=place.resource_group,
            issuer=args.oidc_issuer,
            subject=RATIFY,
            audiences=[AUDIENCE],
            opts=own,
        )
        reads = grant(
            "admission-reads-images",
            "AcrPull",
            to=identity.principal_id,
            on=args.registry_id,
            names=place.names,
            parent=self,
        )
        policy = PolicyAssignment(
            "signed-images",
            policy_assignment_name="signed-images",
            scope=args.cluster_id,
            policy_definition_id=SIGNED_IMAGES,
            display_name="Images are signed",
            enforcement_mode="Default",
            # Image Integrity knows no other effect.
            parameters=parameters("Audit"),
            opts=own,
        )
        self.client_id = identity.client_id
        if args.inside:
            for kind, spec in objects(args.certificates, args.subject, identity.client_id).items():
                CustomResource(
                    f"ratify-{kind.lower()}",
                    api_version=API,
                    kind=kind,
                    metadata={"name": "release", **({"namespace": NAMESPACE} if kind == "CertificateStore" else {})},
                    spec=spec,
                    opts=ResourceOptions(
                        parent=self,
                        provider=args.inside.provider,
                        deleted_with=args.inside.cluster,
                        depends_on=[*args.inside.after, reads, policy],
                    ),
                )
        self.register_outputs({"clientId": self.client_id})
