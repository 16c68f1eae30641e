"""The settings of the collectors of metrics and logs, as the collectors read them."""

from __future__ import annotations

import tomllib

import pytest

from components.observability import prometheus_rules
from components.workload import collectors
from tests.workloads import RULES

EXPRESSIONS = tuple(rule.expression for group in prometheus_rules.load() for rule in group.rules)
METRICS = collectors.metrics(EXPRESSIONS)
LOGS = collectors.logs()


@pytest.mark.parametrize("settings", [METRICS, LOGS])
def test_the_schema_is_one_that_the_collector_knows(settings: dict[str, str]) -> None:
    """Another version, or a longer name for ours, and the collector ignores the file."""
    assert settings["schema-version"] == "v1"
    assert 0 < len(settings["config-version"]) <= 10
    for key, text in settings.items():
        if not key.endswith("-version"):
            tomllib.loads(text)


class TestMetrics:
    def test_what_rules_read_is_kept_by_target(self) -> None:
        assert collectors.kept(RULES) == {
            "kubestate": ["kube_pod_info", "kube_statefulset_metadata_generation"],
            "nodeexporter": ["node_cpu_seconds_total"],
        }

    def test_what_the_minimal_profile_drops_and_our_alerts_read_is_kept(self) -> None:
        kept = tomllib.loads(METRICS["default-targets-metrics-keep-list"])["kubestate"].split("|")
        assert {
            "kube_persistentvolume_status_phase",
            "kube_persistentvolumeclaim_access_mode",
            "kube_statefulset_metadata_generation",
            "kube_statefulset_status_observed_generation",
        } <= set(kept)

    def test_every_job_that_a_rule_selects_is_scraped(self) -> None:
        scraped = tomllib.loads(METRICS["default-scrape-settings-enabled"])
        listed = tomllib.loads(METRICS["default-targets-metrics-keep-list"])
        targets = set(listed) - {"minimalingestionprofile"}
        assert targets == {"cadvisor", "kubelet", "kubestate", "nodeexporter"}
        assert all(scraped[target] for target in targets)

    def test_everything_else_is_collected_sparingly(self) -> None:
        assert tomllib.loads(METRICS["default-targets-metrics-keep-list"])["minimalingestionprofile"] is True

    def test_series_are_labelled_with_the_name_that_rule_groups_look_for(self) -> None:
        """An alias would replace it, and loses its hyphens on the way."""
        assert tomllib.loads(METRICS["prometheus-collector-settings"]) == {"cluster_alias": ""}

    def test_no_pod_is_scraped_because_it_says_so_itself(self) -> None:
        found = tomllib.loads(METRICS["pod-annotation-based-scraping"])
        assert found == {"podannotationnamespaceregex": ""}

    def test_windows_is_not_scraped(self) -> None:
        scraped = tomllib.loads(METRICS["default-scrape-settings-enabled"])
        assert not any(enabled for target, enabled in scraped.items() if target.startswith("windows"))


class TestLogs:
    FOUND = tomllib.loads(LOGS["log-data-collection-settings"])["log_collection_settings"]

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_both_streams_of_every_container_but_the_platforms_are_collected(self, stream: str) -> None:
        assert self.FOUND[stream] == {"enabled": True, "exclude_namespaces": ["gatekeeper-system", "kube-system"]}

    def test_environment_variables_are_not(self) -> None:
        assert self.FOUND["env_var"]["enabled"] is False

    def test_rows_go_to_container_log_v2(self) -> None:
        assert self.FOUND["schema"]["containerlog_schema_version"] == "v2"
