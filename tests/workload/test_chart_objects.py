"""What the chart sends to a cluster: objects that Kubernetes takes, that fit each other and what the platform made."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest

from components.workload import plan
from settings import Namespace
from tests.stackfiles import STACKS, shipped
from tests.workload.chart import (
    DIGEST,
    EXPOSURES,
    REGISTRY,
    RELEASE,
    SELECTOR,
    Object,
    Values,
    every_set,
    needs_helm,
    one,
    render,
)

pytestmark = needs_helm

VERSIONS = sorted({str(shipped(stack)["aks-cicd:cluster"]["version"]) for stack in STACKS})
PODS_OF_THE_NAMESPACE = {
    "from": [{"podSelector": {}}],
    "ports": [{"port": "http", "protocol": "TCP"}, {"port": "metrics", "protocol": "TCP"}],
}
INTERNAL = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}


def pod(values: Values) -> Object:
    template: Object = one(values, "Deployment")["spec"]["template"]
    return template


def container(values: Values) -> Object:
    (found,) = pod(values)["spec"]["containers"]
    return dict(found)


def ports(values: Values) -> dict[str, int]:
    return {each["name"]: each["containerPort"] for each in container(values)["ports"]}


@pytest.mark.parametrize("version", VERSIONS)
@every_set
def test_every_object_is_what_kubernetes_takes(values: Values, version: str) -> None:
    """In the version of the shipped clusters, strictly: a field that the schema does not have is an error."""
    found = render(values)
    assert len(found) == 6
    for each in found:
        assert kubernetes_validate.validate(each, version, strict=True).startswith(version)


class TestTheImage:
    @every_set
    def test_is_named_by_its_digest_alone(self, values: Values) -> None:
        assert container(values)["image"] == f"{REGISTRY}/shop@{DIGEST}"
        assert "initContainers" not in pod(values)["spec"]

    def test_is_known_to_the_service_itself(self) -> None:
        assert {"name": "SHOP_IMAGE_DIGEST", "value": DIGEST} in container({})["env"]


class TestWhatThePlatformMade:
    """The chart must not have to know what an environment is called: these names are the same in all of them."""

    @every_set
    def test_is_referred_to_by_its_name(self, values: Values) -> None:
        assert container(values)["envFrom"] == [{"configMapRef": {"name": plan.TELEMETRY}}]
        (mounted,) = (each["csi"] for each in pod(values)["spec"]["volumes"] if "csi" in each)
        assert mounted["driver"] == "secrets-store.csi.k8s.io"
        assert mounted["volumeAttributes"] == {"secretProviderClass": plan.SECRETS}

    def test_the_service_account_is_that_of_the_settings_unless_said_otherwise(self) -> None:
        assert pod({})["spec"]["serviceAccountName"] == Namespace().service_account
        assert pod({"serviceAccount": "shop-api"})["spec"]["serviceAccountName"] == "shop-api"

    @every_set
    def test_the_pod_signs_in_as_the_workloads_identity(self, values: Values) -> None:
        """Without the label, the webhook mounts no token."""
        assert pod(values)["metadata"]["labels"]["azure.workload.identity/use"] == "true"

    @every_set
    def test_the_pod_is_scraped(self, values: Values) -> None:
        monitor = plan.pod_monitor()
        assert ports(values)[plan.METRICS_PORT]
        assert [each["port"] for each in monitor["podMetricsEndpoints"]] == [plan.METRICS_PORT]
        assert pod(values)["metadata"]["labels"][monitor["jobLabel"]] == "shop"

    @pytest.mark.parametrize("stack", STACKS)
    def test_every_shipped_environment_has_the_secret_that_is_mounted(self, stack: str) -> None:
        """Without any secret there is no provider class, and no pod would start."""
        assert "catalogue-api-key" in shipped(stack)["aks-cicd:namespace"]["secrets"]


class TestTheWayIn:
    @every_set
    def test_is_never_open_to_the_internet(self, values: Values) -> None:
        for each in (found for found in render(values) if found["kind"] == "Service"):
            assert each["spec"]["type"] in ("ClusterIP", "LoadBalancer")
            assert "externalIPs" not in each["spec"]
            if each["spec"]["type"] == "LoadBalancer":
                assert each["metadata"]["annotations"].items() >= INTERNAL.items()

    @every_set
    def test_leads_to_ports_that_the_pod_has(self, values: Values) -> None:
        offered = {
            each["metadata"]["name"]: [
                (port["name"], port["port"], port["targetPort"]) for port in each["spec"]["ports"]
            ]
            for each in render(values)
            if each["kind"] == "Service"
        }
        assert offered == {
            RELEASE: [("http", 80, "http")],
            f"{RELEASE}-metrics": [("metrics", 9090, "metrics")],
        }
        assert ports(values) == {"http": 8080, "metrics": 9090}

    def test_is_closed_unless_it_is_asked_for(self) -> None:
        service = one({}, "Service")
        assert service["spec"]["type"] == "ClusterIP"
        assert "annotations" not in service["metadata"]

    @pytest.mark.parametrize("exposure", EXPOSURES[1:])
    def test_a_load_balancer_keeps_the_address_of_its_client(self, exposure: Values) -> None:
        """A network policy tells clients by it, and no range of a policy means the node that handed them on."""
        assert one({"exposure": exposure}, "Service")["spec"]["externalTrafficPolicy"] == "Local"

    def test_a_load_balancer_may_have_its_own_subnet(self) -> None:
        given = one({"exposure": EXPOSURES[2]}, "Service")["metadata"]["annotations"]
        assert given == {
            **INTERNAL,
            "service.beta.kubernetes.io/azure-load-balancer-internal-subnet": "snet-load-balancers",
        }

    def test_metrics_are_never_behind_the_load_balancer(self) -> None:
        assert one({"exposure": EXPOSURES[1]}, "Service", f"{RELEASE}-metrics")["spec"]["type"] == "ClusterIP"


class TestTheNetworkPolicy:
    def rules(self, values: Values) -> list[dict[str, Any]]:
        spec = one(values, "NetworkPolicy")["spec"]
        assert spec["policyTypes"] == ["Ingress"]
        rules: list[dict[str, Any]] = spec["ingress"]
        return rules

    def test_lets_in_the_namespace_alone_unless_the_service_is_exposed(self) -> None:
        assert self.rules({}) == [PODS_OF_THE_NAMESPACE]

    @pytest.mark.parametrize(
        ("exposure", "sources"),
        [(EXPOSURES[1], ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]), (EXPOSURES[2], ["10.1.0.0/16"])],
    )
    def test_lets_the_load_balancers_clients_reach_http_and_nothing_else(
        self, exposure: Values, sources: list[str]
    ) -> None:
        assert self.rules({"exposure": exposure}) == [
            PODS_OF_THE_NAMESPACE,
            {
                "from": [{"ipBlock": {"cidr": source}} for source in sources],
                "ports": [{"port": "http", "protocol": "TCP"}],
            },
        ]


class TestTheObjects:
    @every_set
    def test_find_the_same_pods(self, values: Values) -> None:
        assert pod(values)["metadata"]["labels"].items() >= SELECTOR.items()
        found = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in render(values)}
        assert [
            found["Deployment", RELEASE]["selector"]["matchLabels"],
            found["PodDisruptionBudget", RELEASE]["selector"]["matchLabels"],
            found["NetworkPolicy", RELEASE]["podSelector"]["matchLabels"],
            found["Service", RELEASE]["selector"],
            found["Service", f"{RELEASE}-metrics"]["selector"],
        ] == [SELECTOR] * 5

    @every_set
    def test_say_what_they_belong_to(self, values: Values) -> None:
        for each in render(values):
            labels = each["metadata"]["labels"]
            assert labels.items() >= SELECTOR.items()
            assert {"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} <= labels.keys()
            assert all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", text) for text in labels.values())

    def test_a_selector_holds_nothing_that_a_later_release_changes(self) -> None:
        """It is immutable: an upgrade would be refused."""
        assert set(SELECTOR) == set(one({}, "Deployment")["spec"]["selector"]["matchLabels"])


class TestTheCatalogue:
    def names(self, values: Values) -> list[str]:
        return [each["name"] for each in container(values)["env"]]

    def test_is_the_built_in_one_unless_it_is_said(self) -> None:
        assert "SHOP_CATALOGUE_URL" not in self.names({})

    def test_is_found_where_the_environment_says(self) -> None:
        url = "https://catalogue.contoso.example/v1"
        assert {"name": "SHOP_CATALOGUE_URL", "value": url} in container({"catalogue": {"url": url}})["env"]
