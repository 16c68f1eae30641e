"""What Prometheus reads on a port of its own: two metrics with exactly the names and labels that the rules expect.

Every request of a customer is counted, also one that no route takes. Health probes are not: the kubelet asks far more
often than customers do, and a pod that is shutting down would spend the error budget by saying so.
"""

from __future__ import annotations

import time
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, start_http_server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH = "/health/"

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Seconds. A latency objective of an environment must be the end of one of them."""


class Stopping(Protocol):
    """Tells whether the process is about to end."""

    @property
    def stopping(self) -> bool: ...


def is_probe(scope: Scope) -> bool:
    return str(scope.get("path", "")).startswith(HEALTH)


class Metrics:
    """A registry of its own: no metric comes in unasked, because every series is paid for."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a series for each series: when it was made
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests, by status.", ["code"], registry=self.registry)
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request's first byte to the answer's last.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        # There from the first scrape: a workload nobody has asked yet is quiet, not missing.
        self.requests.labels("200")

    def serve(self, host: str, port: int) -> int:
        """Starts a thread that answers on /metrics until the process ends. The port it listens on."""
        server, _ = start_http_server(port, host, self.registry)
        return int(server.server_port)

    def record(self, code: int, seconds: float) -> None:
        self.requests.labels(str(code)).inc()
        self.duration.observe(seconds)


class Measured:
    """ASGI middleware: counts, and tells clients not to keep their connection when the process is about to end."""

    def __init__(self, app: ASGIApp, metrics: Metrics, lifecycle: Stopping) -> None:
        self._app = app
        self._metrics = metrics
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._lifecycle.stopping:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = status or 500
            raise
        finally:
            # Without a status nobody was answered: the client went away.
            if status and not is_probe(scope):
                self._metrics.record(status, time.perf_counter() - started)
