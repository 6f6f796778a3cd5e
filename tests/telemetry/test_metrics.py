"""The metrics catalogue: names, units, labels and help as the contract has them (CONTRACT 10)."""

import re

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.telemetry.metrics import Metrics
from streams.worker.observer import StateCollector

CONTRACT = {
    "events_received_total": ("type",),
    "events_processed_total": ("type", "outcome"),
    "records_produced_total": ("topic",),
    "dead_letters_total": ("reason",),
    "sequence_gaps_total": (),
    "events_lost_total": (),
    "end_to_end_latency_seconds": (),
    "capture_latency_seconds": (),
    "batch_seconds": ("stage",),
    "active_calls": ("direction", "state"),
    "calls_total": ("direction", "disposition"),
    "call_ring_seconds": (),
    "call_talk_seconds": (),
    "call_hold_seconds": (),
    "presence_extensions": ("activity",),
    "capture_extensions": ("heard",),
    "calls_inferred_end_total": ("end_source",),
    "records_amended_total": ("reason",),
    "clock_skew_seconds": (),
    "source_mark_age_seconds": ("partition",),
    "table_keys": ("table",),
    "table_recovery_remaining_records": ("table",),
    "rebalances_total": (),
    "last_progress_timestamp_seconds": (),
}
"""Without those of the gateway, of lag (it asks the engine) and of the build."""


def catalogue() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return type, labels and help of every metric, by the name that Prometheus sees."""
    made = Metrics()
    found = {}
    for metric in made.registry.collect():
        owner = made.registry._names_to_collectors[metric.name]
        name = metric.name + ("_total" if metric.type == "counter" else "")
        found[name] = metric.type, tuple(getattr(owner, "_labelnames", ())), metric.documentation
    for family in StateCollector(list).collect():
        found[family.name] = family.type, tuple(family._labelnames), family.documentation
    return found


@pytest.mark.parametrize(("name", "labels"), CONTRACT.items())
def test_a_metric_of_the_contract_is_there_with_its_labels(name: str, labels: tuple[str, ...]) -> None:
    """Dashboards and alerts rely on both."""
    assert catalogue()[f"widgetstreams_{name}"][1] == labels


@pytest.mark.parametrize(
    "series",
    [
        'dead_letters_total{reason="INTERNAL_ERROR"}',
        'calls_inferred_end_total{end_source="TIMEOUT"}',
        'records_amended_total{reason="AMENDED"}',
    ],
)
def test_what_is_rare_is_there_before_it_happens(series: str) -> None:
    """An alert on the first one needs a zero before it."""
    assert f"widgetstreams_{series} 0.0" in generate_latest(Metrics().registry).decode().splitlines()


def test_names_follow_the_rules_of_prometheus() -> None:
    """Base units, `_total` on counters and on nothing else, no unit that is none."""
    for name, (kind, labels, _) in catalogue().items():
        assert re.fullmatch(r"widgetstreams_[a-z_]+", name)
        assert name.endswith("_total") == (kind == "counter")
        assert kind != "histogram" or name.endswith("_seconds")
        assert not re.search(r"_(ms|millis|minutes|kb|count)(_|$)", name)
        assert all(re.fullmatch(r"[a-z_]+", label) for label in labels)


def test_no_label_is_about_a_person_or_a_call() -> None:
    """Labels come from closed sets (STYLE)."""
    labels = {label for _, names, _ in catalogue().values() for label in names}
    assert labels == {
        "type", "outcome", "topic", "reason", "stage", "direction", "state", "disposition", "activity", "end_source",
        "partition", "table", "version", "rules_version", "scope_type", "kind", "heard",
    }  # fmt: skip


def test_every_help_is_a_sentence() -> None:
    """One that a stranger understands ends in a full stop."""
    for name, (_, _, text) in catalogue().items():
        assert len(text.split()) >= 3, name
        assert text.endswith("."), name


def test_what_is_served_can_be_parsed() -> None:
    """By Prometheus's own rules, and no series tells when another began."""
    made = Metrics()
    made.received.labels("RC_CALL_RING_NOTIFY").inc()
    made.batch.labels("sessions").observe(0.002)
    names = {family.name for family in text_string_to_metric_families(generate_latest(made.registry).decode())}
    assert {"widgetstreams_events_received", "widgetstreams_batch_seconds"} <= names
    assert not [name for name in names if name.endswith("_created")]


def test_workers_of_one_process_do_not_share_their_metrics() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.gaps.inc()
    assert (one.gaps._value.get(), other.gaps._value.get()) == (1, 0)
    assert isinstance(next(iter(StateCollector(list).collect())), GaugeMetricFamily)
