"""What application and platform have to say alike: metrics that rules read, objectives, variables, secrets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.dashboards import load as dashboards
from components.observability.prometheus_rules import RULES, load
from tests.conftest import STACKS, shipped

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "workload" / "src"
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed: apt-get install prometheus")

PROGRAM = """
import sys
from prometheus_client import generate_latest
from shop.metrics import Metrics
metrics = Metrics()
metrics.record(200, 0.29)
metrics.record(503, 0.31)
sys.stdout.buffer.write(generate_latest(metrics.registry))
"""


def ask(program: str) -> str:
    """What a program says that sees the application's sources, and nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Series:
    metric: str
    labels: str
    """As they stand between the braces, or nothing."""
    value: float


@cache
def series() -> list[Series]:
    """The application's own series, as it exports them."""
    found = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", ask(PROGRAM), re.M)
    return [Series(metric, labels, float(value)) for metric, labels, value in found]


OWN = re.compile(r"(?<![\w:])(http_\w+)(?:\{([^}]*)\})?")
SCRAPED = {"cluster", "namespace", "job", "pod"}


def read() -> dict[str, set[str]]:
    """What rules and dashboards read of an application: each metric, and its labels that do not come by scraping."""
    boards = json.dumps([each.content for each in dashboards()])
    expressions = [str(json.loads(text)) for text in re.findall(r'"expr": ("(?:[^"\\]|\\.)*")', boards)]
    expressions += [rule.expression for group in load() for rule in group.rules]
    found: dict[str, set[str]] = {}
    for expression in expressions:
        for metric, selected in OWN.findall(expression):
            grouped = re.findall(r"\bby \(([^)]*)\)", expression)
            labels = {*re.findall(r"(\w+)\s*[=!]", selected), *re.findall(r"\w+", " ".join(grouped))}
            found.setdefault(metric, set()).update(labels - SCRAPED)
    return found


def test_the_application_exports_what_rules_and_dashboards_read() -> None:
    exported: dict[str, set[str]] = {}
    for each in series():
        exported.setdefault(each.metric, set()).update(re.findall(r"(\w+)=", each.labels))
    wanted = read()
    assert wanted
    assert wanted == {metric: exported.get(metric) for metric in wanted}


def buckets() -> set[float]:
    return {float(end) for each in series() for end in re.findall(r'le="([^"]+)"', each.labels)}


@pytest.mark.parametrize("stack", STACKS)
def test_the_latency_objective_of_every_environment_is_the_end_of_a_bucket(stack: str) -> None:
    monitoring: dict[str, Any] = shipped(stack)["aks-cicd:monitoring"]
    assert monitoring["objectives"]["latencyMilliseconds"] / 1000 in buckets()


def test_the_objective_that_the_rules_have_by_themselves_is_one_too() -> None:
    expressions = {rule.record: rule.expression for group in load() for rule in group.rules if rule.record}
    assert float(expressions["slo:latency:threshold_seconds"].split()[0]) in buckets()


@needs_promtool
def test_the_projects_own_rules_measure_the_application(tmp_path: Path) -> None:
    """Its very series, growing each minute as after PROGRAM: half of the requests fail, the same half is slow."""
    where = 'cluster="one",namespace="shop",job="shop"'
    grown = [
        {"series": f"{each.metric}{{{','.join(filter(None, (each.labels, where)))}}}", "values": f"0+{each.value:g}x10"}
        for each in series()
    ]
    expected = {
        "job:http_requests:rate5m": 2 / 60,
        "job:http_requests_errors:ratio_rate5m": 0.5,
        "job:http_requests_slow:ratio_rate5m": 0.5,
    }
    case = {
        "interval": "1m",
        "input_series": grown,
        "promql_expr_test": [
            {"expr": name, "eval_time": "10m", "exp_samples": [{"labels": f"{name}{{{where}}}", "value": value}]}
            for name, value in expected.items()
        ],
    }
    document = {"rule_files": [str(RULES / "workload.yaml")], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert PROMTOOL
    done = subprocess.run(
        [PROMTOOL, "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_the_secret_that_the_application_reads_is_one_that_its_place_has(stack: str) -> None:
    name = ask("from shop.settings import KEY_FILE; print(KEY_FILE)").strip()
    namespace: dict[str, Any] = shipped(stack)["aks-cicd:namespace"]
    assert name in namespace["secrets"]
