"""The publisher: confirmed means confirmed by all batches, in order, within the budget."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import pytest

from streams.gateway.budget import Budget
from streams.gateway.intake import Record
from streams.gateway.publisher import RECORD_OVERHEAD, BufferFullError, NotWrittenError, Publisher
from streams.pipeline.partitioner import partition_of

PARTITIONS = 4


class Builder:
    """Stands in for aiokafka's batch: takes three records."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, value: bytes, **_: Any) -> object:
        if len(self.values) == 3:
            return None
        self.values.append(value)
        return True

    def close(self) -> None:
        """Take no more."""


class Kafka:
    """Stands in for aiokafka's producer: batches are confirmed when the test says so."""

    def __init__(self, broken: bool = False) -> None:
        self.sent: list[tuple[int, list[bytes], asyncio.Future[object]]] = []
        self._broken = broken

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> asyncio.Future[object]:
        if self._broken:
            raise AssertionError("Unrecognized partition")
        assert topic == "t"
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, list(batch.values), future))
        return future

    async def confirm(self, place: int) -> None:
        """Confirm a batch that was sent, and let what waits for it go on."""
        self.sent[place][2].set_result(None)
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def a_key(partition: int) -> str:
    return next(str(number) for number in range(100) if partition_of(str(number), PARTITIONS) == partition)


def records(*values: str, partition: int = 0) -> list[Record]:
    return [Record(a_key(partition), value.encode()) for value in values]


def run(
    test: Callable[[Publisher, Kafka, Budget], Awaitable[None]], *, limit: int = 10_000, broken: bool = False
) -> None:
    async def main() -> None:
        kafka, budget = Kafka(broken), Budget(limit)
        publisher = Publisher(kafka, "t", PARTITIONS, budget)
        await test(publisher, kafka, budget)
        await publisher.close()
        assert budget.used == 0, "everything lent is given back"

    asyncio.run(main())


def test_a_request_is_confirmed_when_all_its_batches_are() -> None:
    """Records of two partitions are in two batches."""

    async def test(publisher: Publisher, kafka: Kafka, budget: Budget) -> None:
        confirmed = publisher.put(records("a") + records("b", partition=1))
        await settle()
        assert budget.used == 2 * (1 + RECORD_OVERHEAD)
        await kafka.confirm(0)
        assert not confirmed.done()
        await kafka.confirm(1)
        assert confirmed.result() is None

    run(test)


def test_requests_share_the_batch_that_fills_meanwhile_in_their_order() -> None:
    """While one batch is under way, one more fills; full ones follow."""

    async def test(publisher: Publisher, kafka: Kafka, _: Budget) -> None:
        first = publisher.put(records("a"))
        await settle()
        second, third = publisher.put(records("b", "c")), publisher.put(records("d", "e", "f"))
        await settle()
        assert [values for _, values, _ in kafka.sent] == [[b"a"]]
        await kafka.confirm(0)
        await kafka.confirm(1)
        assert [values for _, values, _ in kafka.sent] == [[b"a"], [b"b", b"c", b"d"], [b"e", b"f"]]
        assert (first.done(), second.done(), third.done()) == (True, True, False)
        await kafka.confirm(2)
        assert third.done()

    run(test)


def test_what_does_not_fit_is_refused_whole() -> None:
    """Nothing of it is sent."""

    async def test(publisher: Publisher, kafka: Kafka, _: Budget) -> None:
        confirmed = publisher.put(records("a"))
        with pytest.raises(BufferFullError):
            publisher.put(records("b", "c"))
        await settle()
        await kafka.confirm(0)
        assert confirmed.done()
        assert [values for _, values, _ in kafka.sent] == [[b"a"]]

    run(test, limit=3 * RECORD_OVERHEAD)


def test_one_failed_batch_fails_all_that_is_unconfirmed() -> None:
    """The producer's sequence has a hole then: what comes later could not be trusted."""

    async def test(publisher: Publisher, kafka: Kafka, _: Budget) -> None:
        taken = [publisher.put(records("a")), publisher.put(records("b", partition=1))]
        await settle()
        taken.append(publisher.put(records("c")))
        kafka.sent[0][2].set_exception(ConnectionError("secret text"))
        await settle()
        for confirmed in taken:
            with pytest.raises(NotWrittenError):
                await confirmed
        assert publisher.failed.result() == "ConnectionError"
        with pytest.raises(NotWrittenError):
            publisher.put(records("d"))
        kafka.sent[1][2].set_result(None)
        await settle()

    run(test)


def test_a_producer_that_breaks_is_noticed() -> None:
    """Whatever it raises."""

    async def test(publisher: Publisher, _: Kafka, __: Budget) -> None:
        confirmed = publisher.put(records("a"))
        await settle()
        with pytest.raises(NotWrittenError):
            await confirmed
        assert publisher.failed.result() == "AssertionError"

    run(test, broken=True)


def test_who_waited_too_long_is_told_and_what_is_late_is_settled() -> None:
    """The request is over; its records may still be written."""

    async def test(publisher: Publisher, kafka: Kafka, budget: Budget) -> None:
        confirmed = publisher.put(records("a"))
        await settle()
        publisher.expire(monotonic() - 60)
        assert not confirmed.done()
        assert 0 < publisher.age(monotonic() + 5) - 5 < 1
        publisher.expire(monotonic())
        with pytest.raises(NotWrittenError):
            await confirmed
        assert budget.used, "the record is still on its way"
        await kafka.confirm(0)
        assert publisher.age(monotonic()) == 0

    run(test)


def test_records_without_a_key_go_round() -> None:
    """They are spread over the partitions."""

    async def test(publisher: Publisher, kafka: Kafka, _: Budget) -> None:
        publisher.put([Record(None, b"x")] * PARTITIONS)
        await settle()
        assert sorted(partition for partition, _, _ in kafka.sent) == list(range(PARTITIONS))

    run(test)
