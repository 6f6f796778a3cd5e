"""A word that the vendor is not known to use is kept and flagged; a known one, or none, is not (SPEC 3.13)."""

from copy import deepcopy

import pytest

from streams.contracts.widget import read_event
from streams.domain.legs import active_call, telephony
from streams.domain.postings import WidgetEvent
from streams.domain.words import Quirk
from tests.builders import KEY, Json

NEW = "Levitating"
TYPES_OF = {
    "web phone": "rc-call-ring-notify",
    "active call": "rc-active-call-notify",
    "telephony": "rc-telephony-session-notify",
    "presence": "rc-adapter-syncPresence",
    "message": "rc-message-updated-notify",
}
PARTY = {"id": "p-1", "direction": "Inbound", "status": {"code": "Answered", "reason": "Pickup"}}
EVENTS: dict[str, Json] = {
    "web phone": {"call": {"id": "a", "direction": "Inbound", "callStatus": "webphone-session-connecting"}},
    "active call": {"call": {"sessionId": "1", "direction": "Inbound", "telephonyStatus": "Ringing"}},
    "telephony": {"telephonySession": {"id": "s-1", "origin": {"type": "Call"}, "parties": [PARTY, {}]}},
    "presence": {"telephonyStatus": "NoCall", "userStatus": "Available", "dndStatus": None},
    "message": {"message": {"id": 5, "type": "SMS", "direction": "Inbound", "availability": "Alive"}},
}
PLACES = [
    ("web phone", "call.callStatus", "call_status"),
    ("web phone", "call.recordStatus", "record_status"),
    ("active call", "call.telephonyStatus", "telephony_status"),
    ("active call", "call.terminationType", "termination_type"),
    ("telephony", "telephonySession.origin.type", "origin_type"),
    ("telephony", "telephonySession.parties.0.status.code", "status_code"),
    ("telephony", "telephonySession.parties.0.status.reason", "status_reason"),
    ("telephony", "telephonySession.parties.1.conferenceRole", "conference_role"),
    ("presence", "telephonyStatus", "telephony_status"),
    ("presence", "userStatus", "user_status"),
    ("presence", "dndStatus", "dnd_status"),
    ("presence", "presenceOption", "presence_option"),
    ("message", "message.type", "message_type"),
    ("message", "message.readStatus", "read_status"),
    ("message", "message.messageStatus", "message_status"),
    ("message", "message.availability", "availability"),
]
DIRECTIONS = [("telephony", "telephonySession.parties.1.direction"), ("message", "message.direction")]


def read(family: str, place: str = "", value: object = None) -> WidgetEvent:
    """Read an event of the family, with another value at a place of it."""
    event = {"type": TYPES_OF[family], **deepcopy(EVENTS[family])}
    *path, name = place.split(".")
    holder = event
    for step in path:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if place:
        holder[name] = value
    found = read_event(event, KEY)
    assert isinstance(found, WidgetEvent)
    return found


@pytest.mark.parametrize("family", EVENTS)
def test_known_words_and_none_are_no_quirk(family: str) -> None:
    """What is told every day is not flagged, nor is what is left out."""
    assert read(family).quirks == []


@pytest.mark.parametrize(("family", "place", "field"), PLACES)
def test_an_unknown_word_is_kept_and_flagged(family: str, place: str, field: str) -> None:
    """A newer widget's word travels on as it came, and whoever reads the event sees that it is new."""
    found = read(family, place, NEW)
    assert found.quirks == [Quirk.UNKNOWN_VALUE]
    assert f"'{field}': '{NEW}'" in str(found.row)


@pytest.mark.parametrize(("family", "place"), DIRECTIONS)
def test_an_unknown_direction_is_flagged(family: str, place: str) -> None:
    """Our direction has no such word: it is UNKNOWN, and the flag says that something was told."""
    found = read(family, place, NEW)
    assert found.quirks == [Quirk.UNKNOWN_VALUE]
    assert "'direction': 'UNKNOWN'" in str(found.row)


def test_several_unknown_words_are_one_quirk() -> None:
    """Quirks stand once each."""
    party = {"direction": NEW, "status": {"code": NEW, "reason": NEW}}
    assert read("telephony", "telephonySession.parties", [party, party]).quirks == [Quirk.UNKNOWN_VALUE]


@pytest.mark.parametrize("code", ["VoiceMail", "Voicemail", "voicemail", "VMScreening", "VoiceMailScreening"])
def test_a_partys_words_are_known_in_any_spelling(code: str) -> None:
    """Sources differ in their capitals (SPEC 3.4)."""
    assert read("telephony", "telephonySession.parties.0.status", {"code": code}).quirks == []


@pytest.mark.parametrize("status", active_call.KINDS)
def test_an_active_calls_word_that_decides_something_is_known(status: str) -> None:
    """The domain knows no word that is flagged as unknown."""
    assert read("active call", "call.telephonyStatus", status).quirks == []


@pytest.mark.parametrize("code", telephony.KINDS)
def test_a_partys_word_that_decides_something_is_known(code: str) -> None:
    """The domain knows no word that is flagged as unknown."""
    assert read("telephony", "telephonySession.parties.0.status", {"code": code}).quirks == []
