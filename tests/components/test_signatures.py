"""What a cluster needs to look at signatures, and who reads its registry for that."""

from __future__ import annotations

from components.cluster.signatures import SignatureAudit, SignatureAuditArgs, objects
from components.placement import Placement
from tests.declared import SUBSCRIPTION, Declared, declared
from tests.signing import CERTIFICATE, SUBJECT
from tests.workloads import cluster

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/crshoptest"
)


def audit() -> Declared:
    def build(place: Placement) -> None:
        of = cluster(place)
        issuer = of.oidc_issuer_profile.apply(lambda found: found.issuer_url if found else "")
        args = SignatureAuditArgs(place, of.id, issuer, REGISTRY, (CERTIFICATE,), SUBJECT, None)
        SignatureAudit("signatures", args)

    return declared(build, REGISTRY)


def test_what_is_not_signed_is_reported() -> None:
    policy = audit().one("authorization:PolicyAssignment")
    assert policy["policyDefinitionId"].endswith("/policyDefinitions/cf426bb8-b320-4321-8545-1b784a5df3a4")
    assert policy["scope"].endswith("/managedClusters/aks-shop-test")
    assert policy["parameters"]["effect"] == {"value": "Audit"}
    assert "identity" not in policy


def test_ratify_alone_signs_in_and_reads_the_registry_and_nothing_else() -> None:
    found = audit()
    credential = found.one("managedidentity:FederatedIdentityCredential")
    assert credential["subject"] == "system:serviceaccount:gatekeeper-system:ratify-admin"
    (issuer,) = (
        each.outputs["oidcIssuerProfile"]["issuerURL"]
        for each in found.cloud.resources.values()
        if each.type_.endswith(":ManagedCluster")
    )
    assert credential["issuer"] == issuer
    (grant,) = found.of("authorization:RoleAssignment").values()
    assert grant["scope"] == REGISTRY
    assert grant["roleDefinitionId"].endswith("7f951dda-4ed3-4680-a7ca-43fe172d538d")


def test_ratify_trusts_whom_a_release_trusts() -> None:
    said = objects((CERTIFICATE, "another\n"), SUBJECT, "client")
    assert said["CertificateStore"]["parameters"]["value"] == f"{CERTIFICATE}another\n"
    (policy,) = said["Verifier"]["parameters"]["trustPolicyDoc"]["trustPolicies"]
    assert policy["signatureVerification"] == {"level": "strict"}
    assert policy["trustedIdentities"] == [f"x509.subject:{SUBJECT}"]
    (store,) = said["Verifier"]["parameters"]["verificationCertStores"]
    assert policy["trustStores"] == [f"ca:{store}"]
    assert said["Store"]["parameters"]["authProvider"] == {"name": "azureWorkloadIdentity", "clientID": "client"}
