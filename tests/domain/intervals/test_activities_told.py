"""When an extension tells how its time was spent: with calls, messages and logins, or when a quarter is over."""

from streams.domain.intervals import diary as diaries
from streams.domain.intervals.diary import Diary
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.telling import close_minutes, tell
from streams.domain.intervals.windows import GRID_MS, MINUTE, QUARTER, SETTLE_MS, Window
from streams.domain.outputs import Output
from streams.domain.postings import Row

QUARTER_MS = QUARTER * 1000
BEGIN = 1_960_000 * QUARTER_MS


class Memory(dict[Window, Entry]):
    """Pages in memory."""

    def find(self, window: Window) -> Entry | None:
        """Return what is known of a window, or None."""
        return self.get(window)

    def open(self, window: Window) -> Entry:
        """Return what is known of a window; a new one is begun."""
        return self.setdefault(window, Entry())


def presence(at: int) -> Row:
    """Return the presence event of an extension that begins to ring."""
    return {"event_time": at, "current": {"activity": "RINGING", "active_legs": 1}}


def login(at: int) -> Row:
    """Return a login."""
    return {"event_time": at, "type": "LOGGED_IN"}


def test_a_change_of_activity_waits_for_the_end_of_its_quarter() -> None:
    """It is told when the windows of the quarter become final."""
    diary = Diary("+16505550100*101")
    diaries.note_presence(diary, presence(BEGIN + 5_000), BEGIN + 5_100)
    assert diaries.next_due(diary) == BEGIN + QUARTER_MS + SETTLE_MS


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


def test_a_minute_is_closed_with_activities_that_still_wait_for_their_quarter() -> None:
    """Its row is the only one; the quarter goes on waiting for the rest."""
    diary, pages = Diary("+16505550100*101"), Memory()
    diaries.note_login(diary, login(BEGIN + 6_000), BEGIN + 6_100)
    tell(diary, pages, BEGIN + GRID_MS)
    diaries.note_presence(diary, presence(BEGIN + 15_000), BEGIN + 15_100)
    over = BEGIN + 60_000 + SETTLE_MS
    assert diaries.next_due(diary) == over
    assert diaries.is_minutes_only(diary, over)
    rows = [told.row or {} for told in close_minutes(diary, pages, over) if told.output is Output.INTERVAL_METRICS]
    assert [(row["window_seconds"], row["kind"], row["activity_ms"]) for row in rows] == [
        (MINUTE, "FINAL", {"RINGING": 45_000})
    ]
    assert diaries.next_due(diary) == BEGIN + QUARTER_MS + SETTLE_MS
    assert not diaries.is_minutes_only(diary, BEGIN + QUARTER_MS + SETTLE_MS)
    tell(diary, pages, BEGIN + QUARTER_MS + SETTLE_MS)
    assert pages[Window(QUARTER, BEGIN, BEGIN + QUARTER_MS)].numbers["activity_ms"] == {"RINGING": QUARTER_MS - 15_000}
