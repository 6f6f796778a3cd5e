"""The 19 widget events as the vendor names their fields (SPEC 3).

They read scrubbed events, so an optional field either has the type that the privacy policy lets through or is absent.
Required is only what SPEC 3.13 requires: unknown keys and words pass.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, Field(min_length=1)]
Millis = Annotated[int, Field(strict=True)]
Id = int | str | None
Moment = int | str | None
"""Milliseconds since the epoch, or ISO 8601."""
Number = Any
"""A number after the privacy policy: token, country and kind, or an object around it."""


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else None


def _objects(value: Any) -> Any:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class Open(BaseModel):
    """A part of a widget event: unknown keys are allowed and not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class PartyData(Open):
    """Ids of the leg on the telephony level; `sessionId` is the telephony session's (SPEC 2)."""

    party_id: Id = None
    session_id: Id = None


class WebPhoneCall(Open):
    """`call` of the rc-call-* family (SPEC 3.1), scrubbed: `id` is hashed, numbers are tokens."""

    id: Text
    direction: Literal["Inbound", "Outbound"]
    call_status: str | None = None
    sender: Number = Field(None, alias="from")
    to: Number = None
    creation_time: Moment = None
    start_time: Moment = None
    end_time: Moment = None
    is_on_hold: bool | None = None
    is_on_mute: bool | None = None
    is_on_flip: bool | None = None
    is_on_transfer: bool | None = None
    is_to_voicemail: bool | None = None
    is_forwarded: bool | None = None
    is_replied: bool | None = None
    record_status: str | None = None
    party_data: Annotated[PartyData | None, BeforeValidator(_object)] = None
    call_queue_name: str | None = None
    warm_transfer_session_id: str | None = None


class EndedCall(WebPhoneCall):
    """`call` of rc-call-end-notify."""

    end_time: Millis


class MutedCall(WebPhoneCall):
    """`call` of rc-call-mute-notify: true is muted, false is unmuted."""

    is_on_mute: StrictBool


class ActiveCall(Open):
    """`call` of rc-active-call-notify and rc-ringout-call-notify (SPEC 3.2, 3.3)."""

    session_id: StrictStr
    direction: Literal["Inbound", "Outbound"]
    telephony_status: StrictStr
    termination_type: str | None = None
    telephony_session_id: Id = None
    party_id: Id = None
    sender: Number = Field(None, alias="from")
    to: Number = None
    start_time: Moment = None
    offset: int | float | None = None
    queue_call: bool | None = None
    uri: str | None = None


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


class PeerId(Open):
    """The party that a party was handed on to; `sessionId` may hold the telephony session's id (SPEC 3.4)."""

    party_id: Id = None
    session_id: Id = None
    telephony_session_id: Id = None


class PartyStatus(Open):
    """`status` of a party."""

    code: str | None = None
    reason: str | None = None
    peer_id: Annotated[PeerId | None, BeforeValidator(_object)] = None


class Park(Open):
    """`park` of a party: empty, or where it is parked."""

    id: Id = None


class Party(Open):
    """One party of a telephony session."""

    id: Id = None
    direction: str | None = None
    sender: Number = Field(None, alias="from")
    to: Number = None
    status: Annotated[PartyStatus | None, BeforeValidator(_object)] = None
    extension_id: Id = None
    missed_call: bool | None = None
    muted: bool | None = None
    queue_call: bool | None = None
    park: Annotated[Park | None, BeforeValidator(_object)] = None
    conference_role: str | None = None


class Origin(Open):
    """`origin` of a telephony session."""

    type: str | None = None


class TelephonySession(Open):
    """`telephonySession` of rc-telephony-session-notify (SPEC 3.4)."""

    id: StrictStr
    parties: Annotated[list[Party], Field(min_length=1)]
    session_id: Id = None
    extension_id: Id = None
    account_id: Id = None
    creation_time: Moment = None
    origin: Annotated[Origin | None, BeforeValidator(_object)] = None


class TelephonyPost(Open):
    """rc-telephony-session-notify."""

    telephony_session: TelephonySession


class PresencePost(Open):
    """rc-adapter-syncPresence (SPEC 3.5): all three null when logged out."""

    telephony_status: str | None
    user_status: str | None
    dnd_status: str | None
    presence_option: str | None = None


class LoginPost(Open):
    """rc-login-status-notify (SPEC 3.6)."""

    logged_in: StrictBool
    login_number: Any = None


class LoginPopupPost(Open):
    """rc-login-popup-notify, scrubbed: of the URI only remains that there was one (SPEC 3.7)."""

    popup: StrictBool = Field(alias="oAuthUri")


class Conversation(Open):
    """`conversation` of a message."""

    id: Id = None


class Message(Open):
    """`message` of rc-message-updated-notify and rc-inbound-message-notify (SPEC 3.8), its text only a length."""

    id: int | StrictStr
    availability: str | None = None
    type: str | None = None
    direction: str | None = None
    read_status: str | None = None
    message_status: str | None = None
    creation_time: Moment = None
    last_modified_time: Moment = None
    sender: Number = Field(None, alias="from")
    to: Number = None
    subject: int | None = None
    attachments: Annotated[list[Any], BeforeValidator(_objects)] = []
    conversation: Annotated[Conversation | None, BeforeValidator(_object)] = None
    uri: str | None = None

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

    country_code: StrictStr
    area_code: str | None = None


class DialerPost(Open):
    """rc-dialer-status-notify (SPEC 3.11)."""

    ready: StrictBool


class MeetingPost(Open):
    """rc-meeting-status-notify (SPEC 3.12)."""

    ready: StrictBool
    permission: StrictBool
