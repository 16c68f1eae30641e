"""`python -m shop`: reads the environment, listens on both ports, and runs until it is told to stop.

Exit codes: 0 stopped in good order, 1 a port cannot be had, 2 the environment says something that cannot be used.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping

from shop import api, catalogue, logs, settings, telemetry
from shop.metrics import Metrics
from shop.secret import SecretFile
from shop.server import Lifecycle, Server

_log = logging.getLogger("shop")


def main(environment: Mapping[str, str] = os.environ) -> int:
    logs.set_up()
    try:
        told = settings.read(environment)
        telemetry.set_up(told.connection_string)
    except (settings.SettingsError, telemetry.TelemetryError) as error:
        print(f"error: the environment cannot be used\n{error}".replace("\n", "\n  "), file=sys.stderr)
        return 2
    metrics, lifecycle = Metrics(), Lifecycle()
    secret = SecretFile(told.secret_file)
    app = api.create(
        catalogue.choose(told.catalogue_url, secret),
        secret,
        metrics,
        lifecycle,
        api.Version(commit=told.commit, digest=told.digest),
    )
    try:
        listener = socket.create_server((told.host, told.port), backlog=2048)
        metrics_port = metrics.serve(told.host, told.metrics_port)
    except OSError as error:
        ports = f"{told.port} and {told.metrics_port}"
        print(f"error: cannot listen on {told.host}, ports {ports}: {error.strerror}", file=sys.stderr)
        return 1
    said = {"port": listener.getsockname()[1], "metrics_port": metrics_port, "commit": told.commit}
    Server(app, lifecycle, told.drain_seconds, said).run([listener])
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
