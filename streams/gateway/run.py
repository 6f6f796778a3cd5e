"""A gateway from its start to its end: listen, connect, serve until a signal, drain (CONTRACT 9)."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from streams.contracts.numbers import TokenKey
from streams.gateway.answers import EVENT_OUTCOMES, OUTCOMES
from streams.gateway.broker import Broker, BrokerOptions
from streams.gateway.budget import Budget
from streams.gateway.connection import Listener
from streams.gateway.drops import DROP_REASONS
from streams.gateway.limits import Limits
from streams.gateway.reception import Desk, Reception
from streams.gateway.script import collector_script
from streams.gateway.service import Front, Service
from streams.gateway.sites import read_sites
from streams.gateway.tokens import Verifier, read_keys
from streams.gateway.watched import Watched
from streams.lifetime import CannotListenError, NoBrokerError, cancelled, first, until_signalled
from streams.security import PLAIN_TEXT, Security
from streams.telemetry.gateway_metrics import GatewayMetrics, Gauges
from streams.telemetry.logs import event

LOOK_SECONDS: Final = 1.0
"""How often the files of sites and keys are looked at."""
BACKLOG: Final = 4096
ENDING: Final = "The gateway is ending."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatewayOptions:
    """What a gateway needs to know; times in seconds, sizes in bytes."""

    bootstrap: str
    topic: str
    token_key: TokenKey
    host: str
    port: int
    sites_file: Path
    keys_file: Path | None
    tls: ssl.SSLContext | None
    body_bytes: int
    buffer_bytes: int
    connections: int
    read_seconds: float
    ack_seconds: float
    idle_seconds: float
    notice_seconds: float
    """How long /readyz says that the end is near before nothing new is let in."""
    drain_seconds: float
    broker_wait_seconds: float
    session_events_per_second: float
    token_seconds: float
    security: Security = PLAIN_TEXT
    """Login and encryption towards Kafka."""


class Gateway:
    """One process's gateway."""

    def __init__(self, options: GatewayOptions):
        """Read the files; nothing is served before `run`.

        Raises:
            FileError: The file of sites or of keys is missing or wrong.
        """
        self._options = options
        self._sites = Watched(options.sites_file, read_sites)
        self._keys = None if options.keys_file is None else Watched(options.keys_file, read_keys)
        self._limits = Limits(options.session_events_per_second, 10 * options.session_events_per_second)
        self._metrics = GatewayMetrics(OUTCOMES, EVENT_OUTCOMES, DROP_REASONS, version("widget-streams"))
        self._ending = False
        self.port = options.port

    async def run(self, listening: Callable[[int], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain.

        Args:
            listening: Is told the port once the gateway listens.
            stop: Ends it.

        Raises:
            CannotListenError: The address cannot be used.
            NoBrokerError: No broker answered within `broker_wait_seconds`.
            streams.gateway.broker.TopicMissingError: The topic is not there.
        """
        options = self._options
        budget = Budget(options.buffer_bytes)
        broker = Broker(BrokerOptions(options.bootstrap, options.topic, options.ack_seconds, options.security), budget)
        service = self._service(broker, budget)
        listener = Listener(service.handle, idle_seconds=options.idle_seconds, most=options.connections)
        self._metrics.watch(
            Gauges(
                buffer_bytes=lambda: budget.used,
                buffer_limit_bytes=lambda: budget.limit,
                connections=lambda: len(listener.connections),
                ready=lambda: self._problem(broker) is None,
            )
        )
        server = await self._listen(listener)
        listening(self.port)
        links = asyncio.create_task(broker.run())
        looks = asyncio.create_task(self._look())
        try:
            await self._connected(links, broker, stop)
            await first([links], stop.wait())
            await self._drain(server, listener, broker)
        finally:
            server.close()
            await cancelled([looks, links])

    def _service(self, broker: Broker, budget: Budget) -> Service:
        options = self._options
        desk = Desk(
            token_key=options.token_key,
            sites=lambda: self._sites.value,
            verifier=Verifier(self._keys, options.token_seconds),
            limits=self._limits,
            budget=budget,
            broker=broker,
            metrics=self._metrics,
            body_bytes=options.body_bytes,
            read_seconds=options.read_seconds,
        )
        return Service(
            Front(
                reception=Reception(desk),
                sites=lambda: self._sites.value,
                metrics=self._metrics,
                script=collector_script(),
                problem=lambda: self._problem(broker),
                ending=lambda: self._ending,
                secure=options.tls is not None,
            )
        )

    def _problem(self, broker: Broker) -> str | None:
        return ENDING if self._ending else broker.problem()

    async def _listen(self, listener: Listener) -> asyncio.Server:
        options = self._options
        try:
            server = await asyncio.get_running_loop().create_server(
                listener,
                options.host,
                options.port,
                ssl=options.tls,
                ssl_handshake_timeout=options.read_seconds if options.tls else None,
                backlog=BACKLOG,
                reuse_address=True,
            )
        except OSError as error:
            raise CannotListenError("gateway", options.host, options.port, error) from error
        self.port = server.sockets[0].getsockname()[1]
        log.info(event("gateway.listened", host=options.host, port=self.port, tls=options.tls is not None))
        return server

    async def _connected(self, links: "asyncio.Task[None]", broker: Broker, stop: asyncio.Event) -> None:
        wait = self._options.broker_wait_seconds
        try:
            async with asyncio.timeout(wait):
                await first([links], broker.connected.wait(), stop.wait())
        except TimeoutError as error:
            raise NoBrokerError(self._options.bootstrap, wait) from error

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._sites.refresh():
                self._limits.keep_sites(frozenset(self._sites.value.by_key))
            if self._keys is not None:
                self._keys.refresh()

    async def _drain(self, server: asyncio.Server, listener: Listener, broker: Broker) -> None:
        """Say that the end is near, let nothing new in, finish what is under way."""
        self._ending = True
        log.info(event("gateway.draining"))
        if broker.connected.is_set():
            await asyncio.sleep(self._options.notice_seconds)
        server.close()
        listener.pre_shutdown()
        await listener.shutdown(self._options.drain_seconds)
        await broker.flush(self._options.ack_seconds)
        log.info(event("gateway.drained"))


async def run_until_signalled(gateway: Gateway, listening: Callable[[int], None]) -> None:
    """Run a gateway until SIGTERM or SIGINT; a second signal does not wait for the drain."""
    asyncio.get_running_loop().set_exception_handler(_told_by_name)
    await until_signalled(lambda stop: gateway.run(listening, stop))


def _told_by_name(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    # The text of an error may repeat what was sent.
    log.error(event("loop.failed", error=type(context.get("exception")).__name__))
