"""What is counted when a transaction is committed, and what is looked up when Prometheus asks (CONTRACT 10)."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.domain.extension import Extension
from streams.domain.words import Activity, RevisionReason
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.records import Tally
from streams.telemetry.metrics import Metrics, gauge_family
from streams.worker.tables import ActiveCalls


class Accountant:
    """Raises the counters of what was committed."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.time):
        """Count in these metrics; `clock` gives seconds since the epoch."""
        self._metrics = metrics
        self._clock = clock

    def committed(self, tallies: Sequence[tuple[str, int, object]]) -> None:
        """Count what a transaction that was just committed had made of its records."""
        now = self._clock()
        for _, _, tally in tallies:
            if isinstance(tally, Tally):
                self._count(tally, now)
        self._metrics.progress.set(now)

    def produced(self, written: Mapping[str, int]) -> None:
        """Count the records per topic that a transaction held."""
        for topic, number in written.items():
            self._metrics.produced.labels(topic).inc(number)

    def folded(self, stage: str, _records: int, seconds: float) -> None:
        """Take how long a stage needed for a batch."""
        self._metrics.batch.labels(stage).observe(seconds)

    def rebalanced(self) -> None:
        """Count an assignment."""
        self._metrics.rebalances.inc()

    def recovering(self, changelog: str, remaining: int) -> None:
        """Take how much is still to be recovered."""
        self._metrics.recovery.labels(changelog).set(remaining)

    def _count(self, tally: Tally, now: float) -> None:
        metrics = self._metrics
        for event_type, number in tally.received.items():
            metrics.received.labels(event_type).inc(number)
        for (event_type, outcome), number in tally.outcomes.items():
            metrics.processed.labels(event_type, outcome).inc(number)
        for reason, number in tally.dead_letters.items():
            metrics.dead_letters.labels(reason).inc(number)
        metrics.gaps.inc(tally.gaps)
        metrics.lost.inc(tally.lost)
        metrics.capture.observe([max(0, arrived - at) / 1000 for at, arrived in tally.latencies])
        metrics.end_to_end.observe([max(0.0, now - arrived / 1000) for _, arrived in tally.latencies])
        for skew_ms in tally.skews_ms:
            metrics.skew.observe(skew_ms / 1000)
        for row in tally.revisions:
            self._revision(row)
        for (scope_type, kind), number in tally.rows.items():
            metrics.interval_rows.labels(scope_type, kind).inc(number)
        metrics.too_late.inc(tally.too_late)

    def _revision(self, row: Mapping[str, object]) -> None:
        """Count a leg when its record first becomes final, and every amendment."""
        metrics = self._metrics
        if row["revision_reason"] == RevisionReason.AMENDED:
            metrics.amended.labels(str(row["revision_reason"])).inc()
        if row["revision_reason"] != RevisionReason.FINAL or "LATE_AMENDED" in _texts(row["quality"]):
            return
        metrics.calls.labels(str(row["direction"]), str(row["disposition"])).inc()
        if "INFERRED_END" in _texts(row["quality"]):
            metrics.inferred.labels(str(row["end_source"])).inc()
        ring, talk, hold = row["ring_ms"], row["talk_ms"], row["hold_ms"]
        if isinstance(ring, int):
            metrics.ring.observe(ring / 1000)
        if row["answered_at"] is not None and isinstance(talk, int):
            metrics.talk.observe(talk / 1000)
        if row["hold_count"] and isinstance(hold, int):
            metrics.hold.observe(hold / 1000)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


class StateCollector(Collector):
    """Gauges read off the state when they are asked for: open calls, activities, size of the tables, age of marks."""

    def __init__(self, partitions: Callable[[], Iterable[ExtensionsPartition]], clock: Callable[[], float] = time.time):
        """Look at the partitions that `partitions` returns when asked."""
        self._partitions = partitions
        self._clock = clock

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Describe nothing in advance: registration must not look at the state."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges of CONTRACT 10 that are about state."""
        calls: Counter[tuple[str, str]] = Counter()
        activities: Counter[str] = Counter(dict.fromkeys((word.value for word in Activity), 0))
        for _, leg in ActiveCalls(self._partitions).rows():
            calls[leg.direction.value, (leg.state or "UNKNOWN")] += 1
        extensions, ages = 0, {}
        captured = Counter({"yes": 0, "no": 0})
        for partition in self._partitions():
            for extension in _extensions(partition):
                extensions += 1
                published = extension.presence.published
                activities[str(published["activity"]) if published else "UNKNOWN"] += 1
            heard, silent = partition.coverage.today()
            captured.update(yes=heard, no=silent)
            for source, told in partition.clocks.items():
                ages[source] = max(0.0, self._clock() - told / 1000)
        yield _family("active_calls", "Legs that have not ended.", ("direction", "state"), calls)
        text = "Extensions of the directory by whether they were heard from today, as the last rows of coverage say."
        yield _family("capture_extensions", text, ("heard",), captured)
        yield _family("presence_extensions", "Extensions by activity.", ("activity",), activities)
        tables = {"active_calls": sum(calls.values()), "presence": extensions}
        yield _family("table_keys", "Rows of a table on this worker.", ("table",), tables)
        text = "Age of the latest instant heard of a source partition: the oldest holds stream time back."
        yield _family("source_mark_age_seconds", text, ("partition",), ages)


def _extensions(partition: ExtensionsPartition) -> Iterator[Extension]:
    for key in partition.store.keys(b"E"):
        extension = partition.store.peek(key)
        if extension is not None:
            yield extension


def _family(name: str, text: str, labels: Sequence[str], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = gauge_family(name, text, *labels)
    for key, value in values.items():
        family.add_metric([str(part) for part in key] if isinstance(key, tuple) else [str(key)], value)
    return family
