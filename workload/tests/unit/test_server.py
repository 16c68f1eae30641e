from __future__ import annotations

import asyncio
import signal

import pytest

from shop.server import Lifecycle, Server


async def nothing(*_: object) -> None:
    pass


def server(lifecycle: Lifecycle, drain_seconds: float) -> Server:
    return Server(nothing, lifecycle, drain_seconds, {})


def tick(running: Server) -> bool:
    return asyncio.run(running.on_tick(1))


def test_without_a_signal_it_goes_on() -> None:
    lifecycle = Lifecycle()
    assert not tick(server(lifecycle, 0))
    assert not lifecycle.stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_ends_readiness_and_not_yet_the_server(number: signal.Signals) -> None:
    lifecycle = Lifecycle()
    running = server(lifecycle, 60)
    running.handle_exit(number, None)
    assert lifecycle.stopping
    assert not tick(running)
    running.handle_exit(number, None)
    assert tick(running)


def test_it_ends_when_the_time_is_over() -> None:
    running = server(Lifecycle(), 0)
    running.handle_exit(signal.SIGTERM, None)
    assert tick(running)
