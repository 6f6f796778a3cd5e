"""Read one record of the topic of widget events: parse, scrub, check (CONTRACT 3, DECISIONS 21, 44)."""

from typing import Any

import orjson

from streams.contracts.numbers import TokenKey
from streams.contracts.privacy import scrub
from streams.contracts.values import clock, id_text, login, serial, uuid
from streams.contracts.widget import read_event, type_of
from streams.domain.postings import Posting, Rejection
from streams.domain.words import RejectReason

MAX_BYTES = 256 * 1024


def read_posting(value: bytes | None, key: TokenKey) -> Posting:
    """Read a record's value; what is wrong with it is a Rejection inside, never an exception."""
    try:
        parsed = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return Posting(rejection=Rejection(RejectReason.BAD_JSON, "the value is not JSON in UTF-8"))
    event = parsed.get("event") if isinstance(parsed, dict) else None
    if not isinstance(event, dict):
        missing = "event: missing or no object" if isinstance(parsed, dict) else "the value is not a JSON object"
        return Posting(rejection=Rejection(RejectReason.BAD_ENVELOPE, missing))
    posting = _posting(parsed)
    if len(value or b"") > MAX_BYTES:
        posting.type = type_of(event)
        posting.rejection = Rejection(RejectReason.TOO_LARGE, f"the value is larger than {MAX_BYTES} bytes")
        return posting
    read = read_event(event, key)
    if isinstance(read, Rejection):
        posting.type, posting.rejection = type_of(event), read
    else:
        posting.type, posting.event = read.type, read
    return posting


def scrubbed(value: bytes | None, key: TokenKey) -> object:
    """Return what may be shown of a record that was refused or waits; None where it could not be parsed."""
    try:
        return scrub(orjson.loads(value or b""), key)
    except orjson.JSONDecodeError:
        return None


def _posting(envelope: dict[str, Any]) -> Posting:
    """Return what the collector and the gateway added.

    Everything may be absent, and a field of the wrong type is as good as absent: the event is what must not be lost.
    """
    field = envelope.get
    return Posting(
        event_id=uuid(field("event_id")) or None,
        session_id=uuid(field("session_id")) or None,
        sequence=serial(field("sequence")) or None,
        captured_at=clock(field("captured_at")),
        sent_at=clock(field("sent_at")),
        received_at=clock(field("received_at")),
        login_number=login(field("login_number")),
        account_id=id_text(field("account_id")),
        extension_id=id_text(field("extension_id")),
        verified=field("verified") is True,
        replayed=field("replayed") is True,
    )
