"""The SQL of the documentation gives the usual rates of rows that the pipeline wrote."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.builders import HOUR, Tab, reads
from tests.offices import KEYS, Three

SQL = (Path(__file__).resolve().parents[2] / "docs" / "rates.sql").read_text(encoding="utf-8")


def test_rates_of_three_calls() -> None:
    """Two of three answered, one within 20 s; 90 s of handling; half of the time with a call."""
    tab, office = Tab("A", login=KEYS[0]), Three()
    first, second, third = (tab.call(number) for number in (1, 2, 3))
    posts = [tab.logs_in(0, KEYS[0]), tab.presence(0)]
    posts += [first.ring(10_000), first.start(14_000), first.end(74_000)]
    posts += [second.ring(100_000), second.start(130_000), second.end(160_000)]
    posts += [third.ring(200_000), third.end(220_000), tab.logs_out(288_000)]
    office.take(reads(posts))
    office.until(HOUR)
    rows = [row for row in office.metrics().values() if row["scope_type"] == "TEAM"]
    table = sqlite3.connect(":memory:")
    table.row_factory = sqlite3.Row
    names = list(rows[0])
    table.execute(f"CREATE TABLE interval_metrics ({', '.join(names)})")
    for row in rows:
        values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
        table.execute(f"INSERT INTO interval_metrics VALUES ({', '.join('?' * len(names))})", values)
    # SQLite takes a key of digits for the place in an array.
    (rates,) = table.execute(SQL.replace("->> '20'", "->> '$.\"20\"'")).fetchall()
    assert dict(rates) == {
        "scope_type": "TEAM",
        "scope_id": "red",
        "service_level_20s": pytest.approx(1 / 3),
        "answer_rate": pytest.approx(2 / 3),
        "call_answer_rate": pytest.approx(2 / 3),
        "abandonment_rate": pytest.approx(1 / 3),
        "average_speed_of_answer_seconds": pytest.approx(17.0),
        "average_handle_seconds": pytest.approx(45.0),
        "occupancy": pytest.approx(144 / 288),
    }
