"""An admitted widget event as the extensions stage reads it: identified, timed, scrubbed (CONTRACT 2)."""

from dataclasses import dataclass, field

from streams.domain.instants import SERVER, Instant
from streams.domain.words import Direction, EventType

Remote = dict[str, str | None]
"""The other side of a call: `token`, `country`, `kind` (DECISIONS 41)."""
Position = dict[str, object]
"""Where the envelope stands in the topic of widget events: `topic`, `partition`, `offset`."""

ABSURD_MS = 24 * 3_600_000


@dataclass(slots=True)
class WebPhoneCall:
    """What a post of the rc-call-* family says of its call (SPEC 3.1). Instants as the browser's clock read them."""

    dialog: str
    direction: Direction
    telephony_session_id: str | None = None
    party_id: str | None = None
    created_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    is_on_mute: bool = False
    is_on_flip: bool = False
    is_on_transfer: bool = False
    is_to_voicemail: bool = False
    is_forwarded: bool = False
    is_replied: bool = False
    remote: Remote | None = None
    warm_transfer_dialog: str | None = None
    queue_call: bool = False
    queue_token: str | None = None
    queue: str | None = None
    """The queue that the token stands for, as the directory names it."""


@dataclass(slots=True)
class ActiveCallStatus:
    """What rc-active-call-notify or rc-ringout-call-notify says, in RingCentral's words (SPEC 3.2, 3.3)."""

    session_id: str
    direction: Direction
    telephony_status: str
    telephony_session_id: str | None = None
    party_id: str | None = None
    termination_type: str | None = None
    started_at: int | None = None
    """Ring start as the server's clock read it."""
    offset_ms: int | None = None
    remote: Remote | None = None
    queue_call: bool = False
    ringout: bool = False


@dataclass(slots=True)
class TelephonyParty:
    """One party of a telephony session, in RingCentral's words (SPEC 3.4)."""

    party_id: str
    direction: Direction = Direction.UNKNOWN
    from_remote: Remote | None = None
    to_remote: Remote | None = None
    status_code: str | None = None
    status_reason: str | None = None
    peer_party_id: str | None = None
    peer_telephony_session_id: str | None = None
    peer_session_id: str | None = None
    missed_call: bool = False
    muted: bool = False
    extension_id: str | None = None
    queue_call: bool = False
    own: bool = False
    """It belongs to the extension that posted."""
    park: bool = False
    conference_role: str | None = None


@dataclass(slots=True)
class TelephonySession:
    """What rc-telephony-session-notify says: every party that was seen so far (SPEC 3.4)."""

    telephony_session_id: str
    session_id: str | None = None
    extension_id: str | None = None
    account_id: str | None = None
    created_at: int | None = None
    """First notification, as the server's clock read it."""
    origin_type: str | None = None
    parties: list[TelephonyParty] = field(default_factory=list)


@dataclass(slots=True)
class MessageNotice:
    """What rc-message-updated-notify or rc-inbound-message-notify says, in RingCentral's words (SPEC 3.8)."""

    message_id: str
    message_type: str | None = None
    direction: Direction = Direction.UNKNOWN
    read_status: str | None = None
    message_status: str | None = None
    availability: str | None = None
    created_at: int | None = None
    modified_at: int | None = None
    from_remote: Remote | None = None
    to_remotes: list[Remote] = field(default_factory=list)
    body_chars: int | None = None
    attachments: int = 0
    conversation_id: str | None = None


@dataclass(slots=True)
class PresenceStatus:
    """What rc-adapter-syncPresence says, in RingCentral's words; all None when logged out (SPEC 3.5)."""

    telephony_status: str | None = None
    user_status: str | None = None
    dnd_status: str | None = None
    presence_option: str | None = None


@dataclass(slots=True)
class Event:
    """An admitted widget event. Instants in ms since the epoch; `skew_ms` None: its page load's clock is unknown."""

    type: EventType
    event_time: int
    time_uncertainty_ms: int
    skew_ms: int | None
    captured_at: int | None
    received_at: int
    extension_key: str
    input: Position
    event_id: str | None = None
    session_id: str | None = None
    sequence: int | None = None
    missing_before: int = 0
    account_id: str | None = None
    extension_id: str | None = None
    team: str | None = None
    site: str | None = None
    queues: list[str] = field(default_factory=list)
    time_zone: str | None = None
    directory_version: str | None = None
    account_time_zone: str | None = None
    """Its days are those of interval metrics."""
    web_phone_call: WebPhoneCall | None = None
    active_call: ActiveCallStatus | None = None
    telephony_session: TelephonySession | None = None
    presence: PresenceStatus | None = None
    message: MessageNotice | None = None
    logged_in: bool | None = None
    browser_calls: frozenset[str] | None = None
    """The dialogs that a page load listed as all of its browser calls; None: it listed none."""
    calling_mode: str | None = None
    """How the widget calls, as its settings say, in RingCentral's word."""
    other: str | None = None


def posted_at(event: Event) -> Instant:
    """Return when the event was posted: the browser's reading where there is one, else its arrival."""
    reading, clock = _read(event)
    return Instant(event.event_time, reading, clock)


def _read(event: Event) -> tuple[int, str]:
    """Return the clock that the event was posted by, and what it said."""
    if event.captured_at is None or not event.session_id:
        return event.event_time, SERVER
    return event.captured_at, event.session_id


def read_at(event: Event, reading: int | None) -> Instant | None:
    """Return an instant that the browser put into the event, or None where it is absent or absurd (DECISIONS 56)."""
    if reading is None:
        return None
    posted, clock = _read(event)
    if abs(reading - posted) > ABSURD_MS:
        return None
    at = reading + (event.skew_ms or 0) if clock else reading
    return Instant(min(at, event.received_at), reading, clock)


def server_at(event: Event, reading: int | None) -> Instant | None:
    """Return an instant that a server's clock read, or None where it is absent or absurd (CONTRACT 5, DECISIONS 56)."""
    if reading is None or abs(reading - event.event_time) > ABSURD_MS:
        return None
    return Instant(min(reading, event.received_at), reading, SERVER)
