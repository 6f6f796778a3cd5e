"""What one event, or the passing of time, makes of an extension: the entry of the extensions stage into the domain."""

from collections.abc import Callable

from streams.domain import calls, following, logins, messages, others
from streams.domain import presence as presences
from streams.domain.calls import Decision
from streams.domain.events import Event, posted_at
from streams.domain.extension import Book, Extension, forget_tabs, open_sessions, tab_of
from streams.domain.legs.evidence import Leg
from streams.domain.legs.records import identifier
from streams.domain.legs.resolve import resolve
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.publishing import publish
from streams.domain.words import EndSource, EventType, Outcome, PresenceCause, State

Handler = Callable[[Book, Event, int], Decision]


def apply(book: Book, event: Event, now: int) -> Decision:
    """Take one event; return what became of it and what is to be written.

    Args:
        book: The memory of the event's extension, changed in place.
        event: An admitted widget event of this extension.
        now: Stream time at which it counts as arrived, never before its own `received_at`.
    """
    extension = book.extension
    extension.team, extension.site = event.team, event.site
    extension.seen = max(extension.seen, now)
    shaken = following.follow_sequence(book, event)
    handler = HANDLERS.get(event.type)
    outcome, emissions = handler(book, event, now) if handler else (Outcome.IGNORED, [])
    emissions += logins.take_back_logouts(book, event, now)
    for leg in shaken:
        # NB: what the event proved to be another leg has lost its names by now, and must not be published again.
        if leg.aliases:
            emissions += publish(extension, leg, resolve(leg), event.input, now)
    cause = LOGOUT if event.logged_in is False else CAUSES.get(event.type)
    if cause is not None:
        emissions += _presence(extension, _happened(emissions, event.event_time), cause, event.input)
    return outcome, emissions


def _happened(emissions: list[Emission], otherwise: int) -> int:
    """Return the instant of the last change of a call, else that of the post."""
    for emission in reversed(emissions):
        if emission.output is Output.CALL_EVENT and emission.row is not None:
            at = emission.row["event_time"]
            return at if isinstance(at, int) else otherwise
    return otherwise


def expire_leg(book: Book, leg: Leg, now: int) -> list[Emission]:
    """Let time do to a leg what is due at stream time now."""
    emissions = calls.expire_leg(book, leg, now)
    if leg.state is not State.ENDED or leg.state_since is None:
        return emissions
    return emissions + _presence(book.extension, leg.state_since.at, PresenceCause.CALL, None)


def expire_extension(extension: Extension, now: int) -> list[Emission]:
    """Forget page loads that were silent for a day; the last one takes the login with it."""
    forget_tabs(extension, now)
    return _presence(extension, now, LOGOUT, None)


def _take_presence(book: Book, event: Event, now: int) -> Decision:
    """Take a posted presence; NoCall is evidence even when it is told again (DECISIONS 58)."""
    status, extension = event.presence, book.extension
    assert status is not None
    if not (status.telephony_status or status.user_status or status.dnd_status):
        others = any(tab.logged_in for name, tab in extension.tabs.items() if name != event.session_id)
        changed = not others and presences.take_status(extension.presence, status, event.event_time)
        return Outcome.ACCEPTED if changed else Outcome.DUPLICATE, []
    tab_of(extension, event.session_id, now, logged_in_at=event.event_time)
    closed = []
    if status.telephony_status == "NoCall":
        closed = calls.suspect_all(book, EndSource.PRESENCE, posted_at(event), now)
    changed = presences.take_status(extension.presence, status, event.event_time)
    return Outcome.ACCEPTED if changed else Outcome.DUPLICATE, closed


def _presence(extension: Extension, at: int, cause: PresenceCause, position: Row | None) -> list[Emission]:
    """Publish the presence if anything about it changed."""
    presence, sessions = extension.presence, open_sessions(extension)
    doing = presences.activity(presence, extension.open_legs.values(), logged_in=sessions > 0)
    if presences.is_out(presence, doing, sessions, len(extension.open_legs)):
        return []
    row: Row = {
        "extension_key": extension.key,
        "activity": doing,
        "user_status": presence.user_status,
        "dnd_status": presence.dnd_status,
        "telephony_status": presence.telephony_status,
        "presence_option": presence.presence_option,
        "logged_in": sessions > 0,
        "open_sessions": sessions,
        "active_legs": len(extension.open_legs),
    }
    published = presences.publish(presence, row, at)
    if published is None:
        return []
    change: Row = {
        "event_id": identifier(extension.key, "presence", str(presence.changes), str(published.at)),
        "event_time": published.at,
        "extension_key": extension.key,
        "previous": published.previous,
        "current": presence.published,
        "previous_ms": published.previous_ms,
        "changed": published.changed,
        "cause": cause,
        "input": position,
        "team": extension.team,
        "site": extension.site,
    }
    return [
        Emission(Output.PRESENCE_EVENT, extension.key, change),
        Emission(Output.PRESENCE, extension.key, presence.published),
    ]


LOGOUT = PresenceCause.LOGOUT
WEB_PHONE = (
    EventType.RC_CALL_RING_NOTIFY,
    EventType.RC_CALL_INIT_NOTIFY,
    EventType.RC_CALL_START_NOTIFY,
    EventType.RC_CALL_HOLD_NOTIFY,
    EventType.RC_CALL_RESUME_NOTIFY,
    EventType.RC_CALL_END_NOTIFY,
    EventType.RC_CALL_MUTE_NOTIFY,
)
SERVER_CALLS = (EventType.RC_ACTIVE_CALL_NOTIFY, EventType.RC_RINGOUT_CALL_NOTIFY)
HANDLERS: dict[EventType, Handler] = {
    **dict.fromkeys(WEB_PHONE, calls.take_web_phone),
    EventType.RC_ADAPTER_SYNC_PRESENCE: _take_presence,
    EventType.RC_LOGIN_STATUS_NOTIFY: logins.take_login,
    **dict.fromkeys(SERVER_CALLS, calls.take_active_call),
    EventType.RC_TELEPHONY_SESSION_NOTIFY: calls.take_telephony_session,
    EventType.RC_MESSAGE_UPDATED_NOTIFY: messages.take_updated,
    EventType.RC_INBOUND_MESSAGE_NOTIFY: messages.take_inbound,
    EventType.OTHER: others.take_other,
    **dict.fromkeys(logins.SMALL, logins.take_small),
}
"""Who takes which type. A type without a handler is kept as an enriched event and otherwise ignored."""
CAUSES: dict[EventType, PresenceCause] = {
    **dict.fromkeys((*WEB_PHONE, *SERVER_CALLS), PresenceCause.CALL),
    EventType.RC_TELEPHONY_SESSION_NOTIFY: PresenceCause.CALL,
    EventType.OTHER: PresenceCause.CALL,
    EventType.RC_ADAPTER_SYNC_PRESENCE: PresenceCause.PRESENCE,
    EventType.RC_LOGIN_STATUS_NOTIFY: PresenceCause.LOGIN,
}
"""Which types can change a presence, and what to call it."""
