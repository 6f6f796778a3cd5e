"""When an extension tells how its time was spent: at the next ten seconds (CONTRACT 7)."""

from streams.domain.intervals import diary as diaries
from streams.domain.intervals.diary import Diary
from streams.domain.intervals.windows import GRID_MS, QUARTER, SETTLE_MS
from streams.domain.postings import Row

QUARTER_MS = QUARTER * 1000
BEGIN = 1_960_000 * QUARTER_MS


def presence(at: int) -> Row:
    """Return the presence event of an extension that begins to ring."""
    return {"event_time": at, "current": {"activity": "RINGING", "active_legs": 1}}


def login(at: int) -> Row:
    """Return a login."""
    return {"event_time": at, "type": "LOGGED_IN"}


def test_a_change_of_activity_is_told_within_ten_seconds() -> None:
    """EARLY rows come every ten seconds of stream time, if anything changed."""
    diary = Diary("+16505550100*101")
    diaries.note_presence(diary, presence(BEGIN + 5_000), BEGIN + 5_100)
    assert diaries.next_due(diary) == BEGIN + GRID_MS


def test_a_login_is_told_within_ten_seconds_and_the_activity_with_it() -> None:
    """The earlier of both moments counts."""
    diary = Diary("+16505550100*101")
    diaries.note_presence(diary, presence(BEGIN + 5_000), BEGIN + 5_100)
    diaries.note_login(diary, login(BEGIN + 6_000), BEGIN + 6_100)
    assert diaries.next_due(diary) == BEGIN + GRID_MS


def test_a_change_that_comes_after_its_quarter_is_told_within_ten_seconds() -> None:
    """Its windows are final: nobody would tell it along."""
    diary = Diary("+16505550100*101")
    diaries.note_presence(diary, presence(BEGIN + 5_000), BEGIN + QUARTER_MS + SETTLE_MS)
    assert diaries.next_due(diary) == BEGIN + QUARTER_MS + SETTLE_MS + GRID_MS
