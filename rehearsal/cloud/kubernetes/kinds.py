"""The kinds of objects that the stand-in's API servers know: their fields, their rules, and who brings them.

Fields are those of the API's reference, as deep as the program writes them; None stands for anything. Server-side
apply refuses a field that is not declared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rehearsal.cloud.azure.access import POLICY, SIGNED_IMAGES
from rehearsal.cloud.azure.extensions import flux_of
from rehearsal.cloud.kubernetes import rules
from rehearsal.cloud.kubernetes.rules import Problems
from rehearsal.cloud.values import lookup
from rehearsal.cloud.world import Resource, World

_SELECTOR: Final = {"matchLabels": None, "matchExpressions": [{"key": None, "operator": None, "values": None}]}
_PEER: Final = {
    "ipBlock": {"cidr": None, "except": None},
    "namespaceSelector": _SELECTOR,
    "podSelector": _SELECTOR,
}
_PORT: Final = {"port": None, "endPort": None, "protocol": None}

ADDRESS: Final = ("metadata.name", "metadata.namespace")
"""What every object is found by: with another one it is another object."""

METADATA: Final = dict.fromkeys(
    ("annotations", "finalizers", "generateName", "labels", "name", "namespace", "ownerReferences")
)


Served: TypeAlias = Callable[[Resource, World], bool]


def _always(cluster: Resource, world: World) -> bool:
    return True


def _addon(name: str) -> Served:
    return lambda cluster, world: lookup(cluster.inputs, f"addonProfiles.{name}.enabled") is True


def _metrics(cluster: Resource, world: World) -> bool:
    return lookup(cluster.inputs, "azureMonitorProfile.metrics.enabled") is True


def _signatures(cluster: Resource, world: World) -> bool:
    """Who assigns the policy has switched Image Integrity on, which brings Ratify: the API that the program speaks does
    not show it."""
    return any(
        str(each.inputs.get("policyDefinitionId")).lower().endswith(SIGNED_IMAGES)
        and str(each.inputs.get("scope")).lower() == cluster.id.lower()
        for each in world.of_type(POLICY)
    )


def _flux(cluster: Resource, world: World) -> bool:
    return flux_of(world, cluster) is not None


@dataclass(frozen=True)
class ObjectKind:
    """One kind. `served` says whether a cluster knows it: add-ons bring custom resources. `force_new` are what the
    provider replaces an object for, apart from its name and namespace."""

    token: str
    plural: str
    fields: Mapping[str, Any]
    rule: Callable[[Mapping[str, Any]], Problems]
    namespaced: bool = True
    served: Served = _always
    force_new: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        group_version = self.token.split(":")[1]
        return group_version.removeprefix("core/")

    @property
    def kind(self) -> str:
        return self.token.split(":")[2]


def _nothing(inputs: Mapping[str, Any]) -> Problems:
    yield from ()


KINDS: Final[Mapping[str, ObjectKind]] = {
    kind.token: kind
    for kind in (
        ObjectKind(
            "kubernetes:core/v1:Namespace",
            "namespaces",
            {"spec": {"finalizers": None}},
            rules.pod_security,
            namespaced=False,
        ),
        ObjectKind(
            "kubernetes:core/v1:ConfigMap",
            "configmaps",
            dict.fromkeys(("data", "binaryData", "immutable")),
            rules.config_map,
            force_new=("data", "binaryData"),
        ),
        ObjectKind(
            "kubernetes:core/v1:ServiceAccount",
            "serviceaccounts",
            dict.fromkeys(("automountServiceAccountToken", "imagePullSecrets", "secrets")),
            _nothing,
        ),
        ObjectKind(
            "kubernetes:core/v1:ResourceQuota",
            "resourcequotas",
            {"spec": dict.fromkeys(("hard", "scopes", "scopeSelector"))},
            rules.resource_quota,
        ),
        ObjectKind(
            "kubernetes:core/v1:LimitRange",
            "limitranges",
            {
                "spec": {
                    "limits": [
                        dict.fromkeys(("type", "default", "defaultRequest", "max", "maxLimitRequestRatio", "min"))
                    ]
                }
            },
            rules.limit_range,
        ),
        ObjectKind(
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            "networkpolicies",
            {
                "spec": {
                    "podSelector": _SELECTOR,
                    "policyTypes": None,
                    "ingress": [{"from": [_PEER], "ports": [_PORT]}],
                    "egress": [{"to": [_PEER], "ports": [_PORT]}],
                }
            },
            rules.network_policy,
        ),
        ObjectKind(
            "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
            "secretproviderclasses",
            {"spec": dict.fromkeys(("provider", "parameters", "secretObjects"))},
            rules.secret_provider_class,
            served=_addon("azureKeyvaultSecretsProvider"),
        ),
        ObjectKind(
            "kubernetes:config.ratify.deislabs.io/v1beta1:CertificateStore",
            "certificatestores",
            {"spec": dict.fromkeys(("provider", "parameters"))},
            _nothing,
            served=_signatures,
        ),
        ObjectKind(
            "kubernetes:config.ratify.deislabs.io/v1beta1:Store",
            "stores",
            {"spec": dict.fromkeys(("name", "version", "address", "parameters"))},
            _nothing,
            namespaced=False,
            served=_signatures,
        ),
        ObjectKind(
            "kubernetes:config.ratify.deislabs.io/v1beta1:Verifier",
            "verifiers",
            {"spec": dict.fromkeys(("name", "version", "artifactTypes", "address", "parameters"))},
            _nothing,
            namespaced=False,
            served=_signatures,
        ),
        ObjectKind(
            "kubernetes:azmonitoring.coreos.com/v1:PodMonitor",
            "podmonitors",
            {
                "spec": {
                    "selector": _SELECTOR,
                    "jobLabel": None,
                    "namespaceSelector": {"any": None, "matchNames": None},
                    "podTargetLabels": None,
                    "podMetricsEndpoints": None,
                    **dict.fromkeys(("labelLimit", "labelNameLengthLimit", "labelValueLengthLimit")),
                    **dict.fromkeys(("sampleLimit", "targetLimit")),
                }
            },
            rules.pod_monitor,
            served=_metrics,
        ),
        ObjectKind(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            "roles",
            {"rules": [dict.fromkeys(("apiGroups", "resources", "resourceNames", "verbs", "nonResourceURLs"))]},
            rules.role,
        ),
        ObjectKind(
            "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
            "rolebindings",
            {
                "roleRef": dict.fromkeys(("apiGroup", "kind", "name")),
                "subjects": [dict.fromkeys(("apiGroup", "kind", "name", "namespace"))],
            },
            rules.role_binding,
            force_new=("roleRef",),
        ),
        ObjectKind(
            "kubernetes:source.toolkit.fluxcd.io/v1:GitRepository",
            "gitrepositories",
            {
                "spec": {
                    "ref": dict.fromkeys(("branch", "tag", "semver", "name", "commit")),
                    "secretRef": {"name": None},
                    **dict.fromkeys(
                        ("url", "interval", "timeout", "provider", "suspend", "ignore", "serviceAccountName")
                    ),
                    **dict.fromkeys(("recurseSubmodules", "sparseCheckout")),
                }
            },
            rules.git_repository,
            served=_flux,
        ),
        ObjectKind(
            "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization",
            "kustomizations",
            {
                "spec": {
                    "sourceRef": dict.fromkeys(("apiVersion", "kind", "name", "namespace")),
                    "dependsOn": [dict.fromkeys(("name", "namespace", "readyExpr"))],
                    "healthChecks": [dict.fromkeys(("apiVersion", "kind", "name", "namespace"))],
                    **dict.fromkeys(("path", "interval", "retryInterval", "timeout", "prune", "wait", "force")),
                    **dict.fromkeys(("serviceAccountName", "targetNamespace", "deletionPolicy", "suspend")),
                }
            },
            rules.kustomization,
            served=_flux,
        ),
    )
}
