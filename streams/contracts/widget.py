"""The widget's events (SPEC 3): what each must have, and its translation into our words. Vendor words stop here.

Models are open where the vendor is open: only what SPEC 3.13 demands is required, unknown keys and words pass. They
read scrubbed events, so every field that is there has the type that the privacy policy lets through.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError, model_validator

from streams.domain.postings import Meaning, Rejection, Row, WidgetEvent
from streams.domain.words import EventType, Quirk, RejectReason

Text = Annotated[str, Field(min_length=1)]
Millis = Annotated[int, Field(strict=True)]


class Open(BaseModel):
    """A part of a widget event: unknown keys are allowed and not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PartyData(Open):
    """Ids of the leg on the telephony level; `sessionId` is the telephony session's (SPEC 2)."""

    partyId: str | None = None  # noqa: N815
    sessionId: str | None = None  # noqa: N815


class WebPhoneCall(Open):
    """`call` of the rc-call-* family (SPEC 3.1), scrubbed: `id` is hashed, numbers are tokens."""

    id: Text
    direction: Literal["Inbound", "Outbound"]


class EndedCall(WebPhoneCall):
    """`call` of rc-call-end-notify."""

    endTime: Millis  # noqa: N815


class MutedCall(WebPhoneCall):
    """`call` of rc-call-mute-notify: true is muted, false is unmuted."""

    isOnMute: StrictBool  # noqa: N815


class ActiveCall(Open):
    """`call` of rc-active-call-notify and rc-ringout-call-notify (SPEC 3.2, 3.3)."""

    sessionId: StrictStr  # noqa: N815
    direction: Literal["Inbound", "Outbound"]
    telephonyStatus: StrictStr  # noqa: N815


class WebPhonePost(Open):
    """rc-call-{ring,init,start,hold,resume}-notify."""

    call: WebPhoneCall


class EndPost(Open):
    """rc-call-end-notify."""

    call: EndedCall


class MutePost(Open):
    """rc-call-mute-notify."""

    call: MutedCall


class ActiveCallPost(Open):
    """rc-active-call-notify, rc-ringout-call-notify."""

    call: ActiveCall


class TelephonySession(Open):
    """`telephonySession` of rc-telephony-session-notify (SPEC 3.4)."""

    id: StrictStr
    parties: Annotated[list[dict[str, Any]], Field(min_length=1)]


class TelephonyPost(Open):
    """rc-telephony-session-notify."""

    telephonySession: TelephonySession  # noqa: N815


class PresencePost(Open):
    """rc-adapter-syncPresence (SPEC 3.5): all three null when logged out."""

    telephonyStatus: str | None  # noqa: N815
    userStatus: str | None  # noqa: N815
    dndStatus: str | None  # noqa: N815
    presenceOption: str | None = None  # noqa: N815


class LoginPost(Open):
    """rc-login-status-notify (SPEC 3.6)."""

    loggedIn: StrictBool  # noqa: N815
    loginNumber: Any = None  # noqa: N815


class LoginPopupPost(Open):
    """rc-login-popup-notify, scrubbed: of the URI only remains that there was one (SPEC 3.7)."""

    oAuthUri: StrictBool  # noqa: N815


class Message(Open):
    """`message` of rc-message-updated-notify and rc-inbound-message-notify (SPEC 3.8)."""

    id: int | StrictStr
    availability: str | None = None
    type: str | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "Message":
        if self.type is None and self.availability is None:
            raise ValueError("neither type nor availability")
        return self


class MessagePost(Open):
    """A message; a deleted one has only id and availability."""

    message: Message


class RoutePost(Open):
    """rc-route-changed-notify (SPEC 3.9)."""

    path: Annotated[str, Field(pattern="^/")]


class RegionPost(Open):
    """rc-region-settings-notify (SPEC 3.10)."""

    countryCode: StrictStr  # noqa: N815


class DialerPost(Open):
    """rc-dialer-status-notify (SPEC 3.11)."""

    ready: StrictBool


class MeetingPost(Open):
    """rc-meeting-status-notify (SPEC 3.12)."""

    ready: StrictBool
    permission: StrictBool


Translation = Callable[[dict[str, Any], WidgetEvent], None]


class Kind(NamedTuple):
    """How one type is read: our word for it, its model, what it means, how its family's row is made."""

    event_type: EventType
    model: type[Open]
    meaning: Meaning
    translate: Translation


def read_event(event: dict[str, Any]) -> WidgetEvent | Rejection:
    """Read one scrubbed widget event.

    Returns:
        The event in our words; foreign ones have the meaning FOREIGN. A Rejection names what SPEC 3.13 misses.
    """
    vendor_type = event.get("type")
    kind = KINDS.get(vendor_type) if isinstance(vendor_type, str) else None
    if kind is None:
        return _beyond(event, vendor_type)
    if kind.model is TelephonyPost and event.get("telephonySession") is None:
        return WidgetEvent(kind.event_type, Meaning.FOREIGN, quirks=[Quirk.TELEPHONY_SESSION_ABSENT])
    try:
        kind.model.model_validate(event)
    except ValidationError as error:
        return Rejection(RejectReason.SCHEMA_VIOLATION, _where(error))
    read = WidgetEvent(kind.event_type, kind.meaning)
    kind.translate(event, read)
    return read


def type_of(event: dict[str, Any]) -> EventType:
    """Return the type of a scrubbed widget event; OTHER for all that is not one of the 19."""
    vendor_type = event.get("type")
    kind = KINDS.get(vendor_type) if isinstance(vendor_type, str) else None
    return EventType.OTHER if kind is None else kind.event_type


def _where(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems[:5])


def _beyond(event: dict[str, Any], vendor_type: object) -> WidgetEvent:
    if vendor_type not in BEYOND:
        return WidgetEvent(EventType.OTHER, Meaning.FOREIGN)
    read = WidgetEvent(EventType.OTHER, Meaning.SMALL_TALK, other_type=str(vendor_type))
    _other(event, read)
    return read


def _other(event: dict[str, Any], read: WidgetEvent) -> None:
    read.family = "other"
    read.row = orjson.dumps({name: value for name, value in event.items() if name != "type"}).decode()


def _presence(event: dict[str, Any], read: WidgetEvent) -> None:
    statuses = (event["telephonyStatus"], event["userStatus"], event["dndStatus"])
    if not any(statuses):
        read.meaning = Meaning.EMPTY_PRESENCE
    read.family = "presence"
    read.row = {
        "telephony_status": statuses[0],
        "user_status": statuses[1],
        "dnd_status": statuses[2],
        "presence_option": event.get("presenceOption"),
    }


def _login(event: dict[str, Any], read: WidgetEvent) -> None:
    read.family = "login"
    read.row = {"logged_in": event["loggedIn"]}
    if not event["loggedIn"]:
        read.meaning = Meaning.LOGOUT
        return
    number = event.get("loginNumber")
    read.login_number = number if isinstance(number, str) else None


_FLAGS = {
    "is_on_hold": "isOnHold",
    "is_on_mute": "isOnMute",
    "is_on_flip": "isOnFlip",
    "is_on_transfer": "isOnTransfer",
    "is_to_voicemail": "isToVoicemail",
    "is_forwarded": "isForwarded",
    "is_replied": "isReplied",
}
_DIRECTIONS = {"Inbound": "INBOUND", "Outbound": "OUTBOUND"}
_NOBODY: Row = {"token": None, "country": None, "kind": "UNKNOWN"}


def _web_phone(event: dict[str, Any], read: WidgetEvent) -> None:
    call = event["call"]
    get = call.get
    inbound = call["direction"] == "Inbound"
    party = get("partyData")
    party = party if isinstance(party, dict) else {}
    remote = get("from") if inbound else get("to")
    row: Row = {
        "dialog": call["id"].removeprefix("sha256:"),
        "direction": _DIRECTIONS[call["direction"]],
        "call_status": _bare(get("callStatus"), "webphone-session-"),
        "telephony_session_id": _text(party.get("sessionId")),
        "party_id": _text(party.get("partyId")),
        "created_at": _millis(get("creationTime")),
        "started_at": _millis(get("startTime")),
        "ended_at": _millis(get("endTime")),
        "remote": _remote(remote),
        "warm_transfer_dialog": (get("warmTransferSessionId") or "").removeprefix("sha256:") or None,
        "queue_call": bool(get("callQueueName")),
        "queue_token": get("callQueueName"),
        "record_status": _bare(get("recordStatus"), "webphone-record-"),
    }
    for name, vendor_name in _FLAGS.items():
        row[name] = get(vendor_name) is True
    if read.type is EventType.RC_CALL_HOLD_NOTIFY and not row["is_on_hold"]:
        read.quirks.append(Quirk.HOLD_WITHOUT_FLAG)
    read.family, read.row = "web_phone_call", row


def _bare(word: str | None, prefix: str) -> str | None:
    return word.removeprefix(prefix) if word else None


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _millis(value: Any) -> int | None:
    # 0 is what some builds send for "not yet".
    return value if isinstance(value, int) and value > 0 else None


def _remote(value: Any) -> Row:
    if not isinstance(value, dict):
        return _NOBODY
    if "kind" in value:
        return value
    inner = value.get("phoneNumber") or value.get("extensionNumber")
    return inner if isinstance(inner, dict) else _NOBODY


KINDS: dict[str, Kind] = {
    "rc-call-ring-notify": Kind(EventType.RC_CALL_RING_NOTIFY, WebPhonePost, Meaning.LIFE, _web_phone),
    "rc-call-init-notify": Kind(EventType.RC_CALL_INIT_NOTIFY, WebPhonePost, Meaning.LIFE, _web_phone),
    "rc-call-start-notify": Kind(EventType.RC_CALL_START_NOTIFY, WebPhonePost, Meaning.LIFE, _web_phone),
    "rc-call-hold-notify": Kind(EventType.RC_CALL_HOLD_NOTIFY, WebPhonePost, Meaning.LIFE, _web_phone),
    "rc-call-resume-notify": Kind(EventType.RC_CALL_RESUME_NOTIFY, WebPhonePost, Meaning.LIFE, _web_phone),
    "rc-call-end-notify": Kind(EventType.RC_CALL_END_NOTIFY, EndPost, Meaning.LIFE, _web_phone),
    "rc-call-mute-notify": Kind(EventType.RC_CALL_MUTE_NOTIFY, MutePost, Meaning.LIFE, _web_phone),
    "rc-ringout-call-notify": Kind(EventType.RC_RINGOUT_CALL_NOTIFY, ActiveCallPost, Meaning.LIFE, _other),
    "rc-active-call-notify": Kind(EventType.RC_ACTIVE_CALL_NOTIFY, ActiveCallPost, Meaning.LIFE, _other),
    "rc-telephony-session-notify": Kind(EventType.RC_TELEPHONY_SESSION_NOTIFY, TelephonyPost, Meaning.LIFE, _other),
    "rc-adapter-syncPresence": Kind(EventType.RC_ADAPTER_SYNC_PRESENCE, PresencePost, Meaning.LIFE, _presence),
    "rc-login-status-notify": Kind(EventType.RC_LOGIN_STATUS_NOTIFY, LoginPost, Meaning.LOGIN, _login),
    "rc-login-popup-notify": Kind(EventType.RC_LOGIN_POPUP_NOTIFY, LoginPopupPost, Meaning.SMALL_TALK, _other),
    "rc-message-updated-notify": Kind(EventType.RC_MESSAGE_UPDATED_NOTIFY, MessagePost, Meaning.LIFE, _other),
    "rc-inbound-message-notify": Kind(EventType.RC_INBOUND_MESSAGE_NOTIFY, MessagePost, Meaning.LIFE, _other),
    "rc-route-changed-notify": Kind(EventType.RC_ROUTE_CHANGED_NOTIFY, RoutePost, Meaning.SMALL_TALK, _other),
    "rc-region-settings-notify": Kind(EventType.RC_REGION_SETTINGS_NOTIFY, RegionPost, Meaning.SMALL_TALK, _other),
    "rc-dialer-status-notify": Kind(EventType.RC_DIALER_STATUS_NOTIFY, DialerPost, Meaning.SMALL_TALK, _other),
    "rc-meeting-status-notify": Kind(EventType.RC_MEETING_STATUS_NOTIFY, MeetingPost, Meaning.SMALL_TALK, _other),
}
"""The 19 types of SPEC 3. Families that are not read apart yet travel as `other`."""

BEYOND = frozenset(
    {
        "rc-webphone-active-notify",
        "rc-webphone-connection-status-notify",
        "rc-webphone-sessions-sync",
        "rc-control-call-error",
        "rc-calling-settings-notify",
        "rc-sms-settings-notify",
        "rc-callLogger-auto-log-notify",
        "rc-messageLogger-auto-log-notify",
        "rc-brand-assets-notify",
        "rc-adapter-side-drawer-open-notify",
        "rc-call-history-synced-notify",
        "rc-adapter-theme-notify",
        "rc-adapter-ai-assistant-settings-notify",
        "rc-analytics-track",
        "rc-adapter-pushAdapterState",
        "rc-call-drop-voicemail-notify",
        "rc-message-thread-notify",
        "rc-message-thread-entity-notify",
        "rc-adapter-phone-number-format-settings-notify",
        "rc-ringcx-call-disposed-notify",
        "rc-ringcx-agent-session-notify",
        "rc-ringcx-agent-state-notify",
        "rc-ringcx-lead-notify",
    }
)
"""Known types beside the 19 (SPEC 7)."""
