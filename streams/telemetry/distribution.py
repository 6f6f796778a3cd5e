"""A histogram without labels that takes many values at once: what is measured of every event."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from math import inf

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Distribution(Collector):
    """Shown as Prometheus shows a histogram; prometheus_client's own takes two locks for each single value.

    Values are taken and shown on one thread, the event loop's.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float], registry: CollectorRegistry):
        """Begin with nothing seen.

        Args:
            name: Name of the metric.
            text: Its help.
            bounds: Upper bounds of the buckets, rising; one without bound is added.
            registry: Where it is shown.
        """
        self._name, self._text = name, text
        self._bounds = [*bounds, inf]
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
        registry.register(self)

    def observe(self, values: Collection[float]) -> None:
        """Take values."""
        bounds, counts = self._bounds, self._counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self._sum += sum(values)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Give the name and what it means."""
        return self.collect()

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Give the buckets, each with all that lies below it."""
        names = map(floatToGoString, self._bounds)
        yield HistogramMetricFamily(
            self._name, self._text, list(zip(names, accumulate(self._counts), strict=True)), self._sum
        )
