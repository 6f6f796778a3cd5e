"""What each of the 19 widget events must have, as the vendor names it (SPEC 3, 3.13).

They look at scrubbed events: an optional field either has the type that the privacy policy lets through or is absent,
so only what is required stands here. Unknown keys and words pass. The models name what is wrong with an event that
could not be read; what is in order is read without them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, Field(min_length=1)]
Millis = Annotated[int, Field(strict=True)]


class Open(BaseModel):
    """A part of a widget event: other keys are allowed and not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class WebPhoneCall(Open):
    """`call` of the rc-call-* family (SPEC 3.1), scrubbed: `id` is hashed."""

    id: Text
    direction: Literal["Inbound", "Outbound"]


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
    """`telephonySession` of rc-telephony-session-notify (SPEC 3.4); what is known of a party is all optional."""

    id: StrictStr
    parties: Annotated[list[Open], Field(min_length=1)]


class TelephonyPost(Open):
    """rc-telephony-session-notify."""

    telephony_session: TelephonySession


class PresencePost(Open):
    """rc-adapter-syncPresence (SPEC 3.5): all three null when logged out."""

    telephony_status: str | None
    user_status: str | None
    dnd_status: str | None


class LoginPost(Open):
    """rc-login-status-notify (SPEC 3.6)."""

    logged_in: StrictBool


class LoginPopupPost(Open):
    """rc-login-popup-notify, scrubbed: of the URI only remains that there was one (SPEC 3.7)."""

    popup: StrictBool = Field(alias="oAuthUri")


class Message(Open):
    """`message` of rc-message-updated-notify and rc-inbound-message-notify (SPEC 3.8)."""

    id: int | StrictStr
    type: Any = None
    availability: Any = None

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


class DialerPost(Open):
    """rc-dialer-status-notify (SPEC 3.11)."""

    ready: StrictBool


class MeetingPost(Open):
    """rc-meeting-status-notify (SPEC 3.12)."""

    ready: StrictBool
    permission: StrictBool
