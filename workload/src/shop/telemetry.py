"""Traces and logs to Application Insights, signed in as the workload's identity.

Metrics do not go there: Prometheus reads them. Neither does anything that was not asked for: no live metrics, no
statistics about the library itself, no settings fetched from elsewhere, no look at the node's metadata service (the
namespace's network policy would refuse it). What is sent comes from the logger `shop` and below, not from libraries.

How many traces are kept is said by OTEL_TRACES_SAMPLER; the library's default is five a second.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential

_log = logging.getLogger(__name__)

_UNASKED = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
    "OTEL_METRICS_EXPORTER": "none",
}

_INSTRUMENTED = "urllib3"
"""Calls to the catalogue. Requests to this service are traced by FastAPI itself."""

_NOT_INSTRUMENTED = ("azure_sdk", "django", "fastapi", "flask", "httpx", "psycopg2", "requests", "urllib")


class TelemetryError(Exception):
    """What it was told cannot be used; one line for a person."""


def set_up(connection_string: str | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Without a connection string nothing is exported, and the log says so, once."""
    if not connection_string:
        _log.warning("APPLICATIONINSIGHTS_CONNECTION_STRING is not set: traces and logs are not exported")
        return
    for name, value in _UNASKED.items():
        environment.setdefault(name, value)
    # Imported late: it reads the environment while it is imported, and takes a second without being needed everywhere.
    from azure.monitor.opentelemetry import configure_azure_monitor
    from opentelemetry.sdk.resources import Resource

    try:
        configure_azure_monitor(
            connection_string=connection_string,
            credential=credential(environment),
            logger_name="shop",
            # The pod's name: it is known to the cluster's logs and metrics as well.
            resource=Resource({"service.instance.id": socket.gethostname()}),
            enable_live_metrics=False,
            enable_performance_counters=False,
            instrumentation_options={name: {"enabled": False} for name in _NOT_INSTRUMENTED},
        )
    except ValueError as error:
        raise TelemetryError(f"telemetry cannot be exported: {error}") from None
    _log.info("traces and logs are exported to Application Insights")


def credential(environment: MutableMapping[str, str]) -> TokenCredential:
    """The pod's federated token where the cluster has put one; a developer's own sign-in elsewhere."""
    if environment.get("AZURE_FEDERATED_TOKEN_FILE"):
        return WorkloadIdentityCredential()
    return DefaultAzureCredential()
