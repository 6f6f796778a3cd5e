"""A worker's pages while it runs: bound to loopback, and the counters add up with what was sent."""

import time
from collections import Counter
from functools import partial
from pathlib import Path

import orjson
import pytest

from streams.simulate.envelopes import Faults
from streams.simulate.habits import Crowd, Habits
from tests.broker.conftest import Namespace
from tests.broker.installation import OUTPUTS, Envelope, Installation, page, port_of, samples, total
from tests.simulate.runs import a_day

pytestmark = pytest.mark.broker

LOOPBACK = "0100007F"
LISTENS = "0A"
CLOSED_LABELS = {
    "type", "outcome", "topic", "reason", "direction", "state", "activity", "disposition", "end_source", "table",
    "stage", "partition", "version", "rules_version", "le", "scope_type", "kind", "heard",
}  # fmt: skip


def bound_to(port: int) -> set[str]:
    """Return the addresses at which somebody on this machine listens at a port, as the kernel writes them."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if int(number, 16) == port and state == LISTENS:
                found.add(address)
    return found


def answers(port: int, path: str) -> bool:
    """Tell whether a page says that all is well."""
    return page(port, path) == (200, "ok\n")


def test_pages_say_when_it_holds_its_partitions(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Started, ready and live turn to 200; loopback only; nothing else is served, Faust's own pages neither."""
    installation = Installation(kafka, namespace, tmp_path, 2)
    with installation.worker() as worker:
        port = port_of(worker)
        for check in ("started", "ready", "live"):
            worker.until(partial(answers, port, f"/health/{check}"))
        assert bound_to(port) == {LOOPBACK}
        for path in ("/", "/health", "/stats/", "/tables/", "/graph/"):
            assert page(port, path).code == 404
        metrics = page(port, "/metrics").text
        assert total(metrics, "widgetstreams_build_info") == 1
        assert total(metrics, "widgetstreams_rebalances_total") == 1
        assert total(metrics, "widgetstreams_table_recovery_remaining_records") == 0
        assert worker.end() == 0
    assert bound_to(port) == set()


def test_counters_add_up_with_what_was_sent_and_written(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Received by type, one outcome for each, records by topic, calls by outcome; labels tell of nobody."""
    installation = Installation(kafka, namespace, tmp_path, replayed=True)
    faults = Faults(lost=0.02, doubled=0.03, late=0.03)
    dues = a_day(Habits(calls_per_hour=30), Crowd(extensions=20), faults=faults, minutes=10).dues
    sent = [Envelope(orjson.dumps(due.envelope), due.session_id.encode(), 0, due.at) for due in dues]
    installation.send([*sent, Envelope(b"{no JSON", None, 0, dues[-1].at)])
    with installation.worker() as worker:
        port = port_of(worker)
        installation.until_time(worker, round(time.time() * 1000) - 86_400_000)
        metrics = page(port, "/metrics").text
        assert worker.end() == 0
    types = Counter("RC_" + due.envelope["event"]["type"] for due in dues)
    assert total(metrics, "widgetstreams_events_received_total") == types.total() + 1
    assert total(metrics, "widgetstreams_events_processed_total") == types.total() + 1
    for outcome in ("accepted", "duplicate", "ignored"):
        assert total(metrics, "widgetstreams_events_processed_total", outcome=outcome) > 0, outcome
    assert total(metrics, "widgetstreams_events_processed_total", outcome="dead_letter") == 1
    for record in OUTPUTS:
        written = len(installation.read(record))
        assert total(metrics, "widgetstreams_records_produced_total", topic=installation.topic(record)) == written
    finals = [row for row in installation.rows("CallRecord") if row["revision_reason"] == "FINAL"]
    first = {row["leg_id"]: row for row in reversed(finals)}
    assert total(metrics, "widgetstreams_calls_total") == len(first)
    for disposition, number in Counter(row["disposition"] for row in first.values()).items():
        assert total(metrics, "widgetstreams_calls_total", disposition=disposition) == number
    assert total(metrics, "widgetstreams_active_calls") == 0
    lost = {row["session_id"]: row["lost"] for row in installation.rows("SessionAudit")}
    assert total(metrics, "widgetstreams_events_lost_total") == sum(lost.values()) > 0
    labels = {label for _, given in samples(metrics) for label, _ in given}
    assert labels <= CLOSED_LABELS
    for due in dues:
        assert str(due.envelope.get("login_number") or due.session_id) not in metrics
