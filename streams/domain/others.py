"""Types beyond the 19 that decide something: snapshots of browser calls, calling modes (SPEC 7, DECISIONS 20, 25)."""

from streams.domain.calls import Decision, take_snapshot
from streams.domain.events import Event
from streams.domain.extension import Book, tab_of
from streams.domain.legs.records import identifier
from streams.domain.words import Outcome

SETTINGS = "SETTINGS"


def take_other(book: Book, event: Event, now: int) -> Decision:
    """Take an event beyond the 19 types; one that decides nothing is ignored."""
    if event.browser_calls is not None:
        tab_of(book.extension, event.session_id, now, logged_in_at=event.event_time if event.browser_calls else None)
        return take_snapshot(book, event, event.browser_calls, now)
    if event.calling_mode is not None:
        return _take_settings(book, event, now), []
    return Outcome.IGNORED, []


def _take_settings(book: Book, event: Event, now: int) -> Outcome:
    tab = tab_of(book.extension, event.session_id, now)
    content = identifier(event.other or "")
    repeated = event.session_id is not None and tab.last_posts.get(SETTINGS) == content
    tab.last_posts[SETTINGS] = content
    tab.calling_mode = book.extension.calling_mode = event.calling_mode or tab.calling_mode
    return Outcome.DUPLICATE if repeated else Outcome.ACCEPTED
