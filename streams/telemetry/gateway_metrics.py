"""The gateway's part of the metrics catalogue (CONTRACT 10): outcomes are closed sets, nothing names anybody."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.telemetry.metrics import PREFIX

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Gauges:
    """What is read when Prometheus asks."""

    buffer_bytes: Callable[[], float]
    buffer_limit_bytes: Callable[[], float]
    connections: Callable[[], float]
    ready: Callable[[], float]


class GatewayMetrics:
    """Every metric of a gateway, in a registry of its own. Every series is there from the start."""

    def __init__(
        self, outcomes: Iterable[str], event_outcomes: Iterable[str], drop_reasons: Iterable[str], version: str
    ):
        """Create the metrics with the closed sets of their labels."""
        self.registry = CollectorRegistry()
        requests = Counter(
            f"{PREFIX}_gateway_requests",
            "Requests with events by what was answered; after the broker's confirmation.",
            ["outcome"],
            registry=self.registry,
        )
        events = Counter(
            f"{PREFIX}_gateway_events",
            "Events of readable requests: accepted is confirmed by Kafka, the others were named in the answer.",
            ["outcome"],
            registry=self.registry,
        )
        drops = Counter(
            f"{PREFIX}_gateway_collector_drops",
            "Events that collectors say they gave up, by why; told again when an answer got lost.",
            ["reason"],
            registry=self.registry,
        )
        self.requests = {outcome: requests.labels(outcome) for outcome in outcomes}
        self.events = {outcome: events.labels(outcome) for outcome in event_outcomes}
        self.collector_drops = {reason: drops.labels(reason) for reason in drop_reasons}
        self.seconds = Histogram(
            f"{PREFIX}_gateway_request_seconds",
            "From the headers of a request with events to its answer.",
            buckets=SECONDS,
            registry=self.registry,
        )
        build = Gauge(
            f"{PREFIX}_build_info", "Always 1; the version is the label.", ["version"], registry=self.registry
        )
        build.labels(version).set(1)

    def watch(self, gauges: Gauges) -> None:
        """Show the state of the gateway itself."""
        shown = {
            "buffer_bytes": ("Bytes of bodies being read and of records not yet confirmed.", gauges.buffer_bytes),
            "buffer_limit_bytes": (
                "How many bytes may be under way; above it the answer is 503.",
                gauges.buffer_limit_bytes,
            ),
            "connections": ("Open connections.", gauges.connections),
            "ready": ("1 while Kafka can be written and the gateway is not ending.", gauges.ready),
        }
        for name, (text, value) in shown.items():
            Gauge(f"{PREFIX}_gateway_{name}", text, registry=self.registry).set_function(value)
