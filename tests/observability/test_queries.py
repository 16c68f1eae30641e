"""The checks of queries catch what they are there for; and the saved queries and log alerts pass them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.observability import kql, promql

BROKEN_KQL = {
    "unknown table": ("DeliveryRun_CL | take 1", "DeliveryRun_CL"),
    "unknown table in a join": ("DeliveryRuns_CL | join kind=inner (Runs | take 1) on RunId", "Runs"),
    "unknown table in a union": ("DeliveryRuns_CL | union (SecurityAlerts | take 1)", "SecurityAlerts"),
    "unknown column": ('DeliveryRuns_CL | where Outcome == "failed"', "Outcome"),
    "unknown column in an aggregate": ("DeliveryRuns_CL | summarize n = dcount(RunID) by Result", "RunID"),
    "broken": ("DeliveryRuns_CL | where (Result == 'failed' | take 1", ""),
    "unfinished": ("DeliveryRuns_CL | where Result ==", ""),
    "empty operator": ("DeliveryRuns_CL | | take 1", ""),
}

BEYOND_NAMES = {
    "unknown function": ("DeliveryRuns_CL | extend Half = halve(DurationSeconds)", "halve"),
    "wrong type": ('DeliveryRuns_CL | where DurationSeconds > "long"', ">"),
    "unknown operator": ("DeliveryRuns_CL | summarise count()", "operator"),
    "column that was projected away": ("DeliveryRuns_CL | project RunId | where Result == 'failed'", "Result"),
}


@pytest.mark.parametrize(("text", "name"), BROKEN_KQL.values(), ids=list(BROKEN_KQL))
def test_a_glance_finds_what_is_wrong_and_says_it_once(text: str, name: str) -> None:
    problems = kql.light(text, kql.tables())
    assert len(problems) == 1
    assert name in problems[0]


def test_the_parser_finds_everything_that_is_wrong_and_says_it_once() -> None:
    if reason := kql.missing():
        pytest.skip(reason)
    spoilt = BROKEN_KQL | BEYOND_NAMES
    problems = kql.parse({name: text for name, (text, _) in spoilt.items()}, kql.tables())
    assert [problem.split(":")[0] for problem in problems] == list(spoilt)
    for problem, (_, name) in zip(problems, spoilt.values(), strict=True):
        assert name in problem
        assert len(problem.splitlines()) == 1


def test_a_glance_takes_what_the_language_allows() -> None:
    text = """
        let Failed = DeliveryRuns_CL | where Result in ("failed", "no | such (thing"); // a remark with ( and Nobody
        Failed
        | join kind=leftouter (DeliveryRuns_CL | where Event == 'passed' and $__timeFilter(TimeGenerated)) on RunId
        | extend Hours = (TimeGenerated - CommitTime) / 1h, Short = substring(Digest, 7, 12)
        | summarize Slow = percentile(Hours, 90) by Short, bin(TimeGenerated, $__interval)
        | order by Slow desc nulls last
    """
    assert kql.light(text, kql.tables()) == []


def texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every `query` in a data file, by the name of the entry that has it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "query" and isinstance(inner, str):
                yield f"{where}: {value.get('name', len(inner))}", inner
            else:
                yield from texts(inner, where)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, where)


def data_queries() -> dict[str, str]:
    files = [kql.DATA / "saved_queries.yaml", kql.DATA / "log_alerts.yaml"]
    return dict(
        found for file in files if file.exists() for found in texts(yaml.safe_load(file.read_text("utf-8")), file.name)
    )


def test_saved_queries_and_log_alerts_are_found() -> None:
    found = data_queries()
    files = {where.split(":")[0] for where in found}
    assert len([where for where in found if where.startswith("saved_queries.yaml")]) >= 4
    assert ("log_alerts.yaml" in files) == (kql.DATA / "log_alerts.yaml").exists()


def test_saved_queries_and_log_alerts_read_what_is_there() -> None:
    if reason := kql.missing():
        pytest.skip(reason)
    assert kql.parse(data_queries(), kql.tables()) == []


def test_saved_queries_and_log_alerts_read_what_is_there_at_a_glance() -> None:
    problems = {where: kql.light(text, kql.tables()) for where, text in data_queries().items()}
    assert {where: said for where, said in problems.items() if said} == {}


def test_a_parser_that_is_missing_is_named_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kql, "MODULE", tmp_path / "nothing")
    monkeypatch.setattr("shutil.which", lambda tool: f"/bin/{tool}")
    assert f"npm install --prefix .tools/kql {kql.PACKAGE}" in (kql.missing() or "")
    monkeypatch.setattr("shutil.which", lambda tool: None)
    assert "apt-get install nodejs" in (kql.missing() or "")
    assert promql.missing() == "promtool is not installed: apt-get install prometheus"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sum(rate(http_request_total[5m]))", "no such series: http_request_total"),
        ('node_boot_time{job="node"} + 1', "no such series: node_boot_time"),
        ('1 - apiserver_request_total{code=~"5.."} > 0', "no such series: apiserver_request_total"),
        ('kube_pod_info{job="node"}', "kube_pod_info is exported by the job kube-state-metrics, not node"),
        ('{job="node"}', "a selector without the name of a series"),
    ],
)
def test_a_series_that_nobody_exports_is_told_once(text: str, said: str) -> None:
    assert promql.unknown(text, promql.exported(), promql.recorded()) == [said]


def test_words_labels_and_functions_are_no_series() -> None:
    text = """
        sum by (node) (rate(node_cpu_seconds_total{job="node", mode!~"idle|up_to"}[$__rate_interval])) * on (cluster)
        group_left () job:http_requests:rate5m offset 5m > bool 1e3 and on () vector(1) unless up == 0 # and nothing
    """
    assert [name for name, _ in promql.selectors(text)] == ["node_cpu_seconds_total", "job:http_requests:rate5m", "up"]


def test_a_broken_query_of_the_metrics_is_told_once_by_its_name(tmp_path: Path) -> None:
    if reason := promql.missing():
        pytest.skip(reason)
    problems = promql.parse({"whole": "up", "open": "sum(up", "instant": "rate(up)"}, tmp_path)
    assert [problem.split(":")[0] for problem in problems] == ["open", "instant"]
