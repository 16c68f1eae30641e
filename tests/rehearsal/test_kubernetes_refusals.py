"""What the stand-in's API servers refuse, object by object, and who may reach them at all."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from rehearsal.cloud import UNKNOWN, Cloud, CloudError
from rehearsal.cloud.kubernetes import KINDS
from rehearsal.cloud.values import placed
from tests.rehearsal.landscape import CLUSTER, before, estate, make, refused

CORE = "kubernetes:core/v1"
NAMESPACE = f"{CORE}:Namespace"
CONFIG_MAP = f"{CORE}:ConfigMap"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SECRETS = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
MONITOR = "kubernetes:azmonitoring.coreos.com/v1:PodMonitor"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CERTIFICATES, STORE, VERIFIER = (
    f"kubernetes:config.ratify.deislabs.io/v1beta1:{kind}" for kind in ("CertificateStore", "Store", "Verifier")
)
SOURCE = "kubernetes:source.toolkit.fluxcd.io/v1:GitRepository"
PART = "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization"
PUBLIC: Mapping[str, Any] = {
    "apiServerAccessProfile": None,
    "addonProfiles": {"azureKeyvaultSecretsProvider": {"enabled": True}},
    "azureMonitorProfile": {"metrics": {"enabled": True}},
}

VALID: Mapping[str, dict[str, Any]] = {
    NAMESPACE: {"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
    CONFIG_MAP: {"metadata": {"name": "settings", "namespace": "shop"}, "data": {"KEY": "value"}},
    f"{CORE}:ServiceAccount": {
        "metadata": {"name": "api", "namespace": "shop", "annotations": {"azure.workload.identity/client-id": "x"}},
        "automountServiceAccountToken": False,
    },
    f"{CORE}:ResourceQuota": {
        "metadata": {"name": "quota", "namespace": "shop"},
        "spec": {"hard": {"requests.cpu": "500m", "limits.memory": "8Gi", "pods": "20"}},
    },
    f"{CORE}:LimitRange": {
        "metadata": {"name": "limits", "namespace": "shop"},
        "spec": {
            "limits": [{"type": "Container", "default": {"memory": "256Mi"}, "defaultRequest": {"memory": "128Mi"}}]
        },
    },
    POLICY: {
        "metadata": {"name": "out", "namespace": "shop"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}],
                    "ports": [{"port": 443, "protocol": "TCP"}],
                }
            ],
        },
    },
    SECRETS: {
        "metadata": {"name": "secrets", "namespace": "shop"},
        "spec": {"provider": "azure", "parameters": {"usePodIdentity": "false"}},
    },
    MONITOR: {
        "metadata": {"name": "pods", "namespace": "shop"},
        "spec": {"selector": {}, "podMetricsEndpoints": [{"port": "metrics", "interval": "30s"}]},
    },
    CERTIFICATES: {
        "metadata": {"name": "release", "namespace": "gatekeeper-system"},
        "spec": {"provider": "inline", "parameters": {"value": "PEM"}},
    },
    STORE: {"metadata": {"name": "release"}, "spec": {"name": "oras", "parameters": {}}},
    VERIFIER: {"metadata": {"name": "release"}, "spec": {"name": "notation", "artifactTypes": "application/x"}},
    ROLE: {
        "metadata": {"name": "applier", "namespace": "shop"},
        "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}],
    },
    BINDING: {
        "metadata": {"name": "applier", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "applier"},
        "subjects": [{"kind": "ServiceAccount", "name": "applier", "namespace": "shop"}],
    },
    SOURCE: {
        "metadata": {"name": "configuration", "namespace": "shop"},
        "spec": {"url": "https://dev.azure.com/example/Shop/_git/configuration", "interval": "1m", "provider": "azure"},
    },
    PART: {
        "metadata": {"name": "release", "namespace": "shop"},
        "spec": {
            "sourceRef": {"kind": "GitRepository", "name": "configuration"},
            "interval": "5m",
            "prune": True,
            "dependsOn": [{"name": "other"}],
        },
    },
}
"""One valid object of each kind, for tests to bend in one place."""


@pytest.fixture
def cloud() -> Cloud:
    return with_cluster(PUBLIC)


def with_cluster(changes: Mapping[str, Any], *, inside_network: bool = False, flux: bool = True) -> Cloud:
    cloud = before("cluster")
    cloud.kubernetes.inside_network = inside_network
    make(cloud, "cluster", changes)
    if flux:
        make(cloud, "flux")
    definition = "/providers/Microsoft.Authorization/policyDefinitions/cf426bb8-b320-4321-8545-1b784a5df3a4"
    make(cloud, "policy", {"scope": CLUSTER, "policyDefinitionId": definition, "parameters.effect.value": "Audit"})
    return cloud


def configuration(cloud: Cloud, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A provider's, with the kubeconfig that AKS hands out, changed at some paths."""
    answer = cloud.invoke(
        "azure-native:containerservice:listManagedClusterUserCredentials",
        {"resourceGroupName": "rg-test", "resourceName": "aks-test"},
    )
    config = yaml.safe_load(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    for path, value in (changes or {}).items():
        config = placed(config, path, value)
    return {"kubeconfig": yaml.safe_dump(config)}


def create(cloud: Cloud, type_: str, changes: Mapping[str, Any] | None = None, *, preview: bool = False) -> str:
    inputs: Any = VALID[type_]
    for path, value in (changes or {}).items():
        inputs = placed(inputs, path, value)
    named = cloud.kubernetes.named(type_, "object", inputs)
    return cloud.kubernetes.create(type_, named, configuration(cloud), preview=preview).id


def test_every_known_kind_has_a_valid_object_and_lives(cloud: Cloud) -> None:
    assert set(VALID) == set(KINDS)
    for type_ in VALID:
        id = create(cloud, type_)
        said = VALID[type_]["metadata"]
        assert id == "/".join(said[key] for key in ("namespace", "name") if key in said)
        found = cloud.kubernetes.read(type_, id, configuration(cloud))
        assert found is not None
        assert found.outputs["metadata"]["resourceVersion"] == "1"
        assert found.outputs["metadata"]["uid"]
        assert cloud.kubernetes.inputs_of(type_, id, configuration(cloud)) == VALID[type_]
    assert len(cloud.kubernetes.objects(CLUSTER)) == len(VALID)


@pytest.mark.parametrize(
    ("type_", "path", "value", "code", "part"),
    [
        (NAMESPACE, "metadata.name", "Shop", "Invalid", 'Invalid value: "Shop": a lowercase RFC 1123 label'),
        (NAMESPACE, "metadata.name", "a.b", "Invalid", "RFC 1123 label"),
        (NAMESPACE, "metadata.name", "a" * 64, "Invalid", "RFC 1123 label"),
        (NAMESPACE, "metadata.namespace", "shop", "Invalid", "not allowed on this type"),
        (NAMESPACE, "metadata.labels", {"team": "not a value"}, "Invalid", "metadata.labels"),
        (NAMESPACE, "metadata.labels", {"a b": "x"}, "Invalid", "qualified name"),
        (NAMESPACE, "metadata.labels", {"x" * 64: "x"}, "Invalid", "qualified name"),
        (NAMESPACE, "metadata.labels", {"pod-security.kubernetes.io/enforce": "strict"}, "Invalid", "restricted"),
        (NAMESPACE, "metadata.labels", {"pod-security.kubernetes.io/audit-version": "1"}, "Invalid", "latest"),
        (NAMESPACE, "metadata.name", "kube-system", "AlreadyExists", 'namespaces "kube-system" already exists'),
        (NAMESPACE, "spec", {"quota": 1}, "BadRequest", ".spec.quota: field not declared"),
        (CONFIG_MAP, "metadata.name", "A", "Invalid", "RFC 1123 subdomain"),
        (CONFIG_MAP, "metadata.namespace", "nowhere", "NotFound", 'namespaces "nowhere" not found'),
        (CONFIG_MAP, "metadata.annotations", {"x": 1}, "Invalid", "must be a string"),
        (CONFIG_MAP, "metadata.anotations", {"x": "1"}, "BadRequest", ".metadata.anotations: field not declared"),
        (CONFIG_MAP, "data", {"a/b": "x"}, "Invalid", "valid config key"),
        (CONFIG_MAP, "data", {"a": 1}, "Invalid", "data[a]"),
        (CONFIG_MAP, "data", {"a": "x" * 1024 * 1024 + "x"}, "Invalid", "Too long"),
        (CONFIG_MAP, "kind", "Secret", "BadRequest", "not what"),
        (CONFIG_MAP, "apiVersion", "v2", "BadRequest", "not what"),
        (f"{CORE}:ServiceAccount", "automount", True, "BadRequest", ".automount"),
        (f"{CORE}:ResourceQuota", "spec.hard", {"requests.cpus": "1"}, "Invalid", "standard resource for quota"),
        (f"{CORE}:ResourceQuota", "spec.hard", {"requests.memory": "8GB"}, "Invalid", "quantities must match"),
        (f"{CORE}:LimitRange", "spec.limits[0].type", "Containers", "Invalid", "must be Container"),
        (f"{CORE}:LimitRange", "spec.limits[0].default", {"memory": "64Mi"}, "Invalid", "is greater than default"),
        (f"{CORE}:LimitRange", "spec.limits[0].default", {"memory": "lots"}, "Invalid", "quantities must match"),
        (f"{CORE}:LimitRange", "spec.limits[0].defaults", {}, "BadRequest", ".spec.limits.defaults"),
        (POLICY, "spec.podSelector", None, "Invalid", "spec.podSelector: Required value"),
        (POLICY, "spec.policyTypes", ["Out"], "Invalid", "supported values"),
        (POLICY, "spec.egress[0].to[0].ipBlock.cidr", "10.0.0.1/8", "Invalid", "valid CIDR"),
        (POLICY, "spec.egress[0].to[0].ipBlock.except", ["::1/128"], "Invalid", "strict subset"),
        (POLICY, "spec.egress[0].to[0].ipBlock.except", ["0.0.0.0/0"], "Invalid", "strict subset"),
        (POLICY, "spec.egress[0].to[0].podSelector", {}, "Invalid", "may not specify both"),
        (POLICY, "spec.egress[0].to", [{}], "Invalid", "must specify a peer"),
        (POLICY, "spec.egress[0].ports[0].port", 0, "Invalid", "between 1 and 65535"),
        (POLICY, "spec.egress[0].ports[0].port", "a-name-that-is-long", "Invalid", "name of a port"),
        (POLICY, "spec.egress[0].ports[0].protocol", "HTTP", "Invalid", "supported values"),
        (POLICY, "spec.egress[0].from", [], "BadRequest", ".spec.egress.from"),
        (SECRETS, "spec.parameters", {"usePodIdentity": False}, "Invalid", "must be of type string"),
        (SECRETS, "spec.secrets", [], "BadRequest", ".spec.secrets"),
        (MONITOR, "spec.selector", None, "Invalid", "spec.selector: Required value"),
        (MONITOR, "spec.podMetricsEndpoints[0].interval", "30 seconds", "Invalid", "should match"),
        (MONITOR, "spec.namespaces", [], "BadRequest", ".spec.namespaces"),
        (ROLE, "rules[0].verbs", [], "Invalid", "at least one value"),
        (ROLE, "rules[0].apiGroups", [], "Invalid", "at least one api group"),
        (ROLE, "rules[0].resources", [], "Invalid", "at least one resource"),
        (ROLE, "rules[0].nonResourceURLs", ["/metrics"], "Invalid", "non-resource URLs"),
        (ROLE, "rules[0].kinds", ["pods"], "BadRequest", ".rules.kinds"),
        (BINDING, "roleRef.kind", "Group", "Invalid", "supported values"),
        (BINDING, "roleRef.name", "", "Invalid", "roleRef.name"),
        (BINDING, "subjects[0].kind", "Pod", "Invalid", "subjects[0].kind"),
        (BINDING, "subjects[0].namespace", None, "Invalid", "subjects[0].namespace"),
        (SOURCE, "spec.url", None, "Invalid", "spec.url: Required value"),
        (SOURCE, "spec.url", "git@ssh.dev.azure.com:v3/a/b/c", "Invalid", "should match"),
        (SOURCE, "spec.interval", "1 minute", "Invalid", "should match"),
        (SOURCE, "spec.provider", "Azure", "Invalid", "supported values"),
        (SOURCE, "spec.secretRef", {"name": "token"}, "Invalid", "cannot be set with the provider azure"),
        (SOURCE, "spec.branch", "main", "BadRequest", ".spec.branch"),
        (PART, "spec.prune", None, "Invalid", "spec.prune: Required value"),
        (PART, "spec.sourceRef.kind", "HelmChart", "Invalid", "kind of source"),
        (PART, "spec.sourceRef.namespace", "flux-system", "Invalid", "cross-namespace"),
        (PART, "spec.dependsOn[0].namespace", "flux-system", "Invalid", "cross-namespace"),
        (PART, "spec.timeout", "ten minutes", "Invalid", "should match"),
        (PART, "spec.deletionPolicy", "Keep", "Invalid", "MirrorPrune"),
        (PART, "spec.pruned", True, "BadRequest", ".spec.pruned"),
    ],
)
def test_an_object_that_kubernetes_refuses_is_refused(
    cloud: Cloud, type_: str, path: str, value: object, code: str, part: str
) -> None:
    if type_ != NAMESPACE:
        create(cloud, NAMESPACE)
    with refused(code, part):
        create(cloud, type_, {path: value})


def test_what_a_preview_cannot_know_is_not_refused(cloud: Cloud) -> None:
    for type_, valid in VALID.items():
        for key in valid.keys() - {"metadata"}:
            create(cloud, type_, {key: UNKNOWN}, preview=True)
        create(cloud, type_, {"metadata.labels": {"team": UNKNOWN}}, preview=True)
    assert cloud.kubernetes.objects(CLUSTER) == {}


def test_a_preview_refuses_what_is_wrong_with_the_object_alone(cloud: Cloud) -> None:
    with refused("Invalid"):
        create(cloud, NAMESPACE, {"metadata.name": "Shop"}, preview=True)


@pytest.mark.parametrize("type_", VALID)
def test_an_object_is_made_once(cloud: Cloud, type_: str) -> None:
    create(cloud, NAMESPACE)
    if type_ != NAMESPACE:
        create(cloud, type_)
    with refused("AlreadyExists", KINDS[type_].plural):
        create(cloud, type_)


@pytest.mark.parametrize("type_", [SOURCE, PART])
def test_kinds_of_flux_need_its_extension(type_: str) -> None:
    cloud = with_cluster(PUBLIC, flux=False)
    create(cloud, NAMESPACE)
    with refused("NotFound", f'no matches for kind "{KINDS[type_].kind}" in version "{KINDS[type_].api_version}"'):
        create(cloud, type_)


@pytest.mark.parametrize(("type_", "addon"), [(SECRETS, "addonProfiles"), (MONITOR, "azureMonitorProfile")])
def test_a_custom_resource_needs_the_add_on_that_brings_its_kind(type_: str, addon: str) -> None:
    cloud = with_cluster({**PUBLIC, addon: None})
    create(cloud, NAMESPACE)
    with refused("NotFound", f'no matches for kind "{KINDS[type_].kind}" in version "{KINDS[type_].api_version}"'):
        create(cloud, type_)


def test_a_kind_that_the_stand_in_does_not_know_is_an_error(cloud: Cloud) -> None:
    with refused("NotImplemented", "rehearsal/cloud/kubernetes"):
        cloud.kubernetes.named("kubernetes:apps/v1:Deployment", "x", {})


class TestObjectsLive:
    def test_a_namespace_takes_with_it_what_is_in_it(self, cloud: Cloud) -> None:
        for type_ in VALID:
            create(cloud, type_)
        cloud.kubernetes.delete(NAMESPACE, "shop", configuration(cloud))
        assert {type_ for type_, _ in cloud.kubernetes.objects(CLUSTER)} == {CERTIFICATES, STORE, VERIFIER}

    def test_a_cluster_takes_with_it_what_is_in_it(self, cloud: Cloud) -> None:
        create(cloud, NAMESPACE)
        cloud.delete("azure-native:containerservice:ManagedCluster", CLUSTER)
        make(cloud, "cluster", PUBLIC)
        assert cloud.kubernetes.objects(CLUSTER) == {}
        create(cloud, NAMESPACE)

    def test_deleting_what_is_gone_is_no_error(self, cloud: Cloud) -> None:
        cloud.kubernetes.delete(CONFIG_MAP, "shop/settings", configuration(cloud))

    def test_an_update_is_judged_and_counted(self, cloud: Cloud) -> None:
        create(cloud, NAMESPACE)
        id = create(cloud, CONFIG_MAP)
        changed = placed(VALID[CONFIG_MAP], "data.KEY", "other")
        answer = cloud.kubernetes.update(CONFIG_MAP, id, changed, configuration(cloud))
        assert answer.outputs["data"] == {"KEY": "other"}
        assert answer.outputs["metadata"]["resourceVersion"] == "2"
        with refused("Invalid"):
            cloud.kubernetes.update(CONFIG_MAP, id, placed(changed, "data.KEY", 1), configuration(cloud))
        with refused("NotFound"):
            cloud.kubernetes.update(CONFIG_MAP, "shop/gone", changed, configuration(cloud))

    def test_a_name_that_is_not_given_is_made_up_once(self, cloud: Cloud) -> None:
        made = cloud.kubernetes.named(CONFIG_MAP, "settings", {"data": {}}, salt="urn")
        assert made["metadata"]["name"].startswith("settings-")
        assert made["metadata"]["namespace"] == "default"
        again = cloud.kubernetes.named(CONFIG_MAP, "settings", {"data": {}}, made, salt="another")
        assert again["metadata"]["name"] == made["metadata"]["name"]

    @pytest.mark.parametrize(
        ("path", "mutable", "replaces", "delete_first"),
        [
            ("metadata.name", True, True, False),
            ("metadata.namespace", True, True, False),
            ("metadata.labels.team", True, False, False),
            ("data.KEY", True, False, False),
            ("data.KEY", False, True, True),
        ],
    )
    def test_what_replaces_an_object(
        self, cloud: Cloud, path: str, mutable: bool, replaces: bool, delete_first: bool
    ) -> None:
        """The provider replaces a ConfigMap for its data unless told otherwise, and one of a given name first goes."""
        old = VALID[CONFIG_MAP]
        settings = {"enableConfigMapMutable": "true"} if mutable else {}
        found = cloud.kubernetes.diff(CONFIG_MAP, old, placed(old, path, "other"), settings)
        assert [change.replaces for change in found.changes] == [replaces]
        assert found.delete_before_replace is delete_first


class TestWhoMayReachAnApiServer:
    def test_a_private_one_is_not_found_from_outside(self) -> None:
        cloud = with_cluster({**PUBLIC, "apiServerAccessProfile": {"enablePrivateCluster": True}})
        with pytest.raises(CloudError, match=r"Unreachable: .*no such host$") as raised:
            create(cloud, NAMESPACE)
        assert raised.value.message.startswith("configured Kubernetes cluster is unreachable: unable to load schema")
        assert "dial tcp: lookup aks-test-" in raised.value.message
        assert ".privatelink." in raised.value.message

    def test_a_private_one_is_reached_from_inside(self) -> None:
        private = {**PUBLIC, "apiServerAccessProfile": {"enablePrivateCluster": True}}
        assert create(with_cluster(private, inside_network=True), NAMESPACE) == "shop"

    @pytest.mark.parametrize("call", ["create", "preview", "read", "update", "delete"])
    def test_whatever_is_asked_of_it(self, call: str) -> None:
        cloud = with_cluster({**PUBLIC, "apiServerAccessProfile": {"enablePrivateCluster": True}}, inside_network=True)
        create(cloud, NAMESPACE)
        where = configuration(cloud)
        cloud.kubernetes.inside_network = False
        with refused("Unreachable"):
            match call:
                case "read":
                    cloud.kubernetes.read(NAMESPACE, "shop", where)
                case "update":
                    cloud.kubernetes.update(NAMESPACE, "shop", VALID[NAMESPACE], where)
                case "delete":
                    cloud.kubernetes.delete(NAMESPACE, "shop", where)
                case _:
                    create(cloud, NAMESPACE, preview=call == "preview")

    def test_a_rehearsal_runs_outside_unless_told_otherwise(self) -> None:
        assert Cloud(estate()).kubernetes.inside_network is False
        assert Cloud(estate(), inside_network=True).kubernetes.inside_network is True

    def test_one_that_does_not_exist_is_not_found(self, cloud: Cloud) -> None:
        where = configuration(cloud, {"clusters[0].cluster.server": "https://gone.hcp.westeurope.azmk8s.io:443"})
        with refused("Unreachable", "lookup gone.hcp.westeurope.azmk8s.io: no such host"):
            cloud.kubernetes.create(NAMESPACE, VALID[NAMESPACE], where)

    @pytest.mark.parametrize("kubeconfig", [None, "", "[", "a: b", "clusters: []\ncurrent-context: x\ncontexts: []"])
    def test_what_is_no_kubeconfig_leads_nowhere(self, cloud: Cloud, kubeconfig: str | None) -> None:
        """Without one the provider takes the ambient one, which a rehearsal must never use."""
        with refused("Unreachable", "unable to load Kubernetes client configuration"):
            cloud.kubernetes.create(NAMESPACE, VALID[NAMESPACE], {"kubeconfig": kubeconfig})

    @pytest.mark.parametrize("user", [{"token": "t"}, {"client-key-data": "k"}, {}, None])
    def test_without_local_accounts_only_entra_opens_it(self, cloud: Cloud, user: object) -> None:
        with refused("Unauthorized", "the server has asked for the client to provide credentials"):
            cloud.kubernetes.create(NAMESPACE, VALID[NAMESPACE], configuration(cloud, {"users[0].user": user}))


def test_aks_hands_out_one_way_in_which_depends_on_entra_and_on_where_it_is_asked_for() -> None:
    private = with_cluster({**PUBLIC, "apiServerAccessProfile": {"enablePrivateCluster": True}})
    assert ".privatelink." in configuration(private)["kubeconfig"]
    entra = yaml.safe_load(configuration(private)["kubeconfig"])["users"][0]["user"]
    assert entra["exec"]["command"] == "kubelogin"
    assert set(entra) == {"exec"}
    local = with_cluster({**PUBLIC, "aadProfile": None, "disableLocalAccounts": False})
    assert set(yaml.safe_load(configuration(local)["kubeconfig"])["users"][0]["user"]) == {"token"}
    assert create(local, NAMESPACE) == "shop"
