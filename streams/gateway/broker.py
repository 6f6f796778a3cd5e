"""The connection to Kafka: made again until it stands, watched, and replaced when it has failed.

A gateway without Kafka goes on: it answers 503 and says so at /readyz, until Kafka is back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from streams.gateway.budget import Budget
from streams.gateway.intake import Record
from streams.gateway.publisher import NO_HEADERS, Headers, NotWrittenError, Publisher
from streams.security import PLAIN_TEXT, Security
from streams.telemetry.logs import event

BATCH_BYTES: Final = 512 * 1024
RETRY_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 1.0
EXPIRY_SECONDS: Final = 0.25
ANSWER_SECONDS: Final = 5.0
"""A broker that does not answer for so long is taken for gone."""
log = logging.getLogger(__name__)


class TopicMissingError(Exception):
    """The brokers have no topic of this name; the text says what to do."""


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """Where to write, and how long to wait."""

    bootstrap: str
    topic: str
    ack_seconds: float
    """Longest that a request waits for Kafka."""
    security: Security = PLAIN_TEXT
    """Login and encryption."""
    stall_seconds: float = 5.0
    """When a record is unconfirmed for so long, new ones are refused at once."""


class Broker:
    """The one topic of one cluster, writable or not."""

    def __init__(self, options: BrokerOptions, budget: Budget):
        """Connect when `run` runs."""
        self._options, self._budget = options, budget
        self._publisher: Publisher | None = None
        self._answers = False
        self.connected = asyncio.Event()
        """Set once the first connection stands."""

    async def run(self) -> None:
        """Connect, and connect again whenever it is needed, until cancelled.

        Raises:
            TopicMissingError: A broker answers and has no such topic, at the first connection.
        """
        while True:
            producer = await self._connected()
            partitions = len(await producer.partitions_for(self._options.topic))
            publisher = self._publisher = Publisher(producer, self._options.topic, partitions, self._budget)
            self._answers = True
            self.connected.set()
            log.info(event("broker.connected", partitions=partitions))
            try:
                await self._watch(producer, publisher)
            finally:
                self._publisher, self._answers = None, False
                await publisher.close()
                await _close(producer)

    async def write(self, records: Sequence[Record], headers: Headers = NO_HEADERS) -> None:
        """Return when Kafka has the records.

        Raises:
            BufferFullError: They do not fit; nothing was taken.
            NotWrittenError: There is no connection, or Kafka did not confirm in time.
        """
        publisher = self._publisher
        if publisher is None or publisher.age(monotonic()) > self._options.stall_seconds:
            raise NotWrittenError("no broker confirms")
        await publisher.put(records, headers)

    async def flush(self, within_seconds: float) -> None:
        """Wait until nothing is unconfirmed, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while self._publisher is not None and self._publisher.age(monotonic()):
                    await asyncio.sleep(0.01)

    def problem(self) -> str | None:
        """Say why nothing can be written now; None when all is well."""
        publisher = self._publisher
        if publisher is None:
            return "There is no connection to Kafka."
        if publisher.age(monotonic()) > self._options.stall_seconds:
            return "Kafka does not confirm what is written."
        return None if self._answers else "Kafka does not answer, or a partition has no leader."

    async def _connected(self) -> AIOKafkaProducer:
        told = False
        while True:
            producer = self._producer()
            try:
                async with asyncio.timeout(2 * ANSWER_SECONDS):
                    await producer.start()
                await self._check_topic(producer)
            except (KafkaError, OSError, TimeoutError) as error:
                await _close(producer)
                if not told:
                    log.warning(event("broker.awaited", reason=type(error).__name__))
                told = True
                await asyncio.sleep(RETRY_SECONDS)
            except BaseException:
                await _close(producer)
                raise
            else:
                return producer

    async def _check_topic(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await producer.partitions_for(self._options.topic)
        except (UnknownTopicOrPartitionError, TimeoutError) as error:
            if self.connected.is_set():
                raise TimeoutError from error  # It was there: brokers that come up may not know it yet.
            raise TopicMissingError(
                f"There is no topic {self._options.topic}: create the topics with `widget-streams topics apply`."
            ) from error

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._options.bootstrap,
            client_id="widget-streams-gateway",
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=round(ANSWER_SECONDS * 1000),
            retry_backoff_ms=50,
            **self._options.security.arguments(),
        )

    async def _watch(self, producer: AIOKafkaProducer, publisher: Publisher) -> None:
        """Return when the producer has failed; until then ask now and then whether the brokers are there."""
        expiry = asyncio.create_task(self._expire(publisher))
        try:
            while not publisher.failed.done():
                self._tell(await self._is_led(producer))
                await asyncio.wait([publisher.failed], timeout=PROBE_SECONDS)
        finally:
            expiry.cancel()

    async def _expire(self, publisher: Publisher) -> None:
        """Bound the wait of requests: one timer for all of them."""
        while True:
            await asyncio.sleep(EXPIRY_SECONDS)
            publisher.expire(monotonic() - self._options.ack_seconds)

    async def _is_led(self, producer: AIOKafkaProducer) -> bool:
        try:
            asked = producer.client.force_metadata_update()
            if not await asyncio.wait_for(asyncio.shield(asked), ANSWER_SECONDS):
                return False
        except (KafkaError, TimeoutError):
            return False
        topic, cluster = self._options.topic, producer.client.cluster
        leaders = [
            cluster.leader_for_partition(TopicPartition(topic, number))
            for number in cluster.partitions_for_topic(topic) or ()
        ]
        return bool(leaders) and all(leader is not None and leader >= 0 for leader in leaders)

    def _tell(self, answers: bool) -> None:
        if answers != self._answers:
            log.log(logging.INFO if answers else logging.WARNING, event("broker.answered", answers=answers))
        self._answers = answers


async def _close(producer: AIOKafkaProducer) -> None:
    """End a producer; one whose broker is gone is not waited for."""
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        await asyncio.wait_for(producer.stop(), ANSWER_SECONDS)
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        await asyncio.wait_for(producer.client.close(), ANSWER_SECONDS)
