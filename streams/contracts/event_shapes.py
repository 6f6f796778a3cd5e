"""What an EnrichedEvent is read as: the domain's own classes, not dicts."""

from typing import Final

from streams.contracts.shapes import Shape, Shapes, shape_of
from streams.domain.events import (
    ActiveCallStatus,
    Event,
    MessageNotice,
    PresenceStatus,
    TelephonyParty,
    TelephonySession,
    WebPhoneCall,
)
from streams.domain.words import Direction, EventType

RECORD: Final = "EnrichedEvent"


def logged_in(logged_in: bool) -> bool:
    """Return all that a login status says."""
    return logged_in


_ALWAYS: Final = frozenset({"event_time", "received_at", "extension_key", "input"})
"""Only a WATERMARK does without them."""
EVENT: Final[Shapes] = {
    RECORD: shape_of(Event, login="logged_in")._replace(never_null=_ALWAYS),
    "EventType": Shape(EventType),
    "Direction": Shape(Direction),
    "WebPhoneCall": shape_of(WebPhoneCall),
    "ActiveCallStatus": shape_of(ActiveCallStatus),
    "TelephonySession": shape_of(TelephonySession),
    "TelephonyParty": shape_of(TelephonyParty),
    "PresenceStatus": shape_of(PresenceStatus),
    "Message": shape_of(MessageNotice),
    "LoginStatus": Shape(logged_in, {"logged_in": "logged_in"}),
}
HEAD: Final[Shapes] = {"EventType": Shape(EventType)}
HEAD_FIELDS: Final = 2
"""The fields up to the type."""
