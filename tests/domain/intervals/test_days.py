"""Days between local midnights, with the days of 23 and 25 hours, and zones that skip or repeat midnight."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.intervals.days import day_of
from streams.domain.intervals.windows import DAY

HOUR = 3_600_000


def at(text: str) -> int:
    """Return an instant in ms since the epoch."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "instant", "start", "hours"),
    [
        ("America/Los_Angeles", "2026-03-08T09:00", "2026-03-08T08:00", 23),
        ("America/Los_Angeles", "2026-11-01T08:30", "2026-11-01T07:00", 25),
        ("America/Los_Angeles", "2026-06-01T06:59:59.999", "2026-05-31T07:00", 24),
        ("America/Los_Angeles", "2026-06-01T07:00", "2026-06-01T07:00", 24),
        ("Asia/Kathmandu", "2026-06-01T18:14", "2026-05-31T18:15", 24),
        ("Australia/Lord_Howe", "2026-10-03T14:00", "2026-10-03T13:30", 23.5),
        ("America/Havana", "2024-03-10T05:00", "2024-03-10T05:00", 23),
        ("America/Havana", "2024-11-03T05:30", "2024-11-03T04:00", 25),
        ("Pacific/Apia", "2011-12-30T09:00", "2011-12-29T10:00", 24),
        (None, "2026-06-01T23:00", "2026-06-01T00:00", 24),
        ("No/Such_Zone", "2026-06-01T23:00", "2026-06-01T00:00", 24),
        ("../../etc/passwd", "2026-06-01T23:00", "2026-06-01T00:00", 24),
    ],
)
def test_days_are_as_long_as_their_zone_makes_them(zone: str | None, instant: str, start: str, hours: float) -> None:
    """Forward, back, at midnight, by half an hour, a skipped date, and zones that nobody knows."""
    day = day_of(zone, at(instant))
    assert (day.start, day.end - day.start, day.seconds) == (at(start), hours * HOUR, DAY)


@given(
    st.sampled_from(["America/Los_Angeles", "Europe/Berlin", "America/St_Johns", "Africa/Cairo", "America/Havana"]),
    st.integers(at("1990-01-01"), at("2035-01-01")),
)
def test_days_follow_each_other_without_gap(zone: str, instant: int) -> None:
    """Every instant is in one day; where one ends the next begins."""
    day = day_of(zone, instant)
    assert day.start <= instant < day.end
    assert day_of(zone, day.start) == day_of(zone, day.end - 1) == day
    assert day_of(zone, day.end).start == day.end
    assert 22 * HOUR <= day.end - day.start <= 26 * HOUR
