"""The worker's pages: /metrics, /health/started, /health/ready, /health/live, nothing else (CONTRACT 9).

Bound to loopback unless the settings say otherwise. `started`: the worker joined its group once. `ready`: it holds its
partitions and folds. `live`: the loop turns and, while there was something to do, something was committed.
"""

import errno
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class CannotServeError(Exception):
    """The pages cannot be served at their address; the text says what to do."""


@dataclass(frozen=True)
class Checks:
    """What the health pages ask; each returns None when all is well, else one sentence."""

    started: Callable[[], str | None]
    ready: Callable[[], str | None]
    live: Callable[[], str | None]


class HealthServer:
    """Serves the pages."""

    def __init__(self, registry: CollectorRegistry, checks: Checks, *, host: str, port: int):
        """Serve the metrics of this registry and these checks; port 0 takes a free one."""
        self._registry = registry
        self._host = host
        self.port = port
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        for name in ("started", "ready", "live"):
            app.router.add_get(f"/health/{name}", _page(getattr(checks, name)))
        self._runner = web.AppRunner(app, access_log=None)
        self._socket: socket.socket | None = None

    def bind(self) -> None:
        """Take the port; before anything else starts, so that a taken one is told before it is in the way.

        Raises:
            CannotServeError: Somebody else has the port, or the address is none of this machine's.
        """
        try:
            family, _, _, _, address = socket.getaddrinfo(self._host, self.port, type=socket.SOCK_STREAM)[0]
            self._socket = socket.create_server(address[:2], family=family)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be had ({error.strerror})"
            remedy = (
                "another with --health-port, or 0 for a free one"
                if taken
                else "others with --health-host, --health-port"
            )
            raise CannotServeError(
                f"Port {self.port} on {self._host} {why}, so /metrics cannot be served there: choose {remedy}."
            ) from error
        self.port = self._socket.getsockname()[1]

    async def start(self) -> None:
        """Serve; binds first where nobody did.

        Raises:
            CannotServeError: See `bind`.
        """
        if self._socket is None:
            self.bind()
        assert self._socket is not None
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def stop(self) -> None:
        """Serve no more."""
        await self._runner.cleanup()
        if self._socket is not None:
            self._socket.close()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _page(check: Callable[[], str | None]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def page(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=(problem or "ok") + "\n", status=503 if problem else 200)

    return page
