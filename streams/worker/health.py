"""The worker's pages: /metrics, /health/started, /health/ready, /health/live, nothing else (CONTRACT 9).

Bound to loopback unless the settings say otherwise. `started`: the worker joined its group once. `ready`: it holds its
partitions and folds. `live`: the loop turns and, while there was something to do, something was committed.
"""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class PortInUseError(Exception):
    """The port of the pages is taken; the text says what to do."""


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

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            PortInUseError: Somebody else has the port.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUseError(
                f"Port {self.port} on {self._host} is taken, so /metrics cannot be served there: choose another with"
                " --health-port, or 0 for a free one."
            ) from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Serve no more."""
        await self._runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _page(check: Callable[[], str | None]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def page(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=(problem or "ok") + "\n", status=503 if problem else 200)

    return page
