"""The stand-in as resource providers over gRPC, for the real engine.

The engine attaches to these servers by the environment variable PULUMI_DEBUG_PROVIDERS instead of starting
plugins. All servers show one cloud. They listen on the loopback interface only and end with the context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from rehearsal.cloud import Cloud
from rehearsal.errors import RehearsalError
from rehearsal.faces.delivery import DeliveryProvider, GitHubProvider
from rehearsal.faces.objects import ObjectProvider
from rehearsal.faces.servicer import Provider

PACKAGES: Final = ("azure-native", "azuredevops", "github", "kubernetes")
_OWN: Final[Mapping[str, type[Provider]]] = {
    "azuredevops": DeliveryProvider,
    "github": GitHubProvider,
    "kubernetes": ObjectProvider,
}
# More than any engine asks for at once: with delays, each request holds a thread until its time is over.
_THREADS: Final = 128
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Two rehearsals side by side would otherwise be let in on one port, and share what they are asked.
    ("grpc.so_reuseport", 0),
)
ADDRESS: Final = "127.0.0.1:0"
"""Any port that is free."""


class PortError(RehearsalError):
    """The stand-in cannot be reached by the engine; the message says what to look at."""


@contextmanager
def served(cloud: Cloud) -> Iterator[str]:
    """Serves the packages and yields the value for PULUMI_DEBUG_PROVIDERS.

    Raises:
        PortError: this machine gives it no port.
    """
    servers: list[Any] = []
    addresses = []
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="stand-in") as threads:
        try:
            for package in PACKAGES:
                server = grpc.server(threads, options=_OPTIONS)
                provider = _OWN.get(package, Provider)(package, cloud)
                provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
                addresses.append(f"{package}:{_port(server, package)}")
                server.start()
                servers.append(server)
            yield ",".join(addresses)
        finally:
            for stopping in [server.stop(grace=None) for server in servers]:
                stopping.wait()


def _port(server: Any, package: str) -> int:
    try:
        return int(server.add_insecure_port(ADDRESS))
    except RuntimeError:
        raise PortError(
            f"The stand-in's provider {package} got no port at {ADDRESS}: it is in use, or this machine allows none. "
            "End what holds it (ss -ltnp names it), or let this process listen on the loopback interface."
        ) from None
