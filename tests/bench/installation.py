"""Topics of an installation on the bench's broker, what is put into them and how far a group is."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.contracts.catalog import Naming
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.local.ports import free_ports
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.worker.topics import create_missing, plan
from tests.bench.builds import PLAIN, Build
from tests.bench.processes import Program
from tests.bench.traffic import Sent

PARTITIONS = 12
GROUP = "widget-streams"
FINDING = {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE}
Place = tuple[str, int]


class Installation:
    """All topics under a prefix of their own, so that every run begins with nothing."""

    def __init__(self, bootstrap: str, name: str, *, replay: bool):
        """Create the topics.

        Args:
            bootstrap: The broker.
            name: Begins the topics' names.
            replay: Records keep the time stamps they are written with, so that recorded time passes as it did;
                otherwise the topic of widget events stamps them with the broker's clock.
        """
        self.bootstrap = bootstrap
        self.group = f"{name}-{GROUP}"
        self.naming = Naming(prefix=f"{name}.", group=self.group)
        self.plan = Plan(TokenKey(DEVELOPMENT_KEY), naming=self.naming, partitions=PARTITIONS)
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.port = free_ports(1)[0]
        """Of the worker's pages."""
        if replay:
            self.create(self.plan.events, {"message.timestamp.type": "CreateTime"})
        asyncio.run(self._create_rest())

    def create(self, topic: str, config: Mapping[str, str] | None = None) -> str:
        """Create one topic and return its name."""
        new = NewTopic(topic, PARTITIONS, 1, config=dict(config or {}))
        self.admin.create_topics([new])[topic].result(30)
        return topic

    async def _create_rest(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await create_missing(admin, plan(self.naming, partitions=PARTITIONS, replication_factor=1))
        finally:
            await admin.close()

    def preload(self, records: Iterable[Sent]) -> int:
        """Put records into the topic of widget events and return how many."""
        topic = self.plan.events
        rows = ((partition_of(sent.key.decode(), PARTITIONS), sent.key, sent.value, sent.at) for sent in records)
        return produce(self.bootstrap, topic, rows)

    def worker(self, *arguments: str, build: Build = PLAIN) -> Program:
        """Return one worker of this installation, not yet started."""
        return Program(
            "the worker",
            "-m", "streams.cli.main", "worker",
            f"--bootstrap-servers={self.bootstrap}",
            f"--topic-prefix={self.naming.prefix}",
            f"--group={self.group}",
            "--instance-id=bench",
            f"--health-port={self.port}",
            *arguments,
            environment={"WIDGET_STREAMS_TOKEN_KEY": DEVELOPMENT_KEY.decode(), **build.environment},
        )  # fmt: skip


def produce(bootstrap: str, topic: str, rows: Iterable[tuple[int, bytes, bytes, int]]) -> int:
    """Write rows of (partition, key, value, time stamp) and return how many; raises if one was not taken."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "batch.size": 500_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    failed: list[str] = []

    def told(error: object, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    count = 0
    for partition, key, value, at in rows:
        while True:
            try:
                producer.produce(topic, value, key, partition, timestamp=at, on_delivery=told)
                break
            except BufferError:
                producer.poll(0.05)
        count += 1
        if count % 1_000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    assert left + len(failed) == 0, f"{left} records were not written, {len(failed)} refused: {failed[:1]}"
    return count


class Offsets:
    """Asks the broker how far topics and groups are."""

    def __init__(self, bootstrap: str, group: str, topics: Iterable[str]):
        """Look at these topics as this group, without joining it."""
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
        self.places = [(topic, partition) for topic in topics for partition in range(PARTITIONS)]

    def __enter__(self) -> "Offsets":
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._consumer.close()

    def committed(self) -> dict[Place, int]:
        """Return what the group has committed; 0 where nothing, or while the group's coordinator is being found."""
        try:
            found = self._consumer.committed([TopicPartition(*place) for place in self.places], timeout=20)
        except KafkaException as error:
            if error.args[0].code() not in FINDING:
                raise
            return dict.fromkeys(self.places, 0)
        return {(row.topic, row.partition): max(0, row.offset) for row in found}

    def ends(self, topic: str) -> dict[Place, int]:
        """Return where the partitions of a topic end."""
        return {
            place: self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=20)[1]
            for place in self.places
            if place[0] == topic
        }


def read(bootstrap: str, starts: Mapping[Place, int], seconds: float = 60.0) -> Iterator[Message]:
    """Give the committed records of partitions from these offsets on, to where the partitions end now."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    deadline, unread = time.monotonic() + seconds, set(starts)
    try:
        consumer.assign([TopicPartition(*place, offset or OFFSET_BEGINNING) for place, offset in starts.items()])
        while unread:
            assert time.monotonic() < deadline, f"{len(unread)} partitions were not read to their end in {seconds:g} s"
            for message in consumer.consume(1_000, timeout=0.2):
                if message.error() is None:
                    yield message
                else:
                    unread.discard((str(message.topic()), int(message.partition() or 0)))
    finally:
        consumer.close()
