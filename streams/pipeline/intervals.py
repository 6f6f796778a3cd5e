"""Interval metrics of the extensions of one partition: the hook of the extensions stage (CONTRACT 7, DECISIONS 39).

What a step emits about calls, presence, messages and logins goes into the diary of its extension; when a diary is due
it gives rows of EXTENSION and deltas for the scopes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from streams.contracts.sketch import bucket_of
from streams.contracts.snapshots import COUNTED, DIARY, PAGE
from streams.domain.events import Event
from streams.domain.intervals import diary as diaries
from streams.domain.intervals.call_numbers import Counted, count
from streams.domain.intervals.diary import Diary, Place
from streams.domain.intervals.pages import Entry, Page, new_page, place_of
from streams.domain.intervals.telling import Telling, close_minutes, tell
from streams.domain.intervals.windows import MEMORY_MS, Window
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.words import IntervalKind
from streams.pipeline.records import Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import Writer

Note = Callable[[Diary, Row, int], None]
NOTES: dict[str, Note] = {
    "PresenceEvent": diaries.note_presence,
    "SessionEvent": diaries.note_login,
    "MessageEvent": diaries.note_message,
}
"""What is taken down of the rows of a step, beside call records."""


def page_due(page: Page) -> int:
    """Return the stream time at which a page is forgotten."""
    return page.end + MEMORY_MS


KINDS: Kinds = {
    b"I": (DIARY, diaries.next_due),
    b"W": (PAGE, page_due),
    b"K": (COUNTED, None),
}
"""Diaries, pages of windows, and what was counted of each leg."""


class StoredPages:
    """The windows of one scope or extension in the store of its partition."""

    def __init__(self, store: Store, owner: str):
        """Keep the pages of an owner, for one record or telling: pages found once are not looked up again."""
        self._store = store
        self._owner = owner
        self._found: dict[str, Page] = {}

    def find(self, window: Window) -> Entry | None:
        """Return what is known of a window, or None."""
        page_name, name = place_of(window)
        page = self._found.get(page_name) or self._page(page_name)
        return None if page is None else page.entries.get(name)

    def open(self, window: Window) -> Entry:
        """Return what is known of a window; a new one is begun."""
        page_name, name = place_of(window)
        page = self._found.get(page_name) or self._page(page_name)
        if page is None:
            page = self._found[page_name] = new_page(window)
            self._store.put(self._key(page_name), page)
        entry = page.entries.get(name)
        if entry is None:
            entry = page.entries[name] = Entry()
        return entry

    def _page(self, name: str) -> Page | None:
        page: Page | None = self._store.get(self._key(name))
        if page is not None:
            self._found[name] = page
        return page

    def _key(self, page_name: str) -> bytes:
        return f"W{self._owner}\x1f{page_name}".encode()


class Told(NamedTuple):
    """What a diary gave."""

    outputs: list[Written]
    kinds: list[IntervalKind]
    """Of the rows among them."""
    too_late: int = 0
    """Numbers whose windows are forgotten."""


NOTHING = Told([], [])


class IntervalKeeper:
    """The diaries of one partition."""

    def __init__(self, store: Store, writer: Writer):
        """Keep them in the store of the partition, whose kinds include KINDS, and write what they give."""
        self._store = store
        self._writer = writer

    def take(self, key: str, emissions: Sequence[Emission], now: int, stream_time: int, event: Event | None) -> Told:
        """Take down what a step emitted about an extension.

        Args:
            key: The extension.
            emissions: Of one event, or of time.
            now: Stream time at which the event counts as arrived.
            stream_time: How far waiting has come; 0 while nobody knows.
            event: Says where the extension belongs; None where time made the step.
        """
        found = [emission for emission in emissions if emission.output in TAKEN]
        if not found:
            return NOTHING
        diary = self._diary(key)
        told = self._settle_in(diary, event, stream_time)
        for emission in found:
            output, leg_id, row = emission
            if output is Output.CALL_RECORD:
                self._take_call(diary, leg_id, row, now)
            elif row is not None:
                NOTES[output](diary, row, now)
        if diaries.is_full(diary):
            told = self._tell(diary, stream_time or now, told)
        return told

    def _diary(self, key: str) -> Diary:
        """Return the diary of an extension; a new one is begun."""
        diary: Diary | None = self._store.get(diary_key(key))
        if diary is None:
            diary = Diary(key)
            self._store.put(diary_key(key), diary)
        return diary

    def expire(self, key: bytes, at: int) -> Told:
        """Tell a diary, or forget a page, that is due."""
        if key[:1] == b"W":
            self._store.delete(key)
            return NOTHING
        diary: Diary | None = self._store.get(key)
        if diary is None:
            return NOTHING
        if diaries.is_minutes_only(diary, at):
            return self._written(close_minutes(diary, StoredPages(self._store, diary.key), at), NOTHING)
        return self._tell(diary, at, NOTHING)

    def forget_leg(self, key: str, leg_id: str) -> None:
        """Forget what was counted of a leg that cannot change any more."""
        self._store.delete(_counted_key(key, leg_id))

    def forget(self, key: str) -> None:
        """Forget the diary of an extension that was silent for so long that all its windows are final."""
        self._store.delete(diary_key(key))

    def _settle_in(self, diary: Diary, event: Event | None, stream_time: int) -> Told:
        """Take note where the extension belongs; before it moves, what happened is told where it belonged."""
        if event is None:
            return NOTHING
        known = diary.place
        zone = event.account_time_zone or event.time_zone or known.zone
        place = event.account_id or known.account_id, event.team, event.site, zone
        if place == known:
            return NOTHING
        told = self._tell(diary, stream_time, NOTHING) if stream_time and diaries.is_waiting(diary) else NOTHING
        diary.place = Place(*place)
        return told

    def _take_call(self, diary: Diary, leg_id: str, row: Row | None, now: int) -> None:
        key = _counted_key(diary.key, leg_id)
        before: Counted | None = self._store.peek(key)
        after = None if row is None else count(row, diary.place.zone, bucket_of)
        if after == before:
            return
        diaries.note_call(diary, before, after, now)
        if after is None:
            self._store.delete(key)
        else:
            self._store.put(key, after)

    def _tell(self, diary: Diary, at: int, before: Told) -> Told:
        return self._written(tell(diary, StoredPages(self._store, diary.key), at), before)

    def _written(self, telling: Telling, before: Told) -> Told:
        """Write what is told, at once: the rows say what their windows hold now."""
        rows = [self._writer.interval(row) for row in telling.rows]
        deltas = [self._writer.delta(delta.key, delta.row) for delta in telling.deltas if delta.row is not None]
        kinds = [row.kind for row in telling.rows]
        return Told([*before.outputs, *rows, *deltas], before.kinds + kinds, before.too_late + telling.too_late)


TAKEN = frozenset({Output.CALL_RECORD.value, *NOTES})


def diary_key(extension_key: str) -> bytes:
    """Return the key under which the diary of an extension is stored."""
    return f"I{extension_key}".encode()


def _counted_key(extension_key: str, leg_id: str) -> bytes:
    return f"K{extension_key}\x1f{leg_id}".encode()
