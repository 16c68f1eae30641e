"""What Azure is sent for the rule files, and what is refused before it is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.observability import durations
from components.observability.collected import KEEP, keep_lists
from components.observability.prometheus_rules import (
    Objectives,
    Rule,
    describe,
    group_name,
    load,
    rule_args,
    with_objectives,
    without_alerts,
)
from components.observability.rule_files import MOST_RULES, RuleFileError

ROOT = Path(__file__).parents[2]
GROUPS = {group.name: group for group in load()}
RULES = [rule for group in GROUPS.values() for rule in group.rules]

CONTAINER = "node_namespace_pod_container:container"
RECORDED = {
    "NodeRecordingRulesRuleGroup": [
        "instance:node_num_cpu:sum",
        "instance:node_cpu_utilisation:rate5m",
        "instance:node_load1_per_cpu:ratio",
        "instance:node_memory_utilisation:ratio",
        "instance:node_vmstat_pgmajfault:rate5m",
        "instance_device:node_disk_io_time_seconds:rate5m",
        "instance_device:node_disk_io_time_weighted_seconds:rate5m",
        "instance:node_network_receive_bytes_excluding_lo:rate5m",
        "instance:node_network_transmit_bytes_excluding_lo:rate5m",
        "instance:node_network_receive_drop_excluding_lo:rate5m",
        "instance:node_network_transmit_drop_excluding_lo:rate5m",
    ],
    "KubernetesRecordingRulesRuleGroup": [
        f"{CONTAINER}_cpu_usage_seconds_total:sum_irate",
        *(f"{CONTAINER}_memory_{kind}" for kind in ("working_set_bytes", "rss", "cache", "swap")),
        *(
            f"cluster:namespace:pod_{of}:active:kube_pod_container_resource_{kind}"
            for of in ("memory", "cpu")
            for kind in ("requests", "limits")
        ),
        *(
            f"namespace_{of}:kube_pod_container_resource_{kind}:sum"
            for of in ("memory", "cpu")
            for kind in ("requests", "limits")
        ),
        *(
            f"namespace_workload_pod:kube_pod_owner:relabel workload_type={kind}"
            for kind in ("deployment", "daemonset", "statefulset", "job")
        ),
        ":node_memory_MemAvailable_bytes:sum",
        "cluster:node_cpu:ratio_rate5m",
    ],
    "UXRecordingRulesRuleGroup": [
        *(
            f"ux:{of}_{what}"
            for of in ("pod", "controller")
            for what in (
                "cpu_usage:sum_irate",
                "workingset_memory:sum",
                "rss_memory:sum",
                "container_count:sum",
                "container_restarts:max",
                "resource_limit:sum",
            )
        ),
        "ux:controller_pod_phase_count:sum",
        "ux:cluster_pod_phase_count:sum",
        "ux:node_cpu_usage:sum_irate",
        "ux:node_memory_usage:sum",
        "ux:node_network_receive_drop_total:sum_irate",
        "ux:node_network_transmit_drop_total:sum_irate",
    ],
}
"""What the portal and Grafana read, by these names."""

# Minutes it must last, severity, minutes until it is resolved.
RECOMMENDED = {
    "KubeCPUQuotaOvercommit": (5, 3, 10),
    "KubeMemoryQuotaOvercommit": (5, 3, 10),
    "KubeContainerOOMKilledCount": (5, 4, 10),
    "KubeClientErrors": (15, 3, 10),
    "KubePersistentVolumeFillingUp": (60, 4, 15),
    "KubePersistentVolumeInodesFillingUp": (15, 4, 10),
    "KubePersistentVolumeErrors": (5, 4, 10),
    "KubeContainerWaiting": (60, 3, 10),
    "KubeDaemonSetNotScheduled": (15, 3, 10),
    "KubeDaemonSetMisScheduled": (15, 3, 10),
    "KubeQuotaAlmostFull": (15, 3, 10),
    "KubeNodeUnreachable": (15, 3, 10),
    "KubeNodeReadinessFlapping": (15, 3, 10),
    "KubeNodeDiskUsageHigh": (15, 3, 10),
    "KubePodCrashLooping": (15, 4, 10),
    "KubeJobStale": (360, 4, 15),
    "KubePodContainerRestart": (15, 4, 10),
    "KubePodReadyStateLow": (5, 4, 15),
    "KubePodFailedState": (5, 4, 15),
    "KubePodNotReadyByController": (15, 3, 10),
    "KubeStatefulSetGenerationMismatch": (15, 3, 10),
    "KubeJobFailed": (15, 3, 10),
    "KubeContainerAverageCPUHigh": (5, 4, 15),
    "KubeContainerAverageMemoryHigh": (10, 4, 10),
    "KubeletPodStartUpLatencyHigh": (10, 4, 10),
    "KubePVUsageHigh": (15, 3, 10),
    "KubeDeploymentReplicasMismatch": (15, 4, 15),
    "KubeStatefulSetReplicasMismatch": (15, 4, 10),
    "KubeHpaReplicasMismatch": (15, 4, 15),
    "KubeHpaMaxedOut": (15, 4, 15),
}
OURS = {
    "WorkloadAvailabilityBurnFast": (2, 1, 10),
    "WorkloadAvailabilityBurnSlow": (15, 3, 10),
    "WorkloadLatencyBurnFast": (2, 1, 10),
    "WorkloadLatencyBurnSlow": (15, 3, 10),
    "WorkloadMetricsMissing": (10, 1, 10),
    "WorkloadMetricsAbsent": (60, 3, 10),
    "WorkloadTargetDown": (10, 2, 10),
    "WorkloadLatencyUnmeasured": (15, 3, 10),
}


def minutes(duration: str | None) -> int:
    return durations.seconds(duration or "") // 60


class TestRules:
    def test_every_series_that_the_portal_reads_is_recorded(self) -> None:
        def name(rule: Rule) -> str:
            return " ".join([rule.record or "", *(f"{key}={value}" for key, value in rule.labels.items())])

        recorded = {group: sorted(map(name, GROUPS[group].rules)) for group in RECORDED}
        assert recorded == {group: sorted(names) for group, names in RECORDED.items()}
        assert sum(map(len, RECORDED.values())) == 48

    def test_every_alert_waits_and_weighs_as_agreed(self) -> None:
        told = {r.alert: (minutes(r.for_), r.severity, minutes(r.time_to_resolve)) for r in RULES if r.alert}
        assert told == RECOMMENDED | OURS
        assert len(RECOMMENDED) == 30

    def test_the_managed_service_takes_every_group(self) -> None:
        for group in GROUPS.values():
            assert 1 <= len(group.rules) <= 20, group.name
            assert 1 <= minutes(group.interval) <= 15, group.name

    def test_what_is_aggregated_or_joined_keeps_its_cluster(self) -> None:
        """Pods and claims of one name exist in several clusters of a workspace."""
        for rule in RULES:
            for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", rule.expression):
                assert "cluster" in labels.split(", "), f"{rule.record or rule.alert}: {labels}"

    @pytest.mark.parametrize(
        ("alert", "windows"),
        [("BurnFast", (("5m", "1h", 14.4), ("30m", "6h", 6))), ("BurnSlow", (("2h", "1d", 3), ("6h", "3d", 1)))],
    )
    @pytest.mark.parametrize(("level", "what"), [("Availability", "errors"), ("Latency", "slow")])
    def test_an_error_budget_may_burn_as_fast_as_agreed_and_no_faster(
        self, level: str, what: str, alert: str, windows: tuple[tuple[str, str, float], ...]
    ) -> None:
        """The cases show each pair of windows at work, but not to the last tenth of a factor."""
        (rule,) = (rule for rule in RULES if rule.alert == f"Workload{level}{alert}")
        left = f"(1 - slo:{level.lower()}:objective_ratio)"
        assert rule.expression == " or ".join(
            " and ".join(f"job:http_requests_{what}:ratio_rate{window} > {factor} * {left}" for window in (short, long))
            for short, long, factor in windows
        )

    def test_every_series_that_a_rule_reads_is_collected(self) -> None:
        default = set((Path(__file__).parent / "collected-by-default.txt").read_text().split())
        workload = {"http_requests_total", "http_request_duration_seconds_bucket", "up"}
        kept = {name for names in KEEP.values() for name in names}
        recorded = {rule.record for rule in RULES if rule.record}
        read = {name for rule in RULES for name in series(rule.expression)}
        assert read - recorded - default - workload == kept
        assert keep_lists()["kubestate"].split("|") == sorted(kept)


def series(expression: str) -> set[str]:
    """Names of the series that an expression reads: what is left without texts, label lists and functions."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"(?<![\w:.])[a-z_:][\w:]*(?![\w:]|\s*\()", bare)) - {
        "and", "or", "unless", "sum", "max", "min", "avg", "count", "group", "topk", "count_values",
    }  # fmt: skip


class TestTranslation:
    def test_an_alert_reaches_the_action_group_and_resolves_by_itself(self) -> None:
        for group in GROUPS.values():
            for rule, args in zip(group.rules, rule_args(group, "/action-group"), strict=True):
                assert args.expression == rule.expression
                assert args.enabled is True
                if rule.alert:
                    assert isinstance(args.actions, list)
                    assert [action.action_group_id for action in args.actions] == ["/action-group"]
                    assert args.resolve_configuration.auto_resolved is True  # type: ignore[union-attr]
                    assert args.record is None
                else:
                    assert (args.alert, args.actions, args.resolve_configuration, args.severity) == (None,) * 4

    def test_what_azure_has_of_its_own_is_not_sent_twice(self) -> None:
        (args,) = (each for each in rule_args(GROUPS["PodAlerts"], "/ag") if each.alert == "KubeJobStale")
        assert (args.for_, args.severity, args.labels) == ("PT6H", 4, None)
        assert args.resolve_configuration.time_to_resolve == "PT15M"  # type: ignore[union-attr]
        assert sorted(args.annotations or {}) == ["description", "first_step", "summary"]  # type: ignore[arg-type]

    def test_recorded_series_keep_their_labels(self) -> None:
        args = rule_args(GROUPS["KubernetesRecordingRulesRuleGroup"], "/ag")
        assert [each.labels for each in args if each.labels] == [
            {"workload_type": kind} for kind in ("deployment", "daemonset", "statefulset", "job")
        ]

    def test_groups_are_named_as_the_portal_looks_for_them(self) -> None:
        names = {group_name(group, "aks-shop") for group in GROUPS.values()}
        assert {
            "NodeRecordingRulesRuleGroup-aks-shop",
            "KubernetesRecordingRulesRuleGroup-aks-shop",
            "UXRecordingRulesRuleGroup - aks-shop",
        } <= names
        assert all(re.fullmatch(r"[^:@/#{}%&+*<>?]+", name) for name in names)

    def test_an_alert_can_be_switched_off_by_its_name_alone(self) -> None:
        off = [r.alert for g in without_alerts(load(), ["KubeHpaMaxedOut"]) for r in g.rules if not r.enabled]
        assert off == ["KubeHpaMaxedOut"]
        with pytest.raises(ValueError, match=r"no such alert: KubeHpaMaxed; allowed: KubeCPU.*KubeHpaMaxedOut"):
            without_alerts(load(), ["KubeHpaMaxed"])


class TestObjectives:
    def test_the_file_holds_the_defaults(self) -> None:
        assert with_objectives(load(), Objectives()) == load()

    def test_each_changes_one_constant_and_nothing_else(self) -> None:
        changed = {
            new.record: new.expression.split(" ")[0]
            for old_group, new_group in zip(
                load(), with_objectives(load(), Objectives(0.9995, 0.99, 0.00005)), strict=True
            )
            for old, new in zip(old_group.rules, new_group.rules, strict=True)
            if old != new
        }
        assert changed == {
            "slo:availability:objective_ratio": "0.9995",
            "slo:latency:objective_ratio": "0.99",
            "slo:latency:threshold_seconds": "0.00005",
        }

    @pytest.mark.parametrize("bad", [{"availability": 1}, {"latency": 0.93}, {"latency_threshold_seconds": 0}])
    def test_one_that_no_alert_could_tell_is_refused(self, bad: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=f"{next(iter(bad))} = .*; allowed: "):
            Objectives(**bad)


ALERT = """groups:
  - name: G
    interval: 1m
    rules:
      - alert: A
        expr: up == 0
        for: 5m
        labels:
          severity: "3"
        annotations:
          summary: It is down.
          description: All of it.
          first_step: Look.
"""


class TestRuleFiles:
    @pytest.mark.parametrize(
        ("mended", "broken", "told"),
        [
            ('          severity: "3"\n', "          team: shop\n", 'label severity = None; allowed: one of "0", "1"'),
            (
                'severity: "3"',
                "severity: 3",
                "labels severity = 3; allowed: names with texts; mend: put the value in q",
            ),
            ('severity: "3"', 'severity: "5"', "label severity = '5'"),
            (
                "          summary: It is down.\n",
                "",
                "annotations: lacks summary; allowed: summary, description, first",
            ),
            ("          first_step: Look.\n", "", "annotations: lacks first_step"),
            ("summary: It", "sumary: It", "annotations: has an unknown key 'sumary'"),
            ("        for: 5m\n", "", "lacks for"),
            ("for: 5m", "for: 30s", "for = '30s'; allowed: 1m or more"),
            ("for: 5m", "for: 5 minutes", "for = '5 minutes'; allowed: 1m or more"),
            ("for: 5m", "for: 5m\n        keep_firing_for: 5m", "has an unknown key 'keep_firing_for'"),
            ("expr: up == 0", "expr: ''", "expr = ''; allowed: an expression"),
            (
                "first_step: Look.",
                "first_step: Look.\n          time_to_resolve: soon",
                "annotation time_to_resolve = 'soon'",
            ),
            ("alert: A", "alert: A\n        record: A", "is neither or both of alert and record"),
        ],
    )
    def test_a_rule_that_azure_or_a_reader_could_not_use_is_refused(
        self, tmp_path: Path, mended: str, broken: str, told: str
    ) -> None:
        assert mended in ALERT
        assert f"bad.yaml: group G: rule A: {told}" in self.refused(tmp_path, ALERT.replace(mended, broken))

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("groups: [", "bad.yaml: does not parse: .*line 1"),
            ("rules: []", "bad.yaml: is not a rule file; allowed: one key, groups"),
            ("groups: [{name: G, interval: 1m}]", "group G: lacks rules.*\n.*group G: has no rules"),
            (ALERT.replace("interval: 1m", "interval: 30s"), "group G: interval = '30s'; allowed: 1m to 15m"),
            (ALERT.replace("name: G", "name: a/b"), "group a/b: name = 'a/b'; allowed: a text without"),
            (ALERT.replace("    interval: 1m", "    intervall: 1m"), "group G: has an unknown key 'intervall'"),
        ],
    )
    def test_a_group_that_azure_could_not_use_is_refused(self, tmp_path: Path, text: str, told: str) -> None:
        assert re.search(told, self.refused(tmp_path, text))

    def test_a_group_is_refused_from_its_twenty_first_rule(self, tmp_path: Path) -> None:
        rules = "".join(f"      - {{record: 'a:{number}', expr: up}}\n" for number in range(MOST_RULES))
        text = "groups:\n  - name: G\n    interval: 1m\n    rules:\n" + rules
        (tmp_path / "full.yaml").write_text(text)
        assert len(load(tmp_path)[0].rules) == MOST_RULES == 20
        told = self.refused(tmp_path, text + "      - {record: 'a:x', expr: up}\n")
        assert "group G: has 21 rules; allowed: 1 to 20; mend: split the group" in told

    def test_names_stand_there_once_in_all_files_together(self, tmp_path: Path) -> None:
        (tmp_path / "also.yaml").write_text(ALERT)
        assert self.refused(tmp_path, ALERT).splitlines() == [
            "also.yaml and bad.yaml: group G stands there 2 times; allowed: once; mend: rename one",
            "also.yaml: group G and bad.yaml: group G: alert A stands there 2 times; allowed: once; mend: rename one",
        ]

    def test_a_series_may_be_recorded_twice_with_other_labels(self, tmp_path: Path) -> None:
        rules = "".join(f"      - {{record: a, expr: up, labels: {{kind: {kind}}}}}\n" for kind in "xy")
        (tmp_path / "fine.yaml").write_text("groups:\n  - name: G\n    interval: 1m\n    rules:\n" + rules)
        assert [rule.labels for rule in load(tmp_path)[0].rules] == [{"kind": "x"}, {"kind": "y"}]

    def test_all_problems_of_all_files_are_told_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "also.yaml").write_text(ALERT.replace('severity: "3"', 'severity: "9"'))
        told = self.refused(tmp_path, ALERT.replace("for: 5m", "for: 1s").replace("expr: up == 0", "expr: ''"))
        assert [line.split(":")[0] for line in told.splitlines()] == ["also.yaml", "bad.yaml", "bad.yaml"]

    def refused(self, directory: Path, text: str) -> str:
        (directory / "bad.yaml").write_text(text)
        with pytest.raises(RuleFileError) as caught:
            load(directory)
        return str(caught.value)


class TestDurations:
    @given(st.integers(0, 400 * 86400))
    def test_a_duration_survives_the_way_to_azure_and_back(self, total: int) -> None:
        iso = durations.to_iso(f"{total}s")
        prometheus = durations.to_prometheus(iso)
        assert durations.seconds(iso) == durations.seconds(prometheus) == total
        assert durations.to_iso(prometheus) == iso
        assert re.fullmatch(r"P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?", iso)

    @pytest.mark.parametrize(
        ("prometheus", "iso"),
        [("1h30m", "PT1H30M"), ("5m", "PT5M"), ("90m", "PT1H30M"), ("1d", "P1D"), ("2w1h", "P14DT1H"), ("0s", "PT0S")],
    )
    def test_azure_reads_what_prometheus_meant(self, prometheus: str, iso: str) -> None:
        assert durations.to_iso(prometheus) == iso

    @pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "5", "5 m", "1m1h", "1.5h", "-5m", "PT5", "5M", "P1Y"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="allowed: a duration such as 5m"):
            durations.seconds(text)


def test_the_page_for_those_who_are_called_is_up_to_date() -> None:
    assert (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8") == describe(load())
    assert describe(load()).count("\n| Kube") + describe(load()).count("\n| Workload") == len(RECOMMENDED | OURS)
