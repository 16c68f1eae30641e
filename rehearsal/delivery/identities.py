"""Who acts as an identity: the pipelines that may use its connection, a service account, a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.delivery.index import CLUSTER, CREDENTIAL, Index, is_connection
from rehearsal.delivery.pipelines import uses
from rehearsal.graph import Graph, Resource

_ACCOUNT = "system:serviceaccount:"
_GITHUB = "https://token.actions.githubusercontent.com"


def connection_of(credential: Resource, graph: Graph) -> Resource | None:
    """The connection whose tokens a federated credential takes: issuer and subject are those of the connection."""
    wanted = (credential.get("issuer"), credential.get("subject"))
    for each in filter(is_connection, graph.resources):
        if wanted == (each.get("workloadIdentityFederationIssuer"), each.get("workloadIdentityFederationSubject")):
            return each
    return None


def credentials(identity: Resource, graph: Graph) -> tuple[Resource, ...]:
    """The federated credentials of an identity, by name."""
    below = f"{identity.id.lower()}/"
    found = (each for each in graph.of_kind(CREDENTIAL) if each.id.lower().startswith(below))
    return tuple(sorted(found, key=lambda each: each.name))


def trusts(credential: Resource, graph: Graph) -> str:
    """Whose tokens a credential takes, in words."""
    if connection := connection_of(credential, graph):
        return f"connection {connection.name}"
    subject = str(credential.get("subject", ""))
    if subject.startswith(_ACCOUNT):
        namespace, _, account = subject.removeprefix(_ACCOUNT).partition(":")
        return f"service account {namespace}/{account}"
    if credential.get("issuer") == _GITHUB:
        return f"jobs of the environment {subject.rpartition(':')[2]} on GitHub"
    return f"subject {subject}"


def acting(index: Index, graph: Graph, identity: Resource) -> tuple[str, ...]:
    """Everybody who acts as the identity."""
    return tuple(_acting(index, graph, identity))


def _acting(index: Index, graph: Graph, identity: Resource) -> Iterator[str]:
    allowed = uses(index, graph)
    for credential in credentials(identity, graph):
        connection = connection_of(credential, graph)
        if connection is None:
            yield f"the {trusts(credential, graph)}"
            continue
        ids = [use.pipeline for use in allowed if use.thing.area == "endpoint" and use.thing.id == connection.id]
        names = [index.pipeline_name(id_, graph.stack) if id_ else "EVERY PIPELINE" for id_ in ids]
        yield f"{_pipelines(names)} by the connection {connection.name}"
    for cluster in graph.of_kind(CLUSTER):
        kubelet = cluster.get("identityProfile.kubeletidentity.objectId")
        if kubelet and kubelet == identity.get("principalId"):
            yield f"the kubelets of {cluster.name}"
        if identity.id.lower() in (str(each).lower() for each in cluster.get("identity.userAssignedIdentities", [])):
            yield f"the control plane of {cluster.name}"


def _pipelines(names: list[str]) -> str:
    if not names:
        return "no pipeline"
    return f"the {'pipeline' if len(names) == 1 else 'pipelines'} {', '.join(names)}"
