"""A server that goes in good order.

Kubernetes ends a pod and tells its load balancers at the same time, so requests arrive for some seconds after SIGTERM.
They are answered: readiness fails at once, the port stays open for `drain_seconds`, then requests that still run get
`GRACE_SECONDS`. A second signal cuts this short. The process ends with exit code 0.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

_log = logging.getLogger(__name__)

GRACE_SECONDS = 15


@dataclass
class Lifecycle:
    """Shared by the server, which knows of signals, and the application, which answers probes."""

    stopping: bool = False


class Server(uvicorn.Server):
    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, drain_seconds: float, said: Mapping[str, object]) -> None:
        """`said`: what the log is to say when it listens."""
        config = uvicorn.Config(
            app,
            http="h11",
            loop="asyncio",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._said = said
        self._close_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _log.info("listening", extra=dict(self._said))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._lifecycle.stopping:
            self.should_exit = True
        self._lifecycle.stopping = True

    async def on_tick(self, counter: int) -> bool:
        ends = await super().on_tick(counter)
        if self._lifecycle.stopping and self._close_at is None:
            self._close_at = time.monotonic() + self._drain_seconds
            _log.info("stopping: not ready any more", extra={"drain_seconds": self._drain_seconds})
        return ends or (self._close_at is not None and time.monotonic() >= self._close_at)
