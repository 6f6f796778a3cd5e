"""Committed offsets with their metadata, and the end of somebody else's transaction (KIP-447).

Private API of aiokafka: `AIOKafkaClient.coordinator_lookup`, `ready` and `send` (tests/engine/test_private_api.py).
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import NodeNotReadyError, for_code

from streams.engine.options import EngineOptions
from streams.engine.wire import NO_TAGS, OffsetFetchRequest

UNSTABLE_OFFSET_COMMIT = 88
NO_OFFSET = -1


class Committed(NamedTuple):
    """What the group has committed for a partition."""

    offset: int
    """Next offset to read, -1 when nothing was ever committed."""
    token: str
    """Metadata of the commit, see `Tokens`; empty when it was not an engine's."""

    @property
    def owner(self) -> str | None:
        """Transactional id of whoever committed last."""
        return self.token.partition(";")[0] or None


class Tokens:
    """Metadata of commits: `<transactional id>;<run>-<number>`, never the same twice.

    The id tells whose open transaction to end when this worker is dead. The rest tells whether the state in memory is
    that of the last commit: an offset alone does not, for time can pass in a partition that reads nothing.
    """

    def __init__(self, transactional_id: str):
        """Make tokens for commits with this transactional id."""
        self._head = f"{transactional_id};{secrets.token_hex(4)}"
        self._number = 0

    def next(self) -> str:
        """Return a new one."""
        self._number += 1
        return f"{self._head}-{self._number}"


async def committed(
    client: AIOKafkaClient, group: str, tps: Iterable[TopicPartition], *, stable: bool = True
) -> dict[TopicPartition, Committed]:
    """Return what the group has committed.

    With `stable`, partitions whose offsets hang on an undecided transaction are missing from the result; without it,
    they show what was committed before.

    Raises:
        aiokafka.errors.KafkaError: The coordinator did not answer or refused; `retriable` says whether to ask again.
    """
    topics = defaultdict(list)
    for tp in tps:
        topics[tp.topic].append(tp.partition)
    node = await client.coordinator_lookup(CoordinationType.GROUP, group)
    if not await client.ready(node, group=ConnectionGroup.COORDINATION):
        raise NodeNotReadyError(f"The coordinator of the group {group}, node {node}, cannot be reached.")
    request = OffsetFetchRequest(group, [(topic, numbers, NO_TAGS) for topic, numbers in topics.items()], stable)
    response = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    if response.error_code:
        raise for_code(response.error_code)()
    found = {}
    for topic, partitions, _ in response.topics:
        for number, offset, _, metadata, code, _ in partitions:
            if code == UNSTABLE_OFFSET_COMMIT:
                continue
            if code:
                raise for_code(code)()
            found[TopicPartition(topic, number)] = Committed(offset, metadata or "")
    return found


async def end_transaction_of(transactional_id: str, options: EngineOptions) -> None:
    """End what a dead or stuck worker left open, and fence it: InitProducerId with its id."""
    producer = AIOKafkaProducer(
        bootstrap_servers=options.brokers,
        transactional_id=transactional_id,
        transaction_timeout_ms=int(options.transaction_timeout_seconds * 1000),
        retry_backoff_ms=20,
        **options.security.arguments(),
    )
    try:
        await producer.start()
    finally:
        await producer.stop()
