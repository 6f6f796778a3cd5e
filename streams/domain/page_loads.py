"""What belongs to one page load: its user, the skew of its clock, its repeats and losses (CONTRACT 4, 5).

A page load is one tab from load to unload, the collector's session. `judge` decides about one envelope; what cannot be
decided yet waits for the login.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.domain import event_time, sequences
from streams.domain.absurd import has_absurd_instant
from streams.domain.event_time import Skew
from streams.domain.identity import extension_key
from streams.domain.postings import Meaning, Posting, Rejection, Row
from streams.domain.sequences import Sequences
from streams.domain.words import EventType, Identity, Outcome, Quirk, RejectReason

# NB: a member of an enum is looked up slowly; what is asked of every envelope stands here.
_ACCEPTED = Outcome.ACCEPTED
_LOGIN_STATUS = EventType.RC_LOGIN_STATUS_NOTIFY
_ENVELOPE, _SESSION = Identity.ENVELOPE, Identity.SESSION
_FOREIGN = Meaning.FOREIGN
_OF_A_USER = (Meaning.LIFE, Meaning.LOGIN)
_OF_NOBODY_BEFORE = (Meaning.LOGOUT, Meaning.EMPTY_PRESENCE)
"""Mean that a user is gone, and nothing where none was."""
MEMORY_MS = 25 * 3_600_000
RECENT_IDS = 1_000
AUDIT_MS = 60_000
"""At most one audit row a page load in this time, of stream time."""
MAX_WAITING = 200
MAX_WAITING_BYTES = 400_000
"""Bounds of what waits in one page load: the oldest are given up beyond, so that its saved state stays below the
largest record that Kafka takes."""


@dataclass(slots=True)
class Counts:
    """How many envelopes of a page load came to which end in the sessions stage (DECISIONS 40)."""

    received: int = 0
    admitted: int = 0
    duplicate: int = 0
    ignored: int = 0
    dead_letter: int = 0
    unsequenced: int = 0


@dataclass(slots=True)
class Waiting:
    """An envelope in order whose user is not known yet."""

    due: int
    """Stream time at which it is given up."""
    ignorable: bool
    """Means nothing without a user: ignored, not dead-lettered, when given up."""
    row: Row
    letter: Row
    saved_bytes: int = 0
    """How much of the saved state it takes."""


@dataclass(slots=True)
class PageLoad:
    """The memory of one page load."""

    session_id: str | None = None
    login: str | None = None
    account_id: str | None = None
    extension_id: str | None = None
    user_seen: bool = False
    """It was logged in at some time: a logout of it is one."""
    read: Sequences = field(default_factory=Sequences)
    skew: Skew = field(default_factory=Skew)
    recent_ids: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    waiting: list[Waiting] = field(default_factory=list)
    last_news: int = 0
    lost_told: int = 0
    """How many losses the audits have told so far."""
    audit_due: int | None = None
    """Stream time of the next audit row; None: nothing new since the last."""


@dataclass(slots=True)
class Judgement:
    """What was decided about one envelope. `outcome` None: it waits for its user. ACCEPTED here means admitted."""

    outcome: Outcome | None
    rejection: Rejection | None = None
    event_time: int = 0
    time_uncertainty_ms: int = 0
    skew_ms: int | None = None
    missing_before: int = 0
    identity: Identity | None = None
    extension_key: str | None = None
    learned: bool = False
    """The page load's user became known: what waited is released before this event."""
    quirks: list[Quirk] = field(default_factory=list)


KeyOf = Callable[[str | None, str | None], str | None]
"""Finds the extension key of an account id and an extension id."""


def judge(load: PageLoad, posting: Posting, received_at: int, now: int, key_of: KeyOf) -> Judgement:
    """Decide about one envelope, in the order of DECISIONS 44, and remember what it taught.

    Args:
        load: The memory of its page load, changed in place.
        posting: The envelope as read.
        received_at: Its effective arrival, ms since the epoch.
        now: Stream time of the partition.
        key_of: The directory's answer to ids.
    """
    load.last_news = now
    load.counts.received += 1
    seen = _repeated(load, posting)
    missing = _remember(load, posting, now)
    if posting.rejection is not None:
        return Judgement(Outcome.DEAD_LETTER, posting.rejection)
    if seen:
        return Judgement(Outcome.DUPLICATE)
    judgement = _when(load, posting, received_at)
    judgement.missing_before = missing
    if has_absurd_instant(posting, judgement.event_time):
        judgement.quirks.append(Quirk.ABSURD_INSTANT)
    if event_time.too_late(received_at, judgement.event_time):
        hours = event_time.MAX_LATENESS_MS // 3_600_000
        judgement.rejection = Rejection(RejectReason.TOO_LATE, f"received more than {hours} h after it happened")
        judgement.outcome = Outcome.DEAD_LETTER
        return judgement
    return _whose(load, posting, judgement, key_of)


def _repeated(load: PageLoad, posting: Posting) -> bool:
    if load.session_id is not None and posting.sequence is not None:
        return sequences.known(load.read, posting.sequence)
    return posting.event_id is not None and posting.event_id in load.recent_ids


def _remember(load: PageLoad, posting: Posting, now: int) -> int:
    """Note sequence or id; return how many numbers before this one are missing."""
    if load.session_id is not None and posting.sequence is not None:
        sequences.take(load.read, posting.sequence, now)
        return sequences.missing_before(load.read, posting.sequence)
    load.counts.unsequenced += 1
    if posting.event_id is not None and posting.event_id not in load.recent_ids:
        load.recent_ids.append(posting.event_id)
        del load.recent_ids[:-RECENT_IDS]
    return 0


def _when(load: PageLoad, posting: Posting, received_at: int) -> Judgement:
    quirks = list(posting.event.quirks) if posting.event else []
    if posting.session_id is None:
        quirks.append(Quirk.NO_SESSION)
    if posting.sequence is None:
        quirks.append(Quirk.NO_SEQUENCE)
    if posting.captured_at is None:
        quirks.append(Quirk.NO_CAPTURED_AT)
        uncertainty = event_time.UNKNOWN_CAPTURE_MS
        return Judgement(_ACCEPTED, None, received_at, uncertainty, quirks=quirks)
    sent_at = posting.sent_at if posting.sent_at is not None else posting.captured_at
    skew = load.skew if load.session_id is not None else Skew()
    event_time.sample(skew, sent_at, received_at)
    skew_ms, uncertainty = event_time.estimate(skew)
    if posting.sent_at is None:
        uncertainty += event_time.UNKNOWN_SEND_MS
    happened = posting.captured_at + skew_ms
    if happened > received_at:
        quirks.append(Quirk.FUTURE_INSTANT)
        happened = received_at
    return Judgement(_ACCEPTED, None, happened, uncertainty, skew_ms, quirks=quirks)


def _whose(load: PageLoad, posting: Posting, judgement: Judgement, key_of: KeyOf) -> Judgement:
    event = posting.event
    assert event is not None
    meaning = event.meaning
    if meaning is _FOREIGN or (meaning in _OF_NOBODY_BEFORE and not load.user_seen):
        judgement.outcome = Outcome.IGNORED
        return judgement
    if meaning in _OF_A_USER:
        load.user_seen = True
    _learn_ids(load, posting)
    key, identity = _identify(load, posting, judgement, key_of)
    if key is None:
        judgement.outcome = None if load.session_id is not None else _given_up(meaning)
        if judgement.outcome is Outcome.DEAD_LETTER:
            judgement.rejection = MISSING_EXTENSION
        return judgement
    newest = load.login is None or posting.sequence in (None, load.read.highest)
    if newest and load.session_id is not None:
        judgement.learned = bool(load.waiting)
        load.login = key
    judgement.extension_key, judgement.identity = key, identity
    return judgement


MISSING_EXTENSION = Rejection(
    RejectReason.MISSING_EXTENSION, "no login number, session or directory row names its user"
)


def _given_up(meaning: Meaning) -> Outcome:
    return Outcome.DEAD_LETTER if meaning in _OF_A_USER else Outcome.IGNORED


def ignorable(meaning: Meaning) -> bool:
    """Tell whether an event of this meaning is dropped without loss when its user stays unknown (DECISIONS 20)."""
    return _given_up(meaning) is Outcome.IGNORED


def _learn_ids(load: PageLoad, posting: Posting) -> None:
    """Remember the ids of the user: those of the envelope, else those that the event itself carries (CONTRACT 4)."""
    event = posting.event
    assert event is not None
    if posting.account_id is not None and posting.extension_id is not None:
        load.account_id, load.extension_id = posting.account_id, posting.extension_id
    elif load.account_id is None and event.account_id is not None and event.extension_id is not None:
        load.account_id, load.extension_id = event.account_id, event.extension_id


def _identify(
    load: PageLoad, posting: Posting, judgement: Judgement, key_of: KeyOf
) -> tuple[str | None, Identity | None]:
    """Find the extension key in the order of CONTRACT 4; a login tells who logs in from here on."""
    event = posting.event
    assert event is not None
    own = extension_key(posting.login_number)
    if posting.verified:
        own = own or key_of(posting.account_id, posting.extension_id)
        if own is not None:
            return own, Identity.TOKEN
    if event.type is _LOGIN_STATUS and event.login_number:
        key = extension_key(event.login_number)
        if key is not None:
            return key, _SESSION
        judgement.quirks.append(Quirk.LOGIN_NUMBER_INCOMPLETE)
    if own is not None:
        return own, _ENVELOPE
    if load.login is not None:
        return load.login, _SESSION
    known = key_of(load.account_id, load.extension_id)
    return (known, Identity.DIRECTORY) if known is not None else (None, None)


def give_up(load: PageLoad, now: int) -> list[Waiting]:
    """Return and drop what has waited for its user until stream time now."""
    over = [item for item in load.waiting if item.due <= now]
    if over:
        load.waiting = [item for item in load.waiting if item.due > now]
    return over


def wait(load: PageLoad, item: Waiting) -> list[Waiting]:
    """Let an envelope wait; return those that are given up because too much waits."""
    load.waiting.append(item)
    surplus = []
    while len(load.waiting) > MAX_WAITING or sum(other.saved_bytes for other in load.waiting) > MAX_WAITING_BYTES:
        surplus.append(load.waiting.pop(0))
    return surplus


def now_known(load: PageLoad, key_of: Callable[..., str | None], now: int) -> str | None:
    """Return the user of what waits, when the directory has come to know him by stream time now (DECISIONS 47)."""
    if not load.waiting:
        return None
    return key_of(load.account_id, load.extension_id, load.waiting[0].row["input"], woken_at=now)


def want_audit(load: PageLoad, now: int) -> None:
    """Ask for an audit row soon: something was counted."""
    if load.audit_due is None or load.audit_due > now + AUDIT_MS:
        load.audit_due = now + AUDIT_MS


def audited(load: PageLoad, now: int) -> None:
    """Note that an audit row was written; the next is due when an open hole becomes a loss."""
    load.audit_due = sequences.next_loss(load.read, now)


def next_due(load: PageLoad) -> int:
    """Return the stream time at which this page load needs attention, if nothing happens before."""
    due = load.last_news + MEMORY_MS
    if load.audit_due is not None:
        due = min(due, load.audit_due)
    return min(due, *(item.due for item in load.waiting)) if load.waiting else due


def is_forgettable(load: PageLoad, now: int) -> bool:
    """Tell whether the page load has been silent for so long that it is forgotten."""
    return load.last_news + MEMORY_MS <= now


def skew_of(load: PageLoad) -> int | None:
    """Return the skew of the page load's clock in milliseconds, None before its first sample."""
    return event_time.estimate(load.skew)[0] if load.skew.samples else None
