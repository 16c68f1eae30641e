"""What the tests of the pipelines share: one cluster of our own for the session, and a namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.control_plane import Cluster, control_plane
from tests.pipelines.delivery import Delivery, deliver
from tests.pipelines.tooling import tool


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def delivery(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """A namespace as the platform makes it, and the scripts at the hands of the deploy identity."""
    tool("helm")
    tool("kubectl")
    return deliver(cluster, tmp_path, monkeypatch)
