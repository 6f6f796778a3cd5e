"""The privacy policy: one table says what becomes of every field, one function applies it (CONTRACT 8, SPEC 8).

Whatever the table does not name is dropped, and a value that is not of the form its rule expects is dropped too: what
passes is safe by construction. Scrubbing what is scrubbed already changes nothing. No text that was scrubbed appears in
an error.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final

from streams.contracts import values
from streams.contracts.numbers import TokenKey

Rule = Callable[[Any], Any]
MAX_DEPTH = 12
DROPPED: Final = object()
INSIDE: Final = object()
"""What a rule answers when the value is an object or a list that has to be looked into."""


def _number(key: TokenKey, value: Any) -> Any:
    kept = values.number(value, key)
    return INSIDE if kept is None and isinstance(value, dict | list) else kept


def _queue(key: TokenKey, value: Any) -> Any:
    return values.queue(value, key)


def _login(key: TokenKey, value: Any) -> Any:
    kept = values.login(value)
    return values.number(value, key) if kept is None and isinstance(value, str | dict) else kept


def _inside(_: Any) -> Any:
    return INSIDE


def _table(**rules: str) -> dict[str, str]:
    return {name: rule for rule, names in rules.items() for name in names.split()}


PLAIN: dict[str, Rule] = {
    "word": values.word, "term": values.term, "id": values.identifier, "uuid": values.uuid, "flag": values.flag,
    "count": values.count, "serial": values.serial, "instant": values.instant, "hash": values.digest,
    "length": values.length, "present": values.presence, "url": values.url, "origin": values.origin,
    "route": values.route, "inside": _inside,
}  # fmt: skip
KEYED: dict[str, Callable[[TokenKey, Any], Any]] = {"number": _number, "queue": _queue, "login": _login}
RULES = (*PLAIN, *KEYED)
"""What can become of a value: None where nothing may pass. `inside` recurses into an object or a list."""

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


NEVER_NULL = frozenset({"length", "present", "route"})
"""Rules whose fields are dropped where they are null; others pass a null."""


Table = dict[str, Rule]


class _Tables:
    """The policy made ready for one secret: a table for each place that has its own rules, and one for all others."""

    def __init__(self, key: TokenKey):
        keyed: Table = {name: partial(rule, key) for name, rule in KEYED.items()}
        rules = {**PLAIN, **keyed}
        self.plain: Table = {name: rules[rule] for name, rule in POLICY.items()}
        self.special: dict[str, Table] = {place: dict(self.plain) for place, _ in SPECIAL}
        for (place, name), rule in SPECIAL.items():
            self.special[place][name] = rules[rule]


_tables = lru_cache(maxsize=16)(_Tables)
_DROPPED_WHEN_NULL = frozenset(name for name, rule in POLICY.items() if rule in NEVER_NULL)


def scrub(value: Any, key: TokenKey) -> Any:
    """Return a JSON value with nothing left in it that the policy does not let pass.

    Args:
        value: What a JSON parser gives: an envelope, or whatever else came instead of one.
        key: The secret of the tokens.
    """
    cleaned = _scrub(value, "envelope", _tables(key), 0)
    return None if cleaned is DROPPED else cleaned


def scrub_event(event: dict[str, Any], key: TokenKey) -> dict[str, Any]:
    """Return a widget event as it is left in its scrubbed envelope."""
    return _scrub_object(event, "event", _tables(key), 1)


def _scrub(value: Any, place: str, tables: _Tables, depth: int) -> Any:
    if isinstance(value, dict):
        return _scrub_object(value, place, tables, depth) if depth <= MAX_DEPTH else DROPPED
    if isinstance(value, list) and depth <= MAX_DEPTH:
        items = (_scrub(item, place, tables, depth + 1) for item in value)
        return [item for item in items if item is not DROPPED]
    return None if value is None else DROPPED


def _scrub_object(value: dict[str, Any], place: str, tables: _Tables, depth: int) -> dict[str, Any]:
    table = tables.special.get(place, tables.plain)
    cleaned: dict[str, Any] = {}
    for name, inner in value.items():
        rule = table.get(name)
        if rule is None:
            continue
        if inner is None:
            if name not in _DROPPED_WHEN_NULL:
                cleaned[name] = None
            continue
        kept = rule(inner)
        if kept is INSIDE:
            kept = _scrub(inner, name, tables, depth + 1)
            if kept is not DROPPED:
                cleaned[name] = kept
        elif kept is not None:
            cleaned[name] = kept
    return cleaned
