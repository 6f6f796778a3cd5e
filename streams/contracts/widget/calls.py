"""Calls in the widget's words become calls in ours: web phone, active calls, telephony sessions (SPEC 3.1 to 3.4)."""

import re
from typing import Any

from streams.contracts.numbers import Remote, TokenKey
from streams.contracts.privacy import scrub_event
from streams.contracts.values import clock, count, digest, id_text, identifier, queue, term, word
from streams.contracts.widget.fields import DIRECTIONS, NOBODY, Json, millis, owner, remote
from streams.contracts.widget.vocabulary import (
    ACTIVE_CALL,
    PARTY,
    SESSION,
    WEB_PHONE,
    flag_unknown,
    flag_unknown_direction,
    flag_unknown_in_any_case,
)
from streams.domain.postings import Meaning, Row, WidgetEvent
from streams.domain.words import EventType, Quirk

ANONYMOUS: Remote = {"token": None, "country": None, "kind": "ANONYMOUS"}
_SESSION = re.compile(r"\d+")
_NOTHING: Json = {}


def web_phone(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read a post of the rc-call-* family."""
    call = event.get("call")
    if not isinstance(call, dict):
        return False
    dialog, direction = digest(call.get("id")), word(call.get("direction"))
    if not dialog or direction not in DIRECTIONS:
        return False
    ids, queue_token = _part(call, "partyData"), queue(call.get("callQueueName"), key)
    warm = digest(call.get("warmTransferSessionId"))
    read.family = "web_phone_call"
    read.row = {
        "dialog": dialog.removeprefix("sha256:"),
        "direction": DIRECTIONS[direction],
        "call_status": _bare(word(call.get("callStatus")), "webphone-session-"),
        "telephony_session_id": id_text(ids.get("sessionId")),
        "party_id": id_text(ids.get("partyId")),
        "created_at": millis(call.get("creationTime")),
        "started_at": millis(call.get("startTime")),
        "ended_at": millis(call.get("endTime")),
        "is_on_hold": call.get("isOnHold") is True,
        "is_on_mute": call.get("isOnMute") is True,
        "is_on_flip": call.get("isOnFlip") is True,
        "is_on_transfer": call.get("isOnTransfer") is True,
        "is_to_voicemail": call.get("isToVoicemail") is True,
        "is_forwarded": call.get("isForwarded") is True,
        "is_replied": call.get("isReplied") is True,
        "remote": remote(call.get("from" if direction == "Inbound" else "to"), key),
        "warm_transfer_dialog": warm.removeprefix("sha256:") if warm else None,
        "queue_call": queue_token is not None,
        "queue_token": queue_token,
        "record_status": _bare(word(call.get("recordStatus")), "webphone-record-"),
    }
    flag_unknown(read.quirks, read.row, WEB_PHONE)
    if read.type is EventType.RC_CALL_HOLD_NOTIFY and not read.row["is_on_hold"]:
        read.quirks.append(Quirk.HOLD_WITHOUT_FLAG)
    return True


def ended(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read the end of a web phone's call, which has its instant."""
    return web_phone(event, read, key) and clock(event["call"].get("endTime")) is not None


def muted(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read a mute: true is muted, false is unmuted."""
    return web_phone(event, read, key) and isinstance(event["call"].get("isOnMute"), bool)


def active_call(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read an active call or a ringout call."""
    call = event.get("call")
    if not isinstance(call, dict):
        return False
    session_id, direction = identifier(call.get("sessionId")), word(call.get("direction"))
    status, offset = word(call.get("telephonyStatus")), count(call.get("offset"))
    if not isinstance(session_id, str) or direction not in DIRECTIONS or status is None:
        return False
    read.account_id, read.extension_id = owner(call.get("uri"))
    read.family = "active_call"
    read.row = {
        "session_id": session_id,
        "telephony_session_id": id_text(call.get("telephonySessionId")),
        "party_id": id_text(call.get("partyId")),
        "direction": DIRECTIONS[direction],
        "telephony_status": status,
        "termination_type": word(call.get("terminationType")),
        "started_at": millis(call.get("startTime")),
        "offset_ms": None if offset is None else round(offset),
        "remote": _caller(call.get("from"), key) if direction == "Inbound" else remote(call.get("to"), key),
        "queue_call": call.get("queueCall") is True,
        "ringout": read.type is EventType.RC_RINGOUT_CALL_NOTIFY,
    }
    flag_unknown(read.quirks, read.row, ACTIVE_CALL)
    return True


def _caller(sender: Any, key: TokenKey) -> Remote:
    """Return who calls; the API leaves the number of an anonymous caller out (SPEC 3.3)."""
    found = remote(sender, key)
    is_left_out = found is NOBODY and isinstance(sender, dict) and not scrub_event(sender, key)
    return ANONYMOUS if is_left_out else found


def telephony(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read a telephony session with all its parties."""
    session = event.get("telephonySession")
    if not isinstance(session, dict):
        read.meaning = Meaning.FOREIGN
        read.quirks.append(Quirk.TELEPHONY_SESSION_ABSENT)
        return not isinstance(session, list)
    telephony_session_id, parties = identifier(session.get("id")), _parties(session.get("parties"))
    if not isinstance(telephony_session_id, str) or not parties:
        return False
    read.account_id, read.extension_id = id_text(session.get("accountId")), id_text(session.get("extensionId"))
    read.family = "telephony_session"
    read.row = {
        "telephony_session_id": telephony_session_id,
        "session_id": id_text(session.get("sessionId")),
        "extension_id": read.extension_id,
        "account_id": read.account_id,
        "created_at": millis(session.get("creationTime")),
        "origin_type": term(_part(session, "origin").get("type")),
        "parties": [_party(party, read, key) for party in parties],
    }
    flag_unknown_in_any_case(read.quirks, read.row, SESSION)
    return True


def _parties(told: Any) -> list[Json]:
    """Return the parties; none where a null or a list is among them. Any other value but an object is left out."""
    if not isinstance(told, list) or any(party is None or isinstance(party, list) for party in told):
        return []
    return [party for party in told if isinstance(party, dict)]


def _party(party: Json, read: WidgetEvent, key: TokenKey) -> Row:
    status = _part(party, "status")
    peer = _part(status, "peerId")
    session, telephony_session = _peer_sessions(peer)
    extension_id, direction = id_text(party.get("extensionId")), word(party.get("direction"))
    row: Row = {
        "party_id": id_text(party.get("id")) or "",
        "direction": DIRECTIONS.get(direction or "", "UNKNOWN"),
        "from_remote": remote(party.get("from"), key),
        "to_remote": remote(party.get("to"), key),
        "status_code": word(status.get("code")),
        "status_reason": word(status.get("reason")),
        "peer_party_id": id_text(peer.get("partyId")),
        "peer_telephony_session_id": telephony_session,
        "peer_session_id": session,
        "missed_call": party.get("missedCall") is True,
        "muted": party.get("muted") is True,
        "extension_id": extension_id,
        "queue_call": party.get("queueCall") is True,
        "own": extension_id is not None and extension_id == read.extension_id,
        "park": bool(identifier(_part(party, "park").get("id"))),
        "conference_role": word(party.get("conferenceRole")),
    }
    flag_unknown_direction(read.quirks, direction)
    flag_unknown_in_any_case(read.quirks, row, PARTY)
    return row


def _peer_sessions(peer: Json) -> tuple[str | None, str | None]:
    """Return the legacy and the telephony session of a peer; one field may hold either (SPEC 3.4)."""
    session, telephony_session = id_text(peer.get("sessionId")), id_text(peer.get("telephonySessionId"))
    if session is not None and not _SESSION.fullmatch(session):
        return None, telephony_session or session
    return session, telephony_session


def _part(whole: Json, name: str) -> Json:
    """Return an object inside, empty where there is none."""
    part = whole.get(name)
    return part if isinstance(part, dict) else _NOTHING


def _bare(word: str | None, prefix: str) -> str | None:
    return word.removeprefix(prefix) if word else None
