from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.processes import CatalogueService, Service, catalogue_service, shop

KEY = os.environ.get("CATALOGUE_SANDBOX_KEY") or "the-key-of-the-catalogue"
"""What the catalogue service of these tests demands. CI has one in its vault, so that its way from there is tried."""


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as the secrets driver mounts it."""
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "catalogue-api-key").write_text(KEY + "\n", "utf-8")
    return directory


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogueService]:
    key_file = tmp_path_factory.mktemp("catalogue") / "key"
    key_file.write_text(KEY, "utf-8")
    with catalogue_service(key_file) as running:
        yield running


@pytest.fixture(scope="module")
def service(secrets: Path, catalogue: CatalogueService) -> Iterator[Service]:
    """One shop for all tests of a module that neither stop it nor change its secret for good."""
    with shop(secrets, SHOP_CATALOGUE_URL=catalogue.url) as running:
        yield running
