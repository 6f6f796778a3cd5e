"""The widget's events (SPEC 3, 7): what each must have, and its translation into our words. Vendor words stop here."""

from collections.abc import Callable
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from streams.contracts.numbers import TokenKey
from streams.contracts.privacy import scrub_event
from streams.contracts.values import login, word
from streams.contracts.widget import calls, messages, models
from streams.contracts.widget.fields import Json
from streams.contracts.widget.others import CALLING_SETTINGS, SESSIONS_SYNC
from streams.contracts.widget.vocabulary import PRESENCE, flag_unknown
from streams.domain.postings import Meaning, Rejection, WidgetEvent
from streams.domain.words import EventType, RejectReason


class Kind(NamedTuple):
    """How one type is read: our word for it, what it must have, what it means, how its family's row is made."""

    event_type: EventType
    model: type[models.Open]
    """Asked what is wrong with an event that `translate` cannot take."""
    meaning: Meaning
    translate: Callable[[Json, WidgetEvent, TokenKey], bool]
    """Fills the event in; False: something that the type must have is missing or odd."""


def read_event(event: Json, key: TokenKey) -> WidgetEvent | Rejection:
    """Read one widget event, posted or scrubbed: only what the privacy policy lets pass is looked at.

    Returns:
        The event in our words; foreign ones have the meaning FOREIGN. A Rejection names what SPEC 3.13 misses.
    """
    vendor_type = event.get("type")
    kind = KINDS.get(vendor_type) if isinstance(vendor_type, str) else None
    if kind is None:
        return _beyond(event, vendor_type, key)
    read = WidgetEvent(kind.event_type, kind.meaning)
    if kind.translate(event, read, key):
        return read
    return Rejection(RejectReason.SCHEMA_VIOLATION, _what_is_wrong(kind.model, scrub_event(event, key)))


def type_of(event: Json) -> EventType:
    """Return the type of a widget event; OTHER for all that is not one of the 19."""
    vendor_type = event.get("type")
    kind = KINDS.get(vendor_type) if isinstance(vendor_type, str) else None
    return EventType.OTHER if kind is None else kind.event_type


def _what_is_wrong(model: type[models.Open], scrubbed: Json) -> str:
    """Name up to five fields and their faults, never a value.

    Raises:
        ValueError: The model finds nothing; then it and `translate` disagree, which is a bug.
    """
    try:
        model.model_validate(scrubbed)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems[:5])
    raise ValueError(f"a {model.__name__} is in order, but was not read")


def _beyond(event: Json, vendor_type: object, key: TokenKey) -> WidgetEvent:
    if not isinstance(vendor_type, str) or vendor_type not in BEYOND:
        return WidgetEvent(EventType.OTHER, Meaning.FOREIGN)
    read = WidgetEvent(EventType.OTHER, Meaning.SMALL_TALK, other_type=vendor_type)
    _other(event, read, key)
    return read


def _other(event: Json, read: WidgetEvent, key: TokenKey) -> Json:
    """Let the event travel as it is after the privacy policy; return its fields."""
    fields = scrub_event(event, key)
    fields.pop("type", None)
    read.family, read.row = "other", orjson.dumps(fields).decode()
    return fields


def _having(*required: str) -> Callable[[Json, WidgetEvent, TokenKey], bool]:
    """Return the translation of a type that travels as it is, if the policy left it these fields."""

    def translate(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
        fields = _other(event, read, key)
        return all(fields.get(name) is not None for name in required)

    return translate


def _presence(event: Json, read: WidgetEvent, _: TokenKey) -> bool:
    # Each has to be there: null, or one of the vendor's words.
    told = (event.get("telephonyStatus", ""), event.get("userStatus", ""), event.get("dndStatus", ""))
    if not all(status is None or word(status) for status in told):
        return False
    if not any(told):
        read.meaning = Meaning.EMPTY_PRESENCE
    read.family = "presence"
    read.row = {
        "telephony_status": told[0],
        "user_status": told[1],
        "dnd_status": told[2],
        "presence_option": word(event.get("presenceOption")),
    }
    flag_unknown(read.quirks, read.row, PRESENCE)
    return True


def _login(event: Json, read: WidgetEvent, _: TokenKey) -> bool:
    logged_in = event.get("loggedIn")
    if not isinstance(logged_in, bool):
        return False
    read.family = "login"
    read.row = {"logged_in": logged_in}
    if logged_in:
        read.login_number = login(event.get("loginNumber"))
    else:
        read.meaning = Meaning.LOGOUT
    return True


LIFE, SMALL_TALK = Meaning.LIFE, Meaning.SMALL_TALK
KINDS: dict[str, Kind] = {
    "rc-call-ring-notify": Kind(EventType.RC_CALL_RING_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-init-notify": Kind(EventType.RC_CALL_INIT_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-start-notify": Kind(EventType.RC_CALL_START_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-hold-notify": Kind(EventType.RC_CALL_HOLD_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-resume-notify": Kind(EventType.RC_CALL_RESUME_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-end-notify": Kind(EventType.RC_CALL_END_NOTIFY, models.EndPost, LIFE, calls.ended),
    "rc-call-mute-notify": Kind(EventType.RC_CALL_MUTE_NOTIFY, models.MutePost, LIFE, calls.muted),
    "rc-ringout-call-notify": Kind(EventType.RC_RINGOUT_CALL_NOTIFY, models.ActiveCallPost, LIFE, calls.active_call),
    "rc-active-call-notify": Kind(EventType.RC_ACTIVE_CALL_NOTIFY, models.ActiveCallPost, LIFE, calls.active_call),
    "rc-telephony-session-notify": Kind(
        EventType.RC_TELEPHONY_SESSION_NOTIFY, models.TelephonyPost, LIFE, calls.telephony
    ),
    "rc-adapter-syncPresence": Kind(EventType.RC_ADAPTER_SYNC_PRESENCE, models.PresencePost, LIFE, _presence),
    "rc-login-status-notify": Kind(EventType.RC_LOGIN_STATUS_NOTIFY, models.LoginPost, Meaning.LOGIN, _login),
    "rc-login-popup-notify": Kind(
        EventType.RC_LOGIN_POPUP_NOTIFY, models.LoginPopupPost, SMALL_TALK, _having("oAuthUri")
    ),
    "rc-message-updated-notify": Kind(EventType.RC_MESSAGE_UPDATED_NOTIFY, models.MessagePost, LIFE, messages.message),
    "rc-inbound-message-notify": Kind(EventType.RC_INBOUND_MESSAGE_NOTIFY, models.MessagePost, LIFE, messages.message),
    "rc-route-changed-notify": Kind(EventType.RC_ROUTE_CHANGED_NOTIFY, models.RoutePost, SMALL_TALK, _having("path")),
    "rc-region-settings-notify": Kind(
        EventType.RC_REGION_SETTINGS_NOTIFY, models.RegionPost, SMALL_TALK, _having("countryCode")
    ),
    "rc-dialer-status-notify": Kind(EventType.RC_DIALER_STATUS_NOTIFY, models.DialerPost, SMALL_TALK, _having("ready")),
    "rc-meeting-status-notify": Kind(
        EventType.RC_MEETING_STATUS_NOTIFY, models.MeetingPost, SMALL_TALK, _having("ready", "permission")
    ),
}
"""The 19 types of SPEC 3."""

BEYOND = frozenset(
    {
        SESSIONS_SYNC,
        CALLING_SETTINGS,
        "rc-webphone-active-notify",
        "rc-webphone-connection-status-notify",
        "rc-control-call-error",
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
"""Known types beside the 19 (SPEC 7). The first two decide something: a snapshot of calls, the calling mode."""
