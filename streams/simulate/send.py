"""Put envelopes on the topic when they are due: open loop, however slow the broker is.

The schedule never waits for Kafka. What Kafka does not take at once waits here in memory, stamped with the instant at
which a gateway would have received it; so a slow broker shows as latency, not as less load.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from streams.simulate.envelopes import Due

SHORTEST_SLEEP_SECONDS: Final = 0.002
CLOSE_WITHIN_SECONDS: Final = 5.0
TOPIC_WITHIN_SECONDS: Final = 5.0
YIELD_EVERY: Final = 50
"""The schedule lets the producer run at least after so many envelopes."""


class TopicMissingError(Exception):
    """The brokers have no topic of this name."""


@dataclass(slots=True)
class Sent:
    """How far the sending is."""

    scheduled: int = 0
    """Envelopes that fell due."""
    acknowledged: int = 0
    failed: int = 0
    """Given up by the producer, after its own tries."""
    types: Counter[str] = field(default_factory=Counter)
    """Envelopes by the type of their widget event."""
    behind_ms: int = 0
    """Most that an envelope fell due too late because this process was too slow."""
    slowest_ms: int = 0
    """Longest from an envelope's due time to its acknowledgement."""
    seconds: float = 0.0
    """From the first due time to the last."""
    first_error: str | None = None
    """Class name of the first failure."""

    @property
    def waiting(self) -> int:
        """How many envelopes are due and not yet in Kafka."""
        return self.scheduled - self.acknowledged - self.failed


def producer(bootstrap_servers: str) -> AIOKafkaProducer:
    """Return an idempotent producer that waits for all replicas; it has not started yet."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        client_id="widget-streams-simulate",
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=1_048_576,
    )


class Sender:
    """Sends the envelopes of one run."""

    def __init__(self, kafka: AIOKafkaProducer, topic: str, clock: Callable[[], int]):
        """Send to a topic through a started producer; the clock gives ms since the epoch."""
        self.sent = Sent()
        self._kafka, self._topic, self._clock = kafka, topic, clock
        self._queue: deque[tuple[int, bytes, bytes]] = deque()
        self._is_more = asyncio.Event()

    async def run(self, dues: Iterable[Due], stop: asyncio.Event, *, flush_within_seconds: float) -> None:
        """Send each envelope at its time until there are no more or `stop` is set; then wait for what is under way.

        What was not acknowledged in time is left: `sent.waiting` tells how much that is.
        """
        pump = asyncio.create_task(self._pump())
        # A producer that refuses for good ends the run; one that is only slow does not.
        pump.add_done_callback(lambda ended: self._refused(ended, stop))
        began = self._clock()
        try:
            await self._schedule(dues, stop)
            self.sent.seconds = (self._clock() - began) / 1_000
            with suppress(TimeoutError):
                async with asyncio.timeout(flush_within_seconds):
                    while self.sent.waiting and not pump.done():
                        await asyncio.sleep(0.01)
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _schedule(self, dues: Iterable[Due], stop: asyncio.Event) -> None:
        for due in dues:
            now = self._clock()
            while due.at > now and not stop.is_set():
                # Short naps, so that a stop does not wait for the next call of a quiet night.
                await asyncio.sleep(min(max((due.at - now) / 1_000, SHORTEST_SLEEP_SECONDS), 0.25))
                now = self._clock()
            if stop.is_set():
                return
            self._stamp(due, now)
            if self.sent.scheduled % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    def _stamp(self, due: Due, now: int) -> None:
        due.envelope["received_at"] = now
        self.sent.scheduled += 1
        self.sent.behind_ms = max(self.sent.behind_ms, now - due.at)
        self.sent.types[due.envelope["event"]["type"]] += 1
        self._queue.append((due.at, due.session_id.encode(), orjson.dumps(due.envelope)))
        self._is_more.set()

    async def _pump(self) -> None:
        while True:
            await self._is_more.wait()
            self._is_more.clear()
            while self._queue:
                at, key, value = self._queue[0]
                try:
                    acknowledgement = await self._kafka.send(self._topic, value, key=key)
                except KafkaTimeoutError:
                    continue  # The buffer is still full: the broker is slow or away, and the envelope keeps its place.
                self._queue.popleft()
                acknowledgement.add_done_callback(partial(self._settled, at))

    def _refused(self, pump: asyncio.Task[None], stop: asyncio.Event) -> None:
        if not pump.cancelled() and (error := pump.exception()) is not None:
            self.sent.first_error = self.sent.first_error or type(error).__name__
            stop.set()

    def _settled(self, due_at: int, acknowledgement: asyncio.Future[object]) -> None:
        error = None if acknowledgement.cancelled() else acknowledgement.exception()
        if acknowledgement.cancelled() or error is not None:
            self.sent.failed += 1
            self.sent.first_error = self.sent.first_error or type(error).__name__
        else:
            self.sent.acknowledged += 1
            self.sent.slowest_ms = max(self.sent.slowest_ms, self._clock() - due_at)


async def start(kafka: AIOKafkaProducer, topic: str, within_seconds: float) -> int:
    """Start the producer and return the topic's partition count; stops it again when that fails.

    Raises:
        TopicMissingError: A broker answers, but has no such topic.
        aiokafka.errors.KafkaError: No broker answers, or it refuses.
        TimeoutError: No broker answers in time.
    """
    try:
        async with asyncio.timeout(within_seconds):
            await kafka.start()
        return await _partitions(kafka, topic)
    except BaseException:
        await close(kafka)
        raise


async def _partitions(kafka: AIOKafkaProducer, topic: str) -> int:
    try:
        async with asyncio.timeout(TOPIC_WITHIN_SECONDS):
            return len(await kafka.partitions_for(topic))
    except (TimeoutError, UnknownTopicOrPartitionError) as error:
        raise TopicMissingError(topic) from error


async def close(kafka: AIOKafkaProducer) -> None:
    """Stop the producer; one whose broker is gone is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN_SECONDS):
            await kafka.stop()
