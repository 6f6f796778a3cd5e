"""Saved state of interval metrics: plain JSON lists, written and read without a model.

Diaries and pages are written with nearly every event, so that they would be half of the work of their stage if they
went through a validating model. What is read back was written here; what does not fit is damaged.
"""

from typing import Any

from orjson import Fragment

from streams.contracts.kept_json import kept_json
from streams.domain.intervals.activity import Doing
from streams.domain.intervals.call_numbers import Counted
from streams.domain.intervals.diary import Diary, Place, Point
from streams.domain.intervals.distinct import CallLegs, Minute
from streams.domain.intervals.pages import Entry, Page
from streams.domain.intervals.scope_book import ScopeBook
from streams.domain.intervals.windows import Window

# NB: Any, because a document is whatever JSON has; the readers give it its types back.
Document = list[Any]


def counted_document(counted: Counted) -> Document:
    """Return what was counted of a leg as JSON."""
    return [
        counted.at,
        tuple(counted.day),
        counted.call_id,
        counted.scopes,
        counted.numbers,
        counted.ring,
        counted.hold,
    ]


def read_counted(document: Document) -> Counted:
    """Return what was counted of a leg."""
    at, day, call_id, scopes, numbers, ring, hold = document
    return Counted(at, Window(*day), call_id, tuple(scopes), numbers, ring, hold)


def diary_document(diary: Diary) -> Document:
    """Return a diary as JSON."""
    return [
        diary.key,
        tuple(diary.place),
        [(sign, counted_document(counted)) for sign, counted in diary.calls],
        [tuple(point) for point in diary.points],
        [tuple(doing) for doing in diary.changes],
        [tuple(doing) for doing in diary.timeline],
        diary.counted_until,
        [tuple(window) for window in diary.waiting],
        diary.serial,
        diary.due,
    ]


def read_diary(document: Document) -> Diary:
    """Return a diary."""
    key, place, calls, points, changes, timeline, counted_until, waiting, serial, due = document
    return Diary(
        key,
        Place(*place),
        [(sign, read_counted(counted)) for sign, counted in calls],
        [Point(*point) for point in points],
        [Doing(*doing) for doing in changes],
        [Doing(*doing) for doing in timeline],
        counted_until,
        [Window(*window) for window in waiting],
        serial,
        due,
    )


def page_document(page: Page) -> Document:
    """Return a page as JSON; windows that did not change since they were saved are not written anew."""
    return [page.end, {name: Fragment(entry.saved or _entry_json(entry)) for name, entry in page.entries.items()}]


def _entry_json(entry: Entry) -> bytes:
    document = (
        entry.numbers,
        entry.rings,
        entry.holds,
        entry.legs,
        entry.revision,
        entry.is_final,
        entry.is_dirty,
    )
    entry.saved = saved = kept_json(document)
    return saved


def read_page(document: Document) -> Page:
    """Return a page."""
    end, entries = document
    return Page(end, {name: Entry(*entry) for name, entry in entries.items()})


def book_document(book: ScopeBook) -> Document:
    """Return a scope's book as JSON."""
    waiting, dirty = ([tuple(window) for window in windows] for windows in (book.waiting, book.dirty))
    return [book.key, waiting, dirty, book.due]


def read_book(document: Document) -> ScopeBook:
    """Return a scope's book."""
    key, waiting, dirty, due = document
    return ScopeBook(key, [Window(*window) for window in waiting], [Window(*window) for window in dirty], due)


def call_document(call: CallLegs) -> Document:
    """Return the legs of a call as JSON."""
    return [(start, tuple(minute.day), minute.legs) for start, minute in call.minutes.items()]


def read_call(document: Document) -> CallLegs:
    """Return the legs of a call."""
    return CallLegs({start: Minute(Window(*day), legs) for start, day, legs in document})
