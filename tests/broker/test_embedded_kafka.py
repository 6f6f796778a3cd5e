"""The embedded Kafka against a client that is not ours."""

import io
import json

import fastavro
import pytest
from confluent_kafka import Producer

from tests.broker.conftest import SCHEMAS, Namespace, ReadAll, Record

pytestmark = pytest.mark.broker


def test_records_of_one_mebibyte_are_taken(kafka: str, namespace: Namespace, read_all: ReadAll) -> None:
    """What is at the limit of an input record reaches the log, and is read back as it was."""
    topic = namespace.topic("large", partitions=2)
    producer = Producer({"bootstrap.servers": kafka, "message.max.bytes": 2_000_000})
    producer.produce(topic, bytes(1_048_576), b"key", partition=1, headers={"h": b"1"}, timestamp=1_000)
    assert producer.flush(20) == 0
    assert read_all(topic) == [Record(1, 0, b"key", bytes(1_048_576), (("h", b"1"),), 1_000)]


def test_the_reader_sees_only_what_is_committed(kafka: str, namespace: Namespace, read_all: ReadAll) -> None:
    """An aborted transaction is in the log, and hidden from those who read committed records."""
    topic = namespace.topic("transactions")
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": namespace.group("writer")})
    producer.init_transactions(20)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(20)
        end(20)
    assert [record.value for record in read_all(topic)] == [b"committed"]
    assert [record.value for record in read_all(topic, read_committed=False)] == [b"aborted", b"committed"]


def test_the_reader_decodes_by_the_id_in_the_frame() -> None:
    """Avro that fastavro wrote is read back by its id; bytes without a frame, or with an unknown id, are refused."""
    example = json.loads((SCHEMAS / "examples/presence/on-call.json").read_text(encoding="utf-8"))
    schema_id = json.loads((SCHEMAS / "ids.json").read_text(encoding="utf-8"))["widget.presence.v1-value"]
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.schema.load_schema(SCHEMAS / "presence.avsc"), example)
    assert _record(schema_id.to_bytes(5, "big") + body.getvalue()).avro() == example
    for refused, why in ((b"{}", "no frame"), ((9_999).to_bytes(5, "big") + body.getvalue(), "no id 9999")):
        with pytest.raises(AssertionError, match=why):
            _record(refused).avro()


def _record(value: bytes) -> Record:
    return Record(partition=0, offset=0, key=None, value=value, headers=(), timestamp=0)


def test_a_topic_is_not_made_by_a_spelling_mistake(namespace: Namespace, read_all: ReadAll) -> None:
    """Reading what does not exist is refused, and does not create it."""
    with pytest.raises(AssertionError, match="there is no topic"):
        read_all(namespace.prefix + "mistake")
    assert namespace.prefix + "mistake" not in namespace.admin.list_topics(timeout=20).topics
