"""Write records to the topic of widget events, and tell when Kafka has them (CONTRACT 11).

Records of all requests that come in meanwhile share one batch per partition: while one batch is under way the next one
fills, so the busier the gateway the larger the batches. What was not confirmed is never told to be.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final, Protocol

from streams.gateway.budget import Budget
from streams.gateway.intake import Record
from streams.pipeline.partitioner import partition_of
from streams.telemetry.logs import event

RECORD_OVERHEAD: Final = 100
"""Bytes that a record costs here beside its value, about."""
log = logging.getLogger(__name__)
Headers = list[tuple[str, bytes]]
NO_HEADERS: Final[Headers] = []


class Producer(Protocol):
    """What is used of aiokafka's producer."""

    def create_batch(self) -> Any:
        """Return an empty batch."""

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Hand over a batch; the future is done when the brokers have confirmed it."""


class BufferFullError(Exception):
    """More is under way than may be."""


class NotWrittenError(Exception):
    """Kafka did not confirm in time, or refused: the records may or may not be written."""


class Delivery:
    """The records of one request, on their way in one or more batches."""

    __slots__ = ("confirmed", "open")

    def __init__(self, loop: asyncio.AbstractEventLoop):
        """Begin with nothing under way."""
        self.open = 0
        self.confirmed: asyncio.Future[None] = loop.create_future()

    def give_up(self) -> None:
        """Wait no longer."""
        if not self.confirmed.done():
            self.confirmed.set_exception(NotWrittenError("not in time"))

    def settle(self, error: BaseException | None) -> None:
        """Take the end of one batch; a request is confirmed when all its batches are."""
        self.open -= 1
        if self.confirmed.done():
            return
        if error is not None:
            self.confirmed.set_exception(NotWrittenError(type(error).__name__))
        elif not self.open:
            self.confirmed.set_result(None)


class Batch:
    """Records of one partition that are written together."""

    __slots__ = ("begun_at", "builder", "deliveries", "size")

    def __init__(self, builder: Any):
        """Fill aiokafka's batch."""
        self.builder = builder
        self.deliveries: set[Delivery] = set()
        self.size = 0
        self.begun_at = monotonic()

    def append(self, record: Record, headers: Headers, delivery: Delivery) -> bool:
        """Add a record of a request; False when the batch is full."""
        key = None if record.key is None else record.key.encode()
        if self.builder.append(timestamp=None, key=key, value=record.value, headers=headers) is None:
            return False
        self.size += len(record.value) + RECORD_OVERHEAD
        if delivery not in self.deliveries:
            self.deliveries.add(delivery)
            delivery.open += 1
        return True


class Lane:
    """One partition: the batches that wait, oldest first, and the one under way."""

    __slots__ = ("partition", "under_way", "waiting")

    def __init__(self, partition: int):
        """Begin empty."""
        self.partition = partition
        self.waiting: deque[Batch] = deque()
        self.under_way: Batch | None = None

    @property
    def oldest(self) -> Batch | None:
        """The batch that has been unconfirmed longest."""
        return self.under_way or (self.waiting[0] if self.waiting else None)


class Publisher:
    """Writes to one topic through one producer, from `open` until it is closed or has failed."""

    def __init__(self, producer: Producer, topic: str, partitions: int, budget: Budget):
        """Write to a topic with so many partitions; unconfirmed bytes are taken from the budget."""
        self._producer, self._topic, self._budget = producer, topic, budget
        self._lanes = [Lane(number) for number in range(partitions)]
        self._ready: deque[Lane] = deque()
        self._is_more = asyncio.Event()
        self._keyless = 0
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[str] = self._loop.create_future()
        """Done when a batch failed, with the error's name: this producer is not to be used any more."""
        self._task = asyncio.create_task(self._send_all())
        self._task.add_done_callback(self._ended)

    def put(self, records: Sequence[Record], headers: Headers = NO_HEADERS) -> asyncio.Future[None]:
        """Take the records of one request.

        Returns:
            A future that is done when Kafka has all of them; NotWrittenError when that is not known.

        Raises:
            BufferFullError: They do not fit; none was taken.
            NotWrittenError: This producer has failed; none was taken.
        """
        if self.failed.done():
            raise NotWrittenError(self.failed.result())
        if not self._budget.take(sum([len(record.value) + RECORD_OVERHEAD for record in records])):
            raise BufferFullError
        delivery = Delivery(self._loop)
        for record in records:
            self._append(self._lane_of(record.key), record, headers, delivery)
        return delivery.confirmed

    def age(self, now: float) -> float:
        """Return for how many seconds the oldest record has been unconfirmed; now is of the monotonic clock."""
        begun = [oldest.begun_at for lane in self._lanes if (oldest := lane.oldest) is not None]
        return now - min(begun) if begun else 0.0

    def expire(self, before: float) -> None:
        """Tell the requests whose records were taken before an instant that they are not confirmed.

        Their records stay on their way: they may be written all the same.
        """
        for lane in self._lanes:
            for batch in (lane.under_way, *lane.waiting):
                if batch is not None and batch.begun_at < before:
                    for delivery in batch.deliveries:
                        delivery.give_up()

    async def close(self) -> None:
        """Take nothing more, and fail what is not confirmed."""
        self._fail("closed")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _lane_of(self, key: str | None) -> Lane:
        if key is None:
            self._keyless += 1
            return self._lanes[self._keyless % len(self._lanes)]
        return self._lanes[partition_of(key, len(self._lanes))]

    def _append(self, lane: Lane, record: Record, headers: Headers, delivery: Delivery) -> None:
        if not lane.waiting or not lane.waiting[-1].append(record, headers, delivery):
            # An empty batch takes any record.
            lane.waiting.append(Batch(self._producer.create_batch()))
            lane.waiting[-1].append(record, headers, delivery)
            if lane.under_way is None and len(lane.waiting) == 1:
                self._ready.append(lane)
                self._is_more.set()

    async def _send_all(self) -> None:
        while True:
            await self._is_more.wait()
            self._is_more.clear()
            while self._ready:
                lane = self._ready.popleft()
                batch = lane.under_way = lane.waiting.popleft()
                batch.builder.close()
                sent = await self._producer.send_batch(batch.builder, self._topic, partition=lane.partition)
                sent.add_done_callback(self._settler(lane, batch))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Whatever ended the sending, nothing is confirmed any more."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(type(error).__name__)

    def _settler(self, lane: Lane, batch: Batch) -> Callable[[asyncio.Future[Any]], None]:
        def settled(sent: asyncio.Future[Any]) -> None:
            error = asyncio.CancelledError() if sent.cancelled() else sent.exception()
            if error is not None:
                self._fail(type(error).__name__)
                return
            if lane.under_way is batch:
                lane.under_way = None
                self._settle(batch, None)
                if lane.waiting:
                    self._ready.append(lane)
                    self._is_more.set()

        return settled

    def _settle(self, batch: Batch, error: BaseException | None) -> None:
        self._budget.give(batch.size)
        for delivery in batch.deliveries:
            delivery.settle(error)

    def _fail(self, why: str) -> None:
        """Give up all that is not confirmed: after one failed batch the producer's sequence has a hole."""
        if self.failed.done():
            return
        self.failed.set_result(why)
        unconfirmed = [batch for lane in self._lanes for batch in (lane.under_way, *lane.waiting) if batch is not None]
        log.warning(event("publisher.failed", reason=why, batches=len(unconfirmed)))
        for lane in self._lanes:
            lane.under_way = None
            lane.waiting.clear()
        error = NotWrittenError(why)
        for batch in unconfirmed:
            self._settle(batch, error)
