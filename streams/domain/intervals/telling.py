"""Tell a diary: count what happened in the windows it falls in, and say what changed (DECISIONS 39)."""

from typing import NamedTuple

from streams.domain.intervals import lasting
from streams.domain.intervals.call_numbers import Counted
from streams.domain.intervals.days import day_of
from streams.domain.intervals.diary import NEVER, Diary
from streams.domain.intervals.lasting import Lasting
from streams.domain.intervals.numbers import add, difference
from streams.domain.intervals.pages import Pages
from streams.domain.intervals.publishing import IntervalRow, publish
from streams.domain.intervals.scopes import scope_key
from streams.domain.intervals.sheet import Sheet
from streams.domain.intervals.windows import around, final_at
from streams.domain.outputs import Emission
from streams.domain.words import ScopeType


class Telling(NamedTuple):
    """What is told of an extension at one moment."""

    rows: list[IntervalRow]
    deltas: list[Emission]
    too_late: int
    """How many numbers came too late to be counted: their windows are forgotten."""


def tell(diary: Diary, pages: Pages, at: int) -> Telling:
    """Return the rows and deltas that are due.

    Args:
        diary: Changed in place: nothing waits afterwards.
        pages: The windows of the extension.
        at: Stream time at which it is told: when it was due, or earlier when the diary is full or moves elsewhere.
    """
    sheet = Sheet(diary, pages, at)
    _take_calls(diary, sheet)
    _take_points(diary, sheet)
    activities = Lasting(diary, sheet, at)
    activities.take_changes()
    activities.let_last()
    activities.measure_minutes()
    lasting.trim(diary)
    diary.due = NEVER
    return _telling(diary, pages, sheet, at)


def close_minutes(diary: Diary, pages: Pages, at: int) -> Telling:
    """Return the last rows of minutes, and deltas, when nothing else is due: what waits goes on waiting."""
    sheet = Sheet(diary, pages, at)
    Lasting(diary, sheet, at).close_minutes()
    return _telling(diary, pages, sheet, at)


def _take_calls(diary: Diary, sheet: Sheet) -> None:
    """Count ends of legs, and take away what amendments replace."""
    calls = diary.calls
    index = 0
    while index < len(calls):
        sign, counted = calls[index]
        following = calls[index + 1] if index + 1 < len(calls) else None
        if sign < 0 and following and following[0] > 0 and _same_place(counted, following[1]):
            _amend(sheet, counted, following[1])
            index += 2
            continue
        _count(sheet, counted, sign)
        index += 1
    calls.clear()


def _same_place(before: Counted, after: Counted) -> bool:
    """Tell whether two contents of a leg count in the same windows and scopes, for the same call."""
    return (before.at, before.day, before.scopes, before.call_id) == (after.at, after.day, after.scopes, after.call_id)


def _amend(sheet: Sheet, before: Counted, after: Counted) -> None:
    windows = around(after.at, after.day)
    sheet.note_longest(windows, before, -1)
    sheet.note_longest(windows, after, 1)
    sheet.put(windows, difference(after.numbers, before.numbers), after.scopes, after.call_id)


def _count(sheet: Sheet, counted: Counted, sign: int) -> None:
    numbers = counted.numbers
    if sign < 0:
        numbers = {}
        add(numbers, counted.numbers, sign)
    windows = around(counted.at, counted.day)
    sheet.put(windows, numbers, counted.scopes, counted.call_id)
    sheet.note_longest(windows, counted, sign)


def _take_points(diary: Diary, sheet: Sheet) -> None:
    """Count logins and messages."""
    for at, group, name in diary.points:
        sheet.put(around(at, day_of(diary.place.zone, at)), {group: {name: 1}}, diary.place.scopes)
    diary.points.clear()


def _telling(diary: Diary, pages: Pages, sheet: Sheet, at: int) -> Telling:
    """Return rows of what was touched or becomes final, and deltas."""
    touched, scope = sheet.touched, scope_key(ScopeType.EXTENSION, diary.key)
    for window in diary.waiting:
        if final_at(window) <= at and window not in touched:
            touched[window] = pages.open(window)
    published = [publish(scope, window, touched[window], at) for window in sorted(touched)]
    diary.waiting = [window for window in diary.waiting if final_at(window) > at]
    return Telling([row for row in published if row is not None], list(sheet.deltas()), sheet.too_late)
