"""A process of `serve` from its start to its end: listen, read the topics, answer until a signal (CONTRACT 9)."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from streams.contracts.catalog import Naming
from streams.lifetime import CannotListenError, NoBrokerError, cancelled, first, until_signalled
from streams.security import PLAIN_TEXT, Security
from streams.serve.assets import assets
from streams.serve.feed import OPTIONAL, REQUIRED, Feed
from streams.serve.guard import Guard, GuardError, read_tokens
from streams.serve.live import Live
from streams.serve.routes import ROUTES
from streams.serve.service import Service
from streams.serve.streaming import Streams
from streams.serve.view import View
from streams.telemetry.logs import event
from streams.telemetry.serve_metrics import ServeMetrics

LOOK_SECONDS: Final = 5.0
"""How often the file of tokens is looked at."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """What the service needs to know."""

    bootstrap: str
    naming: Naming
    host: str
    port: int
    tokens_file: Path | None
    origins: frozenset[str]
    requests_per_second: float
    streams: int
    time_zone: ZoneInfo
    broker_wait_seconds: float
    security: Security = PLAIN_TEXT


class Server:
    """One process's service."""

    def __init__(self, options: ServeOptions):
        """Read the tokens; nothing is served before `run`.

        Raises:
            GuardError: The file of tokens cannot be used.
        """
        self._options = options
        tokens = frozenset[bytes]() if options.tokens_file is None else read_tokens(options.tokens_file)
        self.guard = Guard(tokens, options.origins, options.requests_per_second)
        self.port = options.port
        generations = count(1)
        boot = secrets.token_hex(4)

        def new_view() -> View:
            return View(f"{boot}.{next(generations)}", day_start=lambda now: day_start(now, options.time_zone))

        self.live = Live(new_view(), lambda: time.time_ns() // 1_000_000)
        routes = [route.path for route in ROUTES] + [*assets(), "/openapi.json", "/healthz", "/readyz", "/metrics"]
        self.metrics = ServeMetrics((*REQUIRED, *OPTIONAL), routes, version("widget-streams"))
        self.feed = Feed(options.bootstrap, options.naming, self.live, self.metrics, new_view, options.security)
        self.streams = Streams(self.live, self.metrics, options.streams)
        self._watch()

    def _watch(self) -> None:
        live, watch = self.live, self.metrics.watch
        watch("ready", "1 once the topics were read.", lambda: float(live.view.ready))
        watch("stale_seconds", "How old the view may be.", lambda: (live.stale_ms or 0) / 1000)
        watch("streams", "Viewers that are told changes.", lambda: self.streams.open)
        watch("active_calls", "Active calls held.", lambda: len(live.view.active))
        watch("presences", "Presences held.", lambda: len(live.view.presence))
        watch("call_records", "Call records held.", lambda: len(live.view.records.by_leg))
        watch("interval_rows", "Interval rows held.", lambda: live.view.intervals.count)
        watch("interval_rows_refused", "Interval rows not taken: too many.", lambda: live.view.intervals.refused)

    async def run(self, listening: Callable[[int], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        Args:
            listening: Is told the port once the service listens.
            stop: Ends it.

        Raises:
            CannotListenError: The address cannot be used.
            NoBrokerError: No broker answered within `broker_wait_seconds`.
            TopicsMissingError: Topics that must be there are not.
        """
        service = Service(self.live, self.guard, self.streams, self.metrics)
        runner = web.AppRunner(service.app(), access_log=None, keepalive_timeout=75, shutdown_timeout=3)
        await runner.setup()
        tasks = [asyncio.create_task(work()) for work in (self.feed.run, self.streams.run, self._look)]
        try:
            await self._listen(runner)
            listening(self.port)
            await self._connected(tasks, stop)
            await first(tasks, stop.wait())
        finally:
            self.streams.end()
            await runner.cleanup()
            await cancelled(tasks)

    async def _listen(self, runner: web.AppRunner) -> None:
        options = self._options
        site = web.TCPSite(runner, options.host, options.port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            raise CannotListenError("serve", options.host, options.port, error) from error
        self.port = runner.addresses[0][1]
        log.info(event("serve.listened", host=options.host, port=self.port, open=not self.guard.tokens))

    async def _connected(self, tasks: list["asyncio.Task[None]"], stop: asyncio.Event) -> None:
        wait = self._options.broker_wait_seconds
        try:
            async with asyncio.timeout(wait):
                await first(tasks, self.feed.connected.wait(), stop.wait())
        except TimeoutError as error:
            raise NoBrokerError(self._options.bootstrap, wait) from error

    async def _look(self) -> None:
        """Read the tokens again when their file changes; a file that cannot be used changes nothing."""
        path = self._options.tokens_file
        known = None if path is None else _stamp(path)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if path is None or (stamp := _stamp(path)) == known:
                continue
            known = stamp
            try:
                self.guard.tokens = read_tokens(path)
            except GuardError as error:
                log.warning(event("serve.tokens_kept", why=repr(str(error))))
            else:
                log.info(event("serve.tokens_read", count=len(self.guard.tokens)))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def day_start(now: int, zone: ZoneInfo) -> int:
    """Return the instant of the last midnight in a time zone, milliseconds since the epoch."""
    day = datetime.fromtimestamp(now / 1000, zone)
    return round(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000


async def run_until_signalled(server: Server, listening: Callable[[int], None]) -> None:
    """Run until SIGTERM or SIGINT; a second signal does not wait."""
    await until_signalled(lambda stop: server.run(listening, stop))
