"""The HTTP API of a Grafana workspace, for the scripts of the pipelines: patient, and careful with the token.

Waits for what comes late: 401 and 403 after a role was granted, 429, 5xx, a Grafana that does not answer. Redirects are
refused, because they would carry the token to somebody else. What it does not do: it knows no dashboard. Needs the
standard library and, for `cli_token`, the Azure CLI.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

RESOURCE = "ce34e7e5-485f-4d76-964f-b3d2b16d1e4f"
"""Azure Managed Grafana, to Entra ID: the same in every tenant."""

LATE = (401, 403, 429, 500, 502, 503, 504)
PAUSES = (2, 4, 8, 15, 30)
"""Seconds between tries; the last one repeats."""

HINTS = {
    302: "the address belongs to something else; take it from the stack's outputs",
    401: "the token is not of the workspace's tenant, or the identity has no role yet",
    403: "the identity needs the role Grafana Editor on the workspace",
    404: "is the address that of a Grafana?",
}

Json = dict[str, Any]


class GrafanaError(Exception):
    """What went wrong, in one line for a person."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect what it is: an answer that is no success."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Grafana:
    """The HTTP API of one Grafana, patient with what comes late."""

    def __init__(
        self, endpoint: str, token: Callable[[], str], wait_seconds: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._endpoint, self._token, self._pause = endpoint.rstrip("/"), token, pause
        self._left = wait_seconds
        self._bearer = ""
        self._opener = urllib.request.build_opener(_NoRedirect)

    def get(self, path: str) -> Any:
        """What stands there; None for what Grafana does not have."""
        return self._call("GET", path, none_for=(404,))

    def post(self, path: str, body: Json, *, may_exist: bool = False) -> Any:
        """Grafana's answer. With `may_exist`, None where the thing is there already: a repeated try finds it so."""
        return self._call("POST", path, body, none_for=(409, 412) if may_exist else ())

    def waited(self, attempt: int) -> bool:
        """Pauses before the next try; False when the patience is used up."""
        if self._left <= 0:
            return False
        seconds = min(PAUSES[min(attempt, len(PAUSES) - 1)], self._left)
        self._left -= seconds
        self._pause(seconds)
        return True

    def _call(self, method: str, path: str, body: Json | None = None, *, none_for: tuple[int, ...] = ()) -> Any:
        attempt = 0
        while True:
            status, said = self._once(method, path, body)
            if 200 <= status < 300:
                try:
                    return json.loads(said)
                except ValueError:
                    raise GrafanaError(f"{method} {path}: the answer is not JSON; {HINTS[404]}") from None
            if status in none_for and said.lstrip().startswith("{"):
                return None
            if status == 401:
                self._bearer = ""  # it may be one from before the role was granted
            if (status and status not in LATE) or not self.waited(attempt):
                answer = f"{status} {_message(said)}" if status else f"no answer ({said})"
                hint = f"; {HINTS[status]}" if status in HINTS else ""
                raise GrafanaError(f"{method} {path}: {answer} (tries: {attempt + 1}){hint}")
            attempt += 1

    def _once(self, method: str, path: str, body: Json | None) -> tuple[int, str]:
        self._bearer = self._bearer or self._token()
        request = urllib.request.Request(
            self._endpoint + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._bearer}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(getattr(error, "reason", error))


def cli_token() -> str:
    """An Entra token for Grafana of whoever the Azure CLI is signed in as; the CLI keeps and renews it."""
    az = shutil.which("az")
    if not az:
        raise GrafanaError("az is not on the PATH; run this in a task that has the Azure CLI")
    command = [az, "account", "get-access-token", "--resource", RESOURCE, "--query", "accessToken", "--output", "tsv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    token = done.stdout.strip()
    if done.returncode != 0 or not token:
        raise GrafanaError(f"az gives no token: {' '.join(done.stderr.split()) or 'it said nothing'}")
    return token


def _message(said: str) -> str:
    """The message in an error of Grafana's, or the beginning of whatever answered instead."""
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(said.split())[:200]
