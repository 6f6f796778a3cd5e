"""One envelope as it was read from the topic: what the collector added, what the widget said, or why it is refused."""

from dataclasses import dataclass, field
from enum import Enum, auto

from streams.domain.words import EventType, Quirk, RejectReason

Row = dict[str, object]
"""One Avro record, by field name."""


class Meaning(Enum):
    """What a widget event says about the user of its page load (CONTRACT 4, DECISIONS 20, 35)."""

    LIFE = auto()
    """A call, a presence, a message: there is a user, and he is logged in."""
    LOGIN = auto()
    LOGOUT = auto()
    EMPTY_PRESENCE = auto()
    SMALL_TALK = auto()
    """Means nothing without a user: dialer, region, meeting, route, login popup."""
    FOREIGN = auto()
    """Not for us: no type, an unknown type, another frame's message, a telephony post without its session."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record is refused; the detail names fields, never values."""

    reason: RejectReason
    detail: str


@dataclass(slots=True)
class WidgetEvent:
    """What the widget said, in our words, scrubbed."""

    type: EventType
    meaning: Meaning
    family: str | None = None
    """Name of the EnrichedEvent field that carries `row`."""
    row: Row | str | None = None
    other_type: str | None = None
    login_number: str | None = None
    account_id: str | None = None
    extension_id: str | None = None
    """Ids of its user that the event itself carries (SPEC 1.6)."""
    quirks: list[Quirk] = field(default_factory=list)


@dataclass(slots=True)
class Posting:
    """An envelope (CONTRACT 3). Instants in milliseconds since the epoch; absent fields are None."""

    type: EventType = EventType.OTHER
    """Of the 19, also where the event is refused."""
    event: WidgetEvent | None = None
    rejection: Rejection | None = None
    event_id: str | None = None
    session_id: str | None = None
    sequence: int | None = None
    captured_at: int | None = None
    sent_at: int | None = None
    received_at: int | None = None
    login_number: str | None = None
    account_id: str | None = None
    extension_id: str | None = None
    verified: bool = False
    replayed: bool = False
