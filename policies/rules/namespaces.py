"""Namespaces that the program makes in a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from policies.model import UNKNOWN, NotKnownError, Properties, Resource, Stack, get
from policies.rule import MANDATORY, on_resource, on_stack

NAMESPACE = "kubernetes:Namespace"
ENFORCES = "pod-security.kubernetes.io/enforce"


@on_resource(
    "namespace-pod-security",
    NAMESPACE,
    severity=MANDATORY,
    reason="A pod that may do everything takes its node along when it is taken over.",
    remedy=f"Label the namespace with {ENFORCES}: restricted.",
    cis=("4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5"),
)
def pods_are_restricted(type_: str, namespace: Properties) -> Iterator[str]:
    # The label's name holds dots, so it is no path.
    level = (get(namespace, "metadata.labels") or {}).get(ENFORCES)
    if level is UNKNOWN:
        raise NotKnownError(ENFORCES)
    if level != "restricted":
        yield f"pods are not restricted ({ENFORCES} is {level})"


@on_stack(
    "namespace-default-deny",
    severity=MANDATORY,
    reason="What no policy names may come in and go out.",
    remedy="Declare a network policy for all pods of the namespace that allows nothing, and others for what is needed.",
    cis=("4.4.2",),
)
def nothing_is_allowed_unsaid(stack: Stack) -> Iterator[tuple[Resource, str]]:
    denied = {
        policy.get("metadata.namespace")
        for policy in stack.of("kubernetes:NetworkPolicy")
        if not policy.get("spec.podSelector")
        and {"Ingress", "Egress"} == set(policy.each("spec.policyTypes.*"))
        and not (policy.get("spec.ingress") or policy.get("spec.egress"))
    }
    for namespace in stack.of(NAMESPACE):
        if namespace.get("metadata.name") not in denied:
            yield namespace, "traffic that no policy names is allowed"
