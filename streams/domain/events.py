"""An admitted widget event as the extensions stage reads it: identified, timed, scrubbed (CONTRACT 2)."""

from dataclasses import dataclass, field

from streams.domain.instants import Instant
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
    remote: Remote = field(default_factory=dict)
    warm_transfer_dialog: str | None = None
    queue_call: bool = False
    queue_token: str | None = None


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
    web_phone_call: WebPhoneCall | None = None
    presence: PresenceStatus | None = None
    logged_in: bool | None = None
    other: str | None = None


def posted_at(event: Event) -> Instant:
    """Return when the event was posted: the browser's reading where there is one, else its arrival."""
    clock = event.session_id or ""
    if event.captured_at is None or not clock:
        return Instant(event.event_time, event.event_time, "")
    return Instant(event.event_time, event.captured_at, clock)


def read_at(event: Event, reading: int | None) -> Instant | None:
    """Return an instant that the browser put into the event, or None where it is absent or absurd (DECISIONS 56)."""
    posted = posted_at(event)
    if reading is None or abs(reading - posted.reading) > ABSURD_MS:
        return None
    if not posted.clock:
        return Instant(min(reading, event.received_at), reading, "")
    return Instant(min(reading + (event.skew_ms or 0), event.received_at), reading, posted.clock)
