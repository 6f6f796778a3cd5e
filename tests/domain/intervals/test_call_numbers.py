"""What one leg counts for: by direction, disposition, transfer and times."""

from typing import Any

import pytest

from streams.contracts.sketch import bucket_of
from streams.domain.intervals.call_numbers import count

AT = 1_772_442_000_000


def a_record(**changes: Any) -> dict[str, Any]:
    """Return what matters of a CallRecord: an inbound leg answered after 12 s, with a hold of 4 s."""
    return {
        "leg_id": "leg", "call_id": "call", "direction": "INBOUND", "disposition": "ANSWERED", "transfer": "NONE",
        "ended_at": AT, "ring_ms": 12_000, "talk_ms": 60_000, "hold_ms": 4_000, "hold_count": 1,
        "longest_hold_ms": 4_000, "handle_ms": 64_000, "team": "red", "site": None, "account_id": "1", "queue": "q",
        **changes,
    }  # fmt: skip


def numbers(**changes: Any) -> dict[str, dict[str, int]]:
    """Return the numbers of a record."""
    counted = count(a_record(**changes), None, bucket_of)
    assert counted is not None
    return counted.numbers


def test_an_answered_call() -> None:
    """It counts as offered, answered and held, with its times, the step that it was answered in, and its buckets."""
    counted = count(a_record(), None, bucket_of)
    assert counted is not None
    assert counted.numbers == {
        "counts": {
            "calls_offered": 1, "calls_answered": 1, "calls_taken": 1, "calls_held": 1, "talk_ms": 60_000,
            "hold_ms": 4_000, "handle_ms": 64_000, "ring_ms": 12_000,
        },
        "answered_within": {"15": 1},
        "ring_sketch": {bucket_of(12_000): 1},
        "talk_sketch": {bucket_of(60_000): 1},
        "hold_sketch": {bucket_of(4_000): 1},
    }  # fmt: skip
    assert counted.scopes == ("TEAM:red", "QUEUE:q", "ACCOUNT:1")
    assert (counted.call_id, counted.ring, counted.hold) == ("call", 12_000, 4_000)


@pytest.mark.parametrize(
    ("disposition", "names"),
    [
        ("MISSED", {"calls_offered", "calls_missed"}),
        ("REJECTED", {"calls_offered", "calls_rejected"}),
        ("VOICEMAIL", {"calls_offered", "calls_voicemail", "calls_taken"}),
        ("FORWARDED", {"calls_offered", "calls_taken"}),
        ("REPLIED", {"calls_offered", "calls_taken"}),
        ("ANSWERED_ELSEWHERE", {"calls_offered", "calls_taken"}),
        ("UNKNOWN", {"calls_offered"}),
    ],
)
def test_other_inbound_calls(disposition: str, names: set[str]) -> None:
    """Their ring is in no sum and no sketch, only in the longest."""
    found = numbers(disposition=disposition, talk_ms=0, hold_ms=0, hold_count=0, handle_ms=0, longest_hold_ms=0)
    assert found == {"counts": dict.fromkeys(names, 1)}


def test_outbound_calls() -> None:
    """They are no offers; a ring that was answered is not how fast somebody answered."""
    found = numbers(direction="OUTBOUND", transfer="WARM")
    assert {name for name, value in found["counts"].items() if value == 1} == {
        "calls_outbound", "calls_outbound_connected", "calls_transferred", "calls_held",
    }  # fmt: skip
    assert "ring_ms" not in found["counts"]
    assert "answered_within" not in found
    assert numbers(direction="OUTBOUND", disposition="BUSY", hold_count=0)["counts"]["calls_outbound"] == 1


@pytest.mark.parametrize(("ring", "step"), [(0, "5"), (5_000, "5"), (5_001, "10"), (120_000, "120"), (120_001, None)])
def test_borders_of_the_steps(ring: int, step: str | None) -> None:
    """A ring of exactly 5 s is within 5 s."""
    assert numbers(ring_ms=ring).get("answered_within") == (None if step is None else {step: 1})


def test_a_ring_that_nobody_saw_is_in_no_step() -> None:
    """It counts as answered all the same."""
    found = numbers(ring_ms=None)
    assert found["counts"]["calls_answered"] == 1
    assert "ring_sketch" not in found


def test_a_reopened_leg_counts_for_nothing() -> None:
    """It has no end and so no window."""
    assert count(a_record(ended_at=None), None, bucket_of) is None


def test_a_leg_without_call_id_is_a_call_of_its_own() -> None:
    """So that it is counted among the distinct calls."""
    counted = count(a_record(call_id=None), None, bucket_of)
    assert counted is not None
    assert counted.call_id == "leg"
