from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fastapi import FastAPI

from shop import api
from shop.catalogue import BuiltInCatalogue, Product
from shop.metrics import Metrics
from shop.secret import SecretFile
from shop.server import Lifecycle
from unit.asgi import ask

VERSION = api.Version(commit="c0ffee", digest=None)


@pytest.fixture
def secret(tmp_path: Path) -> SecretFile:
    path = tmp_path / "key"
    path.write_text("a-key-for-tests", "utf-8")
    return SecretFile(path)


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(secret: SecretFile, lifecycle: Lifecycle, metrics: Metrics) -> FastAPI:
    return api.create(BuiltInCatalogue(secret), secret, metrics, lifecycle, VERSION)


def count(metrics: Metrics, code: str) -> float | None:
    return metrics.registry.get_sample_value("http_requests_total", {"code": code})


def test_it_is_ready_as_long_as_the_key_can_be_read(app: FastAPI, secret: SecretFile) -> None:
    assert ask(app, "GET", "/health/ready").json == {"status": "ready"}
    secret.path.unlink()
    assert ask(app, "GET", "/health/ready").status == 503
    assert ask(app, "GET", "/health/live").status == 200


def test_it_is_not_ready_when_it_stops_but_answers_and_sends_clients_elsewhere(
    app: FastAPI, lifecycle: Lifecycle
) -> None:
    assert "connection" not in ask(app, "GET", "/products").headers
    lifecycle.stopping = True
    assert ask(app, "GET", "/health/ready").status == 503
    answer = ask(app, "GET", "/products")
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_it_says_which_build_it_is(app: FastAPI) -> None:
    assert ask(app, "GET", "/version").json == {"name": "shop", "commit": "c0ffee", "digest": None}


@pytest.mark.parametrize("quantity", [1, 100])
def test_an_order_is_priced_and_logged(app: FastAPI, quantity: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = ask(app, "POST", "/orders", {"product": "teapot", "quantity": quantity})
    assert answer.status == 201
    assert answer.json["total_cents"] == quantity * 3900
    [record] = caplog.records
    assert record.getMessage() == "order confirmed"
    assert vars(record)["order"] == answer.json["id"]


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ({}, ["product", "quantity"]),
        ({"product": "teapot", "quantity": 0}, ["quantity"]),
        ({"product": "teapot", "quantity": 101}, ["quantity"]),
        ({"product": "teapot", "quantity": 1.0}, ["quantity"]),
        ({"product": "teapot", "quantity": True}, ["quantity"]),
        ({"product": "../teapot", "quantity": 1}, ["product"]),
        ({"product": "t" * 65, "quantity": 1}, ["product"]),
        ({"product": "none", "quantity": 1}, ["product"]),
        ({"product": "teapot", "quantity": 1, "price": 1}, ["price"]),
        ([], ["body"]),
        (None, ["body"]),
    ],
)
def test_a_bad_order_is_refused_with_every_field_and_without_what_was_sent(
    app: FastAPI, order: object, fields: list[str]
) -> None:
    answer = ask(app, "POST", "/orders", order)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in answer.json["errors"]] == fields
    assert b"../teapot" not in answer.body


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("DELETE", "/orders", 405)])
def test_what_no_route_takes_is_a_problem_too(app: FastAPI, method: str, path: str, status: int) -> None:
    answer = ask(app, method, path)
    assert (answer.status, answer.json["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


def test_a_mistake_of_ours_is_counted_as_such_and_tells_the_customer_nothing(
    secret: SecretFile, lifecycle: Lifecycle, metrics: Metrics
) -> None:
    class Broken:
        def products(self) -> list[Product]:
            raise RuntimeError("an internal matter")

        def product(self, identifier: str) -> Product | None:
            raise RuntimeError("an internal matter")

    app = api.create(Broken(), secret, metrics, lifecycle, VERSION)
    answer = ask(app, "GET", "/products")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"internal matter" not in answer.body
    assert count(metrics, "500") == 1


def test_requests_are_counted_by_status_and_probes_are_not(app: FastAPI, metrics: Metrics) -> None:
    for path in ("/products", "/products/teapot", "/products/none", "/health/live", "/health/ready"):
        ask(app, "GET", path)
    assert count(metrics, "200") == 2
    assert count(metrics, "404") == 1
    assert metrics.registry.get_sample_value("http_request_duration_seconds_count") == 3


def test_nothing_is_fetched_from_elsewhere_by_who_looks_around(app: FastAPI) -> None:
    assert {ask(app, "GET", path).status for path in ("/docs", "/redoc")} == {404}
    assert "/orders" in ask(app, "GET", "/openapi.json").json["paths"]
