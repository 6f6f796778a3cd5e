"""Calls in the widget's words become calls in ours: web phone, active calls, telephony sessions (SPEC 3.1 to 3.4)."""

import re
from datetime import UTC, datetime
from typing import Any

from streams.contracts.widget import models
from streams.domain.postings import Row, WidgetEvent
from streams.domain.words import EventType, Quirk

DIRECTIONS = {"Inbound": "INBOUND", "Outbound": "OUTBOUND"}
NOBODY: Row = {"token": None, "country": None, "kind": "UNKNOWN"}
ANONYMOUS: Row = {"token": None, "country": None, "kind": "ANONYMOUS"}
_OWNER = re.compile(r"/account/(\d+)/extension/(\d+)(?:/|$)")
_SESSION = re.compile(r"\d+")


def web_phone(post: models.WebPhonePost | models.EndPost | models.MutePost, read: WidgetEvent) -> None:
    """Read a post of the rc-call-* family."""
    call = post.call
    party, queue = call.party_data, call.call_queue_name
    read.family = "web_phone_call"
    read.row = {
        "dialog": call.id.removeprefix("sha256:"),
        "direction": DIRECTIONS[call.direction],
        "call_status": _bare(call.call_status, "webphone-session-"),
        "telephony_session_id": text(party.session_id) if party else None,
        "party_id": text(party.party_id) if party else None,
        "created_at": millis(call.creation_time),
        "started_at": millis(call.start_time),
        "ended_at": millis(call.end_time),
        "is_on_hold": call.is_on_hold is True,
        "is_on_mute": call.is_on_mute is True,
        "is_on_flip": call.is_on_flip is True,
        "is_on_transfer": call.is_on_transfer is True,
        "is_to_voicemail": call.is_to_voicemail is True,
        "is_forwarded": call.is_forwarded is True,
        "is_replied": call.is_replied is True,
        "remote": remote(call.sender if call.direction == "Inbound" else call.to),
        "warm_transfer_dialog": (call.warm_transfer_session_id or "").removeprefix("sha256:") or None,
        "queue_call": bool(queue),
        "queue_token": queue or None,
        "record_status": _bare(call.record_status, "webphone-record-"),
    }
    if read.type is EventType.RC_CALL_HOLD_NOTIFY and not call.is_on_hold:
        read.quirks.append(Quirk.HOLD_WITHOUT_FLAG)


def active_call(post: models.ActiveCallPost, read: WidgetEvent) -> None:
    """Read an active call or a ringout call."""
    call = post.call
    other = call.sender if call.direction == "Inbound" else call.to
    read.account_id, read.extension_id = owner(call.uri)
    read.family = "active_call"
    read.row = {
        "session_id": call.session_id,
        "telephony_session_id": text(call.telephony_session_id),
        "party_id": text(call.party_id),
        "direction": DIRECTIONS[call.direction],
        "telephony_status": call.telephony_status,
        "termination_type": call.termination_type,
        "started_at": millis(call.start_time),
        "offset_ms": None if call.offset is None else round(call.offset),
        # The API leaves the number of an anonymous caller out (SPEC 3.3).
        "remote": ANONYMOUS if call.direction == "Inbound" and other == {} else remote(other),
        "queue_call": call.queue_call is True,
        "ringout": read.type is EventType.RC_RINGOUT_CALL_NOTIFY,
    }


def telephony(post: models.TelephonyPost, read: WidgetEvent) -> None:
    """Read a telephony session with all its parties."""
    session = post.telephony_session
    read.account_id, read.extension_id = text(session.account_id), text(session.extension_id)
    read.family = "telephony_session"
    read.row = {
        "telephony_session_id": session.id,
        "session_id": text(session.session_id),
        "extension_id": read.extension_id,
        "account_id": read.account_id,
        "created_at": millis(session.creation_time),
        "origin_type": session.origin.type if session.origin else None,
        "parties": [_party(party, read.extension_id) for party in session.parties],
    }


def _party(party: models.Party, owner_id: str | None) -> Row:
    status = party.status
    peer = status.peer_id if status else None
    session, telephony_session = _peer_sessions(peer)
    return {
        "party_id": text(party.id) or "",
        "direction": DIRECTIONS.get(party.direction or "", "UNKNOWN"),
        "from_remote": remote(party.sender),
        "to_remote": remote(party.to),
        "status_code": status.code if status else None,
        "status_reason": status.reason if status else None,
        "peer_party_id": text(peer.party_id) if peer else None,
        "peer_telephony_session_id": telephony_session,
        "peer_session_id": session,
        "missed_call": party.missed_call is True,
        "muted": party.muted is True,
        "extension_id": text(party.extension_id),
        "queue_call": party.queue_call is True,
        "own": owner_id is not None and text(party.extension_id) == owner_id,
        "park": bool(party.park and party.park.id),
        "conference_role": party.conference_role,
    }


def _peer_sessions(peer: models.PeerId | None) -> tuple[str | None, str | None]:
    """Return the legacy and the telephony session of a peer; one field may hold either (SPEC 3.4)."""
    if peer is None:
        return None, None
    session, telephony_session = text(peer.session_id), text(peer.telephony_session_id)
    if session is not None and not _SESSION.fullmatch(session):
        return None, telephony_session or session
    return session, telephony_session


def owner(uri: str | None) -> tuple[str | None, str | None]:
    """Return the account and the extension that an address of theirs names."""
    found = _OWNER.search(uri or "")
    return (found[1], found[2]) if found else (None, None)


def text(value: Any) -> str | None:
    """Return an id as text; empty ones are none."""
    return None if value is None or value == "" else str(value)


def millis(value: Any) -> int | None:
    """Return an instant as ms since the epoch, or None. 0 is what some builds send for "not yet"."""
    if isinstance(value, str):
        return _from_iso(value)
    return value if isinstance(value, int) and value > 0 else None


def _from_iso(written: str) -> int | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def remote(value: Any) -> Row:
    """Return the other side as token, country and kind, in whatever form of SPEC 2 it came."""
    if not isinstance(value, dict):
        return NOBODY
    if "kind" in value:
        return value
    inner = value.get("phoneNumber") or value.get("extensionNumber")
    return inner if isinstance(inner, dict) and "kind" in inner else NOBODY


def _bare(word: str | None, prefix: str) -> str | None:
    return word.removeprefix(prefix) if word else None
