"""A client of the service under test, and the wait until it is ready. Nothing of the service itself is imported."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import pytest


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Client:
    """Every request takes a connection of its own, so that the next one may reach another pod."""

    url: str
    # No proxy: the service is beside the tests.
    opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
    )

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, body: bytes | Mapping[str, Any]) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask(urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}))

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with self.opener.open(request, timeout=15) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())


def wait_seconds() -> int:
    return int(os.environ.get("WAIT_SECONDS", "60"))


@pytest.fixture(scope="session")
def shop() -> Client:
    """The service, once it is ready; every test fails when it is not within WAIT_SECONDS."""
    client = Client(os.environ["BASE_URL"].rstrip("/"))
    seconds = wait_seconds()
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = client.get("/health/ready")
            said = f"{answer.status} {answer.body}"
            if answer.status == 200:
                return client
        except OSError as error:
            said = str(error)
        if time.monotonic() > deadline:
            pytest.fail(f"{client.url} was not ready within {seconds} s; last: {said}", pytrace=False)
        time.sleep(1)


@pytest.fixture(scope="session")
def metrics(shop: Client) -> Client:
    url = os.environ.get("METRICS_URL")
    if not url:
        pytest.skip("METRICS_URL is not set: whoever runs these tests cannot reach the port of the metrics")
    return Client(url.rstrip("/"))
