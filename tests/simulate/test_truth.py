"""The simulated posts against the product's own conclusions: `fold` finds the legs that really were."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from streams.cli.main import main
from streams.simulate.history import Disposition, TrueLeg
from tests.simulate.runs import Day, busy_day, faulty_day

LONGEST_DELAY_MS = 300
"""Network delay that the pipeline cannot tell from skew, and lags between tabs."""
TELLS_APART = {Disposition.REJECTED: "MISSED", Disposition.ANSWERED_ELSEWHERE: "MISSED"}
"""Web-phone posts alone do not tell these from a missed call (SPEC 4.4)."""


def concluded(day: Day, folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Fold a day and return the last revision of each call record by extension and call."""
    posted = folder / "posted.jsonl"
    posted.write_bytes(b"\n".join(orjson.dumps(due.envelope) for due in day.dues))
    folded = CliRunner().invoke(main, ["fold", str(posted), "--out", str(folder / "out")], catch_exceptions=False)
    assert folded.exit_code == 0, folded.output
    assert orjson.loads((folder / "out/summary.json").read_bytes())["dead_letter"] == 0
    lines = (folder / "out/widget.call-records.v1.jsonl").read_bytes().splitlines()
    records: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = orjson.loads(line)
        records.pop(row["key"], None)
        if row["value"] is not None:
            records[row["key"]] = row["value"]
    return {(record["extension_key"], record["call_id"]): record for record in records.values()}


def differences(leg: TrueLeg, record: dict[str, Any] | None) -> list[str]:
    """Name what a call record says wrongly about a leg."""
    if record is None:
        return ["absent"]
    late = 6_000 if leg.ended_by_reload else LONGEST_DELAY_MS
    checks = {
        "disposition": record["disposition"] == TELLS_APART.get(leg.disposition, leg.disposition),
        "direction": record["direction"] == leg.direction.value.upper(),
        "queue_call": record["queue_call"] == (leg.queue is not None),
        "initiated_at": 0 <= record["initiated_at"] - leg.initiated_at < LONGEST_DELAY_MS,
        "answered_at": (record["answered_at"] is None) == (leg.answered_at is None),
        "ring_ms": record["ring_ms"] == (leg.answered_at or leg.ended_at) - leg.initiated_at or leg.ended_by_reload,
        "ended_at": 0 <= record["ended_at"] - leg.ended_at < late,
        "hold_ms": abs(record["hold_ms"] - sum(end - begin for begin, end in leg.holds)) < 100,
        "mute_ms": abs(record["mute_ms"] - sum(end - begin for begin, end in leg.mutes)) < 100,
        "inferred": ("INFERRED_END" in record["quality"]) == leg.ended_by_reload,
    }
    return [name for name, is_right in checks.items() if not is_right]


def test_call_records_say_what_really_happened(tmp_path: Path) -> None:
    """On a good network every ended leg has its record, right in all it can know; another leg's record is not right."""
    records = concluded(busy_day(), tmp_path)
    legs = busy_day().ended
    wrong = Counter(name for leg in legs for name in differences(leg, records.get((leg.extension_key, leg.call_id))))
    assert not wrong
    assert len(legs) > 500
    first, other = legs[0], next(leg for leg in legs if leg.disposition is not legs[0].disposition)
    assert differences(first, records[other.extension_key, other.call_id])


def test_a_bad_network_costs_little(tmp_path: Path) -> None:
    """With 2 % lost and 3 % late almost every leg is still found; only what was lost is missing from records."""
    records = concluded(faulty_day(), tmp_path)
    legs = faulty_day().ended
    found = sum((leg.extension_key, leg.call_id) in records for leg in legs)
    assert found / len(legs) == pytest.approx(1, abs=0.02)
