"""Judge what a collector sent, one envelope after the other: pure, nothing here reads a clock or a network.

An envelope that is one is taken, whatever its widget event lacks: what the widget posted must not get lost, and the
worker turns what it cannot use into a dead letter that can be looked at. Every envelope is scrubbed here, before
anything is written (CONTRACT 8).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from streams.contracts.envelope import MAX_BYTES
from streams.contracts.kept_json import kept_json
from streams.contracts.numbers import TokenKey
from streams.contracts.privacy import scrub
from streams.gateway.answers import Code, EventCode, Refusal
from streams.gateway.drops import Drops, told_drops
from streams.gateway.identity import Identity
from streams.gateway.limits import Bucket

Json = dict[str, Any]
INSTANT_LIMIT = 4_102_444_800_000
"""Later browser clocks (the year 2100) are none; the privacy policy drops such instants too."""


class Batch(NamedTuple):
    """The body of one request, read but not judged."""

    key: str
    token: str | None
    sent_at: int | None
    events: list[Any]
    size: int
    """Bytes of the body."""


class Record(NamedTuple):
    """One record for the topic of widget events."""

    key: str | None
    """The session id; None where the collector gave none."""
    value: bytes


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the envelopes of one request."""

    token_key: TokenKey
    received_at: int
    """Server clock, ms since the epoch."""
    identity: Identity | None
    """Whom a valid token names."""
    identity_required: bool
    bucket_of: Callable[[str], Bucket]
    """Gives the bucket of a page load, filled: each of its events takes one."""


@dataclass(slots=True)
class Judged:
    """What becomes of the envelopes of one request."""

    records: list[Record]
    refused: list[Refusal]
    dropped: Drops
    """What the collector says that it gave up before."""


def read_batch(body: bytes | bytearray, max_events: int) -> Batch | Code:
    """Read the body of a request; what is wrong with it is a code."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Code.BAD_JSON
    if not isinstance(parsed, dict):
        return Code.BAD_REQUEST
    key, token, sent_at, events = (parsed.get(name) for name in ("key", "token", "sent_at", "events"))
    if not isinstance(key, str) or not isinstance(events, list) or not events:
        return Code.BAD_REQUEST
    if not isinstance(token, str | None):
        return Code.TOKEN_INVALID
    if len(events) > max_events:
        return Code.TOO_MANY_EVENTS
    # NB: True is an int; a clock that says so says nothing.
    is_instant = type(sent_at) is int and 0 <= sent_at <= INSTANT_LIMIT
    return Batch(key, token or None, sent_at if is_instant else None, events, len(body))


def judge(batch: Batch, rules: Rules) -> Judged:
    """Scrub, stamp and serialise each envelope, or refuse it."""
    judged = Judged([], [], told_drops(batch.events[0]))
    buckets: dict[str, Bucket] = {}
    may_be_too_large = batch.size > MAX_BYTES
    for index, envelope in enumerate(batch.events):
        if type(envelope) is not dict or type(envelope.get("event")) is not dict:
            judged.refused.append(Refusal(index, EventCode.BAD_ENVELOPE))
            continue
        if may_be_too_large and not _fits(envelope):
            judged.refused.append(Refusal(index, EventCode.TOO_LARGE))
            continue
        record = _record(envelope, batch.sent_at, rules, buckets)
        if isinstance(record, EventCode):
            judged.refused.append(Refusal(index, record))
        else:
            judged.records.append(record)
    return judged


def verdict(refused: Sequence[Refusal]) -> Code:
    """Return the answer to a request of which nothing was taken."""
    return Code.RATE_LIMITED if any(refusal.code.value.retry for refusal in refused) else Code.NOTHING_ACCEPTED


def _record(envelope: Json, sent_at: int | None, rules: Rules, buckets: dict[str, Bucket]) -> Record | EventCode:
    cleaned = scrub(envelope, rules.token_key)
    identity = rules.identity
    if identity is not None and identity.agrees(cleaned):
        cleaned.update(identity.fields)
    elif rules.identity_required:
        return EventCode.IDENTITY_MISMATCH
    else:
        # A browser can hold what an earlier user left behind: it keeps its own word, and is not vouched for.
        cleaned["verified"] = False
    session_id: str | None = cleaned.get("session_id") or None
    if session_id is not None:
        # An empty bucket stays empty for this request: what follows in the same page load keeps its order.
        bucket = buckets.get(session_id)
        if bucket is None:
            bucket = buckets[session_id] = rules.bucket_of(session_id)
        if not bucket.take():
            return EventCode.SESSION_RATE_LIMITED
    cleaned["received_at"] = rules.received_at
    if sent_at is not None:
        cleaned["sent_at"] = sent_at
    value = kept_json(cleaned)
    # Tokens are longer than numbers: what fitted as sent may not fit as written.
    return EventCode.TOO_LARGE if len(value) > MAX_BYTES else Record(session_id, value)


def _fits(envelope: Json) -> bool:
    return len(orjson.dumps(envelope)) <= MAX_BYTES
