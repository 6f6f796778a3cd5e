"""From the time that Kafka stamps on the envelope that ends a leg to its committed call record, under open load."""

import threading
import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from streams.contracts.avro import codec
from tests.bench.figures import Figure, below
from tests.bench.installation import PARTITIONS, Installation, read
from tests.bench.processes import Program

RATE = 500
WARM_UP_SECONDS = 25.0
"""By then the people are there and their calls begin and end."""
SECONDS = 40.0
QUICK_SECONDS = 20.0


class RecordReader(threading.Thread):
    """Reads call records as they are committed and notes when each came."""

    def __init__(self, there: Installation):
        """Read from the end of the topic on."""
        super().__init__(name="records", daemon=True)
        self._there = there
        self._stopping = threading.Event()
        self.seen: list[tuple[float, dict[str, Any]]] = []

    def run(self) -> None:
        """Read until stopped."""
        settings = {"group.id": "bench-records", "isolation.level": "read_committed", "fetch.wait.max.ms": 50}
        consumer = Consumer({"bootstrap.servers": self._there.bootstrap, **settings})
        topic, decode = self._there.plan.names["CallRecord"], codec("CallRecord").decode
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        while not self._stopping.is_set():
            # One at a time: asking for many waits until they have come together.
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                came = time.time()
                self.seen.append((came, decode(message.value() or b"")))
        consumer.close()

    def stop(self) -> None:
        """Stop."""
        self._stopping.set()
        self.join()


class Latency:
    """One worker, a simulated crowd that posts 500 envelopes a second whatever the pipeline does."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._seconds = QUICK_SECONDS if quick else SECONDS
        self._runs = 1 if quick else 2

    def measure(self) -> list[Figure]:
        """Return median and 99th percentile of every run."""
        about = f"envelope's time in Kafka to its committed record, at {RATE}/s"
        half = Figure("Latency of a call record, p50", "ms", below(400), about)
        most = Figure("Latency of a call record, p99", "ms", below(1_200), about)
        for run in range(1, self._runs + 1):
            waits = self._run(f"latency{run}")
            cuts = quantiles(waits, n=100)
            half.add(cuts[49])
            most.add(cuts[98])
            self._say(f"latency{run}: {len(waits)} records, p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
        return [half, most]

    def _run(self, name: str) -> list[float]:
        there = Installation(self._bootstrap, name, replay=False)
        reader = RecordReader(there)
        with there.worker() as worker:
            worker.wait_for("assignment.ready", 60)
            reader.start()
            with self._crowd(there) as crowd:
                end = time.monotonic() + WARM_UP_SECONDS + self._seconds
                while time.monotonic() < end:
                    worker.check()
                    crowd.check()
                    time.sleep(0.5)
                until = time.time()
            time.sleep(1.5)  # What was sent last is on its way for so long.
            reader.stop()
        return self._waits(there, reader, until - self._seconds, until)

    def _crowd(self, there: Installation) -> Program:
        arguments = [f"--bootstrap-servers={there.bootstrap}", f"--topic-prefix={there.naming.prefix}"]
        return Program("the simulator", "-m", "streams.cli.main", "simulate", *arguments, f"--rate={RATE}")

    def _waits(self, there: Installation, reader: RecordReader, begin: float, until: float) -> list[float]:
        stamps, sent = stamps_of(there), 0
        waits = []
        for came, row in reader.seen:
            at = ended_by(row, stamps)
            if at is not None and begin * 1000 <= at < until * 1000:
                waits.append(came * 1000 - at)
        sent = sum(begin * 1000 <= at < until * 1000 for at in stamps.values())
        rate = sent / self._seconds
        assert len(waits) >= 100, f"only {len(waits)} call records came"
        assert rate > RATE * 0.8, f"the load was {rate:.0f} envelopes a second, not {RATE}"
        return waits


def stamps_of(there: Installation) -> dict[tuple[int, int], int]:
    """Return Kafka's time stamp of every envelope by partition and offset."""
    starts = {(there.plan.events, partition): 0 for partition in range(PARTITIONS)}
    return {(m.partition() or 0, m.offset() or 0): m.timestamp()[1] for m in read(there.bootstrap, starts)}


def ended_by(row: dict[str, Any], stamps: dict[tuple[int, int], int]) -> int | None:
    """Return the time stamp of the envelope that ended a leg, ms; None if no envelope did, or it ended before."""
    if row["revision"] != 1 or row["end_source"] != "WEB_PHONE":
        return None
    return max(stamps[ref["partition"], ref["offset"]] for ref in row["input_refs"])
