"""Before the start: is Kafka there, is it new enough, do the topics fit?

Private API of aiokafka: `AIOKafkaClient.bootstrap`, `get_random_node`, `send` (tests/engine/test_private_api.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from streams.engine.errors import BrokerTooOldError, UnreachableError, WrongUseError
from streams.engine.journal import log, told
from streams.engine.options import EngineOptions
from streams.engine.stage import Stage
from streams.engine.wire import OFFSET_FETCH, TXN_OFFSET_COMMIT

RETRY_SECONDS = 2.0


async def preflight(options: EngineOptions, stages: Sequence[Stage]) -> None:
    """Wait for a broker and check what the engine needs of it.

    Raises:
        UnreachableError: No broker answered in `start_timeout_seconds`.
        BrokerTooOldError: The broker is older than Kafka 2.5.
        WrongUseError: A topic is missing, or partition counts differ.
    """
    client = await _connected(options)
    try:
        response = await client.send(client.get_random_node(), ApiVersionRequest())
        check_versions({key: newest for key, _, newest in response.api_versions})
        metadata = await client.fetch_all_metadata()
        check_topics(stages, {topic: len(metadata.partitions_for_topic(topic) or ()) for topic in metadata.topics()})
    finally:
        await client.close()


def check_versions(newest: Mapping[int, int]) -> None:
    """Check the newest versions of Kafka's requests that a broker knows, by API key.

    Raises:
        BrokerTooOldError: One of those that the engine needs is not among them.
    """
    for key, version in (TXN_OFFSET_COMMIT, OFFSET_FETCH):
        if newest.get(key, -1) < version:
            raise BrokerTooOldError(
                "This Kafka cannot fence transactions by consumer group (KIP-447): the worker needs Kafka 2.5 or newer."
            )


def check_topics(stages: Sequence[Stage], partitions: Mapping[str, int]) -> None:
    """Check the partition counts by topic: stages are assigned together and state lies beside its input.

    Raises:
        WrongUseError: A topic is missing, or the inputs and changelogs differ in their partition counts.
    """
    wanted = {topic for stage in stages for topic in (stage.input_topic, stage.changelog_topic, *stage.output_topics)}
    missing = sorted(wanted - {topic for topic, count in partitions.items() if count})
    if missing:
        raise WrongUseError(f"There is no topic {', '.join(missing)}: create it first.")
    counts = {topic: partitions[topic] for stage in stages for topic in (stage.input_topic, stage.changelog_topic)}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{topic} {count}" for topic, count in counts.items())
        raise WrongUseError(f"Input topics and changelogs need the same partition count, these differ: {listed}.")


async def _connected(options: EngineOptions) -> AIOKafkaClient:
    begun = monotonic()
    while True:
        client = AIOKafkaClient(bootstrap_servers=options.brokers, **options.security.arguments())
        try:
            await client.bootstrap()
        except KafkaError as error:
            await client.close()
            waited = monotonic() - begun
            if waited >= options.start_timeout_seconds:
                raise UnreachableError(
                    f"No Kafka broker answered at {options.brokers} for {options.start_timeout_seconds:g} seconds."
                ) from error
            log.warning(told("broker.awaited", brokers=options.brokers, waited_seconds=waited))
            await asyncio.sleep(min(RETRY_SECONDS, max(0.1, options.start_timeout_seconds - waited)))
        else:
            return client
