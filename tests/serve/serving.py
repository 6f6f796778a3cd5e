"""A real service on a free port, in a thread of its own, that answers from a view which the test fills."""

import asyncio
import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aiohttp import web

from streams.contracts.avro import codec
from streams.serve.feed import OPTIONAL, REQUIRED
from streams.serve.guard import Guard
from streams.serve.live import Live
from streams.serve.service import Service
from streams.serve.streaming import Streams
from streams.serve.view import RECORD_OF, View
from streams.telemetry.serve_metrics import ServeMetrics
from tests.serve import crowd

Given = TypeVar("Given")
OPEN = Guard(frozenset(), frozenset(), 10_000)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def now_ms() -> int:
    """Return the instant it is."""
    return time.time_ns() // 1_000_000


def a_view(generation: str = "a1.1", **about: Any) -> View:
    """Return an empty view."""
    return View(generation, **about)


def put(view: View, topic: str, key: str, row: crowd.Row | None, now: int) -> None:
    """Give a row to the view as the bytes that Kafka would bring."""
    value = None if row is None else encoded(topic, row)
    assert view.take(topic, key, value, now)


def encoded(topic: str, row: crowd.Row) -> bytes:
    """Return the Avro of a row."""
    return codec(RECORD_OF[topic]).encode(row)


@dataclass
class Serving:
    """The service while it runs."""

    live: Live
    streams: Streams
    loop: asyncio.AbstractEventLoop
    port: int
    metrics: ServeMetrics
    away_ms: int = 0
    """How long Kafka has been away."""

    async def pass_time(self) -> None:
        """Keep the view as fresh as a Kafka would."""
        while True:
            self.live.as_of = now_ms() - self.away_ms
            await asyncio.sleep(0.2)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def within(self, action: Callable[[], Given]) -> Given:
        """Do something in the service's loop and return what it gives."""

        async def act() -> Given:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(10)

    def put(self, topic: str, key: str, row: crowd.Row | None) -> None:
        """Give a row to the view."""
        self.within(lambda: put(self.live.view, topic, key, row, now_ms()))

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, headers=named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())


@contextlib.contextmanager
def serving(view: View, guard: Guard = OPEN, *, most: int = 100, stall_seconds: float = 10.0) -> Iterator[Serving]:
    """Serve a view."""
    live = Live(view, now_ms, as_of=now_ms())
    metrics = ServeMetrics((*REQUIRED, *OPTIONAL), ("/",), "test")
    ready = threading.Event()
    box: list[Serving] = []
    ends: list[asyncio.Event] = []

    async def main() -> None:
        streams = Streams(live, metrics, most, stall_seconds)
        runner = web.AppRunner(Service(live, guard, streams, metrics).app(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ticking = asyncio.create_task(streams.run())
        ends.append(asyncio.Event())
        box.append(Serving(live, streams, asyncio.get_running_loop(), runner.addresses[0][1], metrics))
        passing = asyncio.create_task(box[0].pass_time())
        ready.set()
        await ends[0].wait()
        streams.end()
        await runner.cleanup()
        ticking.cancel()
        passing.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10), "the service did not start"
    try:
        yield box[0]
    finally:
        box[0].loop.call_soon_threadsafe(ends[0].set)
        thread.join(10)


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    data: Any
    id: str | None


@contextlib.contextmanager
def stream(url: str, **headers: str) -> Iterator[Iterator[Event]]:
    """Open a stream and give its events as they come; thirty seconds of silence fail the test."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=30) as answer:
        yield events(iter(answer.readline, b""))


def events(lines: Iterator[bytes]) -> Iterator[Event]:
    """Read events from lines, as the standard of server-sent events says."""
    name, told, number = "message", "", None
    for line in lines:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            told = value
        elif field == "id":
            number = value
        elif not field and told:
            yield Event(name, json.loads(told), number)
            name, told, number = "message", "", None


def until(found: Iterator[Event], name: str) -> Event:
    """Return the next event of a name."""
    return next(event for event in found if event.name == name)
