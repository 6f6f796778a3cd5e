"""Put envelopes on the topic when they are due, stamped with their arrival as a gateway would have stamped them."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from streams.security import PLAIN_TEXT, Security
from streams.simulate.envelopes import Due
from streams.simulate.open_loop import OpenLoop

CLOSE_WITHIN_SECONDS: Final = 5.0
TOPIC_WITHIN_SECONDS: Final = 5.0


class TopicMissingError(Exception):
    """The brokers have no topic of this name."""


def producer(bootstrap_servers: str, security: Security = PLAIN_TEXT) -> AIOKafkaProducer:
    """Return an idempotent producer that waits for all replicas; it has not started yet."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        client_id="widget-streams-simulate",
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=1_048_576,
        **security.arguments(),
    )


class Sender(OpenLoop):
    """Sends the envelopes of one run to a topic."""

    def __init__(self, kafka: AIOKafkaProducer, topic: str, clock: Callable[[], int]):
        """Send to a topic through a started producer; the clock gives ms since the epoch."""
        super().__init__(clock)
        self._kafka, self._topic = kafka, topic
        self._queue: deque[tuple[int, bytes, bytes]] = deque()
        self._is_more = asyncio.Event()

    def _hand_over(self, due: Due) -> None:
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

    def _settled(self, due_at: int, acknowledgement: asyncio.Future[object]) -> None:
        error = None if acknowledgement.cancelled() else acknowledgement.exception()
        if acknowledgement.cancelled() or error is not None:
            self._fail(type(error).__name__)
        else:
            self._acknowledge(due_at)


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
