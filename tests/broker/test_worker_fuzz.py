"""Random bytes and mutated envelopes through a real worker: it goes on, and every record has exactly one outcome."""

import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from streams.simulate.habits import Crowd, Habits
from tests.broker.conftest import Namespace
from tests.broker.installation import Envelope, Installation, page, port_of, total
from tests.garble import garbled
from tests.simulate.runs import a_day

pytestmark = pytest.mark.broker

PARTITIONS = 4
SEED = 20_260_301
RECEIVED, PROCESSED = "widgetstreams_events_received_total", "widgetstreams_events_processed_total"
LETTERS = "widgetstreams_dead_letters_total"


def fuzz(records: int) -> list[Envelope]:
    """Return garbled records of the last minutes, in partitions chosen at random."""
    real: Sequence[dict[str, Any]] = [
        due.envelope for due in a_day(Habits(calls_per_hour=60), Crowd(extensions=60), minutes=15).dues
    ]
    random = Random(SEED)
    headers = ((), (("traceparent", b"nonsense"),), (("x", b"\xff" * 50), ("x", b"")))
    return [
        Envelope(item.value, item.key, random.randrange(PARTITIONS), headers=random.choice(headers))
        for item in islice(garbled(SEED, real), records)
    ]


def each_has_one_outcome(installation: Installation, records: int, seconds: float) -> None:
    """Send fuzz to a worker, and check that counters, dead letters, enriched events and audits add up."""
    sent = installation.send(fuzz(records))
    assert sent == records
    with installation.worker(WIDGET_STREAMS_IDENTITY_WAIT_SECONDS="1") as worker:
        port = port_of(worker)
        worker.until(lambda: total(page(port, "/metrics").text, RECEIVED) >= records, seconds)
        # What waits for its user has waited a second later; then the extensions stage has to have seen the rest.
        worker.until(lambda: total(page(port, "/metrics").text, PROCESSED) >= records, seconds)
        installation.until_time(worker, round(time.time() * 1000), seconds)
        metrics = page(port, "/metrics").text
        assert worker.end() == 0
        assert "Traceback" not in worker.text
    assert total(metrics, RECEIVED) == total(metrics, PROCESSED) == records
    letters = Counter(row["reason"] for row in installation.rows("DeadLetter"))
    assert letters.total() == total(metrics, PROCESSED, outcome="dead_letter")
    for reason, number in letters.items():
        assert total(metrics, LETTERS, reason=reason) == number
    failed = [row["detail"] for row in installation.rows("DeadLetter") if row["reason"] == "INTERNAL_ERROR"]
    assert failed == []
    assert {"BAD_JSON", "BAD_ENVELOPE", "SCHEMA_VIOLATION"} <= set(letters)
    places = Counter((row["topic"], row["partition"], row["offset"]) for row in installation.rows("DeadLetter"))
    enriched = installation.rows("EnrichedEvent")
    places.update((row["input"]["topic"], row["input"]["partition"], row["input"]["offset"]) for row in enriched)
    assert set(places.values()) == {1}
    assert len(enriched) > records / 20


def test_five_thousand_records_of_all_kinds_have_one_outcome_each(
    kafka: str, namespace: Namespace, tmp_path: Path
) -> None:
    """The normal run's share; `verify` agrees afterwards."""
    installation = Installation(kafka, namespace, tmp_path, PARTITIONS)
    each_has_one_outcome(installation, 5_000, 90)
    verified = installation.command("verify", WIDGET_STREAMS_IDENTITY_WAIT_SECONDS="1")
    assert verified.code == 0, verified.text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_records_of_all_kinds_have_one_outcome_each(
    kafka: str, namespace: Namespace, tmp_path: Path
) -> None:
    """The long run, and `verify` agrees here too."""
    installation = Installation(kafka, namespace, tmp_path, PARTITIONS)
    each_has_one_outcome(installation, 100_000, 400)
    verified = installation.command("verify", seconds=300, WIDGET_STREAMS_IDENTITY_WAIT_SECONDS="1")
    assert verified.code == 0, verified.text
