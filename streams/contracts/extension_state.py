"""Saved state of extensions and messages: JSON rows by position, written and read without a model (DECISIONS 51)."""

from streams.contracts.leg_state import DIRECTIONS, STATES, WITNESSES, closing_row, read_closing, read_span, span_row
from streams.contracts.state_words import Document, Numbers, by_value, instant_row, read_instant
from streams.domain.extension import Extension, Tab
from streams.domain.legs.evidence import Stray
from streams.domain.message_words import MessageType
from streams.domain.messages import MessageState
from streams.domain.presence import PresenceState

_MESSAGE_TYPES = by_value(MessageType)


def extension_document(extension: Extension) -> Document:
    """Return an extension as JSON; ids of page loads stand once in front."""
    numbers: Numbers = {"": 0}
    row = [
        extension.key,
        [_tab_row(name, tab, numbers) for name, tab in extension.tabs.items()],
        _presence_row(extension.presence),
        extension.open_legs,
        extension.unsettled,
        extension.ended,
        [closing_row(closing, numbers) for closing in extension.silences],
        [_stray_row(stray, numbers) for stray in extension.strays],
        extension.calling_mode,
        extension.consulted,
        extension.session_events,
        extension.seen,
        extension.team,
        extension.site,
    ]
    return [list(numbers), row]


def read_extension(document: Document) -> Extension:
    """Return an extension."""
    words, row = document
    key, tabs, presence, open_legs, unsettled, ended, silences, strays, mode, consulted, *rest = row
    events, seen, team, site = rest
    return Extension(
        key=key,
        tabs={words[tab[0]]: _read_tab(tab, words) for tab in tabs},
        presence=PresenceState(*presence),
        open_legs={leg_id: STATES[state] for leg_id, state in open_legs.items()},
        unsettled=unsettled,
        ended=ended,
        silences=[read_closing(closing, words) for closing in silences],
        strays=[_read_stray(stray, words) for stray in strays],
        calling_mode=mode,
        consulted=consulted,
        session_events=events,
        seen=seen,
        team=team,
        site=site,
    )


def _stray_row(stray: Stray, numbers: Numbers) -> Document:
    return [
        stray.names,
        stray.witness,
        instant_row(stray.at, numbers),
        numbers.setdefault(stray.session_id, len(numbers)),
        stray.dialog,
        stray.direction,
        stray.sequence,
        stray.skew_ms,
        stray.missing_before,
        stray.telephony_session_id,
        stray.legacy_session_id,
        instant_row(stray.begun, numbers),
        stray.remote,
        stray.queue_call,
        stray.ringout,
        stray.time_uncertainty_ms,
    ]


def _read_stray(row: Document, words: list[str]) -> Stray:
    names, witness, at_row, session, dialog, direction, *rest = row
    sequence, skew_ms, missing_before, telephony, legacy, begun, *beside = rest
    at = read_instant(at_row, words)
    if at is None:
        raise ValueError("an end without its instant")
    told = WITNESSES[witness], at, words[session], dialog, DIRECTIONS[direction]
    numbers = sequence, skew_ms, missing_before
    return Stray(names, *told, *numbers, telephony, legacy, read_instant(begun, words), *beside)


def _tab_row(name: str, tab: Tab, numbers: Numbers) -> Document:
    return [
        numbers.setdefault(name, len(numbers)),
        tab.logged_in,
        tab.told,
        tab.login_at,
        tab.since,
        instant_row(tab.left, numbers),
        tab.seen,
        tab.calling_mode,
        tab.following,
        span_row(name, tab.span, numbers) if tab.span is not None else None,
        tab.gapped,
        list(tab.last_posts.items()),
    ]


def _read_tab(row: Document, words: list[str]) -> Tab:
    _, logged_in, told, login_at, since, left, seen, calling_mode, following, span, gapped, last_posts = row
    return Tab(
        logged_in=logged_in,
        told=told,
        login_at=login_at,
        since=since,
        left=read_instant(left, words),
        seen=seen,
        calling_mode=calling_mode,
        following=following,
        span=read_span(span) if span is not None else None,
        gapped=gapped,
        last_posts=dict(last_posts),
    )


def _presence_row(presence: PresenceState) -> Document:
    return [
        presence.telephony_status,
        presence.user_status,
        presence.dnd_status,
        presence.presence_option,
        presence.status_at,
        presence.last_end_at,
        presence.published,
        presence.changed_at,
        presence.changes,
    ]


def message_document(message: MessageState) -> Document:
    """Return what is remembered of a message as JSON."""
    return [
        message.versions,
        message.inbound,
        message.message_type,
        message.direction,
        message.seen,
        message.events,
    ]


def read_message(document: Document) -> MessageState:
    """Return what is remembered of a message."""
    versions, inbound, message_type, direction, seen, events = document
    return MessageState(versions, inbound, _MESSAGE_TYPES[message_type], DIRECTIONS[direction], seen, events)
