"""How identities sign in: by a token that is exchanged, never by a secret, and one connection for one job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from policies.model import Properties, Resource, Stack, get, kind
from policies.rule import MANDATORY, on_resource, on_stack
from policies.rules.cluster import CLUSTER
from policies.rules.github import ENVIRONMENT
from policies.rules.github import ISSUER as GITHUB
from policies.rules.identity import CONNECTION, CREDENTIAL, IDENTITY


def _client(of: Resource) -> str:
    return of.text("clientId")


@on_stack(
    "federation-from-outputs",
    severity=MANDATORY,
    reason="Azure DevOps has changed the form of issuer and subject before; built by hand, they fit no longer.",
    remedy="Take them from the outputs of the connection, the issuer from the cluster, on GitHub the subject by "
    "environment.",
)
def issuer_and_subject_are_told(stack: Stack) -> Iterator[tuple[Resource, str]]:
    connections = {one.urn for one in stack.of(CONNECTION)}
    clusters = {one.urn for one in stack.of(CLUSTER)}
    for credential in stack.of(CREDENTIAL):
        issuer, subject = (credential.made_from.get(key, frozenset()) for key in ("issuer", "subject"))
        if credential.get("issuer") == GITHUB:
            named = [one for one in stack.of(ENVIRONMENT) if one.urn in subject]
            if not any(
                str(credential.get("subject")).endswith(f":environment:{one.get('environment')}") for one in named
            ):
                yield credential, "its subject is not that of an environment of this stack"
        elif not subject & connections and str(credential.get("subject")).startswith("system:serviceaccount:"):
            if not issuer & clusters:
                yield credential, "its issuer does not come from the cluster"
        elif not issuer & subject & connections:
            yield credential, "its issuer and subject do not come from one service connection"


@on_stack(
    "federation-in-order",
    severity=MANDATORY,
    reason="Azure refuses two writes to the credentials of one identity at a time.",
    remedy="Let each credential depend on the one before.",
)
def credentials_are_written_one_by_one(stack: Stack) -> Iterator[tuple[Resource, str]]:
    of: dict[str, list[Resource]] = {}
    for credential in stack.of(CREDENTIAL):
        if identity := stack.linked(credential, "resourceName", IDENTITY):
            of.setdefault(identity.name, []).append(credential)
    for name, credentials in of.items():
        for one, other in combinations(credentials, 2):
            if one.urn not in stack.before(other) and other.urn not in stack.before(one):
                yield other, f"it is written while {one.name} of the same identity {name} may be"


@on_stack(
    "identity-one-connection",
    severity=MANDATORY,
    reason="One identity for one job: with two, whoever may use the one has the rights of the other.",
    remedy="Make an identity of its own for the second connection.",
)
def one_connection_for_one_identity(stack: Stack) -> Iterator[tuple[Resource, str]]:
    path = "credentials.serviceprincipalid"
    linked = [(one, stack.linked(one, path, IDENTITY, answer=_client)) for one in stack.of(CONNECTION)]
    times = Counter(identity.name for _, identity in linked if identity)
    for connection, identity in linked:
        if identity is None:
            yield connection, "it does not sign in as an identity of this stack"
        elif times[identity.name] > 1:
            yield connection, f"it shares the identity {identity.name} with another"


@on_resource(
    "connection-without-secret",
    "devops:ServiceEndpoint*",
    severity=MANDATORY,
    reason="A secret in a connection lives for years, and whoever reads the state has it.",
    remedy="Federate: a ServiceEndpointAzureRM with the scheme WorkloadIdentityFederation.",
)
def connections_are_federated(type_: str, connection: Properties) -> Iterator[str]:
    if kind(type_) != CONNECTION:
        yield f"a {kind(type_).partition(':')[2]} signs in with a secret"
    elif (scheme := get(connection, "serviceEndpointAuthenticationScheme")) != "WorkloadIdentityFederation":
        yield f"it signs in by {scheme}"
    elif get(connection, "credentials.serviceprincipalkey"):
        yield "it holds a key"
