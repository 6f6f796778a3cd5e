"""The privacy policy: one table says what becomes of every field, one function applies it (CONTRACT 8, SPEC 8).

Whatever the table does not name is dropped, and a value that is not of the form its rule expects is dropped too: what
passes is safe by construction. Scrubbing what is scrubbed already changes nothing. No text that was scrubbed appears in
an error.
"""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from streams.contracts.numbers import TokenKey, mask_again, mask_number, mask_queue
from streams.domain.identity import extension_key

Rule = Callable[[Any, TokenKey], Any]
MAX_DEPTH = 12
MAX_KEPT = 80
"""Texts up to this length are remembered with what became of them: vendor words and origins come again and again."""
DROPPED: Final = object()
INSIDE: Final = object()
"""What a rule answers when the value is an object or a list that has to be looked into."""

_WORD = re.compile(r"[A-Za-z][A-Za-z _-]{0,63}")
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_UUID_CHARS = 36
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=+/.:-]{0,127}")
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_INCOMPLETE_LOGIN = re.compile(r"\+?\d*\*\d{0,8}", re.ASCII)
_LONG_DIGITS = re.compile(r"\d{6,}")
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_PATH = re.compile(r"(/[A-Za-z0-9._~:-]*)*")
_COUNT_LIMIT = 10_000_000
_SERIAL_LIMIT = 2**53
_INSTANT_LIMIT = 4_102_444_800_000
_ROUTE_SEGMENTS = 2


@lru_cache(maxsize=10_000)
def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def _is_term(text: str) -> bool:
    return _TERM.fullmatch(text) is not None


def _word(value: Any, _: TokenKey) -> Any:
    if value is None:
        return None
    return value if isinstance(value, str) and len(value) <= MAX_KEPT and _is_word(value) else DROPPED


def _term(value: Any, _: TokenKey) -> Any:
    if value is None:
        return None
    return value if isinstance(value, str) and len(value) <= MAX_KEPT and _is_term(value) else DROPPED


def _id(value: Any, _: TokenKey) -> Any:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return value if isinstance(value, str) and _ID.fullmatch(value) else DROPPED


def _flag(value: Any, _: TokenKey) -> Any:
    return value if value is None or isinstance(value, bool) else DROPPED


def _count(value: Any, _: TokenKey) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None if value is None else DROPPED
    return value if abs(value) <= _COUNT_LIMIT else DROPPED


def _serial(value: Any, _: TokenKey) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return None if value is None else DROPPED
    return value if 0 <= value < _SERIAL_LIMIT else DROPPED


def _instant(value: Any, _: TokenKey) -> Any:
    if type(value) is int:
        return value if 0 <= value <= _INSTANT_LIMIT else DROPPED
    if isinstance(value, str):
        return value if _ISO.fullmatch(value) else DROPPED
    if not isinstance(value, float):
        return None if value is None else DROPPED
    return int(value) if 0 <= value <= _INSTANT_LIMIT else DROPPED


def _number(value: Any, key: TokenKey) -> Any:
    if isinstance(value, str):
        return _masked(value, key)
    if isinstance(value, int) and not isinstance(value, bool):
        return mask_number(str(value), key)
    if value is None:
        return None
    masked = mask_again(value, key)
    if masked is not None:
        return masked
    return INSIDE if isinstance(value, dict | list) else DROPPED


def _masked(text: str, key: TokenKey) -> Any:
    # What is too long for a number is not remembered: it would fill the memory.
    return mask_number(text, key) if len(text) <= MAX_KEPT else mask_number.__wrapped__(text, key)


def _hash(value: Any, _: TokenKey) -> Any:
    if value is None or (isinstance(value, str) and (not value or _HASHED.fullmatch(value))):
        return value
    return hashed(value) if isinstance(value, str) else DROPPED


def _uuid(value: Any, key: TokenKey) -> Any:
    return (
        value if isinstance(value, str) and len(value) == _UUID_CHARS and _UUID.fullmatch(value) else _hash(value, key)
    )


def _queue(value: Any, key: TokenKey) -> Any:
    return mask_queue(value, key) if isinstance(value, str) else None if value is None else DROPPED


def _length(value: Any, _: TokenKey) -> Any:
    if isinstance(value, str):
        return len(value)
    return value if isinstance(value, int) and 0 <= value <= _COUNT_LIMIT else DROPPED


def _present(value: Any, _: TokenKey) -> Any:
    return value if isinstance(value, bool) else DROPPED if not isinstance(value, str) else bool(value)


def _url(value: Any, _: TokenKey) -> Any:
    if not isinstance(value, str):
        return None if value is None else DROPPED
    try:
        parts = urlsplit(value)
    except ValueError:
        return DROPPED
    host = parts.hostname or ""
    plain = parts.scheme and _HOST.fullmatch(host) and _PATH.fullmatch(parts.path)
    return f"{parts.scheme}://{host}{parts.path}" if plain else DROPPED


def _origin(value: Any, _: TokenKey) -> Any:
    if not isinstance(value, str):
        return None if value is None else DROPPED
    return _short_origin(value) if len(value) <= MAX_KEPT else _cut_origin(value)


def _cut_origin(value: str) -> Any:
    try:
        parts = urlsplit(value)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return DROPPED
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{port}" if parts.scheme and _HOST.fullmatch(host) else DROPPED


_short_origin = lru_cache(maxsize=1_000)(_cut_origin)


def _route(value: Any, _: TokenKey) -> Any:
    if not isinstance(value, str) or not value.startswith("/"):
        return DROPPED
    segments = value.split("?")[0].split("/")[1 : 1 + _ROUTE_SEGMENTS]
    safe = [part if _SEGMENT.fullmatch(part) and not _LONG_DIGITS.search(part) else ":id" for part in segments if part]
    return "/" + "/".join(safe)


def _login_number(value: Any, key: TokenKey) -> Any:
    if not isinstance(value, str):
        return None if value is None else mask_again(value, key) or DROPPED
    return value if len(value) <= MAX_KEPT and _is_login(value) else _masked(value, key)


@lru_cache(maxsize=10_000)
def _is_login(text: str) -> bool:
    return extension_key(text) is not None or _INCOMPLETE_LOGIN.fullmatch(text) is not None


def hashed(text: str) -> str:
    """Return `sha256:` and the digest of an id of high entropy, which must join but not be read (DECISIONS 42)."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _table(**rules: str) -> dict[str, str]:
    return {name: rule for rule, names in rules.items() for name in names.split()}


def _inside(_value: Any, _: TokenKey) -> Any:
    return INSIDE


RULES: dict[str, Rule] = {
    "word": _word, "term": _term, "id": _id, "uuid": _uuid, "flag": _flag, "count": _count, "serial": _serial,
    "instant": _instant, "number": _number, "hash": _hash, "queue": _queue, "length": _length, "present": _present,
    "url": _url, "origin": _origin, "route": _route, "login": _login_number, "inside": _inside,
}  # fmt: skip
"""What can become of a value; `inside` recurses into an object or a list."""

POLICY: dict[str, str] = _table(
    word="direction callStatus telephonyStatus terminationType userStatus dndStatus presenceOption recordStatus"
    " voicemailDropStatus source code reason conferenceRole ringOutRole ringMeRole readStatus messageStatus"
    " availability priority vmTranscriptionStatus faxResolution countryCode contractedCountryCode callWith callingMode"
    " connectionStatus visibility action",
    term="type collector areaCode",
    uuid="event_id session_id",
    id="id account_id extension_id partyId sessionId telephonySessionId extensionId accountId serverId peerId"
    " conversationId recipientId activeId onBehalfOf brandId",
    flag="isOnHold isOnMute isOnFlip isOnTransfer isToVoicemail isForwarded isReplied minimized cached removed verified"
    " replayed loggedIn admin isFreshLogin ready permission queueCall missedCall standAlone muted active rcc call sms"
    " meeting glip smartNote ringSenseInsights ringCX isReceivedTransfer currentActive autoLog missed pgToDepartment",
    count="envelope offset vmDuration size faxPageCount smsSendingAttemptsCount coverIndex typingDurationMs",
    serial="sequence",
    instant="startTime creationTime lastActiveTime endTime lastModifiedTime smsDeliveryTime captured_at sent_at"
    " received_at",
    number="from to fromNumber phoneNumber extensionNumber originalLocalNumber receivedTransferFromNumber senderNumber",
    hash="callId warmTransferSessionId",
    queue="callQueueName",
    length="subject coverPageText",
    present="oAuthUri",
    url="uri",
    origin="page_origin widget_origin",
    route="path",
    login="loginNumber login_number",
    inside="event partyData telephonySession parties status park origin features message conversation attachments"
    " recordings calls",
)
"""What becomes of a field, by its name, wherever it stands."""

SPECIAL: dict[tuple[str, str], str] = {
    ("call", "id"): "hash",
    ("calls", "id"): "hash",
    ("event", "call"): "inside",
    ("status", "peerId"): "inside",
}
"""Fields whose meaning depends on the object they stand in: (object, field)."""


def _compile() -> dict[str, dict[str, Rule]]:
    plain = {name: RULES[rule] for name, rule in POLICY.items()}
    tables = {place: dict(plain) for place, _ in SPECIAL}
    for (place, name), rule in SPECIAL.items():
        tables[place][name] = RULES[rule]
    return {**tables, "": plain}


_TABLES = _compile()
_PLAIN = _TABLES[""]


def scrub(value: Any, key: TokenKey) -> Any:
    """Return a JSON value with nothing left in it that the policy does not let pass.

    Args:
        value: What a JSON parser gives: an envelope, or whatever else came instead of one.
        key: The secret of the tokens.
    """
    cleaned = _scrub(value, "envelope", key, 0)
    return None if cleaned is DROPPED else cleaned


def _scrub(value: Any, place: str, key: TokenKey, depth: int) -> Any:
    if isinstance(value, dict):
        return _scrub_object(value, place, key, depth) if depth <= MAX_DEPTH else DROPPED
    if isinstance(value, list) and depth <= MAX_DEPTH:
        items = (_scrub(item, place, key, depth + 1) for item in value)
        return [item for item in items if item is not DROPPED]
    return None if value is None else DROPPED


def _scrub_object(value: dict[str, Any], place: str, key: TokenKey, depth: int) -> dict[str, Any]:
    table = _TABLES.get(place, _PLAIN)
    cleaned = {}
    for name, inner in value.items():
        rule = table.get(name)
        if rule is None:
            continue
        kept = rule(inner, key)
        if kept is INSIDE:
            kept = _scrub(inner, name, key, depth + 1)
        if kept is not DROPPED:
            cleaned[name] = kept
    return cleaned
