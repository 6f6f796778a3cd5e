"""Open loop: the schedule does not wait for Kafka."""

import asyncio
import time
from typing import Any

import orjson
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from streams.simulate.envelopes import Due
from streams.simulate.open_loop import Sent
from streams.simulate.send import Sender


class Kafka:
    """Stands in for aiokafka's producer: takes each record after a delay, or fails."""

    def __init__(self, delay_seconds: float = 0.0, failures: list[Exception] | None = None):
        self.taken: list[dict[str, Any]] = []
        self._delay, self._failures = delay_seconds, failures or []

    async def send(self, topic: str, value: bytes, *, key: bytes) -> asyncio.Future[None]:
        await asyncio.sleep(self._delay)
        if self._failures:
            raise self._failures.pop()
        self.taken.append({"topic": topic, "key": key, **orjson.loads(value)})
        acknowledgement = asyncio.get_running_loop().create_future()
        acknowledgement.set_result(None)
        return acknowledgement


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def dues(count: int, every_ms: int) -> list[Due]:
    first = now_ms() + 20
    return [
        Due(first + number * every_ms, "s", {"number": number, "event": {"type": "rc-call-ring-notify"}})
        for number in range(count)
    ]


def send(kafka: Kafka, planned: list[Due], flush_within_seconds: float = 5) -> Sent:
    async def run() -> Sent:
        sender = Sender(kafka, "t", now_ms)
        await sender.run(planned, asyncio.Event(), flush_within_seconds=flush_within_seconds)
        return sender.sent

    return asyncio.run(run())


def test_a_slow_broker_does_not_slow_the_schedule() -> None:
    """All fall due in their time and are stamped with it, although Kafka takes three times as long."""
    kafka, planned = Kafka(delay_seconds=0.03), dues(50, every_ms=10)
    sent = send(kafka, planned)
    assert sent.acknowledged == sent.scheduled == 50
    assert 0.45 < sent.seconds < 0.9
    assert sent.slowest_ms > 500
    assert [taken["number"] for taken in kafka.taken] == list(range(50))
    assert all(0 <= taken["received_at"] - due.at < 200 for taken, due in zip(kafka.taken, planned, strict=True))


def test_nothing_is_sent_before_it_is_due() -> None:
    """With a quick Kafka each is taken at its time."""
    kafka, planned = Kafka(), dues(20, every_ms=10)
    sent = send(kafka, planned)
    assert sent.seconds >= 0.19
    assert all(taken["received_at"] >= due.at for taken, due in zip(kafka.taken, planned, strict=True))


def test_a_full_buffer_is_tried_again() -> None:
    """The envelope keeps its place."""
    kafka = Kafka(failures=[KafkaTimeoutError(), KafkaTimeoutError()])
    assert send(kafka, dues(5, every_ms=1)).acknowledged == 5
    assert [taken["number"] for taken in kafka.taken] == list(range(5))


def test_a_producer_that_refuses_ends_the_run() -> None:
    """What was not taken is counted as waiting, with the error's name."""
    sent = send(Kafka(failures=[MessageSizeTooLargeError()]), dues(500, every_ms=10))
    assert (sent.acknowledged, sent.first_error) == (0, "MessageSizeTooLargeError")
    assert sent.waiting == sent.scheduled < 100


def test_what_is_never_taken_is_left_after_a_while() -> None:
    """The wait for acknowledgements has an end."""
    began = time.monotonic()
    sent = send(Kafka(delay_seconds=60), dues(3, every_ms=1), flush_within_seconds=0.3)
    assert sent.waiting == 3
    assert time.monotonic() - began < 5


def test_the_stand_in_is_slow_when_told() -> None:
    """Without the schedule's queue the same Kafka would have taken longer than the schedule."""

    async def one_after_another() -> float:
        began = time.monotonic()
        kafka = Kafka(delay_seconds=0.03)
        for due in dues(20, every_ms=10):
            await kafka.send("t", orjson.dumps(due.envelope), key=b"s")
        return time.monotonic() - began

    assert asyncio.run(one_after_another()) > 0.55
