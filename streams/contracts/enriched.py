"""The enriched event: made from a posting and what was judged of it, and read again by the next stage (CONTRACT 2)."""

from collections.abc import Iterable

from streams.contracts.avro import codec
from streams.contracts.directory import Lookup
from streams.contracts.event_shapes import EVENT, HEAD, HEAD_FIELDS, RECORD
from streams.contracts.widget import others
from streams.domain.events import Event
from streams.domain.page_loads import Judgement
from streams.domain.postings import Posting, Row
from streams.domain.words import EventType, Identity

CODEC = codec(RECORD)


def enriched_row(posting: Posting, judgement: Judgement, received_at: int, position: Row) -> Row:
    """Return the EnrichedEvent row of a posting that is in order, its user not yet filled in."""
    event = posting.event
    assert event is not None
    row: Row = {
        "event_id": posting.event_id,
        "type": event.type,
        "other_type": event.other_type,
        "event_time": judgement.event_time,
        "time_uncertainty_ms": judgement.time_uncertainty_ms,
        "skew_ms": judgement.skew_ms,
        "captured_at": posting.captured_at,
        "received_at": received_at,
        "account_id": posting.account_id,
        "extension_id": posting.extension_id,
        "verified": posting.verified,
        "session_id": posting.session_id,
        "sequence": posting.sequence,
        "missing_before": judgement.missing_before,
        "replayed": posting.replayed,
        "quirks": judgement.quirks,
        "input": position,
    }
    if event.family is not None:
        row[event.family] = event.row
    return row


def identify(row: Row, extension_key: str, identity: Identity, directory: Lookup) -> None:
    """Fill in the user and what the directory says of him; ids of the envelope win."""
    position, account_id, extension_id = row["input"], row["account_id"], row["extension_id"]
    assert isinstance(position, dict)
    row.update(directory.join(extension_key, position))
    if account_id is not None:
        row["account_id"] = account_id
    if extension_id is not None:
        row["extension_id"] = extension_id
    row["extension_key"], row["identity"] = extension_key, identity
    call = row.get("web_phone_call")
    if isinstance(call, dict) and call["queue_token"] is not None:
        queue = directory.queue_of(extension_key, call["queue_token"], position)
        row["web_phone_call"] = {**call, "queue": queue}


def watermark_row(marks: Iterable[Row]) -> Row:
    """Return the row that tells how far source partitions are: {source_partition, time, next_offset} each."""
    return {"type": EventType.WATERMARK.value, "marks": list(marks)}


def is_watermark(value: bytes) -> bool:
    """Tell whether an EnrichedEvent is a WATERMARK, reading no further than its type.

    Raises:
        AvroError: As `Codec.decode`, where that shows in the first fields.
    """
    return _HEAD(value)["type"] is EventType.WATERMARK


def read_event(value: bytes) -> Event:
    """Return the event that an EnrichedEvent tells which is no WATERMARK.

    Raises:
        AvroError: As `Codec.decode`.
    """
    event = _READ(value)
    assert isinstance(event, Event)
    if event.type is EventType.OTHER:
        row = CODEC.decode(value)
        event.browser_calls = others.browser_calls(row["other_type"], event.other)
        event.calling_mode = others.calling_mode(row["other_type"], event.other)
    return event


def read_marks(value: bytes) -> Iterable[tuple[int, int]]:
    """Return the source partitions that a WATERMARK tells of, each with how far it has come, ms since the epoch."""
    return [(mark["source_partition"], mark["time"]) for mark in CODEC.decode(value)["marks"]]


_HEAD = CODEC.head(HEAD_FIELDS, HEAD)
_READ = CODEC.shaped(EVENT)
