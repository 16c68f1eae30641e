"""JSON over HTTP with a bearer token, for scripts that call a service without a CLI: patient, careful with the token.

Waits for what comes late: 401 and 403 after a role was granted, 429, 5xx, no answer at all. Redirects are refused,
because they would carry the token to somebody else. What it does not do: it knows no service, and shows no token.
"""

from __future__ import annotations

import argparse
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.scripts.commands import Patience, shorten

LATE = (401, 403, 429, 500, 502, 503, 504)

HINTS = {
    203: "the token is not accepted",  # Azure DevOps then answers with the page for signing in
    302: "the address belongs to something else",
    401: "the token is not accepted, or the identity has no role yet",
    403: "the identity has no role for this, or not yet",
}


class HttpError(Exception):
    """What went wrong, in one line for a person."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    body: Any
    """None where there is none (204)."""
    headers: Mapping[str, str]
    """By name in lower case."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect what it is: an answer that is no success."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Service:
    """One service at one address."""

    address: str
    token: Callable[[], str]
    """Asked once, and again after a 401: it may be one from before a role was granted."""
    patience: Patience
    late: Collection[int] = LATE
    _bearer: str = field(default="", init=False, repr=False)

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        return self._call("GET", path, query or {}, None, "")

    def post_form(self, path: str, form: Mapping[str, str | int]) -> Answer:
        """Fields as a form, for queries too long for an address."""
        return self._call("POST", path, {}, urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")

    def post(self, path: str, query: Mapping[str, str | int], body: bytes) -> Answer:
        """A body that is JSON already."""
        return self._call("POST", path, query, body, "application/json")

    def put(self, path: str, query: Mapping[str, str | int], body: Any) -> Answer:
        return self._call("PUT", path, query, json.dumps(body).encode(), "application/json")

    def patch(self, path: str, query: Mapping[str, str | int], body: Any) -> Answer:
        return self._call("PATCH", path, query, json.dumps(body).encode(), "application/json")

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: bytes, kind: str) -> Answer:
        """A body of another kind, or by another method: `PATCH`."""
        return self._call(method, path, query, body, kind)

    def _call(self, method: str, path: str, query: Mapping[str, str | int], body: bytes | None, kind: str) -> Answer:
        address = self.address.rstrip("/") + path + ("?" + urllib.parse.urlencode(query) if query else "")
        attempt = 0
        while True:
            status, said, headers = self._once(method, address, body, kind)
            if status in (200, 201, 202, 204):
                return Answer(_parsed(said, f"{method} {path}", status), headers)
            if status == 401:
                self._bearer = ""
            if (status and status not in self.late) or not self.patience.waited(attempt):
                answer = f"{status} {_message(said)}".rstrip() if status else f"no answer ({said})"
                hint = f"; {HINTS[status]}" if status in HINTS else ""
                raise HttpError(f"{method} {path}: {answer} (tries: {attempt + 1}){hint}", status)
            attempt += 1

    def _once(self, method: str, address: str, body: bytes | None, kind: str) -> tuple[int, str, Mapping[str, str]]:
        self._bearer = self._bearer or self.token()
        request = urllib.request.Request(address, method=method, data=body)
        request.add_header("Authorization", f"Bearer {self._bearer}")
        request.add_header("Accept", "application/json")
        if kind:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=60) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return answer.status, answer.read().decode("utf-8", "replace"), headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace"), {}
        except (OSError, http.client.HTTPException) as error:
            return 0, str(getattr(error, "reason", error)) or type(error).__name__, {}


def base_address(text: str) -> str:
    """An argument that is the address of a service: https, or plain http on the loopback interface."""
    parts = urllib.parse.urlsplit(text)
    local = parts.hostname in ("127.0.0.1", "localhost")
    if not parts.netloc or parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: https://<host>, as the variable group has it")
    return text


def _parsed(said: str, what: str, status: int) -> Any:
    if status == 204 or not said.strip():
        return None
    try:
        return json.loads(said)
    except ValueError:
        raise HttpError(f"{what}: the answer is not JSON; is the address right?", status) from None


def _message(said: str) -> str:
    """The message in an error of a service, or the beginning of whatever answered instead."""
    try:
        found = json.loads(said)
        for key in ("message", "error"):
            inner = found.get(key)
            if isinstance(inner, dict):
                inner = inner.get("message")
            if isinstance(inner, str):
                return shorten(inner)
    except (ValueError, AttributeError):
        pass
    return " ".join(said.split())[:200]
