"""The book of one team, queue, site or account: what its extensions told, added up (CONTRACT 7)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from streams.domain.intervals import distinct
from streams.domain.intervals.deltas import Change
from streams.domain.intervals.distinct import CallLegs
from streams.domain.intervals.numbers import COUNTS, Numbers
from streams.domain.intervals.pages import Entry, Pages
from streams.domain.intervals.publishing import IntervalRow, publish
from streams.domain.intervals.windows import SETTLE_MS, Window, final_at, grid_from, is_forgotten

NEVER = 2**63 - 1


@dataclass(slots=True)
class ScopeBook:
    """What is remembered of one scope beside its pages and calls."""

    key: str
    waiting: list[Window] = field(default_factory=list)
    """Windows that have something in them and are not final."""
    dirty: list[Window] = field(default_factory=list)
    """Windows that changed since their last row."""
    due: int = NEVER
    """When they have to be told."""


class Shelf(Pages, Protocol):
    """Pages and calls of one scope."""

    def call(self, call_id: str) -> CallLegs:
        """Return what is known of a call; a new one is begun. It may be changed, and the change is kept."""


def take(book: ScopeBook, shelf: Shelf, change: Change, told_at: int, now: int) -> int:
    """Add a change; return how many of its windows are forgotten.

    Args:
        book: Changed in place.
        shelf: The scope's windows and calls.
        change: What an extension told.
        told_at: Stream time of the extensions stage at which it was told.
        now: Stream time of this stage.
    """
    too_late = 0
    for window in change.windows:
        too_late += not _add(book, shelf, window, change.numbers, now)
    if change.call_id:
        for window, counts in distinct.take(shelf.call(change.call_id), change).items():
            too_late += not _add(book, shelf, window, {COUNTS: counts}, now)
    # NB: what others tell of the same moment may come later, so that this moment is not over before the marks say so.
    book.due = min(book.due, grid_from(max(told_at, now + 1)))
    return too_late


def _add(book: ScopeBook, shelf: Shelf, window: Window, numbers: Numbers, now: int) -> bool:
    entry = shelf.find(window)
    if entry is None:
        # What is found is not forgotten: pages are given up when their windows are.
        if is_forgotten(window, now):
            return False
        entry = _begin(book, shelf, window, now)
    entry.add(numbers)
    if not entry.is_dirty:
        entry.is_dirty = True
        book.dirty.append(window)
    return True


def _begin(book: ScopeBook, shelf: Shelf, window: Window, now: int) -> Entry:
    if final_at(window) > now:
        book.waiting.append(window)
    return shelf.open(window)


def tell(book: ScopeBook, shelf: Shelf, at: int) -> Iterator[IntervalRow]:
    """Give the rows that are due at stream time `at`."""
    windows = set(book.dirty) if book.due <= at else set()
    windows.update(window for window in book.waiting if final_at(window) <= at)
    for window in sorted(windows):
        row = publish(book.key, window, shelf.open(window), at)
        if row is not None:
            yield row
    book.dirty = [window for window in book.dirty if window not in windows]
    book.waiting = [window for window in book.waiting if final_at(window) > at]
    if not book.dirty:
        book.due = NEVER


def next_due(book: ScopeBook) -> int:
    """Return the stream time at which the book has to be told, if nothing happens before."""
    due = book.due
    for _, _, end in book.waiting:
        if end + SETTLE_MS < due:
            due = end + SETTLE_MS
    return due
