"""Read whole partitions of a topic, `read_committed`, from the beginning to where they end now."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.consumer import KafkaConsumer
from streams.pipeline.records import Read
from streams.security import PLAIN_TEXT, Security

FETCH_BYTES = 8 * 1024 * 1024
FETCH_WAIT_MS = 20
"""A fetch that waits at the end of one partition holds up the first fetch of the next: both use one connection."""


class Reader:
    """Reads partitions one after the other with one consumer of no group."""

    def __init__(self, bootstrap: str, security: Security = PLAIN_TEXT):
        """Read from these brokers."""
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=4 * FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            **security.arguments(),
        )

    async def __aenter__(self) -> "Reader":
        """Connect."""
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def partition(self, topic: str, partition: int) -> list[Read]:
        """Return every committed record that the partition holds now, in log order."""
        place = TopicPartition(topic, partition)
        end = (await self._consumer.end_offsets([place]))[place]
        self._consumer.assign([place])
        await self._consumer.seek_to_beginning(place)
        records: list[Read] = []
        while await self._consumer.position(place) < end:
            for batch in (await self._consumer.getmany(timeout_ms=500)).values():
                records += [
                    Read(item.partition, item.offset, item.timestamp, item.key, item.value, item.headers)
                    for item in batch
                ]
        return records

    async def end(self, topic: str, partition: int) -> int:
        """Return where the committed records of the partition end now."""
        place = TopicPartition(topic, partition)
        return int((await self._consumer.end_offsets([place]))[place])

    async def beginning(self, topic: str, partition: int) -> int:
        """Return the first offset that the partition still holds."""
        place = TopicPartition(topic, partition)
        return int((await self._consumer.beginning_offsets([place]))[place])


async def committed_offsets(
    admin: AIOKafkaAdminClient, group: str, topics: Iterable[str]
) -> dict[tuple[str, int], int]:
    """Return what the group has committed: (topic, partition) → next offset."""
    wanted = frozenset(topics)
    offsets = await admin.list_consumer_group_offsets(group)
    return {
        (place.topic, place.partition): entry.offset
        for place, entry in offsets.items()
        if place.topic in wanted and entry.offset >= 0
    }
