"""The closed vocabularies of the product: each enum is also an Avro enum with the same symbols (CONTRACT 2, 6, 7).

Vendor words do not occur here; `contracts.widget` translates them.
"""

from enum import StrEnum


class Word(StrEnum):
    """A word of a call record. Records are compared by the text of their rows, so it is spelled out once."""

    def __init__(self, word: str):
        """Keep what `repr` gives of any enum."""
        self._spelled = f"<{type(self).__name__}.{self._name_}: {word!r}>"

    def __repr__(self) -> str:
        """Return class, name and word."""
        return self._spelled


class EventType(StrEnum):
    """The 19 widget events (SPEC 3), everything else that is known (SPEC 7), and the marks of stream time."""

    RC_CALL_RING_NOTIFY = "RC_CALL_RING_NOTIFY"
    RC_CALL_INIT_NOTIFY = "RC_CALL_INIT_NOTIFY"
    RC_CALL_START_NOTIFY = "RC_CALL_START_NOTIFY"
    RC_CALL_HOLD_NOTIFY = "RC_CALL_HOLD_NOTIFY"
    RC_CALL_RESUME_NOTIFY = "RC_CALL_RESUME_NOTIFY"
    RC_CALL_END_NOTIFY = "RC_CALL_END_NOTIFY"
    RC_CALL_MUTE_NOTIFY = "RC_CALL_MUTE_NOTIFY"
    RC_RINGOUT_CALL_NOTIFY = "RC_RINGOUT_CALL_NOTIFY"
    RC_ACTIVE_CALL_NOTIFY = "RC_ACTIVE_CALL_NOTIFY"
    RC_TELEPHONY_SESSION_NOTIFY = "RC_TELEPHONY_SESSION_NOTIFY"
    RC_ADAPTER_SYNC_PRESENCE = "RC_ADAPTER_SYNC_PRESENCE"
    RC_LOGIN_STATUS_NOTIFY = "RC_LOGIN_STATUS_NOTIFY"
    RC_LOGIN_POPUP_NOTIFY = "RC_LOGIN_POPUP_NOTIFY"
    RC_MESSAGE_UPDATED_NOTIFY = "RC_MESSAGE_UPDATED_NOTIFY"
    RC_INBOUND_MESSAGE_NOTIFY = "RC_INBOUND_MESSAGE_NOTIFY"
    RC_ROUTE_CHANGED_NOTIFY = "RC_ROUTE_CHANGED_NOTIFY"
    RC_REGION_SETTINGS_NOTIFY = "RC_REGION_SETTINGS_NOTIFY"
    RC_DIALER_STATUS_NOTIFY = "RC_DIALER_STATUS_NOTIFY"
    RC_MEETING_STATUS_NOTIFY = "RC_MEETING_STATUS_NOTIFY"
    OTHER = "OTHER"
    WATERMARK = "WATERMARK"


class Identity(StrEnum):
    """How the extension of an event was found (CONTRACT 4), best first."""

    TOKEN = "TOKEN"  # noqa: S105 - the word of the contract, not a secret
    ENVELOPE = "ENVELOPE"
    SESSION = "SESSION"
    EVENT = "EVENT"
    DIRECTORY = "DIRECTORY"


class Outcome(StrEnum):
    """What became of an envelope: exactly one of these (CONTRACT 11)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    DEAD_LETTER = "dead_letter"


class RejectReason(StrEnum):
    """Why a record could not be accepted: the closed list of DECISIONS 21."""

    BAD_JSON = "BAD_JSON"
    BAD_ENVELOPE = "BAD_ENVELOPE"
    SCHEMA_VIOLATION = "SCHEMA_VIOLATION"
    TOO_LARGE = "TOO_LARGE"
    MISSING_EXTENSION = "MISSING_EXTENSION"
    TOO_LATE = "TOO_LATE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    OUTPUT_TOO_LARGE = "OUTPUT_TOO_LARGE"


class Quirk(StrEnum):
    """Known oddities that were met while reading an event."""

    RECEIVED_AT_DOUBTFUL = "RECEIVED_AT_DOUBTFUL"
    MISROUTED = "MISROUTED"
    HOLD_WITHOUT_FLAG = "HOLD_WITHOUT_FLAG"
    NO_SESSION = "NO_SESSION"
    NO_SEQUENCE = "NO_SEQUENCE"
    NO_CAPTURED_AT = "NO_CAPTURED_AT"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    ABSURD_INSTANT = "ABSURD_INSTANT"
    LOGIN_NUMBER_INCOMPLETE = "LOGIN_NUMBER_INCOMPLETE"
    TELEPHONY_SESSION_ABSENT = "TELEPHONY_SESSION_ABSENT"
    FUTURE_INSTANT = "FUTURE_INSTANT"


class Direction(Word):
    """Of a leg, as its own extension sees it."""

    UNKNOWN = "UNKNOWN"
    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class State(StrEnum):
    """Where a leg stands (CONTRACT 6)."""

    DIALING = "DIALING"
    RINGING = "RINGING"
    CONNECTED = "CONNECTED"
    ON_HOLD = "ON_HOLD"
    PARKED = "PARKED"
    ENDED = "ENDED"


class Witness(Word):
    """Who told: the event families that speak of the same leg, highest rank first (DECISIONS 3)."""

    WEB_PHONE = "WEB_PHONE"
    TELEPHONY_SESSION = "TELEPHONY_SESSION"
    ACTIVE_CALL = "ACTIVE_CALL"
    RINGOUT = "RINGOUT"
    PRESENCE = "PRESENCE"


class CallEventType(StrEnum):
    """What changed about a leg (CONTRACT 6)."""

    DIALED = "DIALED"
    RANG = "RANG"
    ANSWERED = "ANSWERED"
    HELD = "HELD"
    RESUMED = "RESUMED"
    MUTED = "MUTED"
    UNMUTED = "UNMUTED"
    PARKED = "PARKED"
    TRANSFERRED = "TRANSFERRED"
    ENDED = "ENDED"
    REOPENED = "REOPENED"


class ScopeType(StrEnum):
    """Whom a row of interval metrics is about (CONTRACT 7)."""

    EXTENSION = "EXTENSION"
    TEAM = "TEAM"
    QUEUE = "QUEUE"
    SITE = "SITE"
    ACCOUNT = "ACCOUNT"


class IntervalKind(StrEnum):
    """How settled a row of interval metrics is (DECISIONS 39)."""

    EARLY = "EARLY"
    FINAL = "FINAL"
    AMENDED = "AMENDED"


class CoverageKind(StrEnum):
    """How settled a row of capture coverage is."""

    EARLY = "EARLY"
    FINAL = "FINAL"
    AMENDED = "AMENDED"


class Disposition(Word):
    """How a leg came out (CONTRACT 6, DECISIONS 29)."""

    UNKNOWN = "UNKNOWN"
    ANSWERED = "ANSWERED"
    MISSED = "MISSED"
    REJECTED = "REJECTED"
    VOICEMAIL = "VOICEMAIL"
    FORWARDED = "FORWARDED"
    REPLIED = "REPLIED"
    ANSWERED_ELSEWHERE = "ANSWERED_ELSEWHERE"
    UNANSWERED = "UNANSWERED"
    BUSY = "BUSY"
    FAILED = "FAILED"


class EndSource(Word):
    """Which witness or evidence gave `ended_at`, by rank (DECISIONS 3)."""

    WEB_PHONE = "WEB_PHONE"
    TELEPHONY_SESSION = "TELEPHONY_SESSION"
    ACTIVE_CALL = "ACTIVE_CALL"
    PRESENCE = "PRESENCE"
    SNAPSHOT = "SNAPSHOT"
    LOGOUT = "LOGOUT"
    TIMEOUT = "TIMEOUT"


class EndedBy(Word):
    """Whose action ended the leg (DECISIONS 33)."""

    UNKNOWN = "UNKNOWN"
    SELF = "SELF"
    REMOTE = "REMOTE"
    SYSTEM = "SYSTEM"


class Transfer(Word):
    """How the leg was handed on (DECISIONS 32)."""

    NONE = "NONE"
    BLIND = "BLIND"
    WARM = "WARM"
    FLIP = "FLIP"
    PARK = "PARK"


class Quality(Word):
    """What a reader of the record should know about its making (CONTRACT 6)."""

    GAP = "GAP"
    SKEW_HIGH = "SKEW_HIGH"
    INFERRED_END = "INFERRED_END"
    INFERRED_ANSWER = "INFERRED_ANSWER"
    DUPLICATE_TABS = "DUPLICATE_TABS"
    LATE_AMENDED = "LATE_AMENDED"
    MERGED = "MERGED"
    START_WHILE_RINGING = "START_WHILE_RINGING"


class RevisionReason(StrEnum):
    """Why a call record was written again."""

    ENDED = "ENDED"
    AMENDED = "AMENDED"
    FINAL = "FINAL"
    REOPENED = "REOPENED"
    MERGED = "MERGED"


class Activity(StrEnum):
    """What the person at the extension is doing (DECISIONS 35)."""

    UNKNOWN = "UNKNOWN"
    OFFLINE = "OFFLINE"
    AVAILABLE = "AVAILABLE"
    BUSY = "BUSY"
    DO_NOT_DISTURB = "DO_NOT_DISTURB"
    RINGING = "RINGING"
    ON_CALL = "ON_CALL"
    ON_HOLD = "ON_HOLD"


class PresenceCause(StrEnum):
    """What changed a presence."""

    CALL = "CALL"
    PRESENCE = "PRESENCE"
    LOGIN = "LOGIN"
    LOGOUT = "LOGOUT"


class SessionEventType(StrEnum):
    """What a page load told beside calls (CONTRACT 7)."""

    LOGGED_IN = "LOGGED_IN"
    LOGGED_OUT = "LOGGED_OUT"
    LOGIN_POPUP = "LOGIN_POPUP"
    ROUTE = "ROUTE"
    REGION = "REGION"
    DIALER = "DIALER"
    MEETING = "MEETING"
