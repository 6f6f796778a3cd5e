"""What was told about a leg: the memory of one leg, nothing concluded (DECISIONS 3, 4, 8, 18)."""

from dataclasses import dataclass, field
from enum import StrEnum

from streams.domain.events import Remote
from streams.domain.instants import Instant
from streams.domain.postings import Row
from streams.domain.words import CallEventType, Direction, EndSource, State, Witness


class Kind(StrEnum):
    """What a sighting says, in canonical words (SPEC 4.1)."""

    RANG = "RANG"
    ANSWERED = "ANSWERED"
    HELD = "HELD"
    RESUMED = "RESUMED"
    MUTED = "MUTED"
    UNMUTED = "UNMUTED"
    ENDED = "ENDED"


class Hint(StrEnum):
    """What the end of a dialog says about its reason (SPEC 3.1.3)."""

    VOICEMAIL = "VOICEMAIL"
    FLIP = "FLIP"
    FORWARDED = "FORWARDED"
    REPLIED = "REPLIED"
    TRANSFER = "TRANSFER"


@dataclass(slots=True)
class Sighting:
    """One post of one witness about one leg."""

    witness: Witness
    kind: Kind
    at: Instant
    session_id: str
    sequence: int | None
    dialog: str
    direction: Direction
    telephony_session_id: str | None = None
    party_id: str | None = None
    ring: Instant | None = None
    answer: Instant | None = None
    hints: list[Hint] = field(default_factory=list)
    remote: Remote | None = None
    queue_call: bool = False
    queue_token: str | None = None
    warm_transfer_dialog: str | None = None
    missing_before: int = 0


@dataclass(slots=True)
class Dialog:
    """What one witness told in one page load: the leg's life as that device saw it (DECISIONS 52)."""

    witness: Witness
    session_id: str
    dialog: str
    ring: Instant | None = None
    answer: Instant | None = None
    end: Instant | None = None
    end_sequence: int | None = None
    end_void: bool = False
    """The leg lived on after this end: it no longer counts (DECISIONS 4, 12)."""
    end_answer: Instant | None = None
    """An answer that only the end told (DECISIONS 53)."""
    answer_inferred: bool = False
    hints: list[Hint] = field(default_factory=list)
    last_kind: Kind | None = None


@dataclass(slots=True)
class Change:
    """A hold, resume, mute or unmute: one fact, whoever told it (DECISIONS 17, 18)."""

    kind: Kind
    at: Instant
    witness: Witness
    tellers: list[str] = field(default_factory=list)
    """`witness/page load` of everyone who told it."""


@dataclass(slots=True)
class Span:
    """The sequence numbers of one page load during the leg, for the flag GAP (DECISIONS 28, 57)."""

    first: int
    missing_at_first: int
    last: int
    missing_at_last: int


@dataclass(slots=True)
class Closing:
    """Evidence that a leg is over though nobody ended it: waits for its grace, then ends the leg (DECISIONS 24)."""

    source: EndSource
    at: Instant
    due: int


@dataclass(slots=True)
class Leg:
    """All that is remembered of one leg."""

    leg_id: str
    extension_key: str
    direction: Direction
    telephony_session_id: str | None = None
    party_id: str | None = None
    dialogs: list[Dialog] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    spans: dict[str, Span] = field(default_factory=dict)
    inputs: list[dict[str, object]] = field(default_factory=list)
    remote: Remote | None = None
    queue_call: bool = False
    queue_token: str | None = None
    handed_over: bool = False
    """A consultation names this leg as the one to be transferred (DECISIONS 32)."""
    consults: bool = False
    duplicate_tabs: bool = False
    skew_high: bool = False
    time_uncertainty_ms: int = 0
    directory: Row = field(default_factory=dict)
    last_life: int = 0
    """Event time of the last sign of life, ms since the epoch."""
    last_news: int = 0
    """Stream time of the last news."""
    last_news_at: Instant | None = None
    closing: Closing | None = None
    inferred: Closing | None = None
    state: State | None = None
    state_since: Instant | None = None
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
