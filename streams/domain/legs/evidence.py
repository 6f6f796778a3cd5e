"""What was told about a leg: the memory of one leg, nothing concluded (DECISIONS 3, 4, 8, 18).

A dialog is what one witness told in one page load. Its posts are kept in the order of that page load; the posts of all
dialogs of a leg are kept in the order in which they happened, so that nothing depends on the order of arrival.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from streams.domain.events import Remote
from streams.domain.instants import Instant
from streams.domain.postings import Row
from streams.domain.words import CallEventType, Direction, EndSource, State, Witness


class Kind(StrEnum):
    """What a post says, in canonical words (SPEC 4.1)."""

    RANG = "RANG"
    CONNECTED = "CONNECTED"
    HELD = "HELD"
    PARKED = "PARKED"
    MUTED = "MUTED"
    UNMUTED = "UNMUTED"
    ENDED = "ENDED"


UP = frozenset({Kind.CONNECTED, Kind.HELD, Kind.PARKED})
"""What only an answered leg can be."""
MUTES = frozenset({Kind.MUTED, Kind.UNMUTED})
"""Mute is a flag beside the state."""


class Hint(StrEnum):
    """What the flags of a web-phone end say about its reason (SPEC 3.1.3)."""

    VOICEMAIL = "VOICEMAIL"
    FLIP = "FLIP"
    FORWARDED = "FORWARDED"
    REPLIED = "REPLIED"
    TRANSFER = "TRANSFER"


@dataclass(slots=True)
class Sighting:
    """One post of one witness about one leg."""

    witness: Witness
    kind: Kind | None
    """None: it says nothing about the state."""
    at: Instant
    posted: Instant
    session_id: str
    sequence: int | None
    dialog: str
    direction: Direction
    word: str = ""
    """What was said, to tell consecutive equal posts from new ones."""
    telephony_session_id: str | None = None
    party_id: str | None = None
    legacy_session_id: str | None = None
    peer: tuple[str, str] | None = None
    """Telephony session and party in which the extension goes on (SPEC 3.4)."""
    skew_ms: int | None = None
    ring: Instant | None = None
    answer: Instant | None = None
    begun: Instant | None = None
    """When a server says the call began: the answer of a leg that was first seen connected (DECISIONS 7)."""
    other_rings: bool = False
    """The own side is up, the other one still rings (DECISIONS 31)."""
    other_is_up: bool = False
    muted: bool | None = None
    hints: list[Hint] = field(default_factory=list)
    code: str | None = None
    """How a telephony session calls the end, lower case."""
    reason: str | None = None
    """Its reason, verbatim."""
    handed_on: bool = False
    """The telephony session names the party that the leg was handed on to."""
    remote: Remote | None = None
    queue_call: bool = False
    queue: str | None = None
    ringout: bool = False
    warm_transfer_dialog: str | None = None
    missing_before: int = 0
    names: list[str] | None = None
    """What it calls its leg, once that was asked for (`joins.names`)."""


@dataclass(slots=True)
class Post:
    """One post as it is remembered."""

    kind: Kind
    at: Instant
    """When it happened."""
    posted: Instant
    dialog: int
    """Its dialog, by place in the leg's list."""
    order: int
    """`at` in ms, but never before what the same page load told earlier."""
    sequence: int | None = None
    after_loss: bool = False
    """Its page load had lost something that may be of this call."""
    hints: list[Hint] = field(default_factory=list)
    code: str | None = None
    reason: str | None = None
    handed_on: bool = False


@dataclass(slots=True)
class Dialog:
    """What one witness told in one page load: the leg's life as that device saw it (DECISIONS 52)."""

    witness: Witness
    session_id: str
    dialog: str
    own_phone: bool = False
    """The inbound side of a RingOut: its ring is part of dialling, its answer and end are not the leg's."""
    ring: Instant | None = None
    begun: Instant | None = None
    answer: Instant | None = None
    """As the web phone says it."""
    end_answer: Instant | None = None
    """An answer that only the end told (DECISIONS 53)."""
    other_rang: bool = False
    """The other side of an outbound leg was seen ringing while the own one was up: it decides (DECISIONS 31)."""
    other_answer: Instant | None = None
    word: str = ""
    muted: bool = False
    latest: int | None = None
    """Highest sequence number that told of it."""
    lost_before: int = 0
    """Numbers of its page load that were missing at its last post."""
    missing: Instant | None = None
    """A snapshot of its page load did not have it any more (DECISIONS 25)."""
    stale_at: int | None = None
    """Event time of the last status of a backlog that it told, ms since the epoch."""


@dataclass(slots=True)
class Hole:
    """Numbers of a page load that have not been read."""

    shown_by: int
    """The number that was read after them."""
    at: int
    """Event time of its post, ms since the epoch."""
    missing: int


@dataclass(slots=True)
class Span:
    """The sequence numbers of one page load during the leg, for the flag GAP (DECISIONS 28, 57)."""

    first: int
    missing_at_first: int
    last: int
    holes: list[Hole] = field(default_factory=list)
    """Between first and last."""


@dataclass(slots=True)
class Closing:
    """Evidence that a leg is over though nobody ended it (DECISIONS 24)."""

    source: EndSource
    at: Instant


@dataclass(slots=True)
class Stray:
    """The end of an active call that no leg knew when it was read (DECISIONS 20)."""

    names: list[str]
    """Names of the leg that it would have ended."""
    witness: Witness
    at: Instant
    session_id: str
    dialog: str
    direction: Direction
    sequence: int | None = None
    skew_ms: int | None = None
    missing_before: int = 0
    telephony_session_id: str | None = None
    legacy_session_id: str | None = None
    begun: Instant | None = None
    remote: Remote | None = None
    queue_call: bool = False
    ringout: bool = False
    time_uncertainty_ms: int = 0


@dataclass(slots=True)
class Leg:
    """All that is remembered of one leg."""

    leg_id: str
    extension_key: str
    direction: Direction
    telephony_session_id: str | None = None
    session_ids: list[str] = field(default_factory=list)
    """Telephony and legacy session ids by which witnesses knew it."""
    calling_mode: str | None = None
    dialogs: list[Dialog] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    """Dialogs of the web phone that were joined by number and time; ids may still prove otherwise (DECISIONS 9)."""
    posts: list[Post] = field(default_factory=list)
    """In the order in which they happened."""
    skews: dict[str, int] = field(default_factory=dict)
    """Best known skew of each page load's clock, ms."""
    sessions: list[str] = field(default_factory=list)
    """Page loads that told of it."""
    spans: dict[str, Span] = field(default_factory=dict)
    inputs: list[dict[str, object]] = field(default_factory=list)
    remote: Remote | None = None
    queue_call: bool = False
    queue: str | None = None
    ringout: bool = False
    """A witness says that it was dialled by RingOut."""
    paired: bool = False
    """Both sides of a RingOut are known (DECISIONS 8)."""
    handed_over: bool = False
    """A consultation names this leg as the one to be transferred (DECISIONS 32)."""
    consults: bool = False
    merged: bool = False
    skew_high: bool = False
    time_uncertainty_ms: int = 0
    directory: Row = field(default_factory=dict)
    last_life: int = 0
    """Event time of the last sign of life, ms since the epoch."""
    last_news: int = 0
    """Stream time of the last news."""
    closing_due: int | None = None
    """Stream time at which the evidence that it is over ends it, unless life comes before."""
    inferred: Closing | None = None
    state: State | None = None
    state_since: Instant | None = None
    end_moved_ms: int = 0
    """How much later than `state_since`, the first end told, the record has the end of an ended leg."""
    muted: bool = False
    muted_since: Instant | None = None
    told: list[CallEventType] = field(default_factory=list)
    """Types of the call events that were emitted, each once."""
    events: int = 0
    revision: int = 0
    published: str = ""
    """Fingerprint of the content of the last record."""
    shown: str = ""
    """Outline of the active call that is out; empty when none is."""
    is_final: bool = False
    late_amended: bool = False
    settle_due: int | None = None
    aliases: list[str] = field(default_factory=list)
    record: Row | None = field(default=None, compare=False)
    """Content of the last record as it was looked at last; not saved."""
