"""Clouds that answer what is recorded: Microsoft's own clients, with answers in the place of the network.

The files in `answers` hold one answer each as the service's reference has it: method, path, status and body, with the
source. A test says which it wants, and may put others in their place. What nobody has recorded is refused as loudly as
a service would: 404 with a code, which no check takes for good.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import yaml
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

import settings
from operations.checking import LOGIN, ORGANIZATION, Check, Outcome, Place, Register, run, standing
from operations.clouds import Clouds
from tests.stackfiles import Config, edited, shipped

HERE = Path(__file__).parent / "answers"
TENANT = "7d3c1a52-4be0-0000-0000-000000000001"
WHO = "7d3c1a52-4be0-0000-0000-0000000000ff"
EVERYTHING = frozenset({LOGIN, ORGANIZATION})


class SignedIn:
    """A credential with a token that says who it is for, and nothing more."""

    def __init__(self, **claims: str) -> None:
        payload = json.dumps({"tid": TENANT, "oid": WHO, **claims}).encode()
        self._token = f"x.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.x"

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


class Recorded(BaseAdapter):
    """Answers by method and path; `asked` are those that were asked for."""

    def __init__(self, answers: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url)
        where = f"{parts.netloc}{unquote(parts.path)}"
        self.asked.append(f"{request.method} {where}")
        assert request.headers["Authorization"].startswith("Bearer ")
        found = next(
            (each for each in self.answers if _is_for(each, request.method, where, unquote(parts.query))), None
        )
        found = found or {"status": 404, "body": {"error": {"code": "ResourceNotFound", "message": where}}}
        response = requests.Response()
        response.status_code = found.get("status", 200)
        response.headers["Content-Type"] = found.get("type", "application/json")
        body = found.get("body", {})
        response.raw = _Raw(body.encode() if isinstance(body, str) else json.dumps(body).encode())
        response.url, response.request, response.reason = request.url, request, found.get("reason", "")
        return response

    def close(self) -> None:
        pass


def _is_for(answer: Mapping[str, Any], method: str, where: str, query: str) -> bool:
    return (
        answer.get("method", "GET") == method
        and where.lower() == answer["at"].lower()
        and answer.get("asks", "") in query
    )


class _Raw:
    """Of a response, as azure-core reads it."""

    enforce_content_length = False

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._content

    def read(self, *_: Any, **__: Any) -> bytes:
        content, self._content = self._content, b""
        return content

    def close(self) -> None:
        pass

    release_conn = close


def answers(name: str) -> list[dict[str, Any]]:
    """The recorded answers of one check, all of them good."""
    found: list[dict[str, Any]] = yaml.safe_load((HERE / f"{name}.yaml").read_text())["answers"]
    return found


def real(stack: str, new: Mapping[str, Any] | None = None, gone: Sequence[str] = ()) -> Config:
    """A shipped stack file with values in place of its placeholders."""

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        if isinstance(node, str):
            node = node.replace("00000000-0000-", "7d3c1a52-4be0-").replace("contoso.example", "contoso.com")
            return node.replace("azure.com/example", "azure.com/contoso")
        return node

    config: Config = edited(filled(shipped(stack)), new or {}, gone)
    return config


def place(
    stack: str, recorded: Recorded, config: Config | None = None, export: Mapping[str, Any] | None = None, **claims: str
) -> Place:
    """An environment whose clouds answer what is recorded."""
    config = config or real(stack)
    said = settings.parse(stack, config)
    session = requests.Session()
    session.mount("https://", recorded)
    transport = RequestsTransport(session=session, session_owner=False)
    clouds = Clouds(said.azure.tenant_id, said.azure.subscription_id, said.organization, SignedIn(**claims), transport)
    found = Place(Path("/nowhere"), said, clouds, config=config)
    return standing(found, export) if export else found


def outcome(register: Register, name: str, where: Place, there: frozenset[str] = EVERYTHING) -> Outcome:
    """What one check finds; it must apply."""
    (check,) = (each for each in register.checks if each.name == name)
    (found,) = run([check], where, there)
    return found


Change = Callable[[list[dict[str, Any]]], None]


def names(register: Register) -> list[str]:
    return [check.name for check in register.checks]


__all__ = ["Change", "Check", "Recorded", "SignedIn", "answers", "names", "outcome", "place", "real"]
