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
from rehearsal.faces.delivery import DeliveryProvider
from rehearsal.faces.objects import ObjectProvider
from rehearsal.faces.servicer import Provider

PACKAGES: Final = ("azure-native", "azuredevops", "kubernetes")
_OWN: Final[Mapping[str, type[Provider]]] = {"azuredevops": DeliveryProvider, "kubernetes": ObjectProvider}
# More than any engine asks for at once: with delays, each request holds a thread until its time is over.
_THREADS: Final = 128
_OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@contextmanager
def served(cloud: Cloud) -> Iterator[str]:
    """Serves the packages and yields the value for PULUMI_DEBUG_PROVIDERS."""
    servers: list[Any] = []
    addresses = []
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="stand-in") as threads:
        try:
            for package in PACKAGES:
                server = grpc.server(threads, options=_OPTIONS)
                provider = _OWN.get(package, Provider)(package, cloud)
                provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
                addresses.append(f"{package}:{server.add_insecure_port('127.0.0.1:0')}")
                server.start()
                servers.append(server)
            yield ",".join(addresses)
        finally:
            for stopping in [server.stop(grace=None) for server in servers]:
                stopping.wait()
