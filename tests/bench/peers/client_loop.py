"""A bare loop on aiokafka: consume, decode the JSON, write one record for each envelope, all in transactions.

No state, no agents, nobody that fences it: what Python and the client cost before anything is made of an event.
"""

import asyncio
import sys
import time
from collections import defaultdict
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

INTERVAL_SECONDS = 0.1
"""Between the beginnings of two transactions, as the worker has it."""


async def main(bootstrap: str, group: str, source: str, sink: str) -> None:
    """Run until killed."""
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=1_048_576,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=group, max_batch_size=262_144, max_request_size=2_097_152
    )
    await consumer.start()
    await producer.start()
    while True:
        await _transaction(consumer, producer, group, sink)


async def _transaction(consumer: Any, producer: Any, group: str, sink: str) -> None:
    begun = time.monotonic()
    offsets: dict[TopicPartition, int] = {}
    rows: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    while time.monotonic() - begun < INTERVAL_SECONDS:
        for tp, records in (await consumer.getmany(timeout_ms=50, max_records=2_000)).items():
            offsets[tp] = records[-1].offset + 1
            for record in records:
                envelope = orjson.loads(record.value)
                rows[tp.partition].append((record.key, orjson.dumps(envelope["event"])))
    if not offsets:
        return
    async with producer.transaction():
        sent = []
        for partition, pairs in rows.items():
            batch = producer.create_batch()
            for key, value in pairs:
                if batch.append(timestamp=None, key=key, value=value) is None:
                    batch.close()
                    sent.append(await producer.send_batch(batch, sink, partition=partition))
                    batch = producer.create_batch()
                    batch.append(timestamp=None, key=key, value=value)
            batch.close()
            sent.append(await producer.send_batch(batch, sink, partition=partition))
        await asyncio.gather(*sent)
        await producer.send_offsets_to_transaction(offsets, group)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
