"""Messages: created, updated, inbound, each version once (CONTRACT 7, SPEC 3.8, DECISIONS 18, 38)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from streams.domain.calls import Decision
from streams.domain.events import Event, MessageNotice, server_at
from streams.domain.extension import Book, tab_of
from streams.domain.legs.records import identifier
from streams.domain.message_words import Availability, MessageEventType, MessageStatus, MessageType, ReadStatus
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.words import (
    Direction,
    Outcome,
)

NEW_MS = 600_000
"""A message that was changed within this time of its creation was seen for the first time when it was new."""
MEMORY_MS = 7 * 24 * 3_600_000
MAX_VERSIONS = 50
_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")
W = TypeVar("W", bound=StrEnum)


@dataclass(slots=True)
class MessageState:
    """What is remembered of one message."""

    versions: list[str] = field(default_factory=list)
    """Versions that were told; a deleted one has no time of its own."""
    inbound: bool = False
    message_type: MessageType = MessageType.UNKNOWN
    direction: Direction = Direction.UNKNOWN
    seen: int = 0
    """Stream time of its last news."""
    events: int = 0


def next_due(message: MessageState) -> int:
    """Return the stream time at which the message is forgotten."""
    return message.seen + MEMORY_MS


def take_updated(book: Book, event: Event, now: int) -> Decision:
    """Take an update: CREATED at first sight of a new message, else UPDATED; a known version is a repetition."""
    notice, known = _open(book, event, now)
    version = _version(notice)
    if version in known.versions:
        return Outcome.DUPLICATE, []
    first = not known.versions
    _remember(known, notice, version, now)
    word = MessageEventType.CREATED if first and _is_new(notice, event) else MessageEventType.UPDATED
    return Outcome.ACCEPTED, [_emission(book, event, notice, known, word)]


def take_inbound(book: Book, event: Event, now: int) -> Decision:
    """Take the notice of a message for the user, once for each message; it brings CREATED if nothing was seen."""
    notice, known = _open(book, event, now)
    if known.inbound:
        return Outcome.DUPLICATE, []
    words = [MessageEventType.INBOUND] if known.versions else [MessageEventType.CREATED, MessageEventType.INBOUND]
    version = _version(notice)
    known.inbound = True
    _remember(known, notice, version, now)
    return Outcome.ACCEPTED, [_emission(book, event, notice, known, word) for word in words]


def _open(book: Book, event: Event, now: int) -> tuple[MessageNotice, MessageState]:
    notice = event.message
    assert notice is not None
    tab_of(book.extension, event.session_id, now)
    return notice, book.message(notice.message_id)


def _version(notice: MessageNotice) -> str:
    if notice.modified_at is not None:
        return str(notice.modified_at)
    return f"{notice.availability}/{notice.message_status}/{notice.read_status}"


def _remember(known: MessageState, notice: MessageNotice, version: str, now: int) -> None:
    if version not in known.versions:
        known.versions = [*known.versions, version][-MAX_VERSIONS:]
    known.seen = max(known.seen, now)
    told = _word(MessageType, notice.message_type)
    known.message_type = told if told is not MessageType.UNKNOWN else known.message_type
    known.direction = notice.direction if notice.direction is not Direction.UNKNOWN else known.direction


def _is_new(notice: MessageNotice, event: Event) -> bool:
    if notice.created_at is None:
        return False
    changed_at = notice.modified_at if notice.modified_at is not None else event.event_time
    return changed_at - notice.created_at <= NEW_MS


@lru_cache(maxsize=256)
def _word(words: type[W], told: str | None) -> W:
    """Return RingCentral's word in upper snake case, UNKNOWN where there is no such word."""
    written = _BORDER.sub("_", told or "").upper()
    if words is MessageType:
        written = written.replace("_", "")
    return next((word for word in words if word.value == written), words("UNKNOWN"))


def _emission(book: Book, event: Event, notice: MessageNotice, known: MessageState, word: MessageEventType) -> Emission:
    known.events += 1
    key = book.extension.key
    modified = server_at(event, notice.modified_at)
    row: Row = {
        "event_id": identifier(key, "message", notice.message_id, str(known.events), _version(notice), word),
        "event_time": modified.at if modified else event.event_time,
        "time_uncertainty_ms": 0 if modified else event.time_uncertainty_ms,
        "extension_key": key,
        "type": word,
        "message_id": notice.message_id,
        "message_type": known.message_type,
        "direction": known.direction,
        "read_status": _word(ReadStatus, notice.read_status),
        "message_status": _word(MessageStatus, notice.message_status),
        "availability": _word(Availability, notice.availability),
        "created_at": notice.created_at,
        "modified_at": notice.modified_at,
        "from_remote": notice.from_remote,
        "to_remotes": notice.to_remotes,
        "body_chars": notice.body_chars,
        "attachments": notice.attachments,
        "conversation_id": notice.conversation_id,
        "input": event.input,
        "team": event.team,
        "site": event.site,
        "queues": event.queues,
    }
    return Emission(Output.MESSAGE_EVENT, key, row)
