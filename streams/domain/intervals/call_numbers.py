"""What a call record adds to the windows of its end (DECISIONS 39, 60)."""

from collections.abc import Callable
from dataclasses import dataclass

from streams.domain.intervals import numbers
from streams.domain.intervals.days import day_of
from streams.domain.intervals.numbers import COUNTS, Numbers
from streams.domain.intervals.scopes import scopes_of
from streams.domain.intervals.windows import Window
from streams.domain.postings import Row
from streams.domain.words import Direction, Disposition, Transfer

Bucket = Callable[[int], str]
"""Gives the bucket of a quantile sketch that a duration in milliseconds falls in."""

WITHIN_SECONDS = (5, 10, 15, 20, 30, 45, 60, 90, 120)
OFFERED, ANSWERED, MISSED, TAKEN = "calls_offered", "calls_answered", "calls_missed", "calls_taken"
BY_DISPOSITION: dict[object, str] = {
    Disposition.ANSWERED: ANSWERED,
    Disposition.MISSED: MISSED,
    Disposition.REJECTED: "calls_rejected",
    Disposition.VOICEMAIL: "calls_voicemail",
}
"""What an inbound leg counts as beside being offered; the other dispositions are offers only."""
TAKES: frozenset[object] = frozenset(
    {
        Disposition.ANSWERED,
        Disposition.ANSWERED_ELSEWHERE,
        Disposition.VOICEMAIL,
        Disposition.FORWARDED,
        Disposition.REPLIED,
    }
)
"""Somebody or something took the call: it was not abandoned, however many missed it before."""
HANDED_ON = frozenset({Transfer.BLIND, Transfer.WARM})


@dataclass(slots=True)
class Counted:
    """What was counted of one leg: an amendment takes this away before it adds the new content."""

    at: int
    """End of the leg, ms since the epoch: all its numbers count in the windows of this instant."""
    day: Window
    call_id: str
    scopes: tuple[str, ...]
    numbers: Numbers
    ring: int | None = None
    """Of an inbound leg, for the longest."""
    hold: int | None = None


def count(row: Row, zone: str | None, bucket: Bucket) -> Counted | None:
    """Return what a call record counts for; None for a leg that has not ended (again).

    Args:
        row: A CallRecord.
        zone: Time zone of the account, for its day.
        bucket: Of the quantile sketches.
    """
    at = row["ended_at"]
    if not isinstance(at, int):
        return None
    inbound = row["direction"] == Direction.INBOUND
    counted: Numbers = {COUNTS: _inbound(row) if inbound else _outbound(row)}
    ring, hold = _ms(row["ring_ms"]), _ms(row["hold_ms"]) or 0
    answered = row["disposition"] == Disposition.ANSWERED
    _add_durations(counted, row, hold)
    if inbound and answered and ring is not None:
        _add_ring(counted, ring, bucket)
    if answered:
        counted[numbers.TALK] = {bucket(_ms(row["talk_ms"]) or 0): 1}
    if row["hold_count"]:
        counted[numbers.HOLD] = {bucket(hold): 1}
    return Counted(
        at=at,
        day=day_of(zone, at),
        call_id=str(row["call_id"] or row["leg_id"]) if inbound else "",
        scopes=scopes_of(row["team"], row["site"], row["account_id"], row["queue"]),
        numbers=counted,
        ring=ring if inbound else None,
        hold=_ms(row["longest_hold_ms"]) or None,
    )


def _inbound(row: Row) -> dict[str, int]:
    disposition = row["disposition"]
    counts = {OFFERED: 1}
    if name := BY_DISPOSITION.get(disposition):
        counts[name] = 1
    if disposition in TAKES:
        counts[TAKEN] = 1
    return counts


def _outbound(row: Row) -> dict[str, int]:
    counts = {"calls_outbound": 1}
    if row["disposition"] == Disposition.ANSWERED:
        counts["calls_outbound_connected"] = 1
    return counts


def _add_durations(counted: Numbers, row: Row, hold: int) -> None:
    counts = counted[COUNTS]
    if row["transfer"] in HANDED_ON:
        counts["calls_transferred"] = 1
    if row["hold_count"]:
        counts["calls_held"] = 1
    if talk := _ms(row["talk_ms"]):
        counts["talk_ms"] = talk
    if hold:
        counts["hold_ms"] = hold
    if handle := _ms(row["handle_ms"]):
        counts["handle_ms"] = handle


def _add_ring(counted: Numbers, ring: int, bucket: Bucket) -> None:
    if ring:
        counted[COUNTS]["ring_ms"] = ring
    # Kept by the first step that takes it; the rows add the steps up.
    within = next((seconds for seconds in WITHIN_SECONDS if ring <= seconds * 1000), None)
    if within is not None:
        counted[numbers.WITHIN] = {str(within): 1}
    counted[numbers.RING] = {bucket(ring): 1}


def _ms(value: object) -> int | None:
    return value if isinstance(value, int) else None
