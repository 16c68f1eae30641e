"""The chart renders nothing that the deploy identity may not write: a release would stop half-way through."""

from __future__ import annotations

import re

import pytest

from components.access import ROLES
from tests.workload.chart import CATALOGUES, EXPOSURES, NAMESPACE, SIZES, Values, every_set, needs_helm, render
from tests.workload.chart_role import ROLE, missing, resource
from tests.workload.chart_schema import nodes, required

OWN = {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service"}


@needs_helm
@every_set
def test_the_role_may_write_every_object(values: Values) -> None:
    assert [gap for each in render(values) for gap in missing(each, ROLE["dataActions"])] == []
    assert {each["kind"] for each in render(values)} == OWN


@needs_helm
@every_set
def test_every_object_is_in_the_releases_namespace(values: Values) -> None:
    assert {each["metadata"]["namespace"] for each in render(values)} == {NAMESPACE}


def test_the_role_is_the_one_that_is_granted() -> None:
    assert ROLES[ROLE["name"]] == ROLE["id"]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Namespace"),
        ("v1", "ResourceQuota"),
        ("v1", "LimitRange"),
        ("v1", "Node"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
        ("azmonitoring.coreos.com/v1", "PodMonitor"),
        ("monitoring.coreos.com/v1", "PodMonitor"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("extensions/v1beta1", "PodDisruptionBudget"),
    ],
)
def test_what_the_platform_owns_is_seen_as_forbidden(api_version: str, kind: str) -> None:
    found = missing({"apiVersion": api_version, "kind": kind}, ROLE["dataActions"])
    assert f"{resource(api_version, kind)}/write" in found


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "Service", "services"),
        ("apps/v1", "Deployment", "apps/deployments"),
        ("networking.k8s.io/v1", "NetworkPolicy", "networking.k8s.io/networkpolicies"),
        ("networking.k8s.io/v1", "Ingress", "networking.k8s.io/ingresses"),
        # The acceptance tests, and where helm keeps its releases.
        ("batch/v1", "Job", "batch/jobs"),
        ("v1", "Secret", "secrets"),
    ],
)
def test_what_a_release_is_made_of_is_seen_as_allowed(api_version: str, kind: str, name: str) -> None:
    assert resource(api_version, kind) == name
    assert missing({"apiVersion": api_version, "kind": kind}, ROLE["dataActions"]) == []


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_right_that_is_not_there_is_named(verb: str) -> None:
    given = {"services/read", "services/write", "services/delete"} - {f"services/{verb}"}
    assert missing({"apiVersion": "v1", "kind": "Service"}, given) == [f"services/{verb}"]


class TestTheCombinations:
    """They are all that the schema leaves open: whoever adds a choice to it must add it to them."""

    def test_have_every_key_both_set_and_left_out(self) -> None:
        optional = {path for path, node in nodes() if path not in required()}
        assert optional == {"exposure.subnet"}
        assert {"subnet" in each for each in EXPOSURES} == {True, False}

    def test_have_every_value_that_a_key_may_take(self) -> None:
        chosen = {path: set(node["enum"]) for path, node in nodes() if "enum" in node}
        assert chosen == {"exposure.kind": {each["kind"] for each in EXPOSURES}}
        assert not [path for path, node in nodes() if node.get("type") == "boolean"]

    def test_have_every_text_that_may_be_empty_both_ways(self) -> None:
        empty = {path for path, node in nodes() if "pattern" in node and re.search(node["pattern"], "")}
        assert empty == {"catalogue.url"}
        assert {bool(each["url"]) for each in CATALOGUES} == {True, False}

    def test_have_every_number_at_both_its_ends(self) -> None:
        numbers = {path: node for path, node in nodes() if node.get("type") == "integer"}
        assert set(numbers) == {"replicas.min", "replicas.max", "autoscaling.cpuPercent"}
        for path, node in numbers.items():
            section, key = path.split(".")
            assert {each[section][key] for each in SIZES} == {node["minimum"], node["maximum"]}
