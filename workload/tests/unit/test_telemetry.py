"""What is decided before anything is sent; what is sent is in the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential

from shop import telemetry


def test_in_a_cluster_the_pods_token_is_used_and_nothing_else_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "t"), "AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert isinstance(telemetry.credential(env), WorkloadIdentityCredential)


def test_elsewhere_a_developers_own_sign_in_is_used() -> None:
    assert isinstance(telemetry.credential({}), DefaultAzureCredential)


def test_without_a_connection_string_nothing_is_set_up_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    env: dict[str, str] = {}
    telemetry.set_up(None, env)
    assert env == {}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_an_environment_says_about_the_library_is_not_overruled() -> None:
    env = {"OTEL_METRICS_EXPORTER": "otlp"}
    with pytest.raises(telemetry.TelemetryError):
        telemetry.set_up("nonsense", env)
    assert env["OTEL_METRICS_EXPORTER"] == "otlp"
    assert env["APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL"] == "true"
