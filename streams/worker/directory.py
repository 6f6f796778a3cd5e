"""Read the directory from its topic: whole before the first event, then followed live (DECISIONS 47, ENGINE 2.13)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.consumer import KafkaConsumer
from streams.contracts.directory import Directory, take_record
from streams.contracts.directory_rows import DirectoryError
from streams.pipeline.records import InputRecord
from streams.security import PLAIN_TEXT, Security
from streams.telemetry.logs import event

log = logging.getLogger(__name__)
POLL_MS = 500
RETRY_SECONDS = 2.0
Offsets = dict[TopicPartition, int]


class DirectoryReader:
    """Keeps a directory up to the topic; a row that cannot be used is logged by its place and left out."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: int, directory: Directory, security: Security = PLAIN_TEXT
    ):
        """Read the topic, which has so many partitions, from these brokers into the directory."""
        self._bootstrap, self._security = bootstrap, security
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._directory = directory
        self._offsets: Offsets = {}

    async def read_whole(self) -> int:
        """Read every partition to where it ends now; return how many rows the directory has.

        Raises:
            KafkaError: The brokers do not answer.
        """
        consumer = self._consumer()
        await consumer.start()
        try:
            ends = await consumer.end_offsets(self._places)
            consumer.assign(self._places)
            await consumer.seek_to_beginning(*self._places)
            self._offsets = dict.fromkeys(self._places, 0)
            while any(offset < ends[place] for place, offset in self._offsets.items()):
                self._take(await consumer.getmany(timeout_ms=POLL_MS))
                self._offsets = {place: await consumer.position(place) for place in self._places}
        finally:
            await consumer.stop()
        log.info(event("directory.read", rows=len(self._directory)))
        return len(self._directory)

    async def follow(self) -> None:
        """Take new rows until cancelled; a lost connection is tried again."""
        while True:
            try:
                await self._follow()
            except KafkaError as error:
                log.warning(event("directory.unreachable", error=type(error).__name__))
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        consumer = self._consumer()
        await consumer.start()
        try:
            consumer.assign(list(self._offsets))
            for place, offset in self._offsets.items():
                consumer.seek(place, offset)
            while True:
                self._take(await consumer.getmany(timeout_ms=POLL_MS))
                self._offsets = {place: await consumer.position(place) for place in self._offsets}
        finally:
            await consumer.stop()

    def _consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self._security.arguments(),
        )

    def _take(self, batches: Mapping[Any, Sequence[InputRecord]]) -> None:
        for place, batch in batches.items():
            for record in batch:
                try:
                    take_record(self._directory, record.key, record.value)
                except DirectoryError as error:
                    where = {"partition": place.partition, "offset": record.offset}
                    log.warning(event("directory.row_refused", **where, why=str(error)))
