"""Interval rows of the last 26 hours, so that a day of 25 hours is whole: the Avro bytes and what filters ask for."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

KEPT_MS: Final = 26 * 3_600_000
DAY_SECONDS: Final = 86_400
MOST: Final = 500_000

Scope = tuple[str, str]
"""`scope_type`, `scope_id`."""
Window = tuple[int, int]
"""`window_seconds`, `window_start`."""
Place = tuple[Scope, Window]


@dataclass(frozen=True, slots=True)
class Interval:
    """One row."""

    avro: bytes
    window_end: int
    revision: int
    offered: int
    answered: int
    within: int
    """Answered within 20 seconds."""


def interval(row: dict[str, Any], avro: bytes) -> Interval:
    """Return what is held of a decoded row."""
    within = row["answered_within"].get("20", 0)
    return Interval(avro, row["window_end"], row["revision"], row["calls_offered"], row["calls_answered"], within)


@dataclass(slots=True)
class Intervals:
    """The rows by scope and window."""

    of: dict[Scope, dict[Window, Interval]] = field(default_factory=dict)
    count: int = 0
    refused: int = 0
    """Rows that were not taken because there were MOST of them."""
    _ordered: list[Scope] | None = None

    def put(self, scope: Scope, window: Window, row: Interval) -> bool:
        """Take a row unless a later revision is here, or too many are; tell whether it was taken."""
        rows = self.of.get(scope)
        known = rows.get(window) if rows else None
        if known is not None and known.revision > row.revision:
            return False
        if known is None and self.count >= MOST:
            self.refused += 1
            return False
        if rows is None:
            rows = self.of[scope] = {}
            self._ordered = None
        self.count += known is None
        rows[window] = row
        return True

    def expire(self, before: int) -> None:
        """Forget the windows that ended before an instant."""
        for scope, rows in list(self.of.items()):
            kept = {window: row for window, row in rows.items() if row.window_end >= before}
            self.count -= len(rows) - len(kept)
            if kept:
                self.of[scope] = kept
            else:
                del self.of[scope]
                self._ordered = None

    def after(
        self, place: Place | None, scope_type: str | None, scope_id: str | None
    ) -> Iterator[tuple[Place, Interval]]:
        """Give the rows in order of scope and window, those of a type or id of scope if named, behind a place."""
        if self._ordered is None:
            self._ordered = sorted(self.of)
        begin = 0 if place is None else max(0, bisect_right(self._ordered, place[0]) - 1)
        for scope in self._ordered[begin:]:
            if scope_type in (None, scope[0]) and scope_id in (None, scope[1]):
                for window in sorted(self.of[scope]):
                    if place is None or (scope, window) > place:
                        yield (scope, window), self.of[scope][window]

    def days(self, scope_type: str, scope_id: str | None, now: int) -> list[Interval]:
        """Return the rows of the day that is now, of one scope or of all of a type."""
        scopes = [(scope_type, scope_id)] if scope_id else [one for one in self.of if one[0] == scope_type]
        return [
            row
            for scope in scopes
            for (seconds, start), row in self.of.get(scope, {}).items()
            if seconds == DAY_SECONDS and start <= now < row.window_end
        ]
