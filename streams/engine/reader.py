"""Reads changelogs: where they end and what is in them. Public API of aiokafka only."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

from streams.consumer import KafkaConsumer
from streams.engine.options import EngineOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FETCH_BYTES = 8 * 1024**2
ROUND_RECORDS = 20_000
"""Records taken in one go: about 40 ms during which nothing else runs."""

Rows = dict[bytes, bytes]


class ChangelogReader:
    """Two consumers without a group: one sees what is decided, one all that is written."""

    def __init__(self, options: EngineOptions):
        """Connect with these options; nothing is done before `open`."""
        self._decided = _consumer(options, "read_committed")
        self._written = _consumer(options, "read_uncommitted")

    @classmethod
    @asynccontextmanager
    async def opened(cls, options: EngineOptions) -> "AsyncIterator[ChangelogReader]":
        """Give a connected reader, and disconnect it in the end."""
        reader = cls(options)
        try:
            await asyncio.gather(reader._decided.start(), reader._written.start())
            yield reader
        finally:
            await asyncio.shield(asyncio.gather(reader._decided.stop(), reader._written.stop()))

    async def undecided(self, tps: Iterable[TopicPartition]) -> set[TopicPartition]:
        """Return the partitions with an open transaction."""
        wanted = list(tps)
        decided = await self._decided.end_offsets(wanted)
        written = await self._written.end_offsets(wanted)
        return {tp for tp in wanted if decided[tp] < written[tp]}

    async def begins(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offsets."""
        found: dict[TopicPartition, int] = await self._decided.beginning_offsets(list(tps))
        return found

    async def rows(
        self, tps: Iterable[TopicPartition], progressed: Callable[[Mapping[TopicPartition, int]], None]
    ) -> dict[TopicPartition, Rows]:
        """Read partitions to the end they have now, and return the latest value of each key that is not deleted.

        `progressed` is told how many offsets are still ahead, by partition.
        """
        found: dict[TopicPartition, Rows] = {tp: {} for tp in tps}
        consumer = self._decided
        # NB: read_committed, so this is the last stable offset: the caller has seen to it that nothing is undecided.
        ends = await consumer.end_offsets(list(found))
        begins = await self.begins(found)
        ahead = {tp: ends[tp] - begins[tp] for tp in found if ends[tp] > begins[tp]}
        consumer.assign(list(ahead))
        for tp in ahead:
            consumer.seek(tp, begins[tp])
        while ahead:
            progressed(ahead)
            for tp, records in (await consumer.getmany(timeout_ms=200, max_records=ROUND_RECORDS)).items():
                _apply(found[tp], records)
            ahead = {tp: ends[tp] - position for tp in ahead if (position := await consumer.position(tp)) < ends[tp]}
            await asyncio.sleep(0)
        progressed(ahead)
        return found


def _apply(rows: Rows, records: Iterable[Any]) -> None:
    for record in records:
        value = record.value
        if value is None:
            rows.pop(record.key, None)
        else:
            rows[record.key] = value


def _consumer(options: EngineOptions, isolation: str) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=options.brokers,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=20,
        **options.security.arguments(),
    )
