"""`verify` is content with what workers wrote, and finds a planted fault of each kind."""

from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer, TopicPartition

from streams.contracts.avro import codec
from streams.pipeline.partitioner import partition_of
from streams.simulate.habits import Crowd, Habits
from tests.broker.conftest import Namespace, Record
from tests.broker.installation import KEY, Ended, Envelope, Installation, run
from tests.simulate.runs import a_day

pytestmark = pytest.mark.broker

Fault = Callable[[list[Record]], list[Record]]


def rewrite(installation: Installation, topic: str, records: Sequence[Record]) -> None:
    """Delete what the first partition holds and write these instead, as anybody with access to the topic could."""
    admin = installation.namespace.admin
    place = TopicPartition(topic, 0, -1)
    admin.delete_records([place])[place].result(20)
    producer = Producer({"bootstrap.servers": installation.kafka, "enable.idempotence": True})
    for item in records:
        producer.produce(topic, item.value, item.key, 0, headers=list(item.headers))
    assert producer.flush(20) == 0


def first_partition(installation: Installation, record: str) -> list[Record]:
    """Return what the first partition of a topic holds."""
    found = [item for item in installation.read(record) if item.partition == 0]
    assert len(found) > 5, record
    return found


def lost(records: list[Record]) -> list[Record]:
    """Leave the last one with a key out: of a compacted topic it is the one that has to be there."""
    last = max(place for place, record in enumerate(records) if record.key is not None)
    return [*records[:last], *records[last + 1 :]]


def doubled(records: list[Record]) -> list[Record]:
    """Write one twice."""
    return [*records[:3], records[2], *records[3:]]


def out_of_order(records: list[Record]) -> list[Record]:
    """Swap two."""
    return [records[0], records[2], records[1], *records[3:]]


def different(records: list[Record]) -> list[Record]:
    """Say that a page load had sent one envelope more: the audit is the same one, its content is not."""
    audits = codec("SessionAudit")
    row = audits.decode(records[2].value or b"")
    changed = audits.encode({**row, "received": row["received"] + 1})
    return [*records[:2], records[2]._replace(value=changed), *records[3:]]


def foreign(records: list[Record]) -> list[Record]:
    """Add a record that nobody should have written."""
    records_of_calls = codec("CallRecord")
    row = records_of_calls.decode(records[2].value or b"")
    added = records_of_calls.encode({**row, "leg_id": "of-somebody-else"})
    return [*records, records[2]._replace(key=b"of-somebody-else", value=added)]


FAULTS: dict[str, tuple[Fault, str]] = {
    "PresenceEvent": (lost, "1 lost"),
    "CallEvent": (doubled, "1 doubled"),
    "SessionAudit": (different, "1 different"),
    "CallRecord": (foreign, "1 different"),
    "SessionEvent": (out_of_order, "1 out of order"),
}
"""In which topic which fault is planted, and what `verify` has to say of it."""


def verified(installation: Installation) -> Ended:
    """Run `widget-streams verify`."""
    return installation.command("verify")


@pytest.fixture
def written(kafka: str, namespace: Namespace, tmp_path: Path) -> Installation:
    """Give an installation whose worker has written some calls and ended."""
    installation = Installation(kafka, namespace, tmp_path, 2, replayed=True)
    dues = a_day(Habits(calls_per_hour=30), Crowd(extensions=10), minutes=8).dues
    installation.send(
        Envelope(orjson.dumps(due.envelope), due.session_id.encode(), partition_of(due.session_id, 2), due.at)
        for due in dues
    )
    with installation.worker() as worker:
        installation.until_caught_up(worker)
        assert worker.end() == 0
    return installation


def test_verify_is_content_and_then_finds_each_planted_fault(written: Installation) -> None:
    """Exit code 0 before; with faults 1, each topic with its kind and nothing else; content again when mended."""
    clean = verified(written)
    assert clean.code == 0, clean.text
    assert "0 lost, 0 doubled, 0 different, 0 out of order" in clean.text
    originals = {record: first_partition(written, record) for record in FAULTS}
    for record, (fault, _) in FAULTS.items():
        rewrite(written, written.topic(record), fault(originals[record]))
    found = verified(written)
    assert found.code == 1, found.text
    assert "1 lost, 1 doubled, 2 different, 1 out of order" in found.text
    assert "5 records are not as they have to be" in found.text
    for record, (_, told) in FAULTS.items():
        assert f"{written.topic(record)}: {told}\n" in found.text, found.text
    for record in FAULTS:
        rewrite(written, written.topic(record), originals[record])
    assert verified(written).code == 0
    for record, original in originals.items():
        rewrite(written, written.topic(record), lost(original))
    missing = verified(written)
    assert missing.code == 1
    for record in FAULTS:
        assert f"{written.topic(record)}: 1 lost\n" in missing.text, missing.text


ALL = -1


def forget(installation: Installation, topic: str, partition: int, records: int) -> None:
    """Delete the first offsets of a partition, as the retention does."""
    place = TopicPartition(topic, partition, records)
    installation.namespace.admin.delete_records([place])[place].result(20)


@pytest.mark.slow
def test_what_the_retention_took_is_named_and_nothing_is_called_lost(written: Installation) -> None:
    """A stage whose input has lost its beginning is not compared; the rest is, and a fault in it is found."""
    events, enriched, calls = written.events, written.topic("EnrichedEvent"), written.topic("CallEvent")
    forget(written, events, 0, 5)
    forget(written, calls, 0, 3)
    week = verified(written)
    assert week.code == 0, week.text
    assert f"NOT compared: sessions: {events} partition 0 begins at offset 5" in week.text
    assert f"NOT compared: {calls} partition 0 begins at offset 3: " in week.text
    assert "Compared: sessions (1 of 2 partitions), extensions, scopes." in week.text
    last = first_partition(written, "CallEvent")[-1]
    producer = Producer({"bootstrap.servers": written.kafka})
    producer.produce(calls, last.value, last.key, 0)
    assert producer.flush(20) == 0
    planted = verified(written)
    assert planted.code == 1, planted.text
    assert f"{calls}: 1 doubled\n" in planted.text
    # Its input is cut: nothing is said of the calls of this partition any more.
    forget(written, enriched, 0, 5)
    fortnight = verified(written)
    assert fortnight.code == 0, fortnight.text
    assert "Compared: extensions (1 of 2 partitions), scopes." in fortnight.text
    for topic, partition in ((enriched, 1), (written.topic("ScopeDelta"), 0), (written.topic("ScopeDelta"), 1)):
        forget(written, topic, partition, ALL)
    nothing = verified(written)
    assert nothing.code == 1, nothing.text
    assert "No stage could be compared." in nothing.text
    assert "Nothing was proven" in nothing.text


def test_bytes_that_are_no_record_are_found(written: Installation) -> None:
    """Somebody else's bytes are told as different, in each topic, and not as a failure of the command."""
    topics = [written.topic(record) for record in (*FAULTS, "EnrichedEvent", "DeadLetter")]
    producer = Producer({"bootstrap.servers": written.kafka})
    for topic in topics:
        for value in (b"nobody's", b"\x00\x00\x00\x00\x01cut", None):
            producer.produce(topic, value, b"k", 0)
    assert producer.flush(20) == 0
    found = verified(written)
    assert found.code == 1, found.text
    assert "Traceback" not in found.text, found.text
    for topic in topics:
        assert f"{topic}: 3 different\n" in found.text, found.text


def test_without_topics_verify_names_the_command_that_makes_them(kafka: str, namespace: Namespace) -> None:
    """Exit code 2, no traceback."""
    where = ["verify", "--bootstrap-servers", kafka, "--topic-prefix", namespace.prefix]
    missing = run(*where, environment={"WIDGET_STREAMS_TOKEN_KEY": KEY})
    assert missing.code == 2, missing.text
    assert "widget-streams topics apply" in missing.text
    assert "Traceback" not in missing.text
