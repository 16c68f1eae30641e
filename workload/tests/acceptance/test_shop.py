"""What the service promises, seen from outside. The same tests run on a developer's machine and in the cluster."""

from __future__ import annotations

import os
import re
import time
import uuid

import pytest

from acceptance.conftest import Answer, Client, wait_seconds


def expected(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    return value


def says(shop: Client, field: str, value: str) -> list[str]:
    """What several pods answer, asked until all say the same: one that is being replaced may still be heard."""
    deadline = time.monotonic() + min(15, wait_seconds())
    while True:
        heard = [shop.get("/version").json[field] for _ in range(10)]
        if set(heard) == {value} or time.monotonic() > deadline:
            return heard
        time.sleep(1)


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]


def test_it_lives(shop: Client) -> None:
    assert shop.get("/health/live").status == 200


def test_it_is_ready(shop: Client) -> None:
    assert shop.get("/health/ready").json == {"status": "ready"}


def test_what_runs_is_the_image_that_was_released(shop: Client) -> None:
    digest = expected("EXPECTED_DIGEST")
    assert set(says(shop, "digest", digest)) == {digest}


def test_what_runs_was_built_from_the_commit_that_was_released(shop: Client) -> None:
    commit = expected("EXPECTED_COMMIT")
    assert set(says(shop, "commit", commit)) == {commit}


def test_there_are_products_and_each_can_be_asked_for(shop: Client) -> None:
    products = shop.get("/products").json
    assert products
    for product in products:
        assert shop.get(f"/products/{product['id']}").json == product


def test_an_unknown_product_is_a_problem_of_the_customers(shop: Client) -> None:
    assert_problem(shop.get("/products/no-such-product"), 404)


def test_an_order_is_priced(shop: Client) -> None:
    product = shop.get("/products").json[0]
    answer = shop.post("/orders", {"product": product["id"], "quantity": 3})
    assert answer.status == 201
    assert uuid.UUID(answer.json["id"])
    assert answer.json["total_cents"] == 3 * product["price_cents"]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"product": "no-such-product", "quantity": 1}, "product"),
        ({"product": "teapot", "quantity": 0}, "quantity"),
        ({"product": "teapot", "quantity": "1"}, "quantity"),
        ({"product": "teapot"}, "quantity"),
        (b"{", "body"),
    ],
)
def test_a_bad_order_is_refused_and_the_field_is_named(
    shop: Client, order: bytes | dict[str, object], field: str
) -> None:
    answer = shop.post("/orders", order)
    assert_problem(answer, 422)
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert all(each["problem"] for each in answer.json["errors"])


def test_metrics_are_those_the_service_level_is_computed_from(shop: Client, metrics: Client) -> None:
    shop.get("/products")
    text = metrics.get("/metrics").body
    assert re.search(r'^http_requests_total\{code="200"\} ', text, re.M)
    ends = re.findall(r'^http_request_duration_seconds_bucket\{le="([^"]+)"\} ', text, re.M)
    assert {"0.3", "+Inf"} <= set(ends)


def test_metrics_are_on_no_port_of_the_customers(shop: Client) -> None:
    assert_problem(shop.get("/metrics"), 404)
