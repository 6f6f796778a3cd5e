"""An installation of one test: its topics, its workers as processes, and what they wrote as others read it."""

import asyncio
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition

from streams.contracts.catalog import Naming, topic_of
from streams.contracts.numbers import DEVELOPMENT_KEY
from streams.worker import topics as cluster
from tests.broker.conftest import Namespace, Record, read_topic
from tests.broker.processes import ROOT, Process, until

OUTPUTS = ("CallEvent", "CallRecord", "ActiveCall", "PresenceEvent", "Presence", "SessionEvent", "SessionAudit")
KEY = DEVELOPMENT_KEY.decode()
Headers = Sequence[tuple[str, bytes]]


class Envelope(NamedTuple):
    """A record for the topic of widget events, whatever is in it."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    timestamp: int = 0
    """Arrival in ms since the epoch, where the topic takes the producer's time; 0 is now."""
    headers: Headers = ()


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    text: str


class Installation:
    """Topics, workers and records under names of this test alone."""

    def __init__(self, kafka: str, namespace: Namespace, folder: Path, partitions: int = 1, *, replayed: bool = False):
        """Create the topics.

        Args:
            kafka: Bootstrap servers.
            namespace: Names.
            folder: Where logs go.
            partitions: Of every topic.
            replayed: The topic of widget events takes the producer's time stamps, so that old envelopes arrive when
                they arrived; otherwise the broker stamps, as everywhere.
        """
        self.kafka, self.namespace, self.partitions, self._folder = kafka, namespace, partitions, folder
        self.naming = Naming(namespace.prefix, namespace.group())
        self.events = namespace.prefix + "events.v1"
        self._numbers = count()
        if replayed:
            settings = {"message_timestamp_type": "CreateTime", "retention_ms": "-1"}
            namespace.topic("events.v1", partitions, **settings)
        asyncio.run(self._create())

    async def _create(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            plan = cluster.plan(self.naming, partitions=self.partitions, replication_factor=1)
            await cluster.create_missing(admin, plan)
        finally:
            await admin.close()

    @property
    def environment(self) -> dict[str, str]:
        """Settings as variables."""
        return {
            "WIDGET_STREAMS_BOOTSTRAP_SERVERS": self.kafka,
            "WIDGET_STREAMS_TOPIC_PREFIX": self.naming.prefix,
            "WIDGET_STREAMS_GROUP": self.naming.group,
            "WIDGET_STREAMS_TOKEN_KEY": KEY,
            # Whoever is killed is missed soon.
            "WIDGET_STREAMS_SESSION_TIMEOUT_SECONDS": "3",
        }

    def worker(self, name: str = "a", *flags: str, **changes: str) -> Process:
        """Start a worker with an instance id of its own."""
        log = self._folder / f"{next(self._numbers)}-worker-{name}.log"
        arguments = ["worker", "--instance-id", name, "--health-port", "0", *flags]
        return Process(log, "streams.cli.main", *arguments, environment={**self.environment, **changes})

    def command(self, *arguments: str, seconds: float = 120, **changes: str) -> Ended:
        """Run a command to its end."""
        return run(*arguments, seconds=seconds, environment={**self.environment, **changes})

    def simulate(self, *arguments: str) -> Process:
        """Start a population."""
        log = self._folder / f"{next(self._numbers)}-simulate.log"
        names = {name: self.environment[f"WIDGET_STREAMS_{name}"] for name in ("BOOTSTRAP_SERVERS", "TOPIC_PREFIX")}
        flags = ["--bootstrap-servers", names["BOOTSTRAP_SERVERS"], "--topic-prefix", names["TOPIC_PREFIX"]]
        return Process(log, "streams.cli.main", "simulate", *flags, *arguments)

    def send(self, envelopes: Iterable[Envelope]) -> int:
        """Send records, and return how many once all are acknowledged."""
        producer = Producer({"bootstrap.servers": self.kafka, "enable.idempotence": True, "linger.ms": 20})
        sent = 0
        for item in envelopes:
            sent += 1
            headers = list(item.headers)
            place = {"partition": item.partition, "timestamp": item.timestamp}
            producer.produce(self.events, item.value, item.key, headers=headers, **place)
            producer.poll(0)
        assert producer.flush(60) == 0
        return sent

    def topic(self, record: str) -> str:
        """Return the topic of an Avro record."""
        return topic_of(record).name(self.naming)

    def read(self, record: str, **how: Any) -> list[Record]:
        """Read the committed records of a topic, as an independent consumer sees them."""
        return read_topic(self.kafka, self.topic(record), **how)

    def rows(self, record: str) -> list[dict[str, Any]]:
        """Return the decoded rows of a topic, tombstones and watermarks left out."""
        rows = [item.avro() for item in self.read(record) if item.value is not None]
        return [row for row in rows if row.get("type") != "WATERMARK"]

    def committed(self, topic: str) -> list[int]:
        """Return the committed offset of each partition, 0 where there is none."""
        places = [TopicPartition(topic, partition) for partition in range(self.partitions)]
        asked = ConsumerGroupTopicPartitions(self.naming.group, places)
        admin = self.namespace.admin
        try:
            found = admin.list_consumer_group_offsets([asked])[self.naming.group].result(20).topic_partitions
        except KafkaException as error:
            # The first to ask a new broker for a group finds its coordinator still reading.
            if error.args[0].code() != KafkaError.COORDINATOR_LOAD_IN_PROGRESS:
                raise
            return [0] * self.partitions
        except TimeoutError:
            # A question that was under way when its broker died is not answered by the one that comes back.
            return [0] * self.partitions
        return [max(0, place.offset) for place in sorted(found, key=lambda place: place.partition)]

    def heard(self) -> list[int]:
        """Return up to when stream time has run in each partition of the extensions stage, as committed."""
        committed = self.committed(self.topic("EnrichedEvent"))
        clocks: list[dict[int, int]] = [dict.fromkeys(range(self.partitions), 0) for _ in committed]
        for record in self.read("EnrichedEvent"):
            if record.key is None and record.offset < committed[record.partition]:
                for mark in record.avro()["marks"]:
                    clocks[record.partition][mark["source_partition"]] = mark["time"]
        return [min(clock.values()) for clock in clocks]

    def is_caught_up(self) -> bool:
        """Tell whether every event that is there now is folded by both stages."""
        committed = self.committed(self.events)
        if any(record.offset >= committed[record.partition] for record in read_topic(self.kafka, self.events)):
            return False
        committed = self.committed(self.topic("EnrichedEvent"))
        events = (record for record in self.read("EnrichedEvent") if record.key is not None)
        return all(record.offset < committed[record.partition] for record in events)

    def until_caught_up(self, worker: Process, seconds: float = 90) -> None:
        """Wait until everything is folded that is there now."""
        worker.until(self.is_caught_up, seconds)

    def until_time(self, worker: Process, instant: int, seconds: float = 90) -> None:
        """Wait until stream time has passed an instant everywhere: what waited until then has ended."""
        worker.until(lambda: self.is_caught_up() and min(self.heard()) >= instant, seconds)


def run(*arguments: str, seconds: float = 120, environment: dict[str, str] | None = None) -> Ended:
    """Run a command of widget-streams to its end."""
    command = [sys.executable, "-m", "streams.cli.main", *arguments]
    base = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    done = subprocess.run(
        command,
        env={**base, **(environment or {})},
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def port_of(worker: Process) -> int:
    """Return the port on which a worker serves its pages, as it says."""
    found = re.compile(r"pages\.served host=\S+ port=(\d+)")
    worker.until(lambda: found.search(worker.text) is not None)
    match = found.search(worker.text)
    assert match is not None
    return int(match[1])


def page(port: int, path: str) -> Ended:
    """Get a page of a worker: status and text."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return Ended(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        return Ended(error.code, error.read().decode())


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples of a page of metrics: (name, labels) → value."""
    found = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line):
            labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            found[match[1], labels] = float(match[3])
    return found


def total(text: str, name: str, **labels: str) -> float:
    """Return the sum of the samples of a metric that have these labels."""
    wanted = set(labels.items())
    return sum(value for (found, given), value in samples(text).items() if found == name and wanted <= given)


def as_line(envelope: dict[str, Any], partition: int, offset: int, timestamp: int) -> bytes:
    """Return the line by which `fold` reads a record where it stands in Kafka."""
    place = {"partition": partition, "offset": offset, "timestamp": timestamp}
    return orjson.dumps({**envelope, "_kafka": place})


__all__ = ["Ended", "Envelope", "Installation", "as_line", "page", "port_of", "run", "samples", "total", "until"]
