"""Publishing the dashboards, against a Grafana of our own on the loopback interface."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.observability.dashboards import load
from pipelines.scripts import grafana_api, publish_dashboards
from tests.pipelines.fake_grafana import FakeGrafana, running, source

TOKEN = "a-token-that-nobody-may-see"
METRICS = "https://shop-abcd.westeurope.prometheus.monitor.azure.com"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/log-shop"
SCRIPT = Path(publish_dashboards.__file__)
UIDS = [board.uid for board in load()]


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with running(FakeGrafana(TOKEN, metrics=METRICS)) as fake:
        yield fake


def arguments(grafana: FakeGrafana, *more: str) -> list[str]:
    return ["--endpoint", grafana.url, "--metrics", METRICS, "--workspace", WORKSPACE, *more]


def publish(grafana: FakeGrafana, *more: str, token: str = TOKEN) -> tuple[int, list[float]]:
    """Exit code, and the pauses that were made."""
    pauses: list[float] = []
    return publish_dashboards.main(arguments(grafana, *more), lambda: token, pauses.append), pauses


Captured = pytest.CaptureFixture[str]


def test_an_empty_grafana_gets_the_folder_and_every_dashboard(grafana: FakeGrafana, capsys: Captured) -> None:
    assert publish(grafana) == (0, [])
    assert grafana.folders == {"aks-cicd": {"uid": "aks-cicd", "title": "Delivery system"}}
    assert list(grafana.boards) == UIDS
    assert {board["meta"]["folderUid"] for board in grafana.boards.values()} == {"aks-cicd"}
    assert capsys.readouterr().out.splitlines() == [f"{uid}: created" for uid in UIDS]


def test_what_is_published_reads_the_data_of_its_own_environment(grafana: FakeGrafana) -> None:
    publish(grafana)
    board = grafana.boards["aks-cicd-workload"]["dashboard"]
    values = {each["name"]: each["current"].get("value") for each in board["templating"]["list"]}
    assert values["prometheus"] == "uid-of-Metrics"
    assert values["azuremonitor"] == "uid-of-Logs"
    assert values["workspace"] == WORKSPACE


def test_a_second_run_changes_nothing(grafana: FakeGrafana, capsys: Captured) -> None:
    publish(grafana)
    grafana.calls.clear()
    capsys.readouterr()
    assert publish(grafana) == (0, [])
    assert grafana.writes == []
    assert capsys.readouterr().out.splitlines() == [f"{uid}: unchanged" for uid in UIDS]


def test_what_was_changed_by_hand_is_put_right_and_nothing_else(grafana: FakeGrafana, capsys: Captured) -> None:
    publish(grafana)
    grafana.boards[UIDS[1]]["dashboard"]["title"] = "Mine"
    grafana.boards[UIDS[2]]["meta"]["folderUid"] = "elsewhere"
    capsys.readouterr()
    assert publish(grafana)[0] == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in said] == ["unchanged", "updated", "updated", "unchanged"]
    assert grafana.boards[UIDS[1]]["dashboard"]["title"] != "Mine"
    assert grafana.boards[UIDS[1]]["dashboard"]["version"] == 2


def test_a_dry_run_writes_nothing(grafana: FakeGrafana, capsys: Captured) -> None:
    assert publish(grafana, "--dry-run") == (0, [])
    assert grafana.writes == []
    assert capsys.readouterr().out.splitlines() == [f"{uid}: would be created" for uid in UIDS]


@pytest.mark.parametrize("late", [[403, 403], [401], [429, 503, 502], [0]], ids=str)
def test_what_comes_late_is_waited_for(grafana: FakeGrafana, late: list[int]) -> None:
    grafana.late = list(late)
    code, pauses = publish(grafana)
    assert (code, len(pauses)) == (0, len(late))
    assert list(grafana.boards) == UIDS


def test_the_wait_ends_and_says_what_is_missing(grafana: FakeGrafana, capsys: Captured) -> None:
    grafana.late = [403] * 500
    code, pauses = publish(grafana, "--wait", "3")
    assert (code, sum(pauses)) == (1, 180)
    assert "403 not yet" in (said := capsys.readouterr().err)
    assert "Grafana Editor" in said
    assert grafana.writes == []


def test_a_wrong_token_is_asked_for_anew_and_then_given_up_without_being_shown(
    grafana: FakeGrafana, capsys: Captured
) -> None:
    tokens = iter(["stale", "stale", TOKEN])
    assert publish_dashboards.main(arguments(grafana), lambda: next(tokens), lambda _: None) == 0
    assert publish(grafana, "--wait", "1", token="someone-else")[0] == 1
    said = "".join(capsys.readouterr())
    assert "401 Unauthorized" in said
    assert not re.search(f"{TOKEN}|stale|someone-else", said)


def test_a_redirect_is_not_followed_with_the_token(grafana: FakeGrafana, capsys: Captured) -> None:
    grafana.late = [302]
    assert publish(grafana)[0] == 1
    assert grafana.calls == ["GET /api/datasources"]
    assert "302" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([source("Logs", "grafana-azure-monitor-datasource")], "0 data sources are Prometheus at shop-abcd"),
        ([source("M", "prometheus", METRICS)], "0 data sources are Azure Monitor"),
        (
            [source("M", "prometheus", METRICS), source("N", "prometheus", METRICS + "/")],
            "2 data sources are Prometheus",
        ),
        ([], "Grafana has: none"),
    ],
    ids=["no metrics", "no logs", "two metrics", "nothing"],
)
def test_a_data_source_that_is_missing_stops_before_anything_is_written(
    grafana: FakeGrafana, capsys: Captured, sources: list[dict[str, str]], said: str
) -> None:
    grafana.sources = sources
    assert publish(grafana)[0] == 1
    assert said in capsys.readouterr().err
    assert grafana.writes == []


def test_the_data_sources_that_azure_makes_are_known_in_either_form() -> None:
    found = publish_dashboards.find_sources(
        [
            source("New", "grafana-azureprometheus-datasource", METRICS.upper().replace("HTTPS", "https")),
            source("Logs", "grafana-azure-monitor-datasource"),
            source("x", "grafana-azure-monitor-datasource") | {"uid": "azure-monitor-oob"},
        ],
        METRICS,
    )
    assert (found["prometheus"]["name"], found["azuremonitor"]["name"]) == ("New", "x")


def test_one_broken_file_keeps_all_dashboards_back(grafana: FakeGrafana, capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(load()[0].content), encoding="utf-8")
    (tmp_path / "b.json").write_text("{", encoding="utf-8")
    assert publish(grafana, "--directory", str(tmp_path))[0] == 1
    assert grafana.calls == []
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: nothing was published: 1 problem(s)"
    assert said[1].strip().startswith("b.json: is not JSON")


def test_what_does_not_come_back_as_it_was_sent_is_a_failure(grafana: FakeGrafana, capsys: Captured) -> None:
    grafana.forgets = "panels"
    assert publish(grafana)[0] == 1
    assert f"{UIDS[0]}: what Grafana gives back is not what was sent" in capsys.readouterr().err


def test_a_refusal_is_told_in_grafanas_words_and_not_tried_again(grafana: FakeGrafana, capsys: Captured) -> None:
    grafana.late = [400]
    code, pauses = publish(grafana)
    assert (code, pauses) == (1, [])
    assert "GET /api/datasources: 400 not yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [("--endpoint", "http://grafana.example"), ("--endpoint", "grafana"), ("--workspace", "log-shop")],
)
def test_an_address_that_could_leak_the_token_and_a_name_for_an_id_are_refused(
    grafana: FakeGrafana, capsys: Captured, name: str, value: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        publish(grafana, name, value)
    assert stopped.value.code == 2
    assert "allowed: " in capsys.readouterr().err


def fake_cli(directory: Path, text: str) -> dict[str, str]:
    """An environment whose only tool is an Azure CLI that does this."""
    (directory / "az").write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (directory / "az").chmod(0o755)
    return {"PATH": str(directory), "HOME": os.environ.get("HOME", "/")}


def test_it_runs_by_its_path_with_python_and_the_azure_cli_alone(grafana: FakeGrafana, tmp_path: Path) -> None:
    environment = fake_cli(tmp_path, f'[ "$4" = {grafana_api.RESOURCE} ] && echo {TOKEN}')
    command = [sys.executable, "-I", "-S", str(SCRIPT), *arguments(grafana)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{uid}: created" for uid in UIDS]
    assert TOKEN not in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [("echo Please run az login >&2; exit 1", "az gives no token: Please run az login"), ("", "no token")],
)
def test_without_a_sign_in_it_says_so(
    grafana: FakeGrafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, text: str, said: str
) -> None:
    monkeypatch.setenv("PATH", fake_cli(tmp_path, text)["PATH"])
    assert publish_dashboards.main(arguments(grafana)) == 1
    assert said in capsys.readouterr().err
    assert grafana.calls == []
