"""Tell a diary: count what happened in the windows it falls in, and say what changed (DECISIONS 39)."""

from collections.abc import Iterable, Iterator

from streams.domain.intervals.activity import Doing, spent
from streams.domain.intervals.call_numbers import Counted
from streams.domain.intervals.days import day_of
from streams.domain.intervals.deltas import Change, delta_row
from streams.domain.intervals.diary import NEVER, Diary
from streams.domain.intervals.numbers import ACTIVITY, Numbers, add, difference
from streams.domain.intervals.pages import Entry, Pages, note_longest
from streams.domain.intervals.publishing import publish
from streams.domain.intervals.scopes import scope_key
from streams.domain.intervals.windows import (
    LONGER,
    MINUTE,
    QUARTER,
    SETTLE_MS,
    Window,
    around,
    final_at,
    fixed,
    is_forgotten,
    over,
)
from streams.domain.outputs import Emission, Output
from streams.domain.words import ScopeType

MAX_TIMELINE = 200
MIN_TIMELINE = 16
"""So many changes are kept, and as many more as the minutes that are not final need."""


def tell(diary: Diary, pages: Pages, at: int) -> tuple[list[Emission], int]:
    """Return the rows and deltas that are due, and how many numbers came too late to be counted.

    Args:
        diary: Changed in place: nothing waits afterwards.
        pages: The windows of the extension.
        at: Stream time at which it is told: when it was due, or earlier when the diary is full or moves elsewhere.
    """
    telling = _Telling(diary, pages, at)
    telling.take_calls()
    telling.take_points()
    telling.take_changes()
    telling.let_last()
    telling.measure_minutes()
    return list(telling.emissions()), telling.too_late


class _Telling:
    """One telling: which windows it touched, and what the scopes have to know."""

    def __init__(self, diary: Diary, pages: Pages, at: int):
        self._diary = diary
        self._pages = pages
        self._at = at
        self._touched: dict[Window, Entry] = {}
        self._told: dict[str, list[Change]] = {}
        self._corrected: tuple[int, int] | None = None
        self.too_late = 0

    def take_calls(self) -> None:
        """Count ends of legs, and take away what amendments replace."""
        calls = self._diary.calls
        index = 0
        while index < len(calls):
            sign, counted = calls[index]
            following = calls[index + 1] if index + 1 < len(calls) else None
            if sign < 0 and following and following[0] > 0 and _same_place(counted, following[1]):
                self._amend(counted, following[1])
                index += 2
                continue
            self._count(counted, sign)
            index += 1
        calls.clear()

    def take_points(self) -> None:
        """Count logins and messages."""
        for at, group, name in self._diary.points:
            windows = around(at, day_of(self._diary.place.zone, at))
            self._put(windows, {group: {name: 1}}, self._diary.place.scopes)
        self._diary.points.clear()

    def take_changes(self) -> None:
        """Count the time between changes of activity; a change that came late corrects what was counted."""
        diary = self._diary
        for doing in diary.changes:
            if not diary.timeline:
                diary.counted_until = doing.at
            elif doing.at >= diary.counted_until:
                self._last_until(doing.at)
            else:
                self._correct(diary.timeline[-1], doing)
            diary.timeline.append(doing)
        diary.changes.clear()

    def let_last(self) -> None:
        """Count what lasts up to the last quarter of an hour that is settled."""
        settled = fixed(QUARTER, self._at - SETTLE_MS).start
        if self._diary.timeline and settled > self._diary.counted_until:
            self._last_until(settled)

    def measure_minutes(self) -> None:
        """Measure the activities in minutes that have a row, once more after each change: they are few."""
        diary = self._diary
        if diary.timeline:
            for window in self._minutes():
                self._measure(window)
        starts = [window.start for window in diary.waiting if window.seconds == MINUTE]
        needed = min(starts, default=NEVER)
        keep = MIN_TIMELINE
        while keep < min(len(diary.timeline), MAX_TIMELINE) and diary.timeline[-keep].at > needed:
            keep += 1
        del diary.timeline[:-keep]

    def emissions(self) -> Iterator[Emission]:
        """Give rows and deltas, and leave the diary with nothing to tell."""
        diary, at = self._diary, self._at
        scope = scope_key(ScopeType.EXTENSION, diary.key)
        for window in diary.waiting:
            if final_at(window) <= at and window not in self._touched:
                self._touched[window] = self._pages.open(window)
        for window, entry in sorted(self._touched.items(), key=lambda item: item[0]):
            emission = publish(scope, window, entry, at)
            if emission is not None:
                yield emission
        diary.waiting = [window for window in diary.waiting if final_at(window) > at]
        diary.due = NEVER
        yield from self._deltas()

    def _deltas(self) -> Iterator[Emission]:
        if not self._told:
            return
        self._diary.serial += 1
        made = [
            (changes, delta_row(self._diary.key, self._diary.serial, self._at, changes))
            for changes in _distinct(self._told.values())
        ]
        for scope, changes in self._told.items():
            row = next(row for known, row in made if known == changes)
            yield Emission(Output.SCOPE_DELTA, scope, row)

    # Counting

    def _amend(self, before: Counted, after: Counted) -> None:
        numbers = difference(after.numbers, before.numbers)
        windows = around(after.at, after.day)
        self._longest(windows, before, -1)
        self._longest(windows, after, 1)
        self._put(windows, numbers, after.scopes, after.call_id)

    def _count(self, counted: Counted, sign: int) -> None:
        numbers: Numbers = {}
        add(numbers, counted.numbers, sign)
        windows = around(counted.at, counted.day)
        self._put(windows, numbers, counted.scopes, counted.call_id)
        self._longest(windows, counted, sign)

    def _longest(self, windows: Iterable[Window], counted: Counted, sign: int) -> None:
        for window in windows:
            entry = self._entry(window)
            if entry is not None:
                note_longest(entry.rings, counted.ring, sign)
                note_longest(entry.holds, counted.hold, sign)

    def _put(self, windows: Iterable[Window], numbers: Numbers, scopes: Iterable[str], call_id: str = "") -> None:
        """Add numbers to windows, here and in the scopes; a window that is forgotten gets none."""
        kept = []
        for window in windows:
            entry = self._entry(window)
            if entry is None:
                self.too_late += 1
                continue
            add(entry.numbers, numbers)
            kept.append(window)
        if kept and numbers:
            self._tell_scopes(Change(tuple(kept), numbers, call_id), scopes)

    def _tell_scopes(self, change: Change, scopes: Iterable[str]) -> None:
        for scope in scopes:
            self._told.setdefault(scope, []).append(change)

    def _entry(self, window: Window) -> Entry | None:
        """Return the entry of a window and note that it is touched; None when it is forgotten."""
        entry = self._touched.get(window)
        if entry is not None:
            return entry
        if is_forgotten(window, self._at):
            return None
        entry = self._pages.find(window)
        if entry is None:
            entry = self._begin(window)
        self._touched[window] = entry
        return entry

    def _begin(self, window: Window) -> Entry:
        """Begin a window; what the extension did in it before is on the timeline: nothing, mostly."""
        entry, diary = self._pages.open(window), self._diary
        if final_at(window) >= self._at:
            diary.waiting.append(window)
        if window.seconds == MINUTE or not diary.timeline:
            return entry
        until = min(window.end, diary.counted_until)
        before = spent(diary.timeline, window.start, until) if until > window.start else None
        if before is not None and before.activity_ms:
            numbers = {ACTIVITY: before.activity_ms}
            add(entry.numbers, numbers)
            entry.legs = before.legs
            self._tell_scopes(Change((window,), numbers), diary.place.scopes)
        return entry

    # Activities

    def _last_until(self, until: int) -> None:
        """Count the activity that goes on, up to an instant."""
        diary = self._diary
        doing, since = diary.timeline[-1], diary.counted_until
        windows = self._present(since, until) if doing.is_idle else self._longer(since, until)
        self._spend(list(windows), (since, until), doing, 1)
        diary.counted_until = until

    def _correct(self, before: Doing, after: Doing) -> None:
        """Replace what was counted of one activity from the instant on at which another began."""
        diary = self._diary
        span = after.at, diary.counted_until
        windows = list(self._longer(*span))
        known = [window for window in windows if window in self._touched or self._pages.find(window) is not None]
        self._spend(known, span, before, -1)
        # A window that begins now is told of what was before the change by the timeline, and of the rest here.
        diary.counted_until = after.at
        self._spend(known if after.is_idle else windows, span, after, 1)
        diary.counted_until = span[1]
        for window in windows:
            # Nothing but the activity that was replaced can have been told of a window that begins after the change.
            if window.start >= after.at and (entry := self._touched.get(window)):
                entry.legs = after.legs
        begun = min(after.at, self._corrected[0]) if self._corrected else after.at
        self._corrected = begun, span[1]

    def _spend(self, windows: list[Window], span: tuple[int, int], doing: Doing, sign: int) -> None:
        parts: dict[tuple[int, int], list[Window]] = {}
        for window in windows:
            begun, over = max(span[0], window.start), min(span[1], window.end)
            if over > begun:
                parts.setdefault((begun, over), []).append(window)
        for (begun, over), equal in parts.items():
            self._put(equal, {ACTIVITY: {doing.activity: sign * (over - begun)}}, self._diary.place.scopes)
            for window in equal if sign > 0 else ():
                if entry := self._touched.get(window):
                    entry.legs = max(entry.legs, doing.legs)

    def _longer(self, start: int, end: int) -> Iterator[Window]:
        """Give the windows of a quarter of an hour and more that a span overlaps."""
        for seconds in LONGER:
            yield from over(seconds, start, end)
        at = start
        while at < end:
            day = day_of(self._diary.place.zone, at)
            yield day
            at = day.end

    def _present(self, start: int, end: int) -> Iterator[Window]:
        """Give those of them that have something in them and are not final."""
        for window in dict.fromkeys((*self._diary.waiting, *self._touched)):
            if window.seconds != MINUTE and window.start < end and window.end > start:
                yield window

    def _minutes(self) -> list[Window]:
        """Return the minutes whose activities may have changed."""
        found = dict.fromkeys(window for window in (*self._diary.waiting, *self._touched) if window.seconds == MINUTE)
        if self._corrected is not None:
            begun = max(self._corrected[0], self._diary.timeline[0].at)
            for window in over(MINUTE, begun, self._corrected[1]):
                if window not in found and self._pages.find(window) is not None:
                    found[window] = None
        return list(found)

    def _measure(self, window: Window) -> None:
        entry, timeline = self._pages.find(window), self._diary.timeline
        assert entry is not None
        measured = entry.numbers.get(ACTIVITY, {})
        if timeline[0].at > window.start and measured:
            return
        until = window.end if final_at(window) <= self._at else max(window.start, min(window.end, timeline[-1].at))
        now = spent(timeline, window.start, until)
        numbers = difference({ACTIVITY: now.activity_ms}, {ACTIVITY: measured})
        if numbers:
            self._put((window,), numbers, self._diary.place.scopes)
        if now.legs != entry.legs:
            entry.legs = now.legs
            self._touched[window] = entry


def _same_place(before: Counted, after: Counted) -> bool:
    """Tell whether two contents of a leg count in the same windows and scopes, for the same call."""
    return (before.at, before.day, before.scopes, before.call_id) == (after.at, after.day, after.scopes, after.call_id)


def _distinct(lists: Iterable[list[Change]]) -> list[list[Change]]:
    found: list[list[Change]] = []
    for changes in lists:
        if changes not in found:
            found.append(changes)
    return found
