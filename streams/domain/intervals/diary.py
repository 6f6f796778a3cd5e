"""The diary of one extension: what happened since it was told last, and when it has to be told next (DECISIONS 39)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from streams.domain.intervals import numbers
from streams.domain.intervals.activity import IDLE, Doing
from streams.domain.intervals.call_numbers import Counted
from streams.domain.intervals.scopes import scopes_of
from streams.domain.intervals.windows import MINUTE, QUARTER, SETTLE_MS, Window, final_at, next_grid
from streams.domain.postings import Row
from streams.domain.words import Direction, SessionEventType

MAX_WAITING = 200
"""So many facts wait to be told; with one more they are told at once."""
NEVER = 2**63 - 1
LOGINS = "logins"
_QUARTER_MS = QUARTER * 1000


class Point(NamedTuple):
    """Something that is counted by one: a login, a message."""

    at: int
    group: str
    name: str


class Place(NamedTuple):
    """Where an extension belongs."""

    account_id: str | None = None
    team: str | None = None
    site: str | None = None
    zone: str | None = None
    """Time zone of the account."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The keys of the scopes that its activities, logins and messages count for."""
        return scopes_of(self.team, self.site, self.account_id)


@dataclass(slots=True)
class Diary:
    """What is remembered of one extension beside its pages."""

    key: str
    place: Place = field(default_factory=Place)
    calls: list[tuple[int, Counted]] = field(default_factory=list)
    """What is to be counted (1) and to be taken away (-1), in the order in which it was told."""
    points: list[Point] = field(default_factory=list)
    changes: list[Doing] = field(default_factory=list)
    """Changes of the activity that are not counted yet."""
    timeline: list[Doing] = field(default_factory=list)
    """The latest changes that are."""
    counted_until: int = 0
    """Up to here, in event time, activities are counted."""
    waiting: list[Window] = field(default_factory=list)
    """Windows that have something in them and are not final."""
    serial: int = 0
    """How often the scopes were told."""
    due: int = NEVER
    """When what happened has to be told."""


def note_call(diary: Diary, before: Counted | None, after: Counted | None, now: int) -> None:
    """Take the new content of a leg; `before` is what was counted of it until now."""
    if before is not None:
        diary.calls.append((-1, before))
    if after is not None:
        diary.calls.append((1, after))
    _wake(diary, now)


def note_presence(diary: Diary, row: Row, now: int) -> None:
    """Take a PresenceEvent."""
    current, at = row["current"], row["event_time"]
    assert isinstance(current, dict)
    assert isinstance(at, int)
    diary.changes.append(Doing(at, str(current["activity"]), int(current["active_legs"])))
    _wake(diary, now)


def note_login(diary: Diary, row: Row, now: int) -> None:
    """Take a SessionEvent; logins are counted."""
    if row["type"] == SessionEventType.LOGGED_IN:
        _point(diary, row, numbers.COUNTS, LOGINS, now)


def note_message(diary: Diary, row: Row, now: int) -> None:
    """Take a MessageEvent; a message is counted by its type when it is first seen."""
    if row["type"] == "CREATED":
        inbound = row["direction"] == Direction.INBOUND
        group = numbers.MESSAGES_IN if inbound else numbers.MESSAGES_OUT
        _point(diary, row, group, str(row["message_type"]), now)


def _point(diary: Diary, row: Row, group: str, name: str, now: int) -> None:
    at = row["event_time"]
    assert isinstance(at, int)
    diary.points.append(Point(at, group, name))
    _wake(diary, now)


def _wake(diary: Diary, now: int) -> None:
    diary.due = min(diary.due, next_grid(now))


def is_full(diary: Diary) -> bool:
    """Tell whether more has happened than is kept waiting."""
    return len(diary.calls) + len(diary.points) + len(diary.changes) > MAX_WAITING


def is_waiting(diary: Diary) -> bool:
    """Tell whether something happened that was not told."""
    return diary.due != NEVER


def is_minutes_only(diary: Diary, at: int) -> bool:
    """Tell whether nothing is due at stream time `at` but minutes that become final."""
    if at >= min(diary.due, _lasting_due(diary)):
        return False
    return all(window.seconds == MINUTE for window in diary.waiting if final_at(window) <= at)


def next_due(diary: Diary) -> int:
    """Return the stream time at which the diary has to be told, if nothing happens before."""
    due = _lasting_due(diary)
    if diary.due < due:
        due = diary.due
    for _, _, end in diary.waiting:
        if end + SETTLE_MS < due:
            due = end + SETTLE_MS
    return due


def _lasting_due(diary: Diary) -> int:
    """Return when an activity that goes on has to be told."""
    if not diary.timeline or diary.timeline[-1].activity in IDLE:
        return NEVER
    return diary.counted_until - diary.counted_until % _QUARTER_MS + _QUARTER_MS + SETTLE_MS
