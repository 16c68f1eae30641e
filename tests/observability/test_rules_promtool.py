"""The rule files mean what they say: promtool checks them and plays every rule through.

The cases stand in `promtool/*.yaml`, in promtool's own format, with values worked out by hand. Each alert has a case
in which it fires, for exactly those that are in trouble, and one in which it is silent.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.prometheus_rules import RULES, Objectives, Rule, RuleGroup, load, with_objectives

CASES = Path(__file__).parent / "promtool"
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed: apt-get install prometheus")


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails the test when it is not content."""
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def expectations() -> list[tuple[str, list[dict[str, Any]]]]:
    """What the cases expect: expression and samples."""
    cases = [case for path in sorted(CASES.glob("*.yaml")) for case in yaml.safe_load(path.read_text())["tests"]]
    return [(each["expr"], each["exp_samples"]) for case in cases for each in case["promql_expr_test"]]


ALERTS = [rule.alert for group in load() for rule in group.rules if rule.alert]
RECORDED = [rule for group in load() for rule in group.rules if rule.record]


@needs_promtool
@pytest.mark.parametrize("path", sorted(RULES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_rule_file_is_one_that_prometheus_takes(path: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", path)


@needs_promtool
@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_rule_does_in_each_case_what_was_worked_out_by_hand(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(alert: str) -> None:
    told = [(expr, samples) for expr, samples in expectations() if f'alertname="{alert}"' in expr]
    assert any(samples and 'alertstate="firing"' in expr for expr, samples in told), "no case in which it fires"
    # Not even pending, so that the case does not just end too early.
    assert any(not samples and "alertstate" not in expr for expr, samples in told), "no case in which it is silent"


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: f"{rule.record}")
def test_every_recording_rule_has_a_value_that_was_worked_out_by_hand(rule: Rule) -> None:
    def about(sample: dict[str, Any]) -> bool:
        labels = [f'{key}="{value}"' for key, value in rule.labels.items()]
        return all(label in sample["labels"] for label in [f"{rule.record}{{", *labels])

    assert any(about(sample) for _, samples in expectations() for sample in samples)


def as_file(group: RuleGroup) -> dict[str, Any]:
    return {"name": group.name, "rules": [{"record": r.record, "expr": r.expression} for r in group.rules if r.record]}


@needs_promtool
@pytest.mark.parametrize(("threshold", "bucket"), [(1, "1.0"), (1, "1"), (2.5, "2.5"), (0.05, "0.05")])
def test_objectives_of_the_settings_replace_those_of_the_file(tmp_path: Path, threshold: float, bucket: str) -> None:
    """Whole seconds too, whose bucket some libraries call 1 and others 1.0."""
    groups = [group for group in load() if group.name.startswith("Workload")]
    judged = with_objectives(groups, Objectives(0.99, 0.96, threshold))
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [as_file(group) for group in judged]}))
    histogram = "http_request_duration_seconds_bucket"
    case = {
        "interval": "1m",
        "input_series": [
            {"series": f'{histogram}{{job="web",le="0.3"}}', "values": "0+6x10"},
            {"series": f'{histogram}{{job="web",le="{bucket}"}}', "values": "0+15x10"},
            {"series": f'{histogram}{{job="web",le="+Inf"}}', "values": "0+60x10"},
            {"series": 'http_requests_total{job="web",code="200"}', "values": "0+60x10"},
        ],
        "promql_expr_test": [
            {"expr": name, "eval_time": "10m", "exp_samples": [{"labels": f'{name}{{job="web"}}', "value": value}]}
            for name, value in {
                "slo:availability:objective_ratio": 0.99,
                "slo:latency:objective_ratio": 0.96,
                "slo:latency:threshold_seconds": threshold,
                "job:http_requests_slow:ratio_rate5m": 0.75,
            }.items()
        ],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))
    promtool("test", "rules", tmp_path / "test.yaml")
