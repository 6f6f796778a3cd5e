"""A histogram that takes many values at once is shown as Prometheus's own would be."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from streams.telemetry.distribution import Distribution
from streams.telemetry.metrics import LATENCY

VALUES = st.lists(st.sampled_from(LATENCY) | st.floats(0, 5_000), max_size=50)


@given(st.lists(VALUES, max_size=4))
def test_it_shows_what_prometheus_histogram_shows(batches: list[list[float]]) -> None:
    """Buckets, count and sum, byte for byte; a value on a bound lies below it."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    distribution = Distribution("waiting_seconds", "How long.", LATENCY, ours)
    histogram = Histogram("waiting_seconds", "How long.", buckets=LATENCY, registry=theirs)
    for batch in batches:
        distribution.observe(batch)
        for value in batch:
            histogram.observe(value)
    shown = generate_latest(ours).decode()
    assert _rounded(shown) == _rounded(generate_latest(theirs).decode())
    assert shown.count("waiting_seconds_bucket") == len(LATENCY) + 1


def _rounded(text: str) -> list[str]:
    """Return the lines, sums to the millisecond: what was added in another order differs in its last digits."""
    return [
        f"{name} {round(float(value), 3)}" if name.endswith("_sum") else line
        for line in text.splitlines()
        for name, _, value in [line.rpartition(" ")]
    ]
