"""Interval rows of the last 26 hours, so that a day of 25 hours is whole: Avro bytes, packed once windows are over.

A day of 10,000 extensions is a million and a half rows: decoded, or even as an object each, they would take gigabytes.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from streams.serve.packs import DAY_SECONDS, Pack, Window, end_of

KEPT_MS: Final = 26 * 3_600_000
MOST: Final = 2_000_000
MOST_DIGITS: Final = 20
"""Of length and start of a window together."""
LOOSE: Final = 48
"""So many rows of a scope wait before those whose windows are over are packed."""
OVER_MS: Final = 3_600_000
"""A window that ended so long before the latest one began is over: it will hardly change any more."""

Scope = tuple[str, str]
"""`scope_type`, `scope_id`."""
Place = tuple[Scope, Window]
EXTENSION: Final = "EXTENSION"


def place_of(key: str) -> Place | None:
    """Return scope and window of a row by the key of its record, None of any other text."""
    scope, *window = key.rsplit(":", 2)
    if len(window) < 2 or ":" not in scope or (found := _window(*window)) is None:
        return None
    return _scope(scope), found


@lru_cache(maxsize=50_000)
def _scope(text: str) -> Scope:
    scope_type, _, scope_id = text.partition(":")
    return scope_type, scope_id


@lru_cache(maxsize=10_000)
def _window(seconds: str, start: str) -> Window | None:
    is_one = seconds.isdecimal() and start.isdecimal() and len(seconds) + len(start) <= MOST_DIGITS
    return (int(seconds), int(start)) if is_one else None


class Day(NamedTuple):
    """What summaries ask of the row of a day."""

    window_end: int
    offered: int
    within: int
    """Answered within 20 seconds."""


@dataclass(slots=True)
class Shelf:
    """The rows of one scope."""

    loose: dict[Window, bytes] = field(default_factory=dict)
    packs: list[Pack] = field(default_factory=list)
    """Older ones first; where a window is in several, and loose, the last of them counts."""
    pack_at: int = LOOSE

    def rows(self) -> dict[Window, bytes]:
        """Return the rows by window."""
        found: dict[Window, bytes] = {}
        for pack in self.packs:
            found.update(pack.rows())
        found.update(self.loose)
        return found

    def pack(self) -> None:
        """Pack what is over, if that is enough."""
        latest = max(start for _, start in self.loose) - OVER_MS
        over = {window: row for window, row in self.loose.items() if end_of(window) <= latest}
        if len(over) >= LOOSE // 2:
            self.packs.append(Pack.of(over))
            self.loose = {window: row for window, row in self.loose.items() if window not in over}
        self.pack_at = len(self.loose) + LOOSE

    def expire(self, before: int) -> int:
        """Forget the windows that ended before an instant, packed ones when all of the pack did; return how many."""
        old = [window for window in self.loose if end_of(window) < before]
        for window in old:
            del self.loose[window]
        gone = [pack for pack in self.packs if pack.last_end < before]
        self.packs = [pack for pack in self.packs if pack.last_end >= before]
        return len(old) + sum(pack.size for pack in gone)


@dataclass(slots=True)
class Intervals:
    """The rows by scope and window."""

    of: dict[Scope, Shelf] = field(default_factory=dict)
    count: int = 0
    """Rows that are held; one that was amended after it was packed counts twice."""
    refused: int = 0
    """Rows that were not taken because there were MOST of them."""
    _days: dict[Scope, dict[Window, Day]] = field(default_factory=dict)
    _before: int = 0
    _ordered: list[Scope] | None = None

    def known(self, scope: Scope, window: Window) -> bytes | None:
        """Return the row of a window that may still change."""
        shelf = self.of.get(scope)
        return None if shelf is None else shelf.loose.get(window)

    def put(self, scope: Scope, window: Window, avro: bytes) -> bool:
        """Take a row, which replaces the one before; tell whether it was taken, or too many are there."""
        shelf = self.of.get(scope)
        if shelf is None or window not in shelf.loose:
            if self.count >= MOST:
                self.refused += 1
                return False
            self.count += 1
        if shelf is None:
            shelf = self.of[scope] = Shelf()
            self._ordered = None
        shelf.loose[window] = avro
        if len(shelf.loose) >= shelf.pack_at:
            shelf.pack()
        return True

    def note_day(self, row: dict[str, Any]) -> None:
        """Take note of what summaries ask of a row, if it is one of a day and of no extension."""
        if row["window_seconds"] == DAY_SECONDS and row["scope_type"] != EXTENSION:
            day = Day(row["window_end"], row["calls_offered"], row["answered_within"].get("20", 0))
            days = self._days.setdefault((row["scope_type"], row["scope_id"]), {})
            days[DAY_SECONDS, row["window_start"]] = day

    def expire(self, before: int) -> None:
        """Forget the windows that ended before an instant."""
        self._before = before
        for scope, shelf in list(self.of.items()):
            self.count -= shelf.expire(before)
            if not shelf.loose and not shelf.packs:
                del self.of[scope]
                self._ordered = None
        for days in self._days.values():
            for window in [window for window, day in days.items() if day.window_end < before]:
                del days[window]

    def after(self, place: Place | None, scope_type: str | None, scope_id: str | None) -> Iterator[tuple[Place, bytes]]:
        """Give the rows in order of scope and window, those of a type or id of scope if named, behind a place."""
        if self._ordered is None:
            self._ordered = sorted(self.of)
        begin = 0 if place is None else max(0, bisect_right(self._ordered, place[0]) - 1)
        for scope in self._ordered[begin:]:
            if scope_type in (None, scope[0]) and scope_id in (None, scope[1]):
                rows = self.of[scope].rows()
                for window in sorted(rows):
                    if end_of(window) >= self._before and (place is None or (scope, window) > place):
                        yield (scope, window), rows[window]

    def days(self, scope_type: str, scope_id: str | None, now: int) -> list[Day]:
        """Return the days that are now, of one scope or of all of a type."""
        scopes = [(scope_type, scope_id)] if scope_id else [one for one in self._days if one[0] == scope_type]
        return [
            day
            for scope in scopes
            for (_, start), day in self._days.get(scope, {}).items()
            if start <= now < day.window_end
        ]
