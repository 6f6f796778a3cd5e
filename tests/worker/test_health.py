"""The pages of a worker: metrics and health, nothing else, at an address that is had before anything starts."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from streams.worker.health import CannotServeError, Checks, HealthServer


def fine() -> str | None:
    """Find nothing wrong."""
    return None


def a_server(port: int = 0, host: str = "127.0.0.1", ready: Callable[[], str | None] = fine) -> HealthServer:
    """Return the pages of a worker; port 0 takes a free one."""
    registry = CollectorRegistry()
    Counter("seen", "Seen.", registry=registry).inc()
    return HealthServer(registry, Checks(fine, ready, fine), host=host, port=port)


def asked(server: HealthServer, *paths: str) -> list[tuple[int, str]]:
    """Serve, ask for pages, and return status and text of each."""

    async def ask() -> list[tuple[int, str]]:
        await server.start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client:
                return [await read(client.get(path)) for path in paths]
        finally:
            await server.stop()

    return asyncio.run(ask())


async def read(request: Awaitable[aiohttp.ClientResponse]) -> tuple[int, str]:
    """Return status and text."""
    response = await request
    return response.status, await response.text()


def test_metrics_and_health_are_served_and_nothing_else() -> None:
    """No index, no tables: they would hold personal data."""
    pages = asked(a_server(), "/metrics", "/health/started", "/health/ready", "/health/live", "/", "/health", "/debug")
    assert [status for status, _ in pages] == [200, 200, 200, 200, 404, 404, 404]
    assert "seen_total 1.0" in pages[0][1]


def test_what_is_wrong_is_one_sentence_with_503() -> None:
    """The others go on answering."""
    pages = asked(a_server(ready=lambda: "holds no partitions"), "/health/ready", "/health/live")
    assert pages == [(503, "holds no partitions\n"), (200, "ok\n")]


def test_a_taken_port_is_told_before_anything_starts() -> None:
    """With the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotServeError, match=f"Port {port} on 127.0.0.1 is taken.*--health-port"):
            a_server(port).bind()


@pytest.mark.parametrize("host", ["203.0.113.1"])
def test_an_address_of_another_machine_is_told(host: str) -> None:
    """It would be bound in vain."""
    with pytest.raises(CannotServeError, match="--health-host"):
        a_server(host=host).bind()


def test_the_port_is_known_once_it_is_bound() -> None:
    """Also where any free one was wanted; it is free again afterwards."""
    server = a_server()
    server.bind()
    assert server.port != 0
    assert asked(server, "/health/live") == [(200, "ok\n")]
    with socket.create_server(("127.0.0.1", server.port)):
        pass
