"""The privacy policy: what it lets pass, what it turns into tokens, and that nothing else survives (CONTRACT 8)."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.envelope import read_posting, scrubbed
from streams.contracts.letters import refused
from streams.contracts.numbers import TOKEN, TokenKey
from streams.contracts.privacy import POLICY, RULES, SPECIAL, scrub
from streams.contracts.values import hashed
from streams.domain.postings import Rejection
from streams.domain.words import RejectReason
from tests.builders import KEY, Json
from tests.scenarios.book import ABSENT, FIXTURES

RAW = TokenKey(KEY.secret, raw=True)
NUMBER = "+14155550142"

TELLING: tuple[Any, ...] = (
    NUMBER, "14155550142", "101", "16505550100*101", "+16505550100*101", "+16505550100*", "*101", "*67", "anonymous",
    "conf_1", "/dialer", "/history/14155550142", "//a", "https://platform.example/restapi/v1.0/account/1", "https://[::1]/a",
    "https://a:b@[::1]:80/x", "sip:101@example.com", "https://someone:secret@example.com:99999/", "Inbound",
    "2026-03-02T09:00:00.000Z", "sha256:" + "0" * 64, "k1.AAAAAAAAAAAAAAAAAAAAAA", "Support - ", "", " ", 0, -1, 0.5,
    1_772_442_000_000, 2**53, 2**63, True, None,
)  # fmt: skip
FIELDS = (*POLICY, "name", "contactMatch", "token", "country", "kind")
LEAVES = st.one_of(
    st.sampled_from(TELLING),
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
)
MASKED = st.fixed_dictionaries({"token": LEAVES, "country": LEAVES, "kind": LEAVES | st.just("EXTERNAL")})
VALUES = st.recursive(
    LEAVES | MASKED,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=12)), inner, max_size=6)
    ),
    max_leaves=30,
)


def in_event(**fields: Any) -> Json:
    """Return what is left of the fields of a widget event."""
    return scrub({"event": fields}, KEY)["event"]  # type: ignore[no-any-return]  # scrubbing keeps objects objects


@given(VALUES, st.sampled_from([KEY, RAW]))
@settings(max_examples=1_000, deadline=None)
def test_whatever_is_scrubbed_is_json_and_scrubbing_again_changes_nothing(value: Any, key: TokenKey) -> None:
    """Any JSON gives JSON, and what is scrubbed already is valid input."""
    once = scrub(value, key)
    assert json.loads(json.dumps(once)) == once
    assert scrub(once, key) == once


@given(st.sampled_from(sorted(POLICY)), LEAVES | MASKED, st.sampled_from([KEY, RAW]))
@settings(max_examples=1_000, deadline=None)
def test_every_rule_takes_what_it_gave(name: str, value: Any, key: TokenKey) -> None:
    """No field changes when it is scrubbed again, wherever it stands."""
    for event in ({name: value}, {"call": {name: value}}, {"calls": [{name: value}]}, {"status": {name: value}}):
        once = scrub({name: value, "event": event}, key)
        assert scrub(once, key) == once


@pytest.mark.parametrize("depth", [13, 200, 1_000])
@pytest.mark.parametrize("name", ["from", "to", "event", "call", "parties"])
@pytest.mark.parametrize("listed", [False, True])
def test_what_is_nested_without_end_is_cut_off(name: str, depth: int, listed: bool) -> None:
    """Nesting costs no stack: the envelope is read, what lies too deep is not."""
    value: Any = {"phoneNumber": NUMBER}
    for _ in range(depth):
        value = [value] if listed else {name: value}
    once = scrub({"event": {"type": "x", name: value}}, KEY)
    assert once["event"]["type"] == "x"
    assert "phoneNumber" not in json.dumps(once)


def test_the_table_names_only_rules_that_exist() -> None:
    """A field with a misspelt rule would break every record that has it."""
    assert {*POLICY.values(), *SPECIAL.values()} <= set(RULES)
    assert "drop" not in RULES


@pytest.mark.parametrize(
    "field",
    [
        "contactMatch", "fromUserName", "toUserName", "fromName", "toName", "name", "voiceCallToken", "sipData",
        "mobilePickupData", "fromTag", "toTag", "deviceId", "location", "fileName", "receivedTransferFromName", "email",
        "contentUri", "myLocationNumber", "somethingNew", "__proto__", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [NUMBER, "Inbound", 7, True, {"id": 1}, [{"id": 1}]])
def test_a_field_that_the_table_does_not_name_is_dropped(field: str, value: object) -> None:
    """Unknown fields go, whatever they hold and wherever they stand."""
    assert field not in POLICY
    assert in_event(**{field: value}, call={field: value}, message={"from": {field: value}}) == {
        "call": {},
        "message": {"from": {}},
    }


@pytest.mark.parametrize("value", ["a" * 65, "x@example.com", "+1", {"a": 1}, ["Inbound"], 5, True])
def test_a_value_that_is_not_of_its_form_is_dropped(value: object) -> None:
    """A word field carries words; anything else in it is not looked at twice."""
    assert in_event(direction=value, creationTime="٢٠٢٦-٠٣-٠٢T٠٩:٠٠:٠٠Z") == {}


def test_bodies_leave_their_length_and_the_login_popup_that_it_was_there() -> None:
    """Of a message's text and of an OAuth address nothing can be read back."""
    left = in_event(oAuthUri="https://a.example/?state=s3cret", message={"subject": "I am ill, Jo", "id": 7})
    assert left == {"oAuthUri": True, "message": {"subject": 12, "id": 7}}


def test_sip_ids_are_hashed_without_a_key_and_rotation_keeps_the_join() -> None:
    """The same dialog is the same digest under every key."""
    call = {"id": "dialog;from-tag", "callId": "dialog"}
    old, new = (scrub({"event": {"call": call}}, TokenKey(bytes([i]) * 16, i)) for i in (1, 2))
    assert old == new == {"event": {"call": {"id": hashed("dialog;from-tag"), "callId": hashed("dialog")}}}


def test_a_number_is_a_token_of_its_key_and_extensions_stay_readable() -> None:
    """Outside numbers cannot be read or compared without the key; internal extension numbers are declared."""
    old, new = (scrub({"event": {"from": NUMBER, "to": "102"}}, TokenKey(bytes([i]) * 16, i))["event"] for i in (1, 2))
    assert old["from"]["token"].startswith("k1.")
    assert new["from"]["token"].startswith("k2.")
    assert old["from"]["token"][3:] != new["from"]["token"][3:]
    assert old["to"] == new["to"] == {"token": "102", "country": None, "kind": "EXTENSION"}


def test_raw_numbers_pass_only_where_they_were_asked_for() -> None:
    """The opt-in survives a second scrubbing; an installation without it turns what comes raw into tokens."""
    raw = scrub({"event": {"from": NUMBER}}, RAW)
    assert raw["event"]["from"]["token"] == NUMBER
    assert scrub(raw, RAW) == raw
    assert scrub(raw, KEY) == scrub({"event": {"from": NUMBER}}, KEY)
    assert scrub({"login_number": raw["event"]["from"]}, KEY) == scrub({"login_number": NUMBER}, KEY)


@pytest.mark.parametrize(
    ("login", "left"),
    [
        ("+16505550100*101", "+16505550100*101"),
        ("16505550100*101", "16505550100*101"),
        ("+16505550100*", "+16505550100*"),
        ("*101", "*101"),
        (None, None),
    ],
)
def test_login_numbers_stay_readable(login: object, left: object) -> None:
    """The extension key is declared; an incomplete one stays, to be named as such."""
    assert scrub({"login_number": login, "event": {"loginNumber": login}}, KEY) == {
        "login_number": left,
        "event": {"loginNumber": left},
    }


@pytest.mark.parametrize("login", [NUMBER, "Jo Doe", "jo@example.com", NUMBER + "*abc"])
def test_a_login_number_that_is_none_becomes_a_token(login: str) -> None:
    """Whoever logs in under a plain number or a name is not written down."""
    left = scrub({"login_number": login}, KEY)["login_number"]
    assert TOKEN.fullmatch(left["token"])


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("/", "/"),
        ("/dialer", "/dialer"),
        ("/history/Missed", "/history/Missed"),
        ("/calls/active/5551234567", "/calls/active"),
        ("/conversations/5551234567", "/conversations/:id"),
        ("/a123456/b", "/:id/b"),
        ("/conferenceCall/dialer/+14155550142/7", "/conferenceCall/dialer"),
        ("/transfer/+14155550142", "/transfer/:id"),
        ("/contacts?name=Jo", "/contacts"),
        ("/contacts#Jo", "/:id"),
    ],
)
def test_routes_are_two_segments_without_numbers(path: str, left: str) -> None:
    """A route tells which page was open, not with whom."""
    assert in_event(path=path) == {"path": left}
    assert in_event(path=left) == {"path": left}


@given(st.lists(st.text(max_size=20), max_size=5).map("/".join))
@settings(deadline=None)
def test_no_route_has_more_than_two_segments_or_six_digits(path: str) -> None:
    """Whatever the path is."""
    left = in_event(path="/" + path)["path"]
    assert re.fullmatch(r"(/[A-Za-z:][A-Za-z0-9_-]*){0,2}/?", left)
    assert not re.search(r"\d{6}", left)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("https://jo:secret@host.example:8443/account/1?access_token=t#f", "https://host.example/account/1"),
        ("https://HOST.example", "https://host.example"),
        ("https://[::1]:80/a", None),
        ("https://host.example/find/Jo Doe", None),
        ("https://host.example/call/+14155550142", None),
        ("https://host.example/x%40example.com", None),
        ("https://Jo Doe/x", None),
        ("tel:+14155550142", None),
        ("Jo Doe", None),
    ],
)
def test_addresses_are_cut_to_host_and_path(address: str, left: str | None) -> None:
    """No user, port, query or fragment; an address of another form, or with free text in it, is dropped."""
    assert in_event(uri=address) == ({} if left is None else {"uri": left})


@pytest.mark.parametrize(
    ("origin", "left"),
    [
        ("https://crm.example:8443/x?y", "https://crm.example:8443"),
        ("https://jo:secret@crm.example", "https://crm.example"),
        ("chrome-extension://abcdefghij", "chrome-extension://abcdefghij"),
        ("https://Jo Doe", None),
        ("https://[::1]:80", None),
        ("null", None),
    ],
)
def test_origins_are_scheme_host_and_port(origin: str, left: str | None) -> None:
    """A page is known by its origin only."""
    assert scrub({"page_origin": origin}, KEY) == ({} if left is None else {"page_origin": left})


@pytest.mark.parametrize(
    "value",
    [
        {"token": NUMBER, "country": "US", "kind": "EXTERNAL"},
        {"token": "k1." + "A" * 23, "country": None, "kind": "EXTERNAL"},
        {"token": "123456789", "country": None, "kind": "EXTENSION"},
        {"token": None, "country": None, "kind": "Jo"},
        {"token": None, "country": "Jo Doe", "kind": "UNKNOWN"},
        {"token": None, "country": None, "kind": ["Jo"]},
        {"token": {"name": "Jo"}, "country": None, "kind": "UNKNOWN"},
        {"token": None, "country": None, "kind": "UNKNOWN", "name": "Jo"},
    ],
)
def test_what_only_looks_like_a_token_does_not_pass(value: Json) -> None:
    """A forged token is no way around the policy."""
    text = json.dumps(in_event(**{"from": value, "phoneNumber": value}))
    assert "Jo" not in text
    assert NUMBER not in text
    assert "123456789" not in text


def fixtures() -> list[Any]:
    """Return every collected widget event; nothing where the book is absent."""
    files = sorted(FIXTURES.rglob("*.json")) if FIXTURES.is_dir() else []
    lines = [line for path in sorted(FIXTURES.rglob("*.jsonl")) for line in path.read_text().splitlines() if line]
    return [json.loads(text) for text in [*(path.read_text() for path in files), *lines]]


NUMBERS = {
    "from", "to", "fromNumber", "phoneNumber", "originalLocalNumber", "receivedTransferFromNumber", "senderNumber",
}  # fmt: skip
SECRETS = {
    "oAuthUri", "voiceCallToken", "fromTag", "toTag", "callId", "deviceId", "fromUserName", "toUserName", "fromName",
    "toName", "name", "callQueueName", "subject", "coverPageText", "fileName", "email", "location",
    "receivedTransferFromName", "contentUri", "firstName", "lastName", "remoteUri", "localUri",
}  # fmt: skip
WHOLE = {"contactMatch", "sipData", "mobilePickupData"}


def personal(value: Any, field: str = "") -> Iterator[str]:
    """Give what SPEC 8 says must never be stored: secrets, names, bodies, outside numbers."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner) if name in WHOLE else personal(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from personal(inner, field)
    elif isinstance(value, str) and (field in SECRETS or (field in NUMBERS and re.search(r"\d{9}", value))):
        yield value.strip()


def texts(value: Any) -> Iterator[str]:
    """Give every text in a value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value.strip()


def bytes_of(value: object) -> bytes:
    """Return the bytes of a dead letter."""
    assert isinstance(value, bytes)
    return value


def telling(secret: str) -> bool:
    """Tell whether finding it again proves a leak: long enough, and no word of the widget's own."""
    return len(secret) >= 5 and secret.lower() not in {"conference", "anonymous", "company", "personal", "contact"}


def survivors(event: Any, kept: str) -> set[str]:
    """Return what must not be stored of an event and is found in a text all the same.

    Login numbers are declared; ids are kept, also where the same text is a SIP tag or stands in a contact too.
    """
    without_keys = re.sub(r"\+?\d{5,15}\*\d{1,8}", "", kept)
    ids = re.findall(r'"(?:partyId|accountId|extensionId)": "([^"]+)"', json.dumps(event))
    return {found for found in personal(event) if telling(found) and found.lstrip("+") in without_keys} - {*ids}


@pytest.mark.skipif(not FIXTURES.is_dir(), reason=ABSENT)
def test_nothing_personal_of_the_collected_events_survives() -> None:
    """No secret, name, body or outside number is left in a scrubbed event, a dead letter or its detail."""
    events = fixtures()
    assert sum(len(set(personal(event))) for event in events) > 200
    for event in events:
        value = json.dumps({"event": event}).encode()
        posting, shown = read_posting(value, KEY), scrubbed(value, KEY)
        rejection = posting.rejection or Rejection(RejectReason.MISSING_EXTENSION, "")
        row = {"topic": "t", "partition": 0, "offset": 0}
        letter = refused(row, rejection, shown, None)
        kept = f"{shown} {posting.event} {letter['detail']} {json.loads(bytes_of(letter['value']))}"
        assert survivors(event, kept) == set()
        assert scrub(shown, KEY) == shown


@pytest.mark.skipif(not FIXTURES.is_dir(), reason=ABSENT)
def test_the_search_for_survivors_finds_what_was_not_scrubbed() -> None:
    """The same search over the events as they came finds something in most of them."""
    found = [event for event in fixtures() if survivors(event, json.dumps(event, ensure_ascii=False))]
    assert len(found) > 80


@pytest.mark.parametrize("value", ["Jo Doe " + NUMBER, {"name": "Jo Doe"}, [NUMBER], 14155550142])
@pytest.mark.parametrize(
    "event",
    [
        {"type": "rc-call-ring-notify", "call": {"id": "?", "direction": "?"}},
        {"type": "rc-call-end-notify", "call": {"id": "a", "direction": "Inbound", "endTime": "?"}},
        {"type": "rc-login-status-notify", "loggedIn": "?", "loginNumber": "?"},
        {"type": "rc-message-updated-notify", "message": {"id": "?", "type": "?", "subject": "?"}},
        {"type": "rc-telephony-session-notify", "telephonySession": {"id": "?", "parties": ["?"]}},
        {"type": "rc-route-changed-notify", "path": "?"},
        {"type": "rc-adapter-syncPresence", "telephonyStatus": "?", "userStatus": "?"},
        {"type": "?", "name": "?"},
    ],
)
def test_no_error_quotes_a_value(event: Json, value: object) -> None:
    """What is wrong is told by the names of fields."""
    text = json.dumps({"event": event, "session_id": "?", "captured_at": "?"}).replace('"?"', json.dumps(value))
    posting = read_posting(text.encode(), KEY)
    told = repr(posting.rejection)
    assert "Jo" not in told
    assert "4155550142" not in told
