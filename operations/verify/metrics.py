"""What the metrics tell: that they arrive, from the cluster, from the sensor's pods and from the workload."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from operations.checking import LOGIN, Amiss, Judged, Place
from operations.clouds import Answer, PromAnswer
from operations.verify.register import VERIFY

JOBS: Final = frozenset({"cadvisor", "kube-state-metrics", "kubelet", "node"})
"""What the add-on scrapes in every cluster, as far as dashboards and alerts read it."""
SENSOR: Final = (
    'count(kube_pod_status_phase{namespace="kube-system",pod=~"microsoft-defender-collector-ds-.*",'
    'phase="Running"} == 1)'
)
NODES: Final = 'count(kube_node_status_condition{condition="Ready",status="true"} == 1)'


def endpoint(place: Place) -> str:
    assert place.outputs is not None, "checks of this door see outputs"
    return str(place.outputs["contract"]["metricsQueryEndpoint"])


def number(answer: PromAnswer) -> int:
    """Of a query that counts; nothing to count is no series."""
    return int(float(answer.data.result[0].value[1])) if answer.data.result else 0


@VERIFY("metrics", "the cluster's metrics arrive in the workspace", LOGIN)
def metrics(place: Place) -> Judged:
    answer = place.clouds.prometheus(endpoint(place), "count by (job) (up == 1)")
    return judge_jobs([series.metric.get("job", "") for series in answer.data.result])


def judge_jobs(jobs: Collection[str]) -> Iterator[Amiss]:
    if missing := sorted(JOBS - {*jobs}):
        yield Amiss(
            f"no metrics of {', '.join(missing)}",
            "look at the pods ama-metrics-* in kube-system, and at the collection rule's association",
        )


@VERIFY("sensor", "Defender's sensor runs on every node", LOGIN)
def sensor(place: Place) -> Judged:
    sensors, nodes = (number(place.clouds.prometheus(endpoint(place), query)) for query in (SENSOR, NODES))
    return judge_sensor(sensors, nodes)


def judge_sensor(sensors: int, nodes: int) -> Iterator[Amiss]:
    if nodes == 0:
        yield Amiss("no node is seen", "make verify CHECK=metrics first")
    elif sensors < nodes:
        yield Amiss(
            f"the sensor runs on {sensors} of {nodes} nodes",
            "kubectl get ds microsoft-defender-collector-ds -n kube-system; a new node takes some minutes",
        )


@VERIFY("workload", "the workload runs and is scraped; true from the first release on", LOGIN)
def workload(place: Place) -> Judged:
    name = place.settings.namespace.name or place.settings.workload
    return judge_workload(
        name, number(place.clouds.prometheus(endpoint(place), f'count(up{{namespace="{name}"}} == 1)'))
    )


def judge_workload(namespace: str, pods: int) -> Iterator[Amiss]:
    if pods == 0:
        yield Amiss(
            f"no pod of the namespace {namespace} is scraped",
            "bring the first release; then look at the pod monitor workload and the pods' port named metrics",
        )


class Source(Answer):
    uid: str
    type: str


@VERIFY("grafana", "Grafana answers a query of its metrics", LOGIN)
def grafana(place: Place) -> Judged:
    assert place.outputs is not None, "checks of this door see outputs"
    base = str(place.outputs["contract"]["grafanaEndpoint"])
    sources = [
        each for each in place.clouds.grafana(base, "api/datasources", list[Source]) if each.type == "prometheus"
    ]
    found: dict[str, int] = {}
    for each in sources:
        path = f"api/datasources/proxy/uid/{each.uid}/api/v1/query"
        found[each.uid] = number(place.clouds.grafana(base, path, PromAnswer, query="count(up == 1)"))
    return judge_sources(found)


def judge_sources(answers: dict[str, int]) -> Iterator[Amiss]:
    """How many targets each data source of metrics sees."""
    if not answers:
        yield Amiss("Grafana has no data source of metrics", "pulumi up --refresh links the workspace again")
    elif not any(answers.values()):
        yield Amiss(
            "Grafana sees no metrics", "make verify CHECK=metrics; then look at Grafana's role Monitoring Data Reader"
        )
