"""The schedule of envelopes: open loop, however slow whoever takes them is.

The schedule never waits. What is not taken at once waits here in memory; so a slow broker or gateway shows as latency,
not as less load.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from streams.simulate.envelopes import Due

SHORTEST_SLEEP_SECONDS: Final = 0.002
YIELD_EVERY: Final = 50
"""The schedule lets the sending run at least after so many envelopes."""


@dataclass(slots=True)
class Sent:
    """How far the sending is."""

    scheduled: int = 0
    """Envelopes that fell due."""
    acknowledged: int = 0
    failed: int = 0
    """Given up: refused for good, or by the producer after its own tries."""
    types: Counter[str] = field(default_factory=Counter)
    """Envelopes by the type of their widget event."""
    behind_ms: int = 0
    """Most that an envelope fell due too late because this process was too slow."""
    slowest_ms: int = 0
    """Longest from an envelope's due time to its acknowledgement."""
    seconds: float = 0.0
    """From the first due time to the last."""
    first_error: str | None = None
    """Name of the first failure."""

    @property
    def waiting(self) -> int:
        """How many envelopes are due and not yet in Kafka."""
        return self.scheduled - self.acknowledged - self.failed


class OpenLoop(ABC):
    """Hands the envelopes of one run over when they are due."""

    def __init__(self, clock: Callable[[], int]):
        """Begin; the clock gives ms since the epoch."""
        self.sent = Sent()
        self._clock = clock

    async def run(self, dues: Iterable[Due], stop: asyncio.Event, *, flush_within_seconds: float) -> None:
        """Send each envelope at its time until there are no more or `stop` is set; then wait for what is under way.

        What was not acknowledged in time is left: `sent.waiting` tells how much that is.
        """
        pump = asyncio.create_task(self._pump())
        # Who refuses for good ends the run; who is only slow does not.
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

    @abstractmethod
    async def _pump(self) -> None:
        """Send what was handed over, for ever; an exception ends the run."""

    @abstractmethod
    def _hand_over(self, due: Due) -> None:
        """Take an envelope that is due; never waits."""

    def _acknowledge(self, due_at: int) -> None:
        self.sent.acknowledged += 1
        self.sent.slowest_ms = max(self.sent.slowest_ms, self._clock() - due_at)

    def _fail(self, name: str) -> None:
        self.sent.failed += 1
        self.sent.first_error = self.sent.first_error or name

    async def _schedule(self, dues: Iterable[Due], stop: asyncio.Event) -> None:
        for due in dues:
            now = self._clock()
            while due.at > now and not stop.is_set():
                # Short naps, so that a stop does not wait for the next call of a quiet night.
                await asyncio.sleep(min(max((due.at - now) / 1_000, SHORTEST_SLEEP_SECONDS), 0.25))
                now = self._clock()
            if stop.is_set():
                return
            self._count(due, now)
            self._hand_over(due)
            if self.sent.scheduled % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    def _count(self, due: Due, now: int) -> None:
        due.envelope["received_at"] = now
        self.sent.scheduled += 1
        self.sent.behind_ms = max(self.sent.behind_ms, now - due.at)
        self.sent.types[due.envelope["event"]["type"]] += 1

    def _refused(self, pump: asyncio.Task[None], stop: asyncio.Event) -> None:
        if not pump.cancelled() and (error := pump.exception()) is not None:
            self.sent.first_error = self.sent.first_error or type(error).__name__
            stop.set()
