"""The metrics of `serve` (CONTRACT 10): labels are closed sets, nothing names anybody."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.telemetry.metrics import PREFIX

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class ServeMetrics:
    """Every metric of a process of `serve`, in a registry of its own. Every series is there from the start."""

    def __init__(self, topics: Iterable[str], routes: Iterable[str], version: str):
        """Create the metrics with the closed sets of their labels."""
        self.registry = CollectorRegistry()
        records = self._counter("records", "Records read, by what became of them.", "topic", "outcome")
        self._records = {
            (topic, outcome): records.labels(topic, outcome) for topic in topics for outcome in ("taken", "unreadable")
        }
        self.requests = self._counter("requests", "Requests answered.", "route", "status")
        self.seconds = Histogram(
            f"{PREFIX}_serve_request_seconds",
            "Time to answer a request; streams are not among them.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        for route in routes:
            self.seconds.labels(route)
        self.cut = self._counter("streams_cut", "Streams that were ended because their reader was too slow.")
        build = Gauge(
            f"{PREFIX}_build_info", "Always 1; the version is the label.", ["version"], registry=self.registry
        )
        build.labels(version).set(1)

    def took(self, topic: str, taken: int, unreadable: int) -> None:
        """Count records that were read."""
        self._records[topic, "taken"].inc(taken)
        self._records[topic, "unreadable"].inc(unreadable)

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when Prometheus asks."""
        Gauge(f"{PREFIX}_serve_{name}", text, registry=self.registry).set_function(read)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_serve_{name}", text, labels, registry=self.registry)
