"""The workspace that all logs go to, by itself."""

from __future__ import annotations

from typing import Any

from components.observability.logs import Logs, LogsArgs
from components.placement import Placement
from tests.declared import NAMES, WORKSPACE, Declared, declared


def logs(**wanted: Any) -> Declared:
    def build(place: Placement) -> None:
        made = Logs("logs", LogsArgs(place, **wanted))
        if wanted.get("workspace_id"):
            assert made.workspace_id == wanted["workspace_id"]

    return declared(build)


def test_a_workspace_of_our_own_keeps_logs_as_long_and_takes_as_much_as_asked() -> None:
    found = logs(retention_days=90, daily_cap_gb=5).one("operationalinsights:Workspace")
    assert found["workspaceName"] == NAMES.workspace
    assert found["retentionInDays"] == 90
    assert found["workspaceCapping"] == {"dailyQuotaGb": 5}
    assert found["sku"] == {"name": "PerGB2018"}


def test_without_a_cap_none_is_sent() -> None:
    assert "workspaceCapping" not in logs(retention_days=30).one("operationalinsights:Workspace")


def test_nobody_writes_or_reads_with_a_shared_key() -> None:
    found = logs(retention_days=30).one("operationalinsights:Workspace")["features"]
    assert found["disableLocalAuth"] is True
    assert found["enableLogAccessUsingOnlyResourcePermissions"] is True


def test_queries_are_audited() -> None:
    setting = logs(retention_days=30).one("monitor:DiagnosticSetting")
    assert [each["category"] for each in setting["logs"]] == ["Audit"]


def test_an_existing_workspace_is_used_and_nothing_is_made() -> None:
    found = logs(workspace_id=WORKSPACE)
    assert not found.of("operationalinsights:Workspace")
    assert not found.of("monitor:DiagnosticSetting")


def test_tables_on_the_basic_plan_are_set_and_not_created() -> None:
    """The workspace has them from its first day, and the provider refuses to create what is there."""
    found = logs(retention_days=30, basic_tables=("ContainerLogV2",))
    assert not found.of("operationalinsights:Table")
    (table,) = found.one("resources:Deployment")["properties"]["template"]["resources"]
    assert table["name"] == f"{NAMES.workspace}/ContainerLogV2"
    assert table["properties"] == {"plan": "Basic"}


def test_without_basic_tables_nothing_is_deployed() -> None:
    assert not logs(retention_days=30).of("resources:Deployment")
