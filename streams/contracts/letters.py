"""Dead letters: a refused record, where it stands and what of it may be kept (CONTRACT 1, 8, DECISIONS 21, 22, 50)."""

import hashlib
import re

import orjson

from streams.contracts.values import hashed
from streams.domain.identity import extension_key
from streams.domain.legs.records import identifier
from streams.domain.postings import Rejection, Row

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_KEPT_BYTES = 512 * 1024


def letter_row(position: Row, *, stage: str, key: bytes | None, value: bytes | None, received_at: int) -> Row:
    """Return the part of a DeadLetter row that tells which record it is and how it can be known again.

    Args:
        position: `topic`, `partition` and `offset` of the refused record.
        stage: The stage that refuses it.
        key: Its key as it came.
        value: Its value as it came; only length and digest are taken.
        received_at: Its arrival, ms since the epoch; 0 when unknown.
    """
    return {
        **position,
        "stage": stage,
        "key": safe_key(key),
        "received_at": received_at or None,
        "value_bytes": len(value or b""),
        "value_sha256": hashlib.sha256(value or b"").hexdigest(),
    }


def refused(row: Row, rejection: Rejection, scrubbed: object, session_id: str | None) -> Row:
    """Return the whole DeadLetter row.

    Args:
        row: From `letter_row`.
        rejection: Why; its detail names fields, never values.
        scrubbed: The record after the privacy policy; None when it could not be parsed.
        session_id: Of its page load, if it has one.
    """
    kept = None if scrubbed is None else orjson.dumps(scrubbed)
    if kept is not None and len(kept) > MAX_KEPT_BYTES:
        kept = None
    return {
        **row,
        "dead_letter_id": identifier(str(row["topic"]), str(row["partition"]), str(row["offset"]), rejection.reason),
        "reason": rejection.reason.value,
        "detail": rejection.detail,
        "session_id": session_id,
        "value": kept,
    }


def safe_key(key: bytes | None) -> str | None:
    """Return a record's key as text; what is no UUID and no extension key is hashed (DECISIONS 50)."""
    if key is None:
        return None
    text = key.decode("utf-8", "backslashreplace")
    return text if _UUID.fullmatch(text) or extension_key(text) else hashed(text)
