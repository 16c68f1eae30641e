"""Parts that need no service; the rest is in the integration tests."""

from __future__ import annotations

import http
import logging
import re
from pathlib import Path

import pytest

from shop import catalogue
from shop.catalogue import BUILT_IN, PRODUCT_ID, BuiltInCatalogue, CatalogueError, RemoteCatalogue
from shop.secret import SecretFile


@pytest.fixture
def secret(tmp_path: Path) -> SecretFile:
    path = tmp_path / "key"
    path.write_text("a-key-for-tests", "utf-8")
    return SecretFile(path)


def test_without_an_address_it_is_the_one_inside_and_the_log_says_so(
    secret: SecretFile, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert isinstance(catalogue.choose(None, secret), BuiltInCatalogue)
        assert isinstance(catalogue.choose("https://catalogue.example", secret), RemoteCatalogue)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["SHOP_CATALOGUE_URL is not set"]


def test_products_inside_are_as_strict_as_those_of_the_service() -> None:
    assert len({product.id for product in BUILT_IN}) == len(BUILT_IN)
    assert all(re.fullmatch(PRODUCT_ID, product.id) for product in BUILT_IN)


def test_the_one_inside_gives_nothing_without_the_key(secret: SecretFile) -> None:
    inside = BuiltInCatalogue(secret)
    assert inside.product("teapot") in inside.products()
    assert inside.product("none") is None
    secret.path.unlink()
    with pytest.raises(CatalogueError):
        inside.products()
    with pytest.raises(CatalogueError):
        inside.product("teapot")


def test_a_service_nobody_can_reach_is_unavailable_and_the_reason_holds_no_address(secret: SecretFile) -> None:
    with pytest.raises(CatalogueError) as error:
        RemoteCatalogue("http://127.0.0.1:1", secret).products()
    assert error.value.status == http.HTTPStatus.SERVICE_UNAVAILABLE
    assert error.value.reason == "the catalogue could not be asked: NewConnectionError"


def test_the_service_is_not_asked_without_the_key(secret: SecretFile) -> None:
    secret.path.write_text("", "utf-8")
    with pytest.raises(CatalogueError, match="is empty"):
        RemoteCatalogue("http://127.0.0.1:1", secret).products()
