"""A consumer that is stopped while its broker is away."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from streams.consumer import KafkaConsumer
from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace

pytestmark = pytest.mark.broker


class Failures(logging.Handler):
    """Counts the fetches that failed, by what aiokafka says of them."""

    def __init__(self) -> None:
        """Count from zero; the loop must run that the consumers run in."""
        super().__init__()
        self.told: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        if (text := record.getMessage()).startswith("Failed fetch messages"):
            self.told.put_nowait(text)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafka]:
    """Give a broker of these tests alone, which may be killed."""
    with EmbeddedKafka() as kafka:
        yield kafka


@pytest.fixture(scope="module")
def topic(broker: EmbeddedKafka) -> str:
    """Give a topic with one record."""
    topic = Namespace("consumer.", AdminClient({"bootstrap.servers": broker.bootstrap})).topic("one")
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic, b"value", partition=0)
    assert producer.flush(20) == 0
    return topic


async def reading(consumer: AIOKafkaConsumer, topic: str) -> None:
    """Let a consumer read the topic's record; from then on it waits for another."""
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.seek_to_beginning()
    # NB: not `getone`, which keeps the end of what was fetched in mind and fetches nothing before it is asked again.
    batches = await consumer.getmany(timeout_ms=20_000)
    assert [record.value for batch in batches.values() for record in batch] == [b"value"]


async def stopped_by_another(broker: EmbeddedKafka, topic: str) -> None:
    """Cancel a task that stops a consumer."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    await reading(consumer, topic)
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    await stopping


async def outlived(broker: EmbeddedKafka, topic: str) -> None:
    """Stop a consumer of aiokafka and one of ours whose fetches have failed and wait to be tried again."""
    failures = Failures()
    logging.getLogger("aiokafka.consumer.fetcher").addHandler(failures)
    made = [
        kind(bootstrap_servers=broker.bootstrap, retry_backoff_ms=60_000) for kind in (AIOKafkaConsumer, KafkaConsumer)
    ]
    for consumer in made:
        await reading(consumer, topic)
    broker.kill()
    for _ in made:
        await asyncio.wait_for(failures.told.get(), 20)
    theirs, ours = made
    with pytest.raises(asyncio.CancelledError):
        await theirs.stop()
    assert theirs._client._sync_task is not None, "aiokafka now closes the client: the class is not needed any more"
    await theirs._client.close()
    await ours.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something of a consumer is left"


def test_a_task_that_is_cancelled_while_it_stops_a_consumer_ends(broker: EmbeddedKafka, topic: str) -> None:
    """Only cancellations that come from within are kept from it."""
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped_by_another(broker, topic))


def test_a_consumer_stops_while_its_broker_is_away(broker: EmbeddedKafka, topic: str) -> None:
    """Whoever stops it goes on, and nothing of it is left; aiokafka's own consumer fails in both."""
    asyncio.run(outlived(broker, topic))
