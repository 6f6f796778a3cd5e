"""Types beyond the 19 that decide something: snapshots of browser calls, calling modes (SPEC 7, DECISIONS 20, 25)."""

import json

from streams.domain.calls import Decision, take_snapshot
from streams.domain.events import Event
from streams.domain.extension import Book, tab_of
from streams.domain.words import Outcome

HASHED = "sha256:"


def take_other(book: Book, event: Event, now: int) -> Decision:
    """Take an event beyond the 19 types; one that decides nothing is ignored."""
    posted = json.loads(event.other or "{}")
    if event.other_type == "rc-webphone-sessions-sync":
        return _take_sessions(book, event, posted, now)
    if event.other_type == "rc-calling-settings-notify":
        return _take_settings(book, event, posted, now)
    return Outcome.IGNORED, []


def _take_sessions(book: Book, event: Event, posted: dict[str, object], now: int) -> Decision:
    calls = posted.get("calls")
    listed = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    tab_of(book.extension, event.session_id, now, implies_login=bool(listed))
    dialogs = frozenset(str(call.get("id")).removeprefix(HASHED) for call in listed)
    return take_snapshot(book, event, dialogs, now)


def _take_settings(book: Book, event: Event, posted: dict[str, object], now: int) -> Decision:
    told = posted.get("callingMode") or posted.get("callWith")
    tab = tab_of(book.extension, event.session_id, now, implies_login=False)
    mode = told if isinstance(told, str) else tab.calling_mode
    content = json.dumps(posted, sort_keys=True)
    repeated = event.session_id is not None and tab.last_posts.get("SETTINGS") == content
    tab.last_posts["SETTINGS"] = content
    tab.calling_mode = book.extension.calling_mode = mode
    return Outcome.DUPLICATE if repeated else Outcome.ACCEPTED, []
