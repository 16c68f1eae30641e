"""The dashboards: whole, importable, linked to each other, and reading only what is there."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability import dashboards
from components.observability.dashboards import Dashboard, DashboardError, Query, load, panels, queries, variables
from components.observability.prometheus_rules import load as load_rules
from tests.observability import kql, promql

NEEDED = {"aks-cicd-cluster", "aks-cicd-workload", "aks-cicd-supply-chain", "aks-cicd-delivery"}

BOARDS = load()
ASKED = [(board, query) for board in BOARDS for query in queries(board)]


def asked(language: str) -> dict[str, str]:
    """Every query in a language, by where it stands."""
    found = [(board, query) for board, query in ASKED if query.language == language]
    return {f"{board.file}: {query.panel} ({number})": query.text for number, (board, query) in enumerate(found)}


def shown(board: Dashboard) -> list[Any]:
    """The panels that show something."""
    return [panel for panel in panels(board.content) if panel["type"] != "row"]


def test_the_four_dashboards_are_there_under_names_that_links_rely_on() -> None:
    assert {board.uid for board in BOARDS} >= NEEDED


def test_every_dashboard_is_described() -> None:
    page = (kql.ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"^\| \[?([^|\]]+?)\]?(?:\([^)]*\))? \| `([\w-]+)` \|", page, re.M))
    assert described == {board.title: board.uid for board in BOARDS}


def test_every_query_of_the_metrics_parses(tmp_path: Path) -> None:
    if reason := promql.missing():
        pytest.skip(reason)
    assert promql.parse(asked("promql"), tmp_path) == []


def test_every_series_that_is_read_is_exported_or_recorded() -> None:
    scraped, made = promql.exported(), promql.recorded()
    problems = {where: promql.unknown(text, scraped, made) for where, text in asked("promql").items()}
    assert {where: said for where, said in problems.items() if said} == {}


def test_what_is_recorded_is_made_of_series_that_reach_the_workspace() -> None:
    scraped, made = promql.exported(), promql.recorded()
    rules = [rule for group in load_rules() for rule in group.rules if rule.record]
    problems = {str(rule.record): promql.unknown(rule.expression, scraped, made) for rule in rules}
    assert {where: said for where, said in problems.items() if said} == {}


def test_every_query_of_the_metrics_is_about_one_cluster() -> None:
    """A metrics workspace may hold several; what is not filtered would be added up."""
    for where, text in asked("promql").items():
        if "variable cluster" not in where:
            assert text.count('cluster="$cluster"') == len(promql.selectors(text)), f"{where}: {text}"


def test_every_query_of_the_logs_reads_what_is_there() -> None:
    if reason := kql.missing():
        pytest.skip(reason)
    assert kql.parse(asked("kql"), kql.tables()) == []


def test_every_query_of_the_logs_reads_what_is_there_at_a_glance() -> None:
    problems = {where: kql.light(text, kql.tables()) for where, text in asked("kql").items()}
    assert {where: said for where, said in problems.items() if said} == {}


def targets(board: Dashboard) -> list[Any]:
    return [target for panel in shown(board) for target in panel["targets"] if "azureLogAnalytics" in target]


def test_logs_are_read_for_the_time_that_the_dashboard_shows() -> None:
    for board in BOARDS:
        notes = [note["target"] for note in board.content["annotations"]["list"] if "target" in note]
        for target in targets(board) + notes:
            logs = target["azureLogAnalytics"]
            assert (logs["dashboardTime"], logs["timeColumn"]) == (True, "TimeGenerated"), f"{board.file}: {logs}"


def test_a_series_from_the_logs_comes_in_the_order_of_time() -> None:
    """Grafana shows rows in another order as a table, with a notice, and draws no line."""
    for board in BOARDS:
        for target in targets(board):
            logs = target["azureLogAnalytics"]
            if logs["resultFormat"] == "time_series":
                last = logs["query"].splitlines()[-1]
                assert last == "| order by TimeGenerated asc", f"{board.file}: {logs['query']}"


def test_the_four_measures_are_the_saved_queries_word_for_word() -> None:
    saved = yaml.safe_load((kql.DATA / "saved_queries.yaml").read_text(encoding="utf-8"))
    texts = {query.text.strip() for board, query in ASKED if board.uid == "aks-cicd-delivery"}
    assert {each["name"] for each in saved if each["query"].strip() in texts} == {
        "lead-time",
        "deployment-frequency",
        "change-failure-rate",
        "time-to-restore",
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_releases_are_marked_on_every_dashboard(board: Dashboard) -> None:
    notes = [query.text for query in queries(board) if query.panel == "annotation Releases"]
    assert len(notes) == 1
    assert "DeliveryRuns_CL" in notes[0]
    assert "Text = " in notes[0]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_value_has_a_unit_or_is_a_word(board: Dashboard) -> None:
    for panel in shown(board):
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"].get("unit"), panel["title"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_links_lead_to_dashboards_that_are_there(board: Dashboard) -> None:
    known = {each.uid for each in BOARDS}
    found = re.findall(r'"/d/([\w-]+)', json.dumps(board.content))
    assert set(found) <= known
    assert [link["tags"] for link in board.content["links"] if link["type"] == "dashboards"] == [[dashboards.TAG]]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_nothing_of_one_environment_is_in_the_files(board: Dashboard) -> None:
    text = json.dumps(board.content)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|/subscriptions/\w|\.azurecr\.io|\.vault\.azure\.net", text)
    for variable in variables(board.content):
        if variable["type"] in ("datasource", "textbox"):
            assert not (variable["current"] or {}).get("value"), variable["name"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_variable_that_is_read_is_declared_and_every_declared_one_read(board: Dashboard) -> None:
    declared = {variable["name"] for variable in variables(board.content)}
    read = set(re.findall(r"\$\{?(?!__)(\w+)", json.dumps(board.content, ensure_ascii=False)))
    assert read == declared


def test_all_queries_of_a_dashboard_are_told_with_their_panel_and_language() -> None:
    board = next(board for board in BOARDS if board.uid == "aks-cicd-cluster")
    found = list(queries(board))
    assert Query("variable cluster", "promql", "kube_node_info") in found
    assert {query.panel for query in found} >= {panel["title"] for panel in shown(board)}


def spoil(change: Callable[[Any], None], directory: Path) -> list[str]:
    """What is said of a whole dashboard after a change."""
    content = copy.deepcopy(dict(BOARDS[0].content))
    change(content)
    (directory / "spoilt.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DashboardError) as caught:
        load(directory)
    return list(caught.value.problems)


def panel(content: Any) -> Any:
    return content["panels"][1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(uid="x" * 41), "uid = "),
        (lambda c: c.pop("title"), "has no title"),
        (lambda c: c.update(tags=[]), "lacks the tag aks-cicd"),
        (lambda c: c.update(schemaVersion=36), "schemaVersion = 36"),
        (lambda c: c.update(id=12), "id = 12"),
        (lambda c: c.update(panels=[]), "has no panels"),
        (lambda c: panel(c).update(title=""), "panel '': has no title"),
        (lambda c: panel(c).update(description=""), "panel 'Nodes not ready': has no description"),
        (lambda c: panel(c).update(type="some-plugin"), "panel 'Nodes not ready': type = 'some-plugin'"),
        (lambda c: panel(c).update(targets=[]), "panel 'Nodes not ready': has no query"),
        (lambda c: panel(c)["targets"][0].update(expr=""), "panel 'Nodes not ready': has a target without a query"),
        (lambda c: panel(c)["targets"][0]["datasource"].update(uid="abc"), "panel 'Nodes not ready': datasource = "),
        (lambda c: panel(c)["gridPos"].update(w=25), "panel 'Nodes not ready': gridPos = "),
        (lambda c: panel(c)["gridPos"].update(x=4), "panel 'Nodes': lies over panel 'Nodes not ready'"),
        (lambda c: c["panels"].reverse(), "a panel at line "),
    ],
)
def test_a_spoilt_dashboard_is_told_in_one_line(change: Callable[[Any], None], said: str, tmp_path: Path) -> None:
    problems = spoil(change, tmp_path)
    assert len(problems) == 1
    assert problems[0].startswith("spoilt.json: ")
    assert said in problems[0]
    assert "; allowed: " in problems[0]
    assert "; mend: " in problems[0]


def test_a_data_source_that_is_no_variable_is_refused_wherever_it_is_read(tmp_path: Path) -> None:
    problems = spoil(lambda content: content["templating"].update(list=content["templating"]["list"][1:]), tmp_path)
    assert problems
    assert all("reads ${prometheus}, which is not declared" in problem for problem in problems)


def test_one_uid_for_two_dashboards_is_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("one.json", "two.json")):
        content = {**BOARDS[0].content, "title": f"Cluster {number}"}
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DashboardError) as caught:
        load(tmp_path)
    assert caught.value.problems == (
        "one.json, two.json: have the same uid 'aks-cicd-cluster'; allowed: one of its own; mend: change all but one",
    )


def test_a_file_that_is_no_json_is_told_beside_what_else_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    problems = spoil(lambda content: content.pop("title"), tmp_path)
    assert [problem.split(":")[0] for problem in problems] == ["broken.json", "spoilt.json"]


def test_a_directory_without_dashboards_is_a_mistake_and_not_a_success(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="has no dashboards"):
        load(tmp_path)
