"""A worker tells which extensions of the directory nothing came from, in its topic and in its gauge."""

import time
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from tests.broker.conftest import Namespace
from tests.broker.installation import Envelope, Installation, page, port_of, total
from tests.builders import HOUR, T0, Tab, line

pytestmark = pytest.mark.broker

ANN, BOB, CAT = (f"+16505550100*{number}" for number in (101, 102, 103))


def fill_directory(installation: Installation, *keys: str) -> None:
    """Write the rows of an account's extensions."""
    producer = Producer({"bootstrap.servers": installation.kafka})
    for key in keys:
        row = {"account_id": "16", "extension_id": key[-3:], "login_number": key}
        producer.produce(installation.naming.prefix + "directory.v1", line(row), f"16/{key[-3:]}".encode())
    assert producer.flush(20) == 0


def test_silent_extensions_are_told_by_topic_and_gauge(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """One posted an hour ago, today: the partitions of the topic add up to the directory, the gauge to the rows."""
    installation = Installation(kafka, namespace, tmp_path, 2, replayed=True)
    fill_directory(installation, ANN, BOB, CAT)
    now = round(time.time() * 1000)
    # Of a day that was over when the worker began there are no rows but of what was heard.
    at = max(now - HOUR, now // (24 * HOUR) * 24 * HOUR)
    tab = Tab(login=ANN)
    envelope = tab.presence(at - T0)
    installation.send([Envelope(orjson.dumps(envelope), tab.session_id.encode(), 0, at)])

    def last() -> tuple[int, int, list[str]]:
        """Return extensions, heard and not heard of the day of the post, by the last row of each partition."""
        told = {row["partition"]: row for row in installation.rows("CaptureCoverage") if row["window_start"] <= at}
        rows = told.values()
        listed = sorted(key for row in rows for key in row["not_heard"])
        return sum(row["extensions"] for row in rows), sum(row["heard"] for row in rows), listed

    with installation.worker() as worker:
        port = port_of(worker)
        worker.until(lambda: last() == (3, 1, [BOB, CAT]))
        worker.until(lambda: total(page(port, "/metrics").text, "widgetstreams_capture_extensions") == 3)
        assert worker.end() == 0
