"""The service and the catalogue service it depends on, both for real, and what may go wrong between them."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from fakes.catalogue import PRODUCTS
from integration.conftest import KEY
from integration.processes import CatalogueService, Service, shop
from shop.catalogue import ATTEMPTS, RemoteCatalogue
from shop.secret import SecretFile


def calls_for(catalogue: CatalogueService, path: str) -> int:
    return sum(asked == path for asked, _ in catalogue.calls())


def test_products_are_those_of_the_catalogue_without_what_is_not_for_customers(service: Service) -> None:
    wanted = [{name: each[name] for name in ("id", "name", "price_cents")} for each in PRODUCTS.values()]
    assert service.get("/products").json() == wanted
    assert service.get("/products/cup").json() == wanted[1]


def test_the_catalogue_is_asked_with_the_key(service: Service, catalogue: CatalogueService) -> None:
    service.get("/products/kettle")
    assert ("/products/kettle", KEY) in catalogue.calls()


def test_an_order_is_priced_by_the_catalogue(service: Service) -> None:
    answer = service.order("kettle", 2)
    assert answer.status == 201
    assert answer.json()["total_cents"] == 2 * PRODUCTS["kettle"]["price_cents"]


def test_a_product_the_catalogue_lacks_is_not_found(service: Service) -> None:
    assert service.get("/products/none").status == 404
    assert service.order("none").status == 422


def test_a_failure_that_passes_is_not_seen_by_the_customer(service: Service, catalogue: CatalogueService) -> None:
    assert service.get("/products/flaky").status == 200
    assert calls_for(catalogue, "/products/flaky") == ATTEMPTS


def test_attempts_have_an_end_and_no_answer_can_prolong_them(service: Service, catalogue: CatalogueService) -> None:
    started = time.monotonic()
    assert service.get("/products/down").status == 503
    assert calls_for(catalogue, "/products/down") == ATTEMPTS
    assert time.monotonic() - started < 10  # it was told to come back in an hour


def test_a_catalogue_that_says_nothing_is_given_up(service: Service, catalogue: CatalogueService) -> None:
    started = time.monotonic()
    assert service.get("/products/slow").status == 503
    assert time.monotonic() - started < 20  # each answer would have taken 30
    assert calls_for(catalogue, "/products/slow") == ATTEMPTS


def test_while_every_thread_waits_for_the_catalogue_the_service_is_ready(
    secrets: Path, catalogue: CatalogueService
) -> None:
    """Else a slow catalogue would take all pods away at once."""
    with shop(secrets, SHOP_CATALOGUE_URL=catalogue.url) as service:
        waiting = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(45)]  # there are 40 threads
        for connection in waiting:
            connection.sendall(b"GET /products/slow HTTP/1.1\r\nHost: shop\r\n\r\n")
        time.sleep(0.3)
        started = time.monotonic()
        assert service.get("/health/ready").status == 200
        assert time.monotonic() - started < 3  # a thread is free after six
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("product", ["broken", "cut"])
def test_a_failure_is_not_asked_for_again(service: Service, catalogue: CatalogueService, product: str) -> None:
    assert service.get(f"/products/{product}").status == 503
    assert calls_for(catalogue, f"/products/{product}") == 1


@pytest.mark.parametrize(
    ("product", "reason"),
    [
        ("garbled", "something else than products: answer: Invalid JSON"),
        ("dear", "something else than products: price_cents: "),
        ("other", "another product than it was asked for"),
        ("huge", "more than 1000000 bytes"),
    ],
)
def test_an_answer_that_is_no_product_is_refused(service: Service, product: str, reason: str) -> None:
    answer = service.get(f"/products/{product}")
    assert answer.status == 502
    service.running.line(f"no products: the catalogue answered with {reason}")
    assert answer.json()["detail"] == "products cannot be had at the moment"


def test_a_redirect_is_not_followed_because_the_key_would_go_along(
    service: Service, catalogue: CatalogueService
) -> None:
    assert service.get("/products/moved").status == 502
    assert calls_for(catalogue, "/elsewhere") == 0


def test_what_the_customer_asks_for_cannot_leave_its_place_in_the_address(
    service: Service, catalogue: CatalogueService
) -> None:
    for path in ("/products/..%2Fcalls", "/products/a%3Fb=c", "/products/a%0d%0aX-API-Key:%20b"):
        assert service.get(path).status in (404, 422)
    # Nor where it is not judged before: what comes from a customer is one part of a path, whatever is in it.
    assert RemoteCatalogue(catalogue.url, SecretFile(catalogue.key_file)).product("../calls?a=b") is None
    asked = {path for path, _ in catalogue.calls()}
    assert "/products/..%2Fcalls%3Fa%3Db" in asked
    assert not [path for path in asked if not re.fullmatch(r"/products(/[\w.%-]+)?", path)]


def test_the_reason_is_in_the_log_and_the_key_nowhere(service: Service) -> None:
    answers = [service.get(path) for path in ("/products", "/products/down", "/products/garbled", "/version")]
    service.running.line("no products: the catalogue failed: it answered 503")
    service.running.line("no products: the catalogue answered with something else than products")
    answered = "".join(f"{each.headers} {each.data.decode()}" for each in answers)
    assert "kettle" in answered
    assert KEY not in answered + service.running.output + service.metrics()
