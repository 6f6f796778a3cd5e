"""Which partitions there are to be read, as Kafka tells it."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.security import Security


async def partitions(bootstrap: str, security: Security, names: Iterable[str]) -> dict[str, list[TopicPartition]]:
    """Return the partitions of those of the topics that are there.

    Raises:
        aiokafka.errors.KafkaError: The cluster does not answer.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security.arguments())
    await admin.start()
    try:
        there = sorted(set(await admin.list_topics()) & set(names))
        told = await admin.describe_topics(there) if there else []
    finally:
        await admin.close()
    found = {entry["topic"]: sorted(part["partition"] for part in entry["partitions"]) for entry in told}
    return {name: [TopicPartition(name, number) for number in numbers] for name, numbers in found.items() if numbers}
