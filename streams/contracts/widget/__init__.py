"""The widget's events (SPEC 3, 7): what each must have, and its translation into our words. Vendor words stop here."""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from streams.contracts.widget import calls, messages, models
from streams.contracts.widget.others import CALLING_SETTINGS, SESSIONS_SYNC
from streams.domain.postings import Meaning, Rejection, WidgetEvent
from streams.domain.words import EventType, Quirk, RejectReason


class Kind(NamedTuple):
    """How one type is read: our word for it, its model, what it means, how its family's row is made."""

    event_type: EventType
    model: type[models.Open]
    meaning: Meaning
    translate: Callable[[Any, WidgetEvent], None] | None
    """Takes the validated model; None: the event travels as `other`."""


def read_event(event: dict[str, Any]) -> WidgetEvent | Rejection:
    """Read one scrubbed widget event.

    Returns:
        The event in our words; foreign ones have the meaning FOREIGN. A Rejection names what SPEC 3.13 misses.
    """
    vendor_type = event.get("type")
    kind = KINDS.get(vendor_type) if isinstance(vendor_type, str) else None
    if kind is None:
        return _beyond(event, vendor_type)
    if kind.model is models.TelephonyPost and event.get("telephonySession") is None:
        return WidgetEvent(kind.event_type, Meaning.FOREIGN, quirks=[Quirk.TELEPHONY_SESSION_ABSENT])
    try:
        post = kind.model.model_validate(event)
    except ValidationError as error:
        return Rejection(RejectReason.SCHEMA_VIOLATION, _where(error))
    read = WidgetEvent(kind.event_type, kind.meaning)
    if kind.translate is None:
        _other(event, read)
    else:
        kind.translate(post, read)
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


def _presence(post: models.PresencePost, read: WidgetEvent) -> None:
    if not (post.telephony_status or post.user_status or post.dnd_status):
        read.meaning = Meaning.EMPTY_PRESENCE
    read.family = "presence"
    read.row = {
        "telephony_status": post.telephony_status,
        "user_status": post.user_status,
        "dnd_status": post.dnd_status,
        "presence_option": post.presence_option,
    }


def _login(post: models.LoginPost, read: WidgetEvent) -> None:
    read.family = "login"
    read.row = {"logged_in": post.logged_in}
    if not post.logged_in:
        read.meaning = Meaning.LOGOUT
        return
    read.login_number = post.login_number if isinstance(post.login_number, str) else None


LIFE, SMALL_TALK = Meaning.LIFE, Meaning.SMALL_TALK
KINDS: dict[str, Kind] = {
    "rc-call-ring-notify": Kind(EventType.RC_CALL_RING_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-init-notify": Kind(EventType.RC_CALL_INIT_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-start-notify": Kind(EventType.RC_CALL_START_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-hold-notify": Kind(EventType.RC_CALL_HOLD_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-resume-notify": Kind(EventType.RC_CALL_RESUME_NOTIFY, models.WebPhonePost, LIFE, calls.web_phone),
    "rc-call-end-notify": Kind(EventType.RC_CALL_END_NOTIFY, models.EndPost, LIFE, calls.web_phone),
    "rc-call-mute-notify": Kind(EventType.RC_CALL_MUTE_NOTIFY, models.MutePost, LIFE, calls.web_phone),
    "rc-ringout-call-notify": Kind(EventType.RC_RINGOUT_CALL_NOTIFY, models.ActiveCallPost, LIFE, calls.active_call),
    "rc-active-call-notify": Kind(EventType.RC_ACTIVE_CALL_NOTIFY, models.ActiveCallPost, LIFE, calls.active_call),
    "rc-telephony-session-notify": Kind(
        EventType.RC_TELEPHONY_SESSION_NOTIFY, models.TelephonyPost, LIFE, calls.telephony
    ),
    "rc-adapter-syncPresence": Kind(EventType.RC_ADAPTER_SYNC_PRESENCE, models.PresencePost, LIFE, _presence),
    "rc-login-status-notify": Kind(EventType.RC_LOGIN_STATUS_NOTIFY, models.LoginPost, Meaning.LOGIN, _login),
    "rc-login-popup-notify": Kind(EventType.RC_LOGIN_POPUP_NOTIFY, models.LoginPopupPost, SMALL_TALK, None),
    "rc-message-updated-notify": Kind(EventType.RC_MESSAGE_UPDATED_NOTIFY, models.MessagePost, LIFE, messages.message),
    "rc-inbound-message-notify": Kind(EventType.RC_INBOUND_MESSAGE_NOTIFY, models.MessagePost, LIFE, messages.message),
    "rc-route-changed-notify": Kind(EventType.RC_ROUTE_CHANGED_NOTIFY, models.RoutePost, SMALL_TALK, None),
    "rc-region-settings-notify": Kind(EventType.RC_REGION_SETTINGS_NOTIFY, models.RegionPost, SMALL_TALK, None),
    "rc-dialer-status-notify": Kind(EventType.RC_DIALER_STATUS_NOTIFY, models.DialerPost, SMALL_TALK, None),
    "rc-meeting-status-notify": Kind(EventType.RC_MEETING_STATUS_NOTIFY, models.MeetingPost, SMALL_TALK, None),
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
