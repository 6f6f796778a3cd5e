"""What is counted when a transaction was committed, and what is looked up when Prometheus asks (CONTRACT 10)."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.contracts.directory import read_directory
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.records import Tally
from streams.telemetry.metrics import Metrics
from streams.worker.observer import Accountant, StateCollector
from tests.builders import HOUR, KEY, LOGIN, T0, Both, Json, Tab, reads

NOW = T0 / 1000 + 3.0


class Ledger:
    """Metrics and an accountant whose clock stands three seconds after T0."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.metrics = Metrics()
        self.accountant = Accountant(self.metrics, clock=lambda: NOW)

    def commit(self, *tallies: Tally) -> None:
        """Tell that a transaction with these tallies was committed."""
        self.accountant.committed([("sessions", 0, tally) for tally in tallies])

    def value(self, name: str, **labels: str) -> float | None:
        """Return a sample."""
        return self.metrics.registry.get_sample_value(f"widgetstreams_{name}", labels)


def a_revision(**changes: Any) -> Json:
    """Return what the accountant reads of a call record that became final."""
    return {
        "revision_reason": "FINAL", "quality": [], "direction": "INBOUND", "disposition": "ANSWERED", "ring_ms": 5_000,
        "talk_ms": 60_000, "hold_ms": 7_000, "hold_count": 1, "answered_at": T0, "end_source": "WEB_PHONE", **changes,
    }  # fmt: skip


def revised(*rows: Json) -> Ledger:
    """Return what was counted of these revisions."""
    ledger, tally = Ledger(), Tally()
    tally.revisions += rows
    ledger.commit(tally)
    return ledger


def test_nothing_is_counted_before_the_commit() -> None:
    """A fold that is thrown away was never seen (DECISIONS 48): its tally is all there is of it."""
    ledger, both, tab = Ledger(), Both(), Tab()
    both.take(reads([tab.route(0)]))
    both.until(HOUR)
    assert both.tally.received
    before = ledger.value("events_received_total", type="RC_ROUTE_CHANGED_NOTIFY")
    ledger.commit(both.tally)
    assert before is None
    assert ledger.value("events_received_total", type="RC_ROUTE_CHANGED_NOTIFY") == 1
    assert ledger.value("events_processed_total", type="RC_ROUTE_CHANGED_NOTIFY", outcome="accepted") == 1
    assert ledger.value("last_progress_timestamp_seconds") == NOW


def test_every_counter_takes_what_was_tallied() -> None:
    """Over several batches of one transaction and several transactions."""
    ledger, tally = Ledger(), Tally()
    tally.received["OTHER"] = 3
    tally.outcomes["OTHER", "ignored"] = 2
    tally.outcomes["OTHER", "dead_letter"] = 1
    tally.dead_letters["TOO_LATE"] = 1
    tally.gaps, tally.lost = 2, 5
    ledger.commit(tally, tally)
    ledger.commit(tally)
    assert ledger.value("events_received_total", type="OTHER") == 9
    assert ledger.value("events_processed_total", type="OTHER", outcome="ignored") == 6
    assert ledger.value("events_processed_total", type="OTHER", outcome="dead_letter") == 3
    assert ledger.value("dead_letters_total", reason="TOO_LATE") == 3
    assert (ledger.value("sequence_gaps_total"), ledger.value("events_lost_total")) == (6, 15)


def test_what_is_no_tally_of_ours_is_not_counted() -> None:
    """The engine knows nothing of calls and hands over what the stages gave it."""
    ledger = Ledger()
    ledger.accountant.committed([("sessions", 0, None), ("extensions", 1, object())])
    assert ledger.value("last_progress_timestamp_seconds") == NOW


@pytest.mark.parametrize(
    ("event_time", "received_at", "capture", "end_to_end"),
    [(0, 1_000, 1.0, 2.0), (0, 0, 0.0, 3.0), (500, 0, 0.0, 3.0), (0, 9_000, 9.0, 0.0)],
)
def test_latencies_are_seconds_and_never_negative(
    event_time: int, received_at: int, capture: float, end_to_end: float
) -> None:
    """From the event to the gateway, and from there to the commit."""
    ledger, tally = Ledger(), Tally()
    tally.latencies.append((T0 + event_time, T0 + received_at))
    ledger.commit(tally)
    assert ledger.value("capture_latency_seconds_sum") == pytest.approx(capture)
    assert ledger.value("end_to_end_latency_seconds_sum") == pytest.approx(end_to_end)


def test_a_clock_that_is_ahead_has_a_skew_below_zero() -> None:
    """Seconds, in the bucket where they belong."""
    ledger, tally = Ledger(), Tally()
    tally.skews_ms.append(-7_000)
    ledger.commit(tally)
    assert ledger.value("clock_skew_seconds_bucket", le="-10.0") == 0
    assert ledger.value("clock_skew_seconds_bucket", le="-1.0") == 1


def test_a_call_is_counted_when_its_record_first_becomes_final() -> None:
    """Not when it ends, and not again after an amendment (DECISIONS 48)."""
    ledger = revised(
        a_revision(revision_reason="ENDED"),
        a_revision(),
        a_revision(revision_reason="AMENDED", quality=["LATE_AMENDED"]),
        a_revision(quality=["LATE_AMENDED"]),
    )
    assert ledger.value("calls_total", direction="INBOUND", disposition="ANSWERED") == 1
    assert ledger.value("records_amended_total", reason="AMENDED") == 1
    assert ledger.value("call_ring_seconds_sum") == 5.0
    assert ledger.value("call_talk_seconds_sum") == 60.0
    assert ledger.value("call_hold_seconds_sum") == 7.0


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"answered_at": None, "talk_ms": 0, "hold_count": 0, "hold_ms": 0}, (1, 0, 0)),
        ({"hold_count": 0, "hold_ms": 0}, (1, 1, 0)),
        ({"ring_ms": None}, (0, 1, 1)),
        ({"talk_ms": 0}, (1, 1, 1)),
    ],
)
def test_histograms_hold_only_what_happened(changes: Json, counts: tuple[int, int, int]) -> None:
    """No talk of zero seconds for those that were never answered, no ring that nobody saw."""
    ledger = revised(a_revision(**changes))
    found = [ledger.value(f"call_{name}_seconds_count") for name in ("ring", "talk", "hold")]
    assert found == list(counts)


def test_a_leg_that_nobody_ended_is_counted_by_its_evidence() -> None:
    """Too many of them say that posts get lost."""
    ledger = revised(a_revision(quality=["INFERRED_END"], end_source="TIMEOUT"))
    assert ledger.value("calls_inferred_end_total", end_source="TIMEOUT") == 1


def test_the_engines_own_news_are_counted() -> None:
    """Records, batches, assignments, recovery."""
    ledger = Ledger()
    ledger.accountant.produced(Counter({"widget.audit.v1": 4}))
    ledger.accountant.folded("sessions", 500, 0.02)
    ledger.accountant.rebalanced()
    ledger.accountant.recovering("log", 70)
    assert ledger.value("records_produced_total", topic="widget.audit.v1") == 4
    assert ledger.value("batch_seconds_sum", stage="sessions") == 0.02
    assert ledger.value("rebalances_total") == 1
    assert ledger.value("table_recovery_remaining_records", table="log") == 70


def a_partition() -> ExtensionsPartition:
    """Return a partition with one extension in a call while another call rings."""
    both, tab = Both(), Tab(login=LOGIN)
    first, second = tab.call(1), tab.call(2, direction="Outbound")
    both.take(reads([tab.presence(0), first.ring(10), first.start(20), second.init(30)]))
    return both.extensions


def gauges(partitions: Sequence[ExtensionsPartition]) -> CollectorRegistry:
    """Return a registry that looks at these partitions."""
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: partitions, clock=lambda: NOW))
    return registry


def test_gauges_are_read_off_the_state() -> None:
    """As it is when Prometheus asks."""
    registry = gauges([a_partition()])
    value = registry.get_sample_value
    assert value("widgetstreams_active_calls", {"direction": "INBOUND", "state": "CONNECTED"}) == 1
    assert value("widgetstreams_active_calls", {"direction": "OUTBOUND", "state": "DIALING"}) == 1
    assert value("widgetstreams_presence_extensions", {"activity": "ON_CALL"}) == 1
    assert value("widgetstreams_table_keys", {"table": "active_calls"}) == 2
    assert value("widgetstreams_table_keys", {"table": "presence"}) == 1
    assert value("widgetstreams_source_mark_age_seconds", {"partition": "0"}) == pytest.approx(3.0 - 0.07)


def test_gauges_go_back_to_zero() -> None:
    """An activity that nobody is in is told as zero, and a partition that went away is not told at all."""
    held = [a_partition()]
    registry = gauges(held)
    held.clear()
    assert registry.get_sample_value("widgetstreams_presence_extensions", {"activity": "ON_CALL"}) == 0
    assert registry.get_sample_value("widgetstreams_table_keys", {"table": "presence"}) == 0
    assert registry.get_sample_value("widgetstreams_source_mark_age_seconds", {"partition": "0"}) is None


def test_extensions_of_the_directory_add_up_over_partitions() -> None:
    """Heard and not heard today, also while the day before waits for its last row."""
    rows = [{"account_id": "16", "time_zone": "UTC"}]
    rows += [{"account_id": "16", "extension_id": key[-3:], "login_number": key} for key in (LOGIN, "+16505550100*102")]
    directory = read_directory((json.dumps(row).encode() for row in rows), KEY)
    held = [Both(directory=directory) for _ in range(2)]
    midnight = 15 * HOUR
    for both, until in zip(held, (HOUR, midnight + 1_000), strict=True):
        both.until(0)
        both.take(reads([Tab(login=LOGIN).presence(0)]))
        both.until(until)
    for both, heard in ((held[0], 1), (held[1], 0)):
        value = gauges([both.extensions]).get_sample_value
        assert value("widgetstreams_capture_extensions", {"heard": "yes"}) == heard
        assert value("widgetstreams_capture_extensions", {"heard": "no"}) == 2 - heard
    together = gauges([both.extensions for both in held]).get_sample_value
    assert together("widgetstreams_capture_extensions", {"heard": "no"}) == 3
    assert together("widgetstreams_capture_extensions", {"heard": "yes"}) == 1


def test_registration_does_not_look_at_the_state() -> None:
    """It is not there yet when the worker is built."""

    def partitions() -> list[ExtensionsPartition]:
        raise AssertionError("nobody asked")

    CollectorRegistry().register(StateCollector(partitions))


def test_one_question_of_prometheus_goes_through_the_state_twice() -> None:
    """However many calls there are: it is asked on the loop that also keeps the worker in its group."""
    looked = []

    def partitions() -> list[ExtensionsPartition]:
        looked.append(1)
        return [a_partition()]

    list(StateCollector(partitions).collect())
    assert len(looked) == 2
