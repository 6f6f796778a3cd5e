"""Widget events as posted and as scrubbed are read alike, and refused where their model says so (SPEC 3, 3.13)."""

import json
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.contracts.privacy import scrub_event
from streams.contracts.widget import KINDS, models, read_event
from streams.contracts.widget.others import CALLING_SETTINGS, calling_mode
from streams.domain.postings import Meaning, Rejection, WidgetEvent
from streams.domain.words import Quirk, RejectReason
from tests.builders import KEY, Json
from tests.garble import NASTY, TYPES

SIDE = {"phoneNumber": "+14155550142", "extensionId": "7", "name": "Jo Doe"}
WEB_PHONE: Json = {
    "id": "dialog-A-1", "direction": "Inbound", "callStatus": "webphone-session-onHold", "from": "+14155550142",
    "to": "+16505550100*101", "creationTime": 1_772_442_000_000, "startTime": 1_772_442_004_000.0, "endTime": None,
    "isOnHold": True, "isOnMute": False, "recordStatus": "webphone-record-idle", "callQueueName": "Support - ",
    "partyData": {"sessionId": "s-1", "partyId": "p-1"}, "warmTransferSessionId": "dialog-B-1",
}  # fmt: skip
ACTIVE: Json = {
    "sessionId": "4711", "direction": "Outbound", "telephonyStatus": "CallConnected", "terminationType": "final",
    "telephonySessionId": "s-1", "partyId": "p-1", "from": {"phoneNumber": "101"}, "to": SIDE, "offset": 0.6,
    "startTime": "2026-03-02T09:00:00.000Z", "queueCall": True,
    "uri": "https://platform.example/restapi/v1.0/account/1/extension/2/active-calls?token=1",
}  # fmt: skip
PARTY: Json = {
    "id": "p-1", "direction": "Inbound", "from": SIDE, "to": {"extensionNumber": "101"}, "extensionId": "7",
    "status": {"code": "Gone", "reason": "Pickup", "peerId": {"sessionId": "s-2", "partyId": "p-2"}},
    "missedCall": False, "muted": True, "park": {"id": "*801"}, "conferenceRole": "Host",
}  # fmt: skip
MESSAGE: Json = {
    "id": 5, "type": "SMS", "direction": "Inbound", "readStatus": "Unread", "messageStatus": "Received",
    "availability": "Alive", "creationTime": "2026-03-02T09:00:00Z", "from": SIDE, "to": [SIDE, {"name": "Jo"}, None],
    "subject": "Call me", "attachments": [{"id": 1}, 2], "conversation": {"id": 9},
    "uri": "https://platform.example/restapi/v1.0/account/1/extension/2/message-store/5",
}  # fmt: skip
EVENTS: tuple[Json, ...] = (
    {"type": "rc-call-hold-notify", "call": WEB_PHONE},
    {"type": "rc-call-end-notify", "call": {**WEB_PHONE, "endTime": 1_772_442_009_000}},
    {"type": "rc-call-mute-notify", "call": WEB_PHONE},
    {"type": "rc-active-call-notify", "call": ACTIVE},
    {"type": "rc-ringout-call-notify", "call": {**ACTIVE, "direction": "Inbound", "from": {"name": "Jo Doe"}}},
    {
        "type": "rc-telephony-session-notify",
        "telephonySession": {"id": "s-1", "parties": [PARTY, {}], "extensionId": 7, "origin": {"type": "Call"}},
    },
    {"type": "rc-adapter-syncPresence", "telephonyStatus": "Ringing", "userStatus": None, "dndStatus": "TakeAllCalls"},
    {"type": "rc-login-status-notify", "loggedIn": True, "loginNumber": "+16505550100*101"},
    {"type": "rc-login-popup-notify", "oAuthUri": "https://platform.example/authorize?state=secret"},
    {"type": "rc-message-updated-notify", "message": MESSAGE},
    {"type": "rc-route-changed-notify", "path": "/history/14155550142"},
    {"type": "rc-region-settings-notify", "countryCode": "US", "areaCode": "650"},
    {"type": "rc-dialer-status-notify", "ready": True},
    {"type": "rc-meeting-status-notify", "ready": True, "permission": False},
    {"type": "rc-webphone-sessions-sync", "calls": [{"id": "dialog-A-1"}]},
)
# As our parser gives them: no half of a surrogate pair, no whole number beyond 64 bits.
ODD = (
    *(orjson.loads(json.dumps(value)) for value in NASTY if value != "\ud800"), SIDE, [SIDE], 1.5, 2**40, "Inbound",
    "Upwards", {"token": "101", "country": None, "kind": "EXTENSION"},
)  # fmt: skip


@st.composite
def odd_events(draw: st.DrawFn) -> Json:
    """Give an event with up to three fields changed, taken away or put in, anywhere; or of another type."""
    event = deepcopy(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(0, 3))):
        holder, name = draw(st.sampled_from(places(event) or [({0: 0}, 0)]))
        if draw(st.booleans()):
            holder[name] = deepcopy(draw(st.sampled_from(ODD)))
        else:
            holder.pop(name)
    return {**event, "type": draw(st.sampled_from(TYPES))} if draw(st.integers(0, 9)) == 0 else event


def places(value: Any) -> list[tuple[Any, Any]]:
    """List every field of an event with the object or list that it stands in."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, name) for name in names] + [place for name in names for place in places(value[name])]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event["type"]))
def test_the_events_of_this_page_are_in_order(event: Json) -> None:
    """So the changed ones begin with something that is read, each family with a row."""
    read = read_event(event, KEY)
    assert isinstance(read, WidgetEvent)
    assert read.row


@given(odd_events())
@settings(max_examples=1_000, deadline=None)
def test_an_event_is_read_as_its_scrubbed_copy_is(event: Json) -> None:
    """The worker reads what the gateway scrubbed or what another collector posted: the same is seen."""
    assert read_event(event, KEY) == read_event(scrub_event(event, KEY), KEY)


@given(odd_events())
@settings(max_examples=1_000, deadline=None)
def test_refused_is_what_the_model_refuses(event: Json) -> None:
    """What must be there stands in the models; a translation that asks for more or less disagrees with them."""
    read, kind = read_event(event, KEY), KINDS.get(str(event.get("type")))
    if kind is None or (isinstance(read, WidgetEvent) and Quirk.TELEPHONY_SESSION_ABSENT in read.quirks):
        assert isinstance(read, WidgetEvent)
        return
    assert isinstance(read, Rejection) is not is_in_order(kind.model, event)


def is_in_order(model: type[models.Open], event: Json) -> bool:
    """Tell what the model says of the scrubbed event."""
    try:
        model.model_validate(scrub_event(event, KEY))
    except ValidationError:
        return False
    return True


def test_a_number_that_is_none_is_a_side_unknown_and_does_not_cost_the_event() -> None:
    """An object where a number should be is nobody's number; the next best one counts."""
    call = {**WEB_PHONE, "from": {"phoneNumber": {"type": "else"}, "extensionNumber": "101"}}
    read = read_event({"type": "rc-call-ring-notify", "call": call}, KEY)
    assert isinstance(read, WidgetEvent)
    assert isinstance(read.row, dict)
    assert read.row["remote"] == {"token": "101", "country": None, "kind": "EXTENSION"}
    assert read.meaning is Meaning.LIFE


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ({"type": "rc-call-ring-notify"}, "call: missing"),
        ({"type": "rc-call-ring-notify", "call": {"id": ""}}, "call.id: string_too_short; call.direction: missing"),
        ({"type": "rc-call-ring-notify", "call": {**WEB_PHONE, "direction": "Up"}}, "call.direction: literal_error"),
        ({"type": "rc-call-end-notify", "call": WEB_PHONE}, "call.endTime: int_type"),
        ({"type": "rc-call-mute-notify", "call": {**WEB_PHONE, "isOnMute": None}}, "call.isOnMute: bool_type"),
        ({"type": "rc-active-call-notify", "call": {**ACTIVE, "sessionId": 4711}}, "call.sessionId: string_type"),
        ({"type": "rc-telephony-session-notify", "telephonySession": {"id": "s", "parties": [None]}},
         "telephonySession.parties.0: model_type"),
        ({"type": "rc-adapter-syncPresence", "userStatus": None, "dndStatus": None}, "telephonyStatus: missing"),
        ({"type": "rc-login-status-notify", "loggedIn": 1}, "loggedIn: missing"),
        ({"type": "rc-message-updated-notify", "message": {"id": 5}}, "message: value_error"),
        ({"type": "rc-message-updated-notify", "message": {"id": None, "type": "SMS"}},
         "message.id.int: int_type; message.id.str: string_type"),
        ({"type": "rc-dialer-status-notify"}, "ready: missing"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_its_fault(event: Json, detail: str) -> None:
    """What SPEC 3.13 requires, one field after the other; never a value."""
    assert read_event(event, KEY) == Rejection(RejectReason.SCHEMA_VIOLATION, detail)


@pytest.mark.parametrize(
    "hostile", ["w" * 65, "web phone " * 1_000, "+14155550142", 5, ["webphone"], {"mode": "x"}, ""]
)
def test_a_calling_mode_is_a_short_word_or_none(hostile: object) -> None:
    """It is saved with the extension and every leg: what a page posts there must not grow what is remembered."""
    told = orjson.dumps({"callingMode": hostile}).decode()
    assert calling_mode(CALLING_SETTINGS, told) == ""
    posted = read_event({"type": CALLING_SETTINGS, "callingMode": hostile, "callWith": "browser"}, KEY)
    assert isinstance(posted, WidgetEvent)
    assert isinstance(posted.row, str)
    assert calling_mode(CALLING_SETTINGS, posted.row) == "browser"
    assert len(posted.row) < 100
