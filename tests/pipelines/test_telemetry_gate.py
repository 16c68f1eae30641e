"""The telemetry gate, against a real Prometheus that remembers releases which went well and others which did not.

Each release has a namespace of its own, named after what happens in it. All were deployed at the same moment.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.delivery.seeds import seeded
from components.observability import durations, prometheus_rules
from pipelines.scripts import telemetry_gate
from pipelines.scripts.commands import Patience
from pipelines.scripts.http_json import Service
from pipelines.scripts.prometheus_query import Metrics, Point
from pipelines.scripts.telemetry_judge import held
from pipelines.scripts.telemetry_rules import KNOWLEDGE, RULES, Alert, alerts, knowledge
from tests.observability import promql
from tests.pipelines import prometheus_server
from tests.pipelines.prometheus_server import Course, History

DEPLOYED = 1_767_225_600
"""2026-01-01, midnight UTC."""
CLUSTER = "aks-shop"
TOKEN = "a-token-that-nobody-may-see"
SCRIPT = Path(telemetry_gate.__file__)
CASES = Path(promql.__file__).parent / "promtool"

needs_prometheus = pytest.mark.skipif(prometheus_server.missing() is not None, reason=str(prometheus_server.missing()))

Captured = pytest.CaptureFixture[str]


def always(value: float) -> Course:
    return lambda minute: value


def from_minute(start: float, then: float, before: float | None = 0) -> Course:
    return lambda minute: then if minute >= start else before


def until_minute(end: float, value: float) -> Course:
    return lambda minute: value if minute <= end else None


@dataclass
class Release:
    """What is measured of a namespace. All is well unless said otherwise."""

    namespace: str
    cluster: str = CLUSTER
    there: Callable[[str, float], bool] = lambda source, minute: True
    """Whether anything comes from a source (cluster, cadvisor, workload) at a minute."""
    requests: Course = field(default_factory=lambda: always(600))
    errors: Course = field(default_factory=lambda: always(0))
    slow: Course = field(default_factory=lambda: always(0))
    ready: Course = field(default_factory=lambda: always(3))
    waiting: Course | None = None

    def write(self, history: History) -> None:
        place = {"namespace": self.namespace, "cluster": self.cluster}

        def seen(source: str, course: Course) -> Course:
            return lambda minute: course(minute) if self.there(source, minute) else None

        def state(name: str, course: Course, **labels: str) -> None:
            history.gauge(name, {**place, "job": "kube-state-metrics", **labels}, seen("cluster", course))

        pod = {"pod": "shop-5d-1", "container": "shop"}
        for name in ("kube_deployment_spec_replicas", "kube_deployment_status_replicas_updated"):
            state(name, always(3), deployment="shop")
        for name in ("kube_deployment_status_replicas_ready", "kube_deployment_status_replicas_available"):
            state(name, self.ready, deployment="shop")
        state("kube_pod_container_status_restarts_total", always(0), **pod)
        state("kube_pod_container_resource_limits", always(2e8), **pod, resource="memory", node="one")
        state("kube_pod_owner", always(1), pod="shop-5d-1", owner_kind="ReplicaSet", owner_name="shop-5d")
        for phase in ("Pending", "Running", "Failed", "Unknown"):
            state("kube_pod_status_phase", always(float(phase == "Running")), pod="shop-5d-1", phase=phase)
        for kind, value in (("hard", 10.0), ("used", 3.0)):
            state("kube_resourcequota", always(value), resource="pods", type=kind)
        if self.waiting:
            state("kube_pod_container_status_waiting_reason", self.waiting, **pod, reason="CrashLoopBackOff")

        cadvisor = {**place, "job": "cadvisor", "image": "shop", **pod}
        history.counter("container_cpu_usage_seconds_total", cadvisor, seen("cadvisor", always(1)))
        history.gauge("container_memory_working_set_bytes", cadvisor, seen("cadvisor", always(1e8)))

        scraped = {**place, "job": "shop", "pod": "shop-5d-1"}
        history.gauge("up", scraped, seen("workload", always(1)))

        def answered(minute: float) -> float:
            return (self.requests(minute) or 0) - (self.errors(minute) or 0)

        def quick(minute: float) -> float:
            return (self.requests(minute) or 0) - (self.slow(minute) or 0)

        history.counter("http_requests_total", {**scraped, "code": "200"}, seen("workload", answered))
        history.counter("http_requests_total", {**scraped, "code": "500"}, seen("workload", self.errors))
        for bucket, course in (("0.3", quick), ("1.0", self.requests), ("+Inf", self.requests)):
            labels = {**scraped, "le": bucket}
            history.counter("http_request_duration_seconds_bucket", labels, seen("workload", course))


def no(source: str) -> Callable[[str, float], bool]:
    return lambda asked, minute: asked != source


RELEASES = [
    Release("fine"),
    # The namespace "fine" of another cluster, and one that is only there.
    Release("fine", cluster="aks-other", errors=always(300)),
    Release("elsewhere", cluster="aks-other"),
    Release("failing", errors=from_minute(0, 180)),
    # Too little for an alert within the window: its hour was good until then.
    Release("leaking", errors=from_minute(0, 12)),
    Release("slow", slow=from_minute(0, 590)),
    Release("sluggish", slow=always(590)),
    Release("losing-pods", ready=from_minute(3, 1, before=3)),
    Release("stumbling", ready=lambda minute: 1 if 3 <= minute < 7 else 3),
    Release("crashing", waiting=from_minute(-5, 1, before=None)),
    Release("crashing-as-ever", waiting=always(1)),
    Release("mended", errors=lambda minute: 180 if minute < 0 else 0),
    Release("no-better", errors=always(180)),
    Release("nowhere-near-the-cluster", there=no("cluster")),
    Release("uncounted", there=no("cadvisor")),
    Release("unscraped", there=no("workload")),
    Release("idle", requests=always(0)),
    Release("asked-no-more", requests=lambda minute: 600 if minute < 0 else 0),
    Release("late", there=lambda source, minute: source != "cadvisor" or minute >= 18),
    Release(
        "late-and-losing-pods",
        there=lambda source, minute: source != "cadvisor" or minute >= 18,
        ready=from_minute(12, 1, before=3),
    ),
    Release("gone", there=lambda source, minute: minute <= 5),
]


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    history = History(DEPLOYED, before=120, after=60)
    for release in RELEASES:
        release.write(history)
    with prometheus_server.running(
        history, [RULES / "workload.yaml"], tmp_path_factory.mktemp("prometheus")
    ) as address:
        yield address


class Clock:
    """Time that passes only by waiting."""

    def __init__(self, minute: float = 0) -> None:
        self.now = DEPLOYED + minute * 60

    @property
    def minute(self) -> float:
        return (self.now - DEPLOYED) / 60

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def gate(address: str, namespace: str, *more: str, clock: Clock | None = None, token: str = TOKEN) -> tuple[int, Clock]:
    """Exit code, and the time that it ended."""
    clock = clock or Clock()
    since = datetime.fromtimestamp(DEPLOYED, UTC).isoformat()
    arguments = ["--endpoint", address, "--namespace", namespace, "--cluster", CLUSTER, "--since", since, *more]
    return telemetry_gate.main(arguments, lambda: token, clock, clock.pause), clock


@needs_prometheus
def test_a_release_without_trouble_passes_when_its_window_is_over(prometheus: str, capsys: Captured) -> None:
    code, clock = gate(prometheus, "fine")
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert clock.minute == 15
    assert "passed" in said.out
    assert "100% of the month's is left" in said.out


@needs_prometheus
def test_a_window_that_is_over_already_is_not_waited_for(prometheus: str) -> None:
    assert gate(prometheus, "fine", clock=Clock(minute=20))[1].minute == 20


@needs_prometheus
def test_an_alert_that_fires_fails_the_release_and_says_what_to_do(prometheus: str, capsys: Captured) -> None:
    assert gate(prometheus, "failing")[0] == 1
    said = capsys.readouterr().err
    assert "WorkloadAvailabilityBurnFast fires (job=shop)" in said
    assert re.search(r"since 2026-01-01 00:\d\d:00 UTC", said)
    assert "First: Roll back if a release came just before" in said
    assert all(line.startswith("error: ") for line in said.splitlines())


@needs_prometheus
def test_nothing_is_waited_for_once_an_alert_fires(prometheus: str, capsys: Captured) -> None:
    """Too few pods from the third minute on, which must last five minutes."""
    code, clock = gate(prometheus, "losing-pods")
    assert (code, clock.minute) == (1, 8)
    said = capsys.readouterr().err
    assert "KubePodReadyStateLow fires (deployment=shop)" in said
    assert "since 2026-01-01 00:03:00 UTC" in said


@needs_prometheus
def test_a_condition_that_does_not_last_fails_nothing(prometheus: str) -> None:
    assert gate(prometheus, "stumbling")[0] == 0


@needs_prometheus
def test_only_what_holds_since_the_deployment_is_the_releases(prometheus: str, capsys: Captured) -> None:
    """Its container began to crash five minutes earlier; the alert takes fifteen, counted from the deployment."""
    code, clock = gate(prometheus, "crashing")
    assert (code, clock.minute) == (1, 15)
    assert "KubePodCrashLooping" in capsys.readouterr().err


@needs_prometheus
def test_a_budget_that_goes_too_fast_fails_the_release_before_any_alert_does(prometheus: str, capsys: Captured) -> None:
    assert gate(prometheus, "leaking")[0] == 1
    said = capsys.readouterr().err
    assert " fires" not in said
    assert "error budget of availability: 2.00% of the requests to leaking/shop" in said
    assert "the objective is 99.9 %, so it goes 20.0 times as fast as it lasts; allowed: 14.4 times" in said


@needs_prometheus
def test_how_fast_a_budget_may_go_is_a_setting(prometheus: str) -> None:
    assert gate(prometheus, "leaking", "--burn", "25")[0] == 0


@needs_prometheus
def test_slow_answers_use_up_a_budget_of_their_own(prometheus: str, capsys: Captured) -> None:
    assert gate(prometheus, "slow")[0] == 1
    assert "error budget of latency: 98.33% of the requests" in capsys.readouterr().err


@needs_prometheus
def test_a_release_that_mends_what_burnt_before_passes(prometheus: str, capsys: Captured) -> None:
    assert gate(prometheus, "mended")[0] == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: not counted, because it fired before the deployment: WorkloadAvailabilityBurn")


@needs_prometheus
def test_what_is_not_about_service_levels_counts_although_it_fired_before(prometheus: str, capsys: Captured) -> None:
    """The pods are the release's own by now."""
    assert gate(prometheus, "crashing-as-ever")[0] == 1
    assert "error: KubePodCrashLooping fires" in capsys.readouterr().err


@needs_prometheus
def test_a_release_that_burns_on_as_the_one_before_fails(prometheus: str, capsys: Captured) -> None:
    assert gate(prometheus, "no-better")[0] == 1
    assert "error: error budget of availability: 30.00%" in capsys.readouterr().err


@needs_prometheus
@pytest.mark.parametrize(
    ("namespace", "told"),
    {
        "unheard-of": "kube-state-metrics: kube_deployment_spec_replicas",
        "elsewhere": "kube-state-metrics: kube_deployment_spec_replicas",
        "nowhere-near-the-cluster": "kube-state-metrics: kube_deployment_spec_replicas",
        "uncounted": "cadvisor: container_cpu_usage_seconds_total, container_memory_working_set_bytes",
        "unscraped": "the workload's own metrics: up",
        "idle": "requests to the workload (without any, nothing is measured): job:http_requests_errors:ratio_rate30m",
        "gone": "kube-state-metrics: kube_deployment_spec_replicas",
    }.items(),
)
def test_no_data_is_failure(prometheus: str, capsys: Captured, namespace: str, told: str) -> None:
    code, clock = gate(prometheus, namespace)
    assert (code, clock.minute) == (1, 25)
    said = capsys.readouterr().err
    assert f"no data for {namespace} from {told}" in said
    assert " fires" not in said


@needs_prometheus
def test_a_release_that_nobody_asked_anything_is_not_judged_by_what_was_before(
    prometheus: str, capsys: Captured
) -> None:
    assert gate(prometheus, "asked-no-more")[0] == 1
    assert "error budget of availability: nobody asked the workload anything" in capsys.readouterr().err


@needs_prometheus
def test_data_that_is_late_is_waited_for_and_no_longer_than_that(prometheus: str) -> None:
    code, clock = gate(prometheus, "late")
    assert (code, clock.minute) == (0, 18)


@needs_prometheus
def test_an_alert_that_fires_while_data_is_waited_for_counts(prometheus: str, capsys: Captured) -> None:
    code, clock = gate(prometheus, "late-and-losing-pods")
    assert (code, clock.minute) == (1, 18)
    assert "KubePodReadyStateLow fires" in capsys.readouterr().err


@needs_prometheus
def test_data_that_is_too_late_fails_the_release(prometheus: str) -> None:
    code, clock = gate(prometheus, "late", "--late", "2")
    assert (code, clock.minute) == (1, 17)


@needs_prometheus
def test_an_expression_that_prometheus_refuses_is_one_line(prometheus: str, capsys: Captured, tmp_path: Path) -> None:
    assert gate(prometheus, "fine", "--rules", str(rules(tmp_path, expr="sum by (")))[0] == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "nothing could be judged: POST /api/v1/query_range: 400" in said[0]


@needs_prometheus
def test_an_alert_that_does_not_tell_its_namespace_cannot_be_judged(
    prometheus: str, capsys: Captured, tmp_path: Path
) -> None:
    assert gate(prometheus, "fine", "--rules", str(rules(tmp_path, expr="sum by (cluster) (up)")))[0] == 1
    assert "Sample: its result has no label namespace; list it under not_judged" in capsys.readouterr().err


def rules(directory: Path, **changed: Any) -> Path:
    rule = {
        "alert": "Sample",
        "expr": "up == 0",
        "for": "5m",
        "annotations": {"summary": "One.", "first_step": "Two."},
        **changed,
    }
    (directory / "sample.yaml").write_text(yaml.safe_dump({"groups": [{"name": "Samples", "rules": [rule]}]}))
    return directory


# What the gate knows of the rule files.

KNOWN = knowledge()
JUDGED = [alert for alert in alerts() if alert.name not in KNOWN.not_judged]
PRESENT = [name for names in KNOWN.must_be_there.values() for name in names]


def test_the_gate_reads_the_same_alerts_as_the_program() -> None:
    deployed = [rule for group in prometheus_rules.load() for rule in group.alerts]
    assert [(each.name, each.expression, each.summary) for each in alerts()] == [
        (rule.alert, rule.expression, rule.annotations["summary"]) for rule in deployed
    ]
    assert [each.lasting for each in alerts()] == [durations.seconds(rule.for_ or "PT0S") for rule in deployed]


def test_every_alert_is_judged_or_there_is_a_reason() -> None:
    assert not set(KNOWN.not_judged) - {alert.name for alert in alerts()}
    assert all(KNOWN.not_judged.values())
    assert {"KubePodCrashLooping", "KubePodReadyStateLow", "WorkloadAvailabilityBurnFast", "WorkloadTargetDown"} <= {
        alert.name for alert in JUDGED
    }


def test_few_alerts_take_longer_than_the_usual_window() -> None:
    assert {alert.name for alert in JUDGED if alert.lasting > 15 * 60} == {
        "KubeContainerWaiting",
        "KubeJobStale",
        "KubePersistentVolumeFillingUp",
    }


def test_every_series_that_a_judged_alert_reads_must_be_there_or_there_is_a_reason() -> None:
    read = {name for alert in JUDGED for name, _ in promql.selectors(alert.expression)}
    known = [*PRESENT, *KNOWN.may_be_absent]
    assert sorted(known) == sorted(set(known))
    # The rates of latency are read by the error budget only.
    assert set(known) - read == {"job:http_requests_errors:rate5m", "job:http_requests_timed:rate5m"}
    assert read - set(known) == set()
    assert all(KNOWN.may_be_absent.values())


def test_what_the_error_budgets_read_must_be_there() -> None:
    for budget in KNOWN.budgets.values():
        assert {budget.bad, budget.all, budget.objective} <= set(PRESENT)
        assert {budget.bad, budget.all, budget.objective} <= promql.recorded()


def test_an_objective_that_an_alert_weighs_has_a_budget() -> None:
    objectives = {name for alert in alerts() for name, _ in promql.selectors(alert.expression) if name[:4] == "slo:"}
    assert objectives == {budget.objective for budget in KNOWN.budgets.values()}


@needs_prometheus
@pytest.mark.parametrize("alert", [each for each in JUDGED if each.on_service_level], ids=lambda each: each.name)
def test_every_alert_on_service_levels_tells_namespace_and_cluster(prometheus: str, alert: Alert) -> None:
    metrics = Metrics(Service(prometheus, lambda: TOKEN, Patience(0)))
    told = [series.labels for series in metrics.at(alert.expression, DEPLOYED)]
    assert told
    assert all(labels.get("namespace") and labels.get("cluster") for labels in told)


PROVEN = [CASES / f"{name}.yaml" for name in ("alerts-cluster", "alerts-pod", "workload")]
"""Cases of the rules' own tests. Those of service levels take days of data, and minutes to play."""


def firing_cases(path: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """By alert, a case in which it fires, and when it does."""
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for case in yaml.safe_load(path.read_text())["tests"]:
        for each in case["promql_expr_test"]:
            fires = re.search(r'alertname="(\w+)",\s*alertstate="firing"', each["expr"])
            if fires and each["exp_samples"]:
                found.setdefault(fires[1], (case, each["eval_time"]))
    return found


@pytest.mark.skipif(promql.missing() is not None, reason=str(promql.missing()))
@pytest.mark.parametrize("path", PROVEN, ids=lambda path: path.stem)
def test_every_other_judged_alert_tells_namespace_and_cluster_when_it_fires(path: Path, tmp_path: Path) -> None:
    judged = {alert.name for alert in JUDGED if not alert.on_service_level}
    assert judged <= {alert for each in PROVEN for alert in firing_cases(each)}
    tests = []
    for alert, (case, moment) in firing_cases(path).items():
        if alert in judged:
            told = f'ALERTS{{alertname="{alert}",alertstate="firing"'
            expected = {
                f'group({told},namespace!="",cluster!=""}})': [{"labels": "{}", "value": 1}],
                f'{told},namespace=""}} or {told},cluster=""}}': [],
            }
            asked = [{"expr": expr, "eval_time": moment, "exp_samples": value} for expr, value in expected.items()]
            series = [labelled(each) for each in case["input_series"]]
            tests.append({"interval": case["interval"], "input_series": series, "promql_expr_test": asked})
    files = [(path.parent / file).resolve() for file in yaml.safe_load(path.read_text())["rule_files"]]
    # What is recorded comes before what alerts on it; without an order, promtool takes any.
    order = [group["name"] for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    document = {
        "rule_files": [str(file) for file in files],
        "evaluation_interval": "1m",
        "group_eval_order": order,
        "tests": tests,
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))
    command = ["promtool", "test", "rules", str(tmp_path / "test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def labelled(series: dict[str, Any]) -> dict[str, Any]:
    """With the labels that every series has in the workspace, where a case leaves them out."""
    name, _, labels = series["series"].partition("{")
    labels = labels.rstrip("}")
    for label in ("cluster", "namespace"):
        if not re.search(rf"\b{label}=", labels):
            labels = f'{labels}{"," if labels else ""}{label}="one"'
    return {**series, "series": f"{name}{{{labels}}}"}


# How an alert comes to fire.


@pytest.mark.parametrize(
    ("minutes", "lasting", "fires"),
    [
        ([0, 1, 2, 3, 4, 5], 300, 0),
        ([0, 1, 2, 3, 4], 300, None),
        ([0, 1, 2, 4, 5, 6], 300, None),
        ([0, 2, 3, 4, 5, 6, 7], 300, 2),
        ([3], 0, 3),
        ([], 0, None),
        ([0, 1, 2], 90, 0),
        ([0, 1], 90, None),
    ],
)
def test_a_condition_fires_when_it_has_lasted_without_a_gap(
    minutes: list[int], lasting: int, fires: int | None
) -> None:
    found = held([Point(1e9 + minute * 60 + 0.4, 1) for minute in minutes], lasting)
    assert (found.since if found else None) == (None if fires is None else 1e9 + fires * 60 + 0.4)


# The way to the metrics workspace.


@dataclass
class Answers:
    """A service that answers as a test says."""

    statuses: list[int] = field(default_factory=list)
    """One for each call; after the last, 200 and nothing found."""
    body: str | None = None
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def answering(answers: Answers) -> Iterator[Answers]:
    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answers.calls.append((self.path, self.headers["Authorization"], said))
            status = answers.statuses.pop(0) if answers.statuses else 200
            empty = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{answers.url}/elsewhere")
            self.end_headers()
            self.wfile.write((answers.body or empty).encode() if status == 200 else b'{"error": "not now"}')

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_token_goes_with_every_question_and_into_no_message(capsys: Captured) -> None:
    with answering(Answers()) as answers:
        assert gate(answers.url, "fine")[0] == 1
    assert {token for _, token, _ in answers.calls} == {f"Bearer {TOKEN}"}
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err


def test_a_token_from_before_a_role_was_granted_is_asked_for_anew() -> None:
    tokens = iter(["old", "new"])
    with answering(Answers([401])) as answers:
        service = Service(answers.url, lambda: next(tokens), Patience(10, lambda _: None))
        Metrics(service).at("up", DEPLOYED)
        Metrics(service).at("up", DEPLOYED)
    assert [token for _, token, _ in answers.calls] == ["Bearer old", "Bearer new", "Bearer new"]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_what_passes_by_itself_is_tried_again(status: int, capsys: Captured) -> None:
    with answering(Answers([status, status])) as answers:
        gate(answers.url, "fine")
    assert answers.calls[0] == answers.calls[1] == answers.calls[2]
    assert "nothing could be judged" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("statuses", "body", "told"),
    [
        ([403] * 99, None, "403 not now (tries: 15); the identity has no role for this, or not yet"),
        ([503] * 99, None, "503 not now (tries: 15)"),
        ([302], None, "302 not now (tries: 1); the address belongs to something else"),
        ([404], None, "404 not now (tries: 1)"),
        ([], "<html>", "the answer is not JSON"),
        ([], "[]", "the answer is not that of a Prometheus"),
        ([], '{"status": "error"}', "the answer is not that of a Prometheus"),
    ],
)
def test_no_answer_is_failure_in_one_line(statuses: list[int], body: str | None, told: str, capsys: Captured) -> None:
    with answering(Answers(statuses, body)) as answers:
        assert gate(answers.url, "fine")[0] == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: telemetry gate: nothing could be judged: ")
    assert told in said[0]


def test_an_endpoint_that_is_not_there_is_one_line(capsys: Captured) -> None:
    assert gate("http://127.0.0.1:9", "fine")[0] == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "no answer" in said[0]


# Wrong arguments.


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("--endpoint", "$(metricsQueryEndpoint)", "https://<host>"),
        ("--endpoint", "http://example.com", "https://<host>"),
        ("--namespace", "$(namespace)", "the name that the variable group has"),
        ("--namespace", 'a",b!="', "the name that the variable group has"),
        ("--cluster", "$(clusterName)", "the name that the variable group has"),
        ("--since", "$(deployedAt)", "2026-11-23T12:00:00Z"),
        ("--since", "2026-01-01T00:00:00", "a time with its zone"),
        ("--since", "2025-12-30T00:00:00Z", "within the last day"),
        ("--since", "2026-01-01T01:00:00Z", "within the last day"),
        ("--window", "5", "from 10 to 40"),
        ("--window", "soon", "from 10 to 40"),
        ("--burn", "nan", "from 0.1 to 1000"),
    ],
)
def test_a_wrong_argument_names_itself_and_what_is_allowed(
    argument: str, value: str, allowed: str, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as stopped:
        gate("https://example.com", "fine", argument, value)
    assert stopped.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert argument in said
    assert allowed in said


@pytest.mark.parametrize(
    "content",
    ["[", "a: b", "groups: 5", "groups: [{rules: [{alert: A}]}]", "groups: [{rules: [{alert: A, for: long}]}]"],
)
def test_a_file_that_is_no_rule_file_is_one_line(content: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    assert gate("https://example.com", "fine", "--rules", str(tmp_path))[0] == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "bad.yaml: is not a rule file" in said[0]


def test_rules_that_hold_no_alert_are_failure(tmp_path: Path, capsys: Captured) -> None:
    assert gate("https://example.com", "fine", "--rules", str(tmp_path))[0] == 1
    assert "no alert in any *.yaml" in capsys.readouterr().err


# As an agent runs it.


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The platform repository as it is seeded, and nothing else."""
    for path, content in seeded(SCRIPT.parents[2], "platform").files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    return tmp_path


def agent(repository: Path, packages: str = "") -> subprocess.CompletedProcess[str]:
    """Without the packages of the project; `packages` is where the step before installed some. Nobody is signed in."""
    environment = {"PATH": str(repository), "TF_BUILD": "True", "PYTHONPATH": packages}
    script = repository / "pipelines" / "scripts" / SCRIPT.name
    arguments = ["--endpoint", "https://example.com", "--namespace", "fine", "--cluster", CLUSTER]
    command = [sys.executable, "-S", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=repository.parent, env=environment)


def test_without_its_package_it_says_what_to_install(repository: Path) -> None:
    done = agent(repository)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("##vso[task.logissue type=error]telemetry gate: ")
    assert "install pipelines/scripts/requirements.lock" in done.stdout


def test_it_runs_from_what_the_platform_repository_is_seeded_with(repository: Path) -> None:
    """It comes as far as asking for a token."""
    (repository / "packages").mkdir()
    shutil.copytree(Path(yaml.__file__).parent, repository / "packages" / "yaml")
    done = agent(repository, str(repository / "packages"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "az is not on the PATH" in done.stdout


def test_the_package_that_agents_install_is_the_one_that_the_project_tests_with() -> None:
    lock = (SCRIPT.parent / "requirements.lock").read_text()
    pinned = re.findall(r"^(\w+)==([\d.]+)", lock, re.M)
    assert pinned == [("PyYAML", yaml.__version__)]
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= 4
    assert KNOWLEDGE.exists()
