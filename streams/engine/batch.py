"""A batch: what one fetch brought of one partition, as one Faust message and one Faust event."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import faust
from aiokafka import TopicPartition

from streams.engine.stage import InputRecord


class Batch:
    """Records of one partition in log order, and whether they have been dealt with."""

    __slots__ = ("done", "epoch", "records", "tp")

    def __init__(self, tp: TopicPartition, records: Sequence[InputRecord], epoch: int):
        """Hold records fetched in this epoch of the engine."""
        self.tp = tp
        self.records = records
        self.epoch = epoch
        self.done = asyncio.Event()


# The suppression below: Faust has no stubs that mypy may follow, so its classes are Any.
class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Hands the batch to the agent as it is: decoding is the stage's business, and its failures are values."""

    def compile(self, app: Any, **_: object) -> Callable[..., Awaitable[Any]]:
        """Return the function that turns a message into an event."""

        async def event(message: Any, **_: object) -> Any:
            return app.create_event(None, message.value, {}, message)

        return event

    async def decode(self, app: Any, message: Any, **_: object) -> Any:
        """Turn a message into an event."""
        return app.create_event(None, message.value, {}, message)
