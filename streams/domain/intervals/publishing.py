"""When a window gets a row and how settled it is: EARLY, FINAL, AMENDED (CONTRACT 7, DECISIONS 39)."""

from typing import NamedTuple

from streams.domain.intervals.call_numbers import WITHIN_SECONDS
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.windows import Window, final_at
from streams.domain.words import IntervalKind

DISTINCT = ("distinct_calls_offered", "distinct_calls_answered", "distinct_calls_abandoned")

STEPS = tuple(map(str, WITHIN_SECONDS))


class IntervalRow(NamedTuple):
    """A row of interval metrics, to be written before its window changes again."""

    scope: str
    """Key of the scope: `TEAM:billing`."""
    window: Window
    kind: IntervalKind
    revision: int
    updated_at: int
    """Stream time at which it is told."""
    entry: Entry
    """What it says."""

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{self.scope}:{self.window.seconds}:{self.window.start}"


def publish(scope: str, window: Window, entry: Entry, at: int) -> IntervalRow | None:
    """Return the next row of a window at stream time `at`; None while there is nothing to tell."""
    # Every window that is touched comes here, whatever of it was changed.
    entry.saved = None
    if not entry.revision and not entry.numbers:
        return None
    kind = _kind(window, entry, at)
    entry.revision += 1
    entry.is_final, entry.is_dirty = kind is not IntervalKind.EARLY, False
    return IntervalRow(scope, window, kind, entry.revision, at, entry)


def _kind(window: Window, entry: Entry, at: int) -> IntervalKind:
    due = final_at(window)
    if at < due:
        return IntervalKind.EARLY
    return IntervalKind.FINAL if at == due and not entry.is_final else IntervalKind.AMENDED
