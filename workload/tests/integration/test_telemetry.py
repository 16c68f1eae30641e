"""Traces and logs on their way to Application Insights, against stand-ins of Entra ID and of the ingestion."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.azure import ASSERTION, CLIENT, INSTRUMENTATION_KEY, TENANT, FakeAzure, running
from integration.conftest import KEY
from integration.processes import CatalogueService, shop


@pytest.fixture(scope="module")
def sent(
    tmp_path_factory: pytest.TempPathFactory, secrets: Path, catalogue: CatalogueService
) -> Iterator[tuple[FakeAzure, list[dict[str, Any]]]]:
    """What arrived from a service that answered some requests and stopped, and its log."""
    directory = tmp_path_factory.mktemp("azure")
    (directory / "tmp").mkdir()
    (directory / "token").write_text(ASSERTION, "utf-8")
    with running(directory) as azure:
        env = {
            # As the platform's ConfigMap and the webhook of workload identity have it.
            "APPLICATIONINSIGHTS_CONNECTION_STRING": azure.connection_string,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop,k8s.cluster.name=aks-shop-test",
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_AUTHORITY_HOST": azure.url,
            "AZURE_FEDERATED_TOKEN_FILE": str(directory / "token"),
            # Every trace: how many are kept by default is not what is tested.
            "OTEL_TRACES_SAMPLER": "always_on",
            "REQUESTS_CA_BUNDLE": str(azure.certificate),
            "TMPDIR": str(directory / "tmp"),
            "SHOP_CATALOGUE_URL": catalogue.url,
        }
        with shop(secrets, **env) as service:
            assert service.get("/products/kettle").status == 200
            assert service.order("cup", 2).status == 201
            assert service.get("/products/broken").status == 503
            assert service.get("/health/ready").status == 200
            time.sleep(6)  # live metrics would ask for themselves after five
            started = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - started < 20
            log = service.logged()
        yield azure, log


Sent = tuple[FakeAzure, list[dict[str, Any]]]


def test_the_pods_own_token_is_exchanged_for_one_that_may_send_telemetry(sent: Sent) -> None:
    azure, _ = sent
    asked = azure.token_requests[0]
    assert asked["client_assertion"] == ASSERTION
    assert asked["client_id"] == CLIENT
    assert asked["path"] == f"/{TENANT}/oauth2/v2.0/token"
    assert asked["scope"] == "https://monitor.azure.com//.default"
    assert "client_secret" not in asked


def test_each_request_of_a_customer_is_sent_and_no_probe(sent: Sent) -> None:
    azure, _ = sent
    requests = {item["data"]["baseData"]["name"]: item["data"]["baseData"] for item in azure.of("RequestData")}
    assert set(requests) == {"GET /products/{identifier}", "POST /orders"}
    answered = sorted(item["data"]["baseData"]["responseCode"] for item in azure.of("RequestData"))
    assert answered == ["200", "201", "503"]


def test_a_call_to_the_catalogue_is_part_of_the_request_that_needed_it(sent: Sent) -> None:
    azure, _ = sent
    operations = {item["tags"]["ai.operation.id"] for item in azure.of("RequestData")}
    calls = azure.of("RemoteDependencyData")
    assert len(calls) == 3
    assert {item["tags"]["ai.operation.id"] for item in calls} == operations


def test_a_line_of_the_log_is_found_beside_its_trace(sent: Sent) -> None:
    azure, log = sent
    line = next(line for line in log if line["message"] == "order confirmed")
    [message] = [
        item for item in azure.of("MessageData") if item["data"]["baseData"]["message"].startswith("order confirmed")
    ]
    assert message["tags"]["ai.operation.id"] == line["trace_id"]
    assert message["data"]["baseData"]["properties"]["product"] == "cup"
    assert line["trace_id"] in {item["tags"]["ai.operation.id"] for item in azure.of("RequestData")}


def test_what_is_sent_says_whose_it_is(sent: Sent) -> None:
    azure, _ = sent
    assert azure.items
    assert {item["iKey"] for item in azure.items} == {INSTRUMENTATION_KEY}
    assert {item["tags"]["ai.cloud.role"] for item in azure.items} == {"shop.shop"}
    assert {item["tags"]["ai.cloud.roleInstance"] for item in azure.items} == {socket.gethostname()}


def test_nothing_is_sent_that_was_not_asked_for(sent: Sent) -> None:
    azure, _ = sent
    assert azure.refused == []  # neither live metrics nor anything without a token
    assert {item["data"]["baseType"] for item in azure.items} == {
        "RequestData",
        "RemoteDependencyData",
        "MessageData",
        "MetricData",
    }
    # Not a metric, but how the attributes of OTEL_RESOURCE_ATTRIBUTES are sent, once with each batch of traces.
    for item in azure.of("MetricData"):
        [metric] = item["data"]["baseData"]["metrics"]
        assert metric["name"] == "_OTELRESOURCE_"
        assert item["data"]["baseData"]["properties"]["k8s.cluster.name"] == "aks-shop-test"
    assert KEY not in json.dumps(azure.items)


def test_a_failure_to_send_is_nobodys_failure(secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(ASSERTION, "utf-8")
    nowhere = "https://localhost:1/"
    address = f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={nowhere}"
    env = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": address,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_AUTHORITY_HOST": nowhere,
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "TMPDIR": str(tmp_path),
    }
    with shop(secrets, **env) as service:
        assert service.get("/products").status == 200
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < 30  # what Kubernetes waits before it kills
