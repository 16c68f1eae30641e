"""A release, a drained node and a busy day cost no request, and all of it fits the quota of the namespace."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from components.workload import plan
from tests.stackfiles import STACKS, shipped
from tests.workload.chart import CHART, SETS, Object, Values, environment, every_set, needs_helm, one
from tests.workload.chart_capacity import drains_blocked, evictable, most_pods, overdrawn, quantity, share
from tests.workload.chart_pipeline import acceptance_pod


def deployment(values: Values) -> Object:
    spec: Object = one(values, "Deployment")["spec"]
    return spec


def pod(values: Values) -> Object:
    spec: Object = deployment(values)["template"]["spec"]
    return spec


def container(values: Values) -> Object:
    found: Object = pod(values)["containers"][0]
    return found


def scaling(values: Values) -> Object:
    spec: Object = one(values, "HorizontalPodAutoscaler")["spec"]
    return spec


@needs_helm
class TestARelease:
    @every_set
    def test_takes_no_pod_away_before_its_successor_serves(self, values: Values) -> None:
        strategy = deployment(values)["strategy"]
        assert strategy["type"] == "RollingUpdate"
        assert strategy["rollingUpdate"]["maxUnavailable"] == 0
        assert share(strategy["rollingUpdate"]["maxSurge"], scaling(values)["minReplicas"]) >= 1
        assert deployment(values)["minReadySeconds"] >= 10

    @every_set
    def test_does_not_set_the_number_of_pods_back(self, values: Values) -> None:
        assert "replicas" not in deployment(values)


@needs_helm
class TestTheProbes:
    def test_ask_for_life_and_readiness_apart(self) -> None:
        """A dependency that is away must make a pod unready, not restart it."""
        asked = {name: container({})[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert asked["startupProbe"] == asked["livenessProbe"] != asked["readinessProbe"]
        assert {each["port"] for each in asked.values()} == {"http"}

    def test_give_a_start_more_time_than_a_restart(self) -> None:
        start, life = container({})["startupProbe"], container({})["livenessProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 60
        assert start["periodSeconds"] * start["failureThreshold"] > life["periodSeconds"] * life["failureThreshold"]

    @pytest.mark.parametrize("name", ["startupProbe", "livenessProbe", "readinessProbe"])
    def test_do_not_overlap(self, name: str) -> None:
        probe = container({})[name]
        assert probe["timeoutSeconds"] <= probe["periodSeconds"]


@needs_helm
class TestTheAutoscaler:
    @every_set
    def test_owns_the_number_of_pods_of_the_deployment(self, values: Values) -> None:
        assert scaling(values)["scaleTargetRef"] == {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": one(values, "Deployment")["metadata"]["name"],
        }

    @every_set
    def test_never_goes_below_two(self, values: Values) -> None:
        assert 2 <= scaling(values)["minReplicas"] <= scaling(values)["maxReplicas"]

    @every_set
    def test_measures_what_the_pods_request(self, values: Values) -> None:
        """Without a request there is no share of it, and the autoscaler would do nothing."""
        (metric,) = scaling(values)["metrics"]
        assert (metric["type"], metric["resource"]["name"]) == ("Resource", "cpu")
        assert quantity(container(values)["resources"]["requests"]["cpu"]) > 0

    def test_does_what_the_values_say(self) -> None:
        found = scaling({"replicas": {"min": 5, "max": 9}, "autoscaling": {"cpuPercent": 55}})
        assert (found["minReplicas"], found["maxReplicas"]) == (5, 9)
        assert found["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 55}


@needs_helm
class TestThePods:
    @every_set
    def test_get_the_memory_they_may_use_and_no_limit_of_cpu(self, values: Values) -> None:
        resources = container(values)["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}
        assert resources["limits"] == {"memory": resources["requests"]["memory"]}

    @every_set
    def test_are_spread_over_zones_and_nodes_but_never_kept_from_running(self, values: Values) -> None:
        spread = {each.pop("topologyKey"): each for each in pod(values)["topologySpreadConstraints"]}
        assert list(spread) == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        for each in spread.values():
            assert each == {
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
                "nodeTaintsPolicy": "Honor",
                "labelSelector": deployment(values)["selector"],
                "matchLabelKeys": ["pod-template-hash"],
            }

    def test_are_at_least_one_in_each_zone_in_production(self) -> None:
        assert scaling(environment("prod"))["minReplicas"] >= len(shipped("prod")["aks-cicd:cluster"]["zones"])


@needs_helm
@every_set
def test_a_node_can_always_be_drained(values: Values) -> None:
    budget = one(values, "PodDisruptionBudget")["spec"]
    numbers = range(scaling(values)["minReplicas"], scaling(values)["maxReplicas"] + 1)
    assert drains_blocked(budget, numbers) == []


@needs_helm
@every_set
def test_a_drain_takes_one_pod_at_a_time(values: Values) -> None:
    budget = one(values, "PodDisruptionBudget")["spec"]
    for pods in range(scaling(values)["minReplicas"], scaling(values)["maxReplicas"] + 1):
        assert evictable(budget, pods, pods) == 1
        assert evictable(budget, pods, pods - 1) == 0


@needs_helm
class TestTheQuota:
    @pytest.mark.parametrize("stack", STACKS)
    def test_holds_the_release_that_replaces_all_pods_and_the_acceptance_tests(self, stack: str) -> None:
        values = environment(stack)
        surge = deployment(values)["strategy"]["rollingUpdate"]["maxSurge"]
        pods = most_pods(scaling(values)["maxReplicas"], surge)
        (tests,) = acceptance_pod()["spec"]["containers"]
        assert overdrawn(_hard(stack), [(pods, container(values)["resources"]), (1, tests["resources"])]) == []

    def test_is_seen_as_overdrawn_when_it_is_too_small(self) -> None:
        values = SETS["combination-1"]
        pods = most_pods(scaling(values)["maxReplicas"], deployment(values)["strategy"]["rollingUpdate"]["maxSurge"])
        found = overdrawn(_hard("prod"), [(pods, container(values)["resources"])])
        assert {each.partition(":")[0] for each in found} == set(_hard("prod"))


@pytest.mark.parametrize("path", sorted((CHART / "environments").glob("*")), ids=lambda path: path.name)
def test_every_file_of_values_belongs_to_a_shipped_environment(path: Any) -> None:
    assert (path.stem, path.suffix) in {(stack, ".yaml") for stack in STACKS}


def _hard(stack: str) -> dict[str, str]:
    hard: dict[str, str] = plan.quota(plan.Quota(**shipped(stack)["aks-cicd:namespace"]["quota"]))["hard"]
    return hard


class TestTheArithmetic:
    @pytest.mark.parametrize(
        ("text", "number"),
        [("250m", Fraction(1, 4)), ("2", Fraction(2)), ("256Mi", Fraction(256 * 2**20)), (3, Fraction(3))],
    )
    def test_reads_quantities(self, text: str | int, number: Fraction) -> None:
        assert quantity(text) == number

    def test_refuses_a_unit_it_does_not_know(self) -> None:
        with pytest.raises(ValueError, match="'2T' has the unit 'T'"):
            quantity("2T")

    @pytest.mark.parametrize(("value", "pods", "number"), [(1, 9, 1), ("25%", 2, 1), ("25%", 4, 1), ("25%", 5, 2)])
    def test_rounds_shares_up(self, value: str | int, pods: int, number: int) -> None:
        assert share(value, pods) == number

    def test_counts_what_is_being_stopped(self) -> None:
        assert most_pods(24, "25%") == 54

    @pytest.mark.parametrize(
        ("budget", "blocked"),
        [
            ({"minAvailable": 2}, "2 pods that all serve"),
            ({"minAvailable": "100%"}, "2 pods that all serve"),
            ({"minAvailable": "90%"}, "3 pods that all serve"),
            ({"maxUnavailable": 0}, "2 pods that all serve"),
            ({"maxUnavailable": "0%"}, "3 pods that all serve"),
        ],
    )
    def test_a_budget_that_blocks_is_seen(self, budget: dict[str, Any], blocked: str) -> None:
        assert blocked in drains_blocked({**budget, "unhealthyPodEvictionPolicy": "AlwaysAllow"}, range(2, 5))

    @pytest.mark.parametrize("policy", [{}, {"unhealthyPodEvictionPolicy": "IfHealthyBudget"}])
    def test_a_budget_that_protects_what_does_not_serve_is_seen(self, policy: dict[str, str]) -> None:
        assert drains_blocked({"maxUnavailable": 1, **policy}, range(2, 5)) == ["pods that do not serve"]
