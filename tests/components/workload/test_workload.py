"""What every application finds in its cluster, by itself: each object as it would be sent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import kubernetes_validate
import pulumi
import pytest
import yaml

from components.access import ROLES
from components.placement import Placement
from components.workload import UNREACHABLE
from components.workload.access import connect
from tests.declared import NAMES, TAGS, TENANT, Declared, declared
from tests.workloads import COMPONENT, CONNECTION, cluster, workload

CUSTOM = {"PodMonitor", "SecretProviderClass"}
VERSIONS = ("1.35", "1.36", "1.37")
"""Of Kubernetes, that AKS offers."""


def build(**wanted: Any) -> Declared:
    return declared(lambda place: workload(place, cluster(place), **wanted), COMPONENT)


@cache
def whole() -> Declared:
    """The one that most tests look at."""
    return build()


def objects(found: Declared) -> dict[str, dict[str, Any]]:
    """Everything sent to the API server, as manifests, by logical name."""
    return {
        each.name: plain(each.inputs)
        for each in found.registered
        if each.typ.startswith("kubernetes:") and each.custom is not False
    }


def plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: plain(child) for key, child in value.items() if child is not None}
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def of(kind: str) -> dict[str, dict[str, Any]]:
    """Objects of a kind, by their name in the cluster."""
    return {each["metadata"]["name"]: each for each in objects(whole()).values() if each["kind"] == kind}


def identity() -> Mapping[str, Any]:
    name = NAMES.identity("workload")
    return next(found.outputs for found in whole().cloud.resources.values() if found.name == name)


class TestTheIdentity:
    def test_is_the_applications_own(self) -> None:
        made = whole().one("managedidentity:UserAssignedIdentity")
        assert made["resourceName"] == NAMES.identity("workload")
        assert made["tags"] == TAGS
        assert made["location"] == "westeurope"

    def test_is_taken_by_one_service_account_of_one_cluster_only(self) -> None:
        credential = whole().one("managedidentity:FederatedIdentityCredential")
        (made,) = (found for found in whole().cloud.resources.values() if found.name == NAMES.cluster)
        assert credential["subject"] == "system:serviceaccount:shop:shop-api"
        assert credential["audiences"] == ["api://AzureADTokenExchange"]
        assert credential["issuer"] == made.outputs["oidcIssuerProfile"]["issuerURL"]
        assert credential["resourceName"] == NAMES.identity("workload")

    def test_reads_its_vault_and_publishes_telemetry_and_may_nothing_else(self) -> None:
        (vault,) = (each for each in whole().cloud.resources.values() if each.name == NAMES.workload_vault)
        made = whole().of("authorization:RoleAssignment").values()
        assert {(each["roleDefinitionId"].rpartition("/")[2], each["scope"]) for each in made} == {
            (ROLES["Key Vault Secrets User"], vault.id),
            (ROLES["Monitoring Metrics Publisher"], COMPONENT),
        }
        assert {each["principalId"] for each in made} == {identity()["principalId"]}
        assert {each["principalType"] for each in made} == {"ServicePrincipal"}

    def test_publishes_nothing_where_nothing_listens(self) -> None:
        found = build(telemetry=None)
        assert set(found.of("authorization:RoleAssignment")) == {"workload-reads-secrets"}
        data = objects(found)["telemetry"]["data"]
        assert "APPLICATIONINSIGHTS_CONNECTION_STRING" not in data
        assert "OTEL_SERVICE_NAME" in data


class TestTheNamespace:
    def test_refuses_pods_that_ask_for_more_than_the_restricted_profile_allows(self) -> None:
        labels = of("Namespace")["shop"]["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "latest"

    def test_holds_everything_but_what_the_collectors_read(self) -> None:
        elsewhere = {
            name for name, each in objects(whole()).items() if each["metadata"].get("namespace") not in ("shop", None)
        }
        assert elsewhere == {"ama-metrics-settings-configmap", "container-azm-ms-agentconfig"}

    def test_cannot_take_more_than_its_quota(self) -> None:
        hard = of("ResourceQuota")["workload"]["spec"]["hard"]
        assert hard == {"requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "8Gi", "pods": "20"}

    def test_a_container_that_says_nothing_gets_what_the_quota_counts(self) -> None:
        (limit,) = of("LimitRange")["workload"]["spec"]["limits"]
        assert limit["type"] == "Container"
        given = {f"requests.{key}" for key in limit["defaultRequest"]} | {f"limits.{key}" for key in limit["default"]}
        counted = set(of("ResourceQuota")["workload"]["spec"]["hard"]) - {"pods"}
        assert given == counted


class TestTheNetwork:
    def test_is_closed_in_both_directions_for_every_pod(self) -> None:
        spec = of("NetworkPolicy")["deny-all"]["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def test_every_exception_names_its_direction_and_holds_for_every_pod(self) -> None:
        for name, policy in of("NetworkPolicy").items():
            spec = policy["spec"]
            assert spec["podSelector"] == {}, name
            directions = {kind.capitalize() for kind in ("ingress", "egress") if kind in spec}
            assert name == "deny-all" or set(spec["policyTypes"]) == directions, name

    def test_the_exceptions_are_these(self) -> None:
        assert set(of("NetworkPolicy")) == {"deny-all", "allow-dns", "allow-https", "allow-namespace", "allow-metrics"}

    def test_names_are_asked_of_the_clusters_dns_and_of_nobody_else(self) -> None:
        (rule,) = of("NetworkPolicy")["allow-dns"]["spec"]["egress"]
        assert rule["to"] == [from_system({"k8s-app": "kube-dns"})]
        assert {(port["port"], port["protocol"]) for port in rule["ports"]} == {(53, "UDP"), (53, "TCP")}

    def test_the_way_out_is_https_and_spares_the_nodes_own_services(self) -> None:
        (rule,) = of("NetworkPolicy")["allow-https"]["spec"]["egress"]
        assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]
        (peer,) = rule["to"]
        assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
        assert set(peer["ipBlock"]["except"]) == {"169.254.169.254/32", "168.63.129.16/32"}

    def test_from_other_namespaces_only_the_metrics_add_on_comes_in_and_only_to_the_metrics(self) -> None:
        rules = [rule for each in of("NetworkPolicy").values() for rule in each["spec"].get("ingress", [])]
        assert {"from": [{"podSelector": {}}]} in rules
        (scraped,) = [rule for rule in rules if rule != {"from": [{"podSelector": {}}]}]
        assert scraped["from"] == [from_system({"rsName": "ama-metrics"})]
        monitored = of("PodMonitor")["workload"]["spec"]["podMetricsEndpoints"][0]["port"]
        assert scraped["ports"] == [{"port": monitored, "protocol": "TCP"}]


def from_system(labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": labels},
    }


class TestWhatThePodsTake:
    def test_the_service_account_is_the_identity_and_has_no_token_for_the_api_server(self) -> None:
        account = of("ServiceAccount")["shop-api"]
        assert account["metadata"]["annotations"] == {"azure.workload.identity/client-id": identity()["clientId"]}
        assert account["automountServiceAccountToken"] is False

    def test_the_secrets_come_from_the_workload_vault_by_the_workloads_identity(self) -> None:
        spec = of("SecretProviderClass")["workload-secrets"]["spec"]
        assert spec["provider"] == "azure"
        parameters = spec["parameters"]
        assert parameters["clientID"] == identity()["clientId"]
        assert parameters["keyvaultName"] == NAMES.workload_vault
        assert parameters["tenantId"] == TENANT
        assert parameters["usePodIdentity"] == parameters["useVMManagedIdentity"] == "false"
        listed = [yaml.safe_load(each) for each in yaml.safe_load(parameters["objects"])["array"]]
        assert listed == [{"objectName": name, "objectType": "secret"} for name in ("database-url", "payment-key")]

    def test_no_secret_is_copied_into_the_cluster(self) -> None:
        assert "secretObjects" not in of("SecretProviderClass")["workload-secrets"]["spec"]
        assert "Secret" not in {each["kind"] for each in objects(whole()).values()}

    def test_without_secrets_there_is_nothing_to_mount(self) -> None:
        """The driver refuses a class that lists nothing."""
        assert "secrets" not in objects(build(secrets=()))

    def test_telemetry_says_whose_it_is_and_where_it_goes(self) -> None:
        data = of("ConfigMap")["workload-telemetry"]["data"]
        assert data["APPLICATIONINSIGHTS_CONNECTION_STRING"] == CONNECTION
        assert data["AZURE_CLIENT_ID"] == identity()["clientId"]
        assert data["OTEL_SERVICE_NAME"] == NAMES.workload
        assert dict(each.split("=") for each in data["OTEL_RESOURCE_ATTRIBUTES"].split(",")) == {
            "service.namespace": NAMES.workload,
            "deployment.environment.name": NAMES.environment,
            "k8s.cluster.name": NAMES.cluster,
            "k8s.namespace.name": "shop",
        }

    def test_every_pod_with_a_metrics_port_is_scraped_as_the_application_it_is(self) -> None:
        spec = of("PodMonitor")["workload"]["spec"]
        assert spec["selector"] == {}
        assert spec["jobLabel"] == "app.kubernetes.io/name"
        (endpoint,) = spec["podMetricsEndpoints"]
        assert endpoint == {"port": "metrics", "path": "/metrics", "interval": "30s"}
        # The limits of the service: without them, it drops samples without a word.
        assert (spec["labelLimit"], spec["labelNameLengthLimit"], spec["labelValueLengthLimit"]) == (63, 511, 1023)


class TestFromOutside:
    def test_the_cluster_is_left_alone_and_the_identity_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        monkeypatch.setattr(pulumi, "warn", lambda message, *_: said.append(message))
        found = build(reachable=False)
        assert objects(found) == {}
        assert not [each for each in found.registered if each.typ == "pulumi:providers:kubernetes"]
        assert set(found.of("authorization:RoleAssignment")) == set(whole().of("authorization:RoleAssignment"))
        assert found.of("managedidentity:FederatedIdentityCredential")
        assert said == [UNREACHABLE]

    def test_the_warning_names_the_setting_and_what_to_do(self) -> None:
        assert "aks-cicd:cluster.reachable" in UNREACHABLE
        assert "run `pulumi up` again" in UNREACHABLE

    def test_a_reachable_cluster_brings_no_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        monkeypatch.setattr(pulumi, "warn", lambda message, *_: said.append(message))
        build()
        assert said == []


class TestEveryObject:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_is_what_kubernetes_takes(self, version: str) -> None:
        """Strictly: a field that the schema does not have is an error."""
        own = [manifest for manifest in objects(whole()).values() if manifest["kind"] not in CUSTOM]
        assert len(own) == 12
        for manifest in own:
            assert kubernetes_validate.validate(manifest, version, strict=True) == version

    def test_is_one_of_the_kinds_that_the_platform_owns(self) -> None:
        assert {each["kind"] for each in objects(whole()).values()} == CUSTOM | {
            *("ConfigMap", "LimitRange", "Namespace", "NetworkPolicy", "ResourceQuota", "ServiceAccount")
        }

    def test_is_sent_by_the_explicit_provider(self) -> None:
        """The ambient one goes to whatever cluster the person at the keyboard used last."""
        sent = [each for each in whole().registered if each.typ.startswith("kubernetes:")]
        assert all("::cluster-objects::" in (each.provider or "") for each in sent)

    def test_is_sent_by_the_provider_that_is_given_if_one_is(self) -> None:
        def given(place: Placement) -> None:
            made = cluster(place)
            mine = connect(
                "mine",
                resource_group=place.resource_group,
                cluster_name=made.name,
                tenant_id=TENANT,
                login="workloadidentity",
                parent=made,
            )
            workload(place, made, provider=mine)

        found = declared(given, COMPONENT).registered
        assert [each.name for each in found if each.typ == "pulumi:providers:kubernetes"] == ["mine"]
        sent = [each for each in found if each.typ.startswith("kubernetes:")]
        assert len(sent) == 14
        assert all("::mine::" in (each.provider or "") for each in sent)
