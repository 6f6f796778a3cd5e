"""The metrics catalogue (CONTRACT 10): every metric of the worker, its labels and what it means.

Counters are raised after the commit of what they count (DECISIONS 48). Seconds and bytes; `_total` on counters.
"""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.domain.words import EndSource, RejectReason, RevisionReason
from streams.telemetry.distribution import Distribution

PREFIX = "widgetstreams"
LATENCY = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
BATCH = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CALL = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
SKEW = (-3600.0, -300.0, -60.0, -10.0, -1.0, 0.0, 0.1, 0.5, 1.0, 10.0, 60.0, 300.0, 3600.0)

# When a series began is told by Prometheus itself; as a metric of its own it would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]  # no annotation in prometheus_client


@dataclass
class Metrics:
    """Every metric of a worker, in a registry of its own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Create the metrics."""
        self.received = self._counter("events_received", "Records read from the topic of widget events.", "type")
        self.processed = self._counter("events_processed", "Events by what became of them.", "type", "outcome")
        self.produced = self._counter("records_produced", "Records written and committed.", "topic")
        self.dead_letters = self._counter("dead_letters", "Records refused, by why.", "reason")
        self.gaps = self._counter("sequence_gaps", "Holes seen in the sequence numbers of page loads.")
        self.lost = self._counter("events_lost", "Sequence numbers that never came.")
        self.calls = self._counter("calls", "Legs whose record became final.", "direction", "disposition")
        self.inferred = self._counter("calls_inferred_end", "Final legs that nobody ended.", "end_source")
        self.amended = self._counter("records_amended", "Call records written again.", "reason")
        self.interval_rows = self._counter("interval_rows", "Rows of interval metrics written.", "scope_type", "kind")
        self.too_late = self._counter("interval_changes_too_late", "Changes of windows that were forgotten already.")
        self.rebalances = self._counter("rebalances", "Assignments of partitions to this worker.")
        self.end_to_end = self._distribution("end_to_end_latency", "Arrival at the gateway to committed.", LATENCY)
        self.capture = self._distribution("capture_latency", "Event time to arrival at the gateway.", LATENCY)
        self.batch = self._histogram("batch", "Time to fold one batch.", BATCH, "stage")
        self.ring = self._histogram("call_ring", "Ring time of final legs.", CALL)
        self.talk = self._histogram("call_talk", "Talk time of final answered legs.", CALL)
        self.hold = self._histogram("call_hold", "Hold time of final legs that were held.", CALL)
        self.skew = self._histogram("clock_skew", "Server clock minus browser clock, per audit.", SKEW)
        self.recovery = self._gauge("table_recovery_remaining_records", "Records still to recover.", "table")
        self.progress = self._gauge("last_progress_timestamp_seconds", "When this worker last committed.")
        self.build = self._gauge("build_info", "Always 1; the version is the label.", "version", "rules_version")
        self._begin()

    def _begin(self) -> None:
        """Show what is counted rarely as 0 from the start: Prometheus sees no increase from nothing to 1."""
        for reason in RejectReason:
            self.dead_letters.labels(reason.value)
        for source in EndSource:
            self.inferred.labels(source.value)
        self.amended.labels(RevisionReason.AMENDED.value)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}_seconds", text, labels, buckets=buckets, registry=self.registry)

    def _distribution(self, name: str, text: str, buckets: tuple[float, ...]) -> Distribution:
        return Distribution(f"{PREFIX}_{name}_seconds", text, buckets, self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)


def gauge_family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    """Return an empty gauge family that is filled when Prometheus asks."""
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)


__all__ = ["Collector", "Metrics", "gauge_family"]
