"""The sheet on which one telling is worked out: the windows it touches, and what the scopes have to know."""

from collections.abc import Iterable, Iterator

from streams.domain.intervals.activity import spent
from streams.domain.intervals.call_numbers import Counted
from streams.domain.intervals.deltas import Change, delta_row
from streams.domain.intervals.diary import Diary
from streams.domain.intervals.numbers import ACTIVITY, Numbers, add
from streams.domain.intervals.pages import Entry, Pages, note_longest
from streams.domain.intervals.windows import MINUTE, Window, final_at, is_forgotten
from streams.domain.outputs import Emission, Output


class Sheet:
    """Numbers put here go into the windows of the extension and, as changes, to its scopes."""

    def __init__(self, diary: Diary, pages: Pages, at: int):
        """Work at stream time `at`."""
        self._diary = diary
        self._pages = pages
        self._at = at
        self._told: dict[tuple[str, ...], dict[tuple[tuple[Window, ...], str], Numbers]] = {}
        self.touched: dict[Window, Entry] = {}
        self.too_late = 0
        """How many numbers no window could take: it is forgotten."""

    def put(self, windows: Iterable[Window], numbers: Numbers, scopes: tuple[str, ...], call_id: str = "") -> None:
        """Add numbers to windows that have an instant in common, here and in the scopes."""
        kept = []
        for window in windows:
            entry = self.entry(window)
            if entry is None:
                self.too_late += 1
                continue
            entry.add(numbers)
            kept.append(window)
        if kept and numbers:
            self._tell(tuple(kept), numbers, scopes, call_id)

    def note_longest(self, windows: Iterable[Window], counted: Counted, sign: int) -> None:
        """Put the ring and hold of a leg among the longest of windows, or take them away."""
        for window in windows:
            entry = self.entry(window)
            if entry is not None:
                note_longest(entry.rings, counted.ring, sign)
                note_longest(entry.holds, counted.hold, sign)

    def look(self, window: Window) -> Entry | None:
        """Return the entry of a window without touching it; None where there is nothing."""
        return self.touched.get(window) or self._pages.find(window)

    def entry(self, window: Window) -> Entry | None:
        """Return the entry of a window and note that it is touched; None when it is forgotten."""
        entry = self.touched.get(window)
        if entry is not None:
            return entry
        if is_forgotten(window, self._at):
            return None
        entry = self._pages.find(window)
        if entry is None:
            entry = self._begin(window)
        self.touched[window] = entry
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
            entry.add(numbers)
            entry.legs = before.legs
            self._tell((window,), numbers, diary.place.scopes)
        return entry

    def _tell(self, windows: tuple[Window, ...], numbers: Numbers, scopes: tuple[str, ...], call_id: str = "") -> None:
        """Add up what the same scopes have to know of the same windows: ten changes of activity are one."""
        if not scopes:
            return
        changes = self._told.setdefault(scopes, {})
        add(changes.setdefault((windows, call_id), {}), numbers)

    def deltas(self) -> Iterator[Emission]:
        """Give what each scope has to know; scopes that have to know the same get the same row, one after another."""
        told = [
            [Change(windows, numbers, call_id) for (windows, call_id), numbers in changes.items() if numbers]
            for changes in self._told.values()
        ]
        groups = _same(scopes if changes else () for scopes, changes in zip(self._told, told, strict=True))
        if not groups:
            return
        diary = self._diary
        diary.serial += 1
        for members, scopes in groups.items():
            changes = [change for member in members for change in told[member]]
            row = delta_row(diary.key, diary.serial, self._at, changes)
            for scope in scopes:
                yield Emission(Output.SCOPE_DELTA, scope, row)


def _same(told: Iterable[tuple[str, ...]]) -> dict[tuple[int, ...], list[str]]:
    """Return the scopes by the tellings that are for them."""
    members: dict[str, list[int]] = {}
    for index, scopes in enumerate(told):
        for scope in scopes:
            members.setdefault(scope, []).append(index)
    groups: dict[tuple[int, ...], list[str]] = {}
    for scope, indexes in members.items():
        groups.setdefault(tuple(indexes), []).append(scope)
    return groups
