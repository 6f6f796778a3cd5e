"""Logins, logouts and the small events of a page load (CONTRACT 7, DECISIONS 18, 24, 35, 37)."""

import json

from streams.domain.calls import Decision, suspect_all, unsuspect_all
from streams.domain.events import Event, posted_at
from streams.domain.extension import Book, Extension, tab_of, was_logged_in
from streams.domain.legs.records import identifier
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.words import EndSource, EventType, Outcome, SessionEventType

SMALL: dict[EventType, tuple[SessionEventType, dict[str, str]]] = {
    EventType.RC_ROUTE_CHANGED_NOTIFY: (SessionEventType.ROUTE, {"path": "path"}),
    EventType.RC_REGION_SETTINGS_NOTIFY: (SessionEventType.REGION, {"countryCode": "country_code"}),
    EventType.RC_DIALER_STATUS_NOTIFY: (SessionEventType.DIALER, {"ready": "ready"}),
    EventType.RC_MEETING_STATUS_NOTIFY: (SessionEventType.MEETING, {"ready": "ready", "permission": "permission"}),
    EventType.RC_LOGIN_POPUP_NOTIFY: (SessionEventType.LOGIN_POPUP, {"oAuthUri": "popup"}),
}
"""The small event types: their session event, and which of their fields it carries (SPEC 3.7, 3.9 to 3.12)."""


def take_login(book: Book, event: Event, now: int) -> Decision:
    """Take a login status. The logout of the last page load is evidence that no call is left."""
    extension = book.extension
    tab = tab_of(extension, event.session_id, now)
    if event.event_time < tab.login_at or (tab.told and tab.logged_in is event.logged_in):
        return Outcome.DUPLICATE, []
    if not event.logged_in:
        tab.left = posted_at(event)
    elif not tab.logged_in:
        tab.since, tab.left = event.event_time, None
    tab.logged_in, tab.told, tab.login_at = bool(event.logged_in), True, event.event_time
    closed = _last_logouts(book, now)
    word = SessionEventType.LOGGED_IN if tab.logged_in else SessionEventType.LOGGED_OUT
    return Outcome.ACCEPTED, [_session_event(extension, event, word, {}), *closed]


def _last_logouts(book: Book, now: int) -> list[Emission]:
    """Take the logouts that left nobody logged in: the one that came now, and those that it lets be the last."""
    tabs, known = book.extension.tabs, {closing.at for closing in book.extension.silences}
    emissions: list[Emission] = []
    for tab in list(tabs.values()):
        at = tab.left
        if at is not None and at not in known and not any(was_logged_in(other, at.at) for other in tabs.values()):
            emissions += suspect_all(book, EndSource.LOGOUT, at, now)
    return emissions


def take_back_logouts(book: Book, event: Event, now: int) -> list[Emission]:
    """Take back what was taken for the last logout, when another page load proves to have been logged in then."""
    extension = book.extension
    tab = extension.tabs.get(event.session_id or "")
    if tab is None or tab.since != event.event_time or not extension.silences:
        return []
    wrong = [
        closing
        for closing in extension.silences
        if closing.source is EndSource.LOGOUT and was_logged_in(tab, closing.at.at)
    ]
    return unsuspect_all(book, wrong, now) if wrong else []


def take_small(book: Book, event: Event, now: int) -> Decision:
    """Take a route, region, dialer, meeting or login popup; an equal one right after it in its page load repeats it."""
    word, fields = SMALL[event.type]
    if event.session_id is not None:
        tab = tab_of(book.extension, event.session_id, now)
        content = identifier(event.other or "")
        if tab.last_posts.get(word) == content:
            return Outcome.DUPLICATE, []
        tab.last_posts[word] = content
    posted = json.loads(event.other or "{}")
    told = {ours: posted[vendor] for vendor, ours in fields.items() if vendor in posted}
    return Outcome.ACCEPTED, [_session_event(book.extension, event, word, told)]


def _session_event(extension: Extension, event: Event, word: SessionEventType, told: Row) -> Emission:
    extension.session_events += 1
    row: Row = {
        "event_id": identifier(extension.key, "session", str(extension.session_events), str(event.event_time), word),
        "event_time": event.event_time,
        "extension_key": extension.key,
        "session_id": event.session_id,
        "type": word,
        "input": event.input,
        "team": event.team,
        "site": event.site,
        **told,
    }
    return Emission(Output.SESSION_EVENT, extension.key, row)
