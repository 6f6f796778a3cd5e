"""Read one record of the topic of widget events: parse, scrub, check (CONTRACT 3, DECISIONS 21, 44)."""

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from streams.contracts.numbers import TokenKey
from streams.contracts.privacy import scrub
from streams.contracts.widget import read_event, type_of
from streams.domain.postings import Posting, Rejection
from streams.domain.words import RejectReason

MAX_BYTES = 256 * 1024


class Envelope(BaseModel):
    """What the collector and the gateway add to a widget event. Everything but the event may be absent."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    event: dict[str, Any]
    event_id: str | None = None
    session_id: str | None = None
    sequence: int | None = None
    captured_at: int | None = None
    sent_at: int | None = None
    received_at: int | None = None
    login_number: Any = None
    account_id: str | None = None
    extension_id: str | None = None
    verified: bool | None = None
    replayed: bool | None = None
    visibility: str | None = None


def read_posting(value: bytes | None, key: TokenKey) -> Posting:
    """Read a record's value; what is wrong with it is a Rejection inside, never an exception."""
    try:
        parsed = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return Posting(rejection=Rejection(RejectReason.BAD_JSON, "the value is not JSON in UTF-8"))
    scrubbed = scrub(parsed, key)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("event"), dict):
        missing = "the value is not a JSON object" if not isinstance(parsed, dict) else "event: missing or no object"
        return Posting(rejection=Rejection(RejectReason.BAD_ENVELOPE, missing), scrubbed=scrubbed)
    posting = _posting(scrubbed)
    posting.type = type_of(scrubbed["event"])
    if len(value or b"") > MAX_BYTES:
        posting.rejection = Rejection(RejectReason.TOO_LARGE, f"the value is larger than {MAX_BYTES} bytes")
        return posting
    match read_event(scrubbed["event"]):
        case Rejection() as rejection:
            posting.rejection = rejection
        case event:
            posting.event = event
    return posting


def _posting(scrubbed: dict[str, Any]) -> Posting:
    try:
        envelope = Envelope.model_validate(scrubbed)
    except ValidationError as error:
        # A field of the wrong type is as good as absent; the event itself is what must not be lost.
        wrong = {problem["loc"][0] for problem in error.errors(include_input=False, include_url=False)}
        envelope = Envelope.model_validate({name: value for name, value in scrubbed.items() if name not in wrong})
    number = envelope.login_number
    return Posting(
        scrubbed=scrubbed,
        event_id=envelope.event_id or None,
        session_id=envelope.session_id or None,
        sequence=envelope.sequence or None,
        captured_at=envelope.captured_at,
        sent_at=envelope.sent_at,
        received_at=envelope.received_at,
        login_number=number if isinstance(number, str) else None,
        account_id=envelope.account_id,
        extension_id=envelope.extension_id,
        verified=bool(envelope.verified),
        replayed=bool(envelope.replayed),
        visibility=envelope.visibility,
    )
