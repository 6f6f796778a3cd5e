"""The enriched event: made from a posting and what was judged of it, and read again by the next stage (CONTRACT 2)."""

from collections.abc import Iterable
from typing import Any

from streams.contracts.avro import codec
from streams.contracts.directory import Lookup
from streams.contracts.widget import others
from streams.domain.events import (
    ActiveCallStatus,
    Event,
    MessageNotice,
    PresenceStatus,
    TelephonyParty,
    TelephonySession,
    WebPhoneCall,
)
from streams.domain.page_loads import Judgement
from streams.domain.postings import Posting, Row
from streams.domain.words import Direction, EventType, Identity

CODEC = codec("EnrichedEvent")
EVENT_TYPES = {word.value: word for word in EventType}
DIRECTIONS = {word.value: word for word in Direction}


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


def read_event(row: dict[str, Any]) -> Event:
    """Return the event of a decoded row that is no WATERMARK; the row is used up."""
    call, presence, login = row["web_phone_call"], row["presence"], row["login"]
    active, session, message = row["active_call"], row["telephony_session"], row["message"]
    return Event(
        type=EVENT_TYPES[row["type"]],
        event_time=row["event_time"],
        time_uncertainty_ms=row["time_uncertainty_ms"],
        skew_ms=row["skew_ms"],
        captured_at=row["captured_at"],
        received_at=row["received_at"],
        extension_key=row["extension_key"],
        input=row["input"],
        event_id=row["event_id"],
        session_id=row["session_id"],
        sequence=row["sequence"],
        missing_before=row["missing_before"],
        account_id=row["account_id"],
        extension_id=row["extension_id"],
        team=row["team"],
        site=row["site"],
        queues=row["queues"],
        time_zone=row["time_zone"],
        directory_version=row["directory_version"],
        account_time_zone=row["account_time_zone"],
        web_phone_call=None if call is None else _web_phone_call(call),
        active_call=None if active is None else ActiveCallStatus(**_directed(active)),
        telephony_session=None if session is None else _telephony_session(session),
        presence=None if presence is None else PresenceStatus(**presence),
        message=None if message is None else MessageNotice(**_directed(message)),
        logged_in=None if login is None else login["logged_in"],
        browser_calls=others.browser_calls(row["other_type"], row["other"]),
        calling_mode=others.calling_mode(row["other_type"], row["other"]),
        other=row["other"],
    )


def _directed(row: dict[str, Any]) -> dict[str, Any]:
    row["direction"] = DIRECTIONS[row["direction"]]
    return row


def _telephony_session(row: dict[str, Any]) -> TelephonySession:
    row["parties"] = [TelephonyParty(**_directed(party)) for party in row["parties"]]
    return TelephonySession(**row)


def _web_phone_call(call: dict[str, Any]) -> WebPhoneCall:
    return WebPhoneCall(
        dialog=call["dialog"],
        direction=DIRECTIONS[call["direction"]],
        telephony_session_id=call["telephony_session_id"],
        party_id=call["party_id"],
        created_at=call["created_at"],
        started_at=call["started_at"],
        ended_at=call["ended_at"],
        is_on_mute=call["is_on_mute"],
        is_on_flip=call["is_on_flip"],
        is_on_transfer=call["is_on_transfer"],
        is_to_voicemail=call["is_to_voicemail"],
        is_forwarded=call["is_forwarded"],
        is_replied=call["is_replied"],
        remote=call["remote"] or {},
        warm_transfer_dialog=call["warm_transfer_dialog"],
        queue_call=call["queue_call"],
        queue_token=call["queue_token"],
        queue=call["queue"],
    )
