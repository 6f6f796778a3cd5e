"""`widget-streams simulate` against a real Kafka."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.broker.conftest import Namespace, ReadAll, Record

pytestmark = pytest.mark.broker


def start(kafka: str, namespace: Namespace, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streams.cli.main", "simulate", "--bootstrap-servers", kafka]
    return subprocess.Popen(
        [*command, "--topic-prefix", namespace.prefix, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], within_seconds: float = 60) -> str:
    try:
        out, err = process.communicate(timeout=within_seconds)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return out


def wait_for_records(kafka: str, topic: str) -> None:
    """Wait until something is in the first partition; what is still being written has no end to read to."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic})
    deadline = time.monotonic() + 30
    try:
        while consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] == 0:
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(0.1)
    finally:
        consumer.close()


def late_or_misplaced(records: list[Record]) -> list[Record]:
    """Records whose key is not their session, or whose arrival is more than a second off Kafka's time."""
    values = [(record, json.loads(record.value or b"{}")) for record in records]
    return [
        record
        for record, value in values
        if record.key != value["session_id"].encode() or abs(record.timestamp - value["received_at"]) > 1_000
    ]


def test_what_falls_due_is_in_kafka(kafka: str, namespace: Namespace, read_all: ReadAll) -> None:
    """The rate is held, all that the summary counts is there, each session in one partition, in order, on time."""
    topic = namespace.topic("events.v1", partitions=4, message_timestamp_type="LogAppendTime")
    out = finish(start(kafka, namespace, "--rate", "1000", "--duration", "8", "--late", "0", "--doubled", "0"))
    records = read_all(topic)
    assert f"{len(records)} envelopes fell due, {len(records)} acknowledged" in out
    assert len(records) == pytest.approx(7_600, rel=0.1)
    assert late_or_misplaced(records) == []
    assert late_or_misplaced([records[0]._replace(key=b"other")])
    partitions = defaultdict(set)
    sequences = defaultdict(list)
    for record in records:
        value = json.loads(record.value or b"{}")
        partitions[record.key].add(record.partition)
        sequences[record.key].append(value["sequence"])
    assert {len(where) for where in partitions.values()} == {1}
    assert all(numbers == sorted(set(numbers)) for numbers in sequences.values())
    assert len({record.partition for record in records}) == 4


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(
    kafka: str, namespace: Namespace, read_all: ReadAll, signal_number: signal.Signals
) -> None:
    """What was sent by then is acknowledged and counted by type, and the exit code is 0."""
    topic = namespace.topic("events.v1")
    process = start(kafka, namespace, "--rate", "500")
    wait_for_records(kafka, topic)
    process.send_signal(signal_number)
    out = finish(process, 20)
    records = read_all(topic)
    assert f"{len(records)} envelopes fell due, {len(records)} acknowledged" in out
    for kind, count in Counter(json.loads(record.value or b"{}")["event"]["type"] for record in records).items():
        assert f"{count:>9}  {kind}" in out


def test_a_missing_topic_is_told(kafka: str, namespace: Namespace) -> None:
    """Exit code 1, and what to do."""
    process = start(kafka, namespace, "--duration", "1")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"has no topic {namespace.prefix}events.v1. `widget-streams topics apply` creates it." in err
