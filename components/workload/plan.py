"""What an application finds in its namespace, object by object; pure.

Names that the application's chart refers to are constants here, the same in every environment: the chart must not
have to know what an environment is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pulumi import Input, Resource
from pulumi_kubernetes import Provider

from components.placement import Placement

SECRETS = "workload-secrets"
"""SecretProviderClass: what a pod mounts with the driver `secrets-store.csi.k8s.io`."""

TELEMETRY = "workload-telemetry"
"""ConfigMap: what a container takes with `envFrom`."""

METRICS_PORT = "metrics"
"""Name of the container port that is scraped, on the path `/metrics`."""

AUDIENCE = "api://AzureADTokenExchange"
"""What the cluster's tokens are issued for, when Entra ID is to take them."""

Spec: TypeAlias = Any
"""A `spec` as Kubernetes writes it, in camelCase; the SDK's own types for it are in snake_case, and so other ones."""

_PROFILE = "restricted"
_POD_SECURITY = "pod-security.kubernetes.io"

# The node's metadata service hands out tokens of the node's identities, and the host agent hands out its keys.
_NODE_SERVICES = ["168.63.129.16/32", "169.254.169.254/32"]


@dataclass(frozen=True)
class Quota:
    """What all pods of the namespace may ask for together, as Kubernetes writes quantities (`4`, `500m`, `8Gi`)."""

    cpu: str
    """Sum of the requests. There is no limit beside it: a CPU limit slows down, it protects nobody."""
    memory: str
    """Sum of the requests, and of the limits: memory that is lent twice is taken from somebody."""
    pods: int


@dataclass(frozen=True)
class Telemetry:
    """Where traces go: an Application Insights component with local authentication off."""

    component_id: Input[str]
    connection_string: Input[str]


@dataclass(frozen=True)
class WorkloadArgs:
    place: Placement
    namespace: str
    service_account: str
    secrets: tuple[str, ...]
    """Names of secrets of the vault that pods mount. They must be in the vault before a pod that mounts them starts."""
    quota: Quota
    reachable: bool
    """Whether the API server can be reached from where the program runs; if not, nothing is put into the cluster."""
    tenant_id: str
    cluster: Resource
    """What takes the in-cluster objects with it when it is deleted."""
    cluster_name: Input[str]
    oidc_issuer: Input[str]
    vault_id: Input[str]
    vault_name: Input[str]
    telemetry: Telemetry | None = None
    rules: tuple[str, ...] = ()
    """Expressions of the Prometheus rules: what they read is kept when metrics are collected."""
    login: Literal["azurecli", "workloadidentity"] = "azurecli"
    """Whose Entra token opens the API server: that of the Azure CLI, or of a federated token in the environment."""
    provider: Provider | None = None
    """Of the cluster's API server; None has one made from the credentials of the cluster's users."""


def subject(args: WorkloadArgs) -> str:
    """Who signs in, as the cluster's tokens say it."""
    return f"system:serviceaccount:{args.namespace}:{args.service_account}"


def namespace_labels() -> dict[str, str]:
    """Pods that ask for more than the restricted profile allows are refused, audited and warned of."""
    return {
        f"{_POD_SECURITY}/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", _PROFILE), ("-version", "latest"))
    }


def quota(limit: Quota) -> Spec:
    return {
        "hard": {
            "requests.cpu": limit.cpu,
            "requests.memory": limit.memory,
            "limits.memory": limit.memory,
            "pods": str(limit.pods),
        }
    }


def limits() -> Spec:
    """What a container gets that does not say: without it, the quota would refuse its pod."""
    return {
        "limits": [
            {
                "type": "Container",
                "default": {"memory": "256Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
            }
        ]
    }


def network_policies() -> dict[str, Spec]:
    """What may come in and go out, by name of the policy. Policies add up: an application's chart may add its own.

    Plain NetworkPolicy. A range never means a pod or node of the cluster under Cilium, so that the way out over
    HTTPS is none into other namespaces; a private end point is neither, and is reached by it.
    """
    return {
        "deny-all": _policy(("Ingress", "Egress")),
        "allow-dns": _policy(
            ("Egress",),
            egress=[{"to": [_pods_of_system({"k8s-app": "kube-dns"})], "ports": [_port(53, "UDP"), _port(53, "TCP")]}],
        ),
        "allow-https": _policy(
            ("Egress",),
            egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _NODE_SERVICES}}], "ports": [_port(443)]}],
        ),
        "allow-namespace": _policy(
            ("Ingress", "Egress"),
            ingress=[{"from": [{"podSelector": {}}]}],
            egress=[{"to": [{"podSelector": {}}]}],
        ),
        # The replicas of the metrics add-on scrape what pod monitors name; its agents on the nodes do not.
        "allow-metrics": _policy(
            ("Ingress",),
            ingress=[{"from": [_pods_of_system({"rsName": "ama-metrics"})], "ports": [_port(METRICS_PORT)]}],
        ),
    }


def _policy(types: tuple[str, ...], **rules: list[dict[str, Any]]) -> Spec:
    return {"podSelector": {}, "policyTypes": list(types), **rules}


def _pods_of_system(labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": dict(labels)},
    }


def _port(port: int | str, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": port, "protocol": protocol}


def secret_provider(args: WorkloadArgs, vault_name: str, client_id: str) -> Spec:
    """How the Key Vault driver fetches the secrets: with a token of the pod's own service account."""
    listed = "".join(f"  - |\n    objectName: {name}\n    objectType: secret\n" for name in args.secrets)
    return {
        "provider": "azure",
        # All values of this map are strings, also what is a list or a flag to the driver.
        "parameters": {
            "clientID": client_id,
            "keyvaultName": vault_name,
            "objects": f"array:\n{listed}",
            "tenantId": args.tenant_id,
            "usePodIdentity": "false",
            "useVMManagedIdentity": "false",
        },
    }


def pod_monitor() -> Spec:
    """Every pod of the namespace that has the port is scraped; its `job` is the application's own name."""
    return {
        "selector": {},
        "jobLabel": "app.kubernetes.io/name",
        "podMetricsEndpoints": [{"port": METRICS_PORT, "path": "/metrics", "interval": "30s"}],
        # What the service takes at most: a sample with more or longer labels would be dropped without a word.
        "labelLimit": 63,
        "labelNameLengthLimit": 511,
        "labelValueLengthLimit": 1023,
    }


def telemetry(args: WorkloadArgs, cluster_name: str, client_id: str, connection_string: str | None) -> dict[str, str]:
    """Environment variables by which the application's telemetry says whose it is and finds its way.

    The connection string is an address: with local authentication off, Application Insights takes nothing without an
    Entra token of the workload's identity. So it stands in a ConfigMap, and is not marked as a secret.
    """
    names = args.place.names
    attributes = {
        "service.namespace": names.workload,
        "deployment.environment.name": names.environment,
        "k8s.cluster.name": cluster_name,
        "k8s.namespace.name": args.namespace,
    }
    variables = {
        "AZURE_CLIENT_ID": client_id,
        "OTEL_SERVICE_NAME": names.workload,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={value}" for key, value in attributes.items()),
    }
    if connection_string:
        variables["APPLICATIONINSIGHTS_CONNECTION_STRING"] = connection_string
    return variables
