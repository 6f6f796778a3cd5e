"""The metrics that exist in the code, and the metrics that a PromQL expression asks for."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Final

import promql_parser as promql
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from streams.telemetry.metrics import PREFIX, Metrics
from streams.worker.app import LagCollector
from streams.worker.observer import StateCollector

SCRAPED: Final = frozenset({"job", "instance"})
"""Labels that Prometheus itself adds."""
SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
OPTIONAL: Final = ("gateway", "serve")
"""Services whose metrics may not be part of a build yet; their expressions cannot be compared then."""

Catalogue = Mapping[str, frozenset[str]]


class _NoEngine:
    def lag_seconds(self) -> dict[tuple[str, int], float]:
        return {}


def catalogue() -> dict[str, frozenset[str]]:
    """Return every series' name with the labels it has."""
    found = dict(_registered(Metrics().registry))
    lag = LagCollector(_NoEngine())  # type: ignore[arg-type]  # asked for nothing but its lag
    for collector in (StateCollector(lambda: ()), lag):
        for family in collector.collect():
            assert isinstance(family, GaugeMetricFamily)
            found[family.name] = frozenset(family._labelnames)
    for service in OPTIONAL:
        found |= _service(service)
    return found


def _service(service: str) -> dict[str, frozenset[str]]:
    """Return what a gateway or a process of `serve` shows; nothing where this build has none."""
    name = f"streams.telemetry.{service}_metrics"
    if importlib.util.find_spec(name) is None:
        return {}
    module = importlib.import_module(name)
    if service == "gateway":
        metrics = module.GatewayMetrics(["accepted"], ["accepted"], ["overflow"], "0")
        metrics.watch(module.Gauges(float, float, float, float))
    else:
        metrics = module.ServeMetrics(["topic"], ["/"], "0")
    return dict(_registered(metrics.registry))


def _registered(registry: CollectorRegistry) -> Iterator[tuple[str, frozenset[str]]]:
    for metric in registry.collect():
        collector = registry._names_to_collectors[metric.name]
        labels = frozenset(getattr(collector, "_labelnames", ()))
        for suffix in SUFFIXES.get(metric.type, ("",)):
            yield metric.name + suffix, labels | ({"le"} if suffix == "_bucket" else set())


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Return every place of an expression that names a metric.

    Raises:
        ValueError: It is no PromQL.
    """
    found: list[promql.VectorSelector] = []
    _collect(promql.parse(expression), found)
    return found


def _collect(node: object, found: list[promql.VectorSelector]) -> None:
    if isinstance(node, promql.VectorSelector):
        found.append(node)
        return
    if isinstance(node, promql.MatrixSelector):
        found.append(node.vector_selector)
        return
    for name in ("lhs", "rhs", "expr", "param"):
        if (child := getattr(node, name, None)) is not None:
            _collect(child, found)
    for argument in getattr(node, "args", None) or ():
        _collect(argument, found)


def grouped(expression: str) -> set[str]:
    """Return the labels that an expression groups or joins by."""
    found: set[str] = set()
    _collect_groups(promql.parse(expression), found)
    return found


def _collect_groups(node: object, found: set[str]) -> None:
    modifier = getattr(node, "modifier", None)
    for holder in (modifier, getattr(modifier, "matching", None)):
        found.update(getattr(holder, "labels", None) or ())
    for name in ("lhs", "rhs", "expr", "param"):
        if (child := getattr(node, name, None)) is not None:
            _collect_groups(child, found)
    for argument in getattr(node, "args", None) or ():
        _collect_groups(argument, found)


def problems(expression: str, known: Catalogue) -> list[str]:
    """Return what an expression asks for that does not exist: metrics, labels of metrics, labels it groups by."""
    found, had = [], set(SCRAPED)
    for selector in selectors(expression):
        name = str(selector.name)
        if name not in known:
            found.append(f"there is no metric {name}")
            continue
        labels = known[name] | SCRAPED
        had |= labels
        asked = {matcher.name for matcher in selector.matchers.matchers}
        found += [f"{name} has no label {label}" for label in sorted(asked - labels)]
    found += [f"nothing has the label {label}" for label in sorted(grouped(expression) - had)]
    return found


def needs(expression: str) -> str | None:
    """Return the optional service whose metrics an expression asks for."""
    for selector in selectors(expression):
        for service in OPTIONAL:
            if str(selector.name).startswith(f"{PREFIX}_{service}_"):
                return service
    return None


__all__ = ["catalogue", "needs", "problems", "selectors"]
