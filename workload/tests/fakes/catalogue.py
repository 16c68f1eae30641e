"""A catalogue service, as a process of its own: `python tests/fakes/catalogue.py KEY_FILE`, which prints its port.

It takes whatever key the file holds at the moment. Some products are trouble: see `TROUBLE`. GET /calls tells which
paths were asked for so far, with the keys that came along.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

PRODUCTS: dict[str, dict[str, Any]] = {
    "kettle": {"id": "kettle", "name": "Kettle, 2 l", "price_cents": 4900, "supplier": "not for customers"},
    "cup": {"id": "cup", "name": "Cup", "price_cents": 700},
}

TROUBLE = {
    "flaky": "answers 503 twice, then well",
    "down": "answers 503 for ever",
    "broken": "answers 500",
    "slow": "says nothing for long",
    "busy": "takes a second",
    "moved": "is a redirect to /elsewhere",
    "garbled": "is no JSON",
    "dear": "has a price that is no whole number",
    "other": "is another product",
    "huge": "is a product in two megabytes",
    "cut": "ends before its length",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    key_file: Path
    calls: list[tuple[str, str | None]]
    seen: Counter[str]

    def do_GET(self) -> None:
        if self.path == "/calls":
            self._answer(200, self.calls)
            return
        key = self.headers.get("X-API-Key")
        self.calls.append((self.path, key))
        if key != self.key_file.read_text("utf-8").strip():
            self._answer(401, {"error": "wrong key"})
        elif self.path == "/products":
            self._answer(200, list(PRODUCTS.values()))
        else:
            self._product(self.path.removeprefix("/products/"))

    def _product(self, name: str) -> None:
        self.seen[name] += 1
        good = {"id": name, "name": name, "price_cents": 100}
        if name in PRODUCTS:
            self._answer(200, PRODUCTS[name])
        elif name == "flaky":
            self._answer(200 if self.seen[name] % 3 == 0 else 503, good)
        elif name in ("down", "broken"):
            self._answer(503 if name == "down" else 500, {}, {"Retry-After": "3600"})
        elif name in ("slow", "busy"):
            time.sleep(30 if name == "slow" else 1)
            self._answer(200, good)
        elif name == "moved":
            self._answer(302, {}, {"Location": "/elsewhere"})
        elif name == "garbled":
            self._send(200, b"<html>welcome to this network</html>")
        elif name == "dear":
            self._answer(200, {**good, "price_cents": 1.5})
        elif name == "other":
            self._answer(200, PRODUCTS["cup"])
        elif name == "huge":
            self._answer(200, {**good, "ballast": "x" * 2_000_000})
        elif name == "cut":
            self._send(200, b'{"id": ', length=1000)
            self.close_connection = True
        else:
            self._answer(404, {})

    def _answer(self, status: int, content: object, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self._send(status, json.dumps(content).encode(), headers=headers)

    def _send(
        self, status: int, body: bytes, length: int | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # who asked has gone
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    Handler.key_file, Handler.calls, Handler.seen = Path(sys.argv[1]), [], Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
