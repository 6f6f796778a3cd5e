"""Count activities: the time between changes, what lasts until now, and the minutes that have a row (DECISIONS 39)."""

from collections.abc import Iterator

from streams.domain.intervals.activity import Doing, spent
from streams.domain.intervals.days import day_of
from streams.domain.intervals.diary import NEVER, Diary
from streams.domain.intervals.numbers import ACTIVITY, difference
from streams.domain.intervals.sheet import Sheet
from streams.domain.intervals.windows import LONGER, MINUTE, QUARTER, SETTLE_MS, Window, final_at, fixed, over

MAX_TIMELINE = 200
MIN_TIMELINE = 16
"""So many changes are kept, and as many more as the minutes that are not final need."""

WINDOWS = len(LONGER) + 1
"""So many windows of a quarter of an hour and more contain an instant."""


class Run:
    """Activities one after another in the same windows, all of which have something in them: they are put as one."""

    def __init__(self, windows: list[Window]):
        """Begin in the windows of one quarter of an hour."""
        self.windows = windows
        self.end = min(window.end for window in windows)
        self.times: dict[str, int] = {}
        self.legs = 0

    def add(self, doing: Doing, lasted: int) -> None:
        """Add an activity; one that did not last is none."""
        if lasted > 0:
            self.times[doing.activity] = self.times.get(doing.activity, 0) + lasted
            self.legs = max(self.legs, doing.legs)


class Lasting:
    """The activities of one telling."""

    def __init__(self, diary: Diary, sheet: Sheet, at: int):
        """Count them on this sheet at stream time `at`."""
        self._diary = diary
        self._sheet = sheet
        self._at = at
        self._corrected: tuple[int, int] | None = None
        self._run: Run | None = None

    def take_changes(self) -> None:
        """Count the time between changes of activity; a change that came late corrects what was counted."""
        diary = self._diary
        for doing in diary.changes:
            if not diary.timeline:
                diary.counted_until = doing.at
            elif doing.at >= diary.counted_until:
                self._last_until(doing.at)
            else:
                self._put_run()
                self._correct(diary.timeline[-1], doing)
            diary.timeline.append(doing)
            # Minutes that are final were measured as if what went before had lasted.
            self._note_corrected(doing.at, self._at - SETTLE_MS)
        self._put_run()
        diary.changes.clear()

    def let_last(self) -> None:
        """Count what lasts up to the last quarter of an hour that is settled."""
        settled = fixed(QUARTER, self._at - SETTLE_MS).start
        if self._diary.timeline and settled > self._diary.counted_until:
            self._last_until(settled)

    def measure_minutes(self) -> None:
        """Measure the activities in minutes that have a row, once more after each change: they are few."""
        if self._diary.timeline:
            for window in self._minutes():
                self._measure(window, self._diary.timeline)

    def close_minutes(self) -> None:
        """Measure the minutes that become final, by changes too that are not counted yet in longer windows."""
        timeline = [*self._diary.timeline, *self._diary.changes]
        for window in self._diary.waiting if timeline else ():
            if window.seconds == MINUTE and final_at(window) <= self._at:
                self._measure(window, timeline)

    def _last_until(self, until: int) -> None:
        """Count the activity that goes on, up to an instant."""
        diary = self._diary
        doing, since = diary.timeline[-1], diary.counted_until
        if self._run is not None and until <= self._run.end:
            self._run.add(doing, until - since)
        else:
            self._put_run()
            windows = list(self._present(since, until) if doing.is_idle else self._longer(since, until))
            self._spend(windows, (since, until), doing, 1)
            if not doing.is_idle and len(windows) == WINDOWS and self._sheet.touched.keys() >= set(windows):
                self._run = Run(windows)
        diary.counted_until = until

    def _put_run(self) -> None:
        """Put what a run has added up."""
        run, self._run = self._run, None
        if run is None or not run.times:
            return
        self._sheet.put(run.windows, {ACTIVITY: run.times}, self._diary.place.scopes)
        for window in run.windows:
            entry = self._sheet.touched[window]
            entry.legs = max(entry.legs, run.legs)

    def _correct(self, before: Doing, after: Doing) -> None:
        """Replace what was counted of one activity from the instant on at which another began."""
        diary = self._diary
        span = after.at, diary.counted_until
        windows = list(self._longer(*span))
        known = [window for window in windows if self._sheet.look(window) is not None]
        self._spend(known, span, before, -1)
        # A window that begins now is told of what was before the change by the timeline, and of the rest here.
        diary.counted_until = after.at
        self._spend(known if after.is_idle else windows, span, after, 1)
        diary.counted_until = span[1]
        for window in windows:
            # Nothing but the activity that was replaced can have been told of a window that begins after the change.
            if window.start >= after.at and (entry := self._sheet.touched.get(window)):
                entry.legs = after.legs
        self._note_corrected(*span)

    def _note_corrected(self, begun: int, end: int) -> None:
        """Take note that minutes which overlap a span may have been measured otherwise."""
        if begun < end:
            known = self._corrected or (begun, end)
            self._corrected = min(begun, known[0]), max(end, known[1])

    def _spend(self, windows: list[Window], span: tuple[int, int], doing: Doing, sign: int) -> None:
        parts: dict[tuple[int, int], list[Window]] = {}
        for window in windows:
            begun, over = max(span[0], window.start), min(span[1], window.end)
            if over > begun:
                parts.setdefault((begun, over), []).append(window)
        for (begun, over), equal in parts.items():
            self._sheet.put(equal, {ACTIVITY: {doing.activity: sign * (over - begun)}}, self._diary.place.scopes)
            for window in equal if sign > 0 else ():
                if entry := self._sheet.touched.get(window):
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
        for window in dict.fromkeys((*self._diary.waiting, *self._sheet.touched)):
            if window.seconds != MINUTE and window.start < end and window.end > start:
                yield window

    def _minutes(self) -> list[Window]:
        """Return the minutes whose activities may have changed."""
        found = dict.fromkeys(
            window for window in (*self._diary.waiting, *self._sheet.touched) if window.seconds == MINUTE
        )
        if self._corrected is not None:
            begun = max(self._corrected[0], self._diary.timeline[0].at)
            for window in over(MINUTE, begun, self._corrected[1]):
                if window not in found and self._sheet.look(window) is not None:
                    found[window] = None
        return list(found)

    def _measure(self, window: Window, timeline: list[Doing]) -> None:
        entry = self._sheet.look(window)
        if entry is None:
            return
        measured = entry.numbers.get(ACTIVITY, {})
        if measured and timeline[0].at > window.start and len(self._diary.timeline) >= MIN_TIMELINE:
            # What was done before is not kept any more.
            return
        until = window.end if final_at(window) <= self._at else max(window.start, min(window.end, timeline[-1].at))
        now = spent(timeline, window.start, until)
        numbers = difference({ACTIVITY: now.activity_ms}, {ACTIVITY: measured})
        if numbers:
            self._sheet.put((window,), numbers, self._diary.place.scopes)
        if now.legs != entry.legs:
            entry.legs = now.legs
            self._sheet.touched[window] = entry


def trim(diary: Diary) -> None:
    """Keep the changes that windows may need which begin later."""
    starts = [window.start for window in diary.waiting if window.seconds == MINUTE]
    needed = min(starts, default=NEVER)
    keep = MIN_TIMELINE
    while keep < min(len(diary.timeline), MAX_TIMELINE) and diary.timeline[-keep].at > needed:
        keep += 1
    del diary.timeline[:-keep]
