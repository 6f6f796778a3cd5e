"""A real Kafka for the tests of this folder, and a reader that shares no code with ours."""

import io
import json
import os
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.lifetime import take_all_files
from streams.local.embedded import EmbeddedKafka

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


class Record(NamedTuple):
    """One record as it lies in the log. `timestamp` is in ms since the epoch; header values are bytes."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int

    @property
    def schema_id(self) -> int | None:
        """The id in the record's frame; None when there is no frame."""
        framed = self.value is not None and len(self.value) > 5 and self.value[0] == 0
        return int.from_bytes(self.value[1:5], "big") if self.value and framed else None

    def avro(self) -> Any:
        """Decode the framed Avro value with the schema of its id in `schemas/ids.json`; instants are in ms."""
        assert self.value is not None, "a tombstone has no Avro"
        assert self.schema_id is not None, f"no frame in front of {self.value[:20]!r}"
        return fastavro.schemaless_reader(io.BytesIO(self.value[5:]), _schema(self.schema_id), None)


@pytest.fixture(scope="session", autouse=True)
def many_connections() -> None:
    """Of a storm on a busy machine thousands wait at once."""
    take_all_files()


class Namespace(NamedTuple):
    """Names that no other test uses on the same broker."""

    prefix: str
    admin: AdminClient

    def topic(self, name: str, partitions: int = 1, **config: str) -> str:
        """Create a topic and return its full name. Settings are spelt with underscores: `cleanup_policy="compact"`."""
        full = self.prefix + name
        settings = {key.replace("_", "."): value for key, value in config.items()}
        self.admin.create_topics([NewTopic(full, partitions, config=settings)])[full].result(20)
        end = time.monotonic() + 20
        # The controller answers a moment before the broker lists the topic.
        while full not in self.admin.list_topics(timeout=20).topics:
            assert time.monotonic() < end, f"{full} was created and is not listed"
            time.sleep(0.02)
        return full

    def group(self, name: str = "group") -> str:
        """Name a consumer group or a transactional id."""
        return self.prefix + name


ReadAll = Callable[..., list[Record]]


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Give the bootstrap servers of the one broker that serves the whole run.

    WIDGET_STREAMS_TEST_BOOTSTRAP names a running one instead, which saves its start while a test is being written.
    """
    if running := os.environ.get("WIDGET_STREAMS_TEST_BOOTSTRAP"):
        yield running
        return
    with EmbeddedKafka() as embedded:
        yield embedded.bootstrap


@contextmanager
def a_namespace(kafka: str) -> Iterator[Namespace]:
    """Give names that are used nowhere else; their topics are deleted afterwards."""
    admin = AdminClient({"bootstrap.servers": kafka})
    given = Namespace(f"t{uuid.uuid4().hex[:10]}.", admin)
    yield given
    if mine := [name for name in admin.list_topics(timeout=20).topics if name.startswith(given.prefix)]:
        for deleted in admin.delete_topics(mine).values():
            deleted.result(20)


@pytest.fixture
def namespace(kafka: str) -> Iterator[Namespace]:
    """Give names of this test alone."""
    with a_namespace(kafka) as given:
        yield given


@pytest.fixture
def read_all(kafka: str) -> ReadAll:
    """Give `read_all(topic, read_committed=True, timeout_seconds=20)`: all records, by partition and offset."""

    def read(topic: str, *, read_committed: bool = True, timeout_seconds: float = 20.0) -> list[Record]:
        return read_topic(kafka, topic, read_committed=read_committed, timeout_seconds=timeout_seconds)

    return read


def read_topic(
    bootstrap: str, topic: str, *, read_committed: bool = True, timeout_seconds: float = 20.0
) -> list[Record]:
    """Read a topic from its beginning to the end that it had at the call.

    With read_committed the end is that of the last decided transaction; what comes after an open one is not waited for.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"read-all-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "isolation.level": "read_committed" if read_committed else "read_uncommitted",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=timeout_seconds).topics[topic].partitions
        assert partitions, f"there is no topic {topic}"
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        return sorted(_drain(consumer, set(partitions), time.monotonic() + timeout_seconds))
    finally:
        consumer.close()


def _drain(consumer: Consumer, unread: set[int], deadline: float) -> Iterator[Record]:
    while unread:
        assert time.monotonic() < deadline, f"partitions {sorted(unread)} were not read to their end in time"
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error() is None:
            yield _record(message)
        elif message.error().name() == "_PARTITION_EOF":
            unread.discard(message.partition())
        else:
            raise KafkaException(message.error())


def _record(message: Message) -> Record:
    headers = tuple((name, bytes(value)) for name, value in message.headers() or ())
    key, value, (_, timestamp) = message.key(), message.value(), message.timestamp()
    return Record(message.partition(), message.offset(), key, value, headers, timestamp)


@cache
def _schema(schema_id: int) -> Any:
    subjects = json.loads((SCHEMAS / "ids.json").read_text(encoding="utf-8"))
    topics = [subject.removesuffix("-value") for subject, known in subjects.items() if known == schema_id]
    assert topics, f"schemas/ids.json has no id {schema_id}"
    catalogue = tomllib.loads((SCHEMAS / "topics.toml").read_text(encoding="utf-8"))["topic"]
    record = next(topic["record"] for topic in catalogue if topic["name"].replace("{prefix}", "widget.") == topics[0])
    texts = (file.read_text(encoding="utf-8") for file in sorted(SCHEMAS.glob("*.avsc")))
    # Instants stay the integers that the bytes hold: a logical type would make them datetime.
    found = (
        json.loads(text, object_hook=lambda node: node["type"] if "logicalType" in node else node) for text in texts
    )
    return fastavro.parse_schema(next(schema for schema in found if schema["name"] == record))
