"""One record of the topic of widget events is read or refused, never raised (CONTRACT 3, DECISIONS 21, 44)."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.contracts.envelope import MAX_BYTES, read_posting, scrubbed
from streams.domain.postings import Meaning, Posting
from streams.domain.words import EventType, RejectReason
from tests.builders import KEY, LOGIN, T0, Tab, a_uuid

ROUTE = {"type": "rc-route-changed-notify", "path": "/dialer"}


def read(value: object) -> Posting:
    """Read a value that is no bytes yet."""
    return read_posting(json.dumps(value).encode(), KEY)


def reason(posting: Posting) -> RejectReason | None:
    """Return why it is refused."""
    return None if posting.rejection is None else posting.rejection.reason


def test_an_envelope_is_read_field_by_field() -> None:
    """What the collector stamped arrives as it was."""
    tab = Tab()
    posting = read({**tab.route(0), "account_id": "1", "extension_id": 7, "replayed": True})
    assert posting.rejection is None
    assert (posting.session_id, posting.event_id, posting.sequence) == (tab.session_id, a_uuid("A", 1), 1)
    assert (posting.captured_at, posting.sent_at, posting.received_at) == (T0, T0, T0 + 40)
    assert (posting.login_number, posting.account_id, posting.extension_id) == (LOGIN, "1", "7")
    assert (posting.replayed, posting.verified) == (True, False)
    assert posting.type is EventType.RC_ROUTE_CHANGED_NOTIFY


@pytest.mark.parametrize(
    "value", [None, b"", b" ", b"{no", b"\xff\xfe", b'{"event": {}} x', b"NaN", b"[" * 5_000, b'"\xed\xa0\x80"']
)
def test_what_is_no_json_is_bad_json(value: bytes | None) -> None:
    """Nothing is kept of it."""
    posting = read_posting(value, KEY)
    assert reason(posting) is RejectReason.BAD_JSON
    assert scrubbed(value, KEY) is None


@pytest.mark.parametrize("value", [1, "x", None, True, [], [{"event": ROUTE}], {}, {"event": None}, {"event": [ROUTE]}])
def test_json_without_an_event_is_a_bad_envelope(value: object) -> None:
    """JSON that is no object, or `event` missing or no object."""
    assert reason(read(value)) is RejectReason.BAD_ENVELOPE


def test_what_is_kept_of_a_bad_envelope_is_scrubbed() -> None:
    """Its dead letter shows what was recognised, no more."""
    told = {"event": "call +14155550142", "login_number": LOGIN, "note": "Jo Doe"}
    assert scrubbed(json.dumps(told).encode(), KEY) == {"login_number": LOGIN}


def test_one_byte_decides_what_is_too_large() -> None:
    """256 KiB are taken, one more is not; the reason names no value."""
    envelope = {**Tab().route(0), "padding": ""}
    room = MAX_BYTES - len(json.dumps(envelope).encode())
    assert read({**envelope, "padding": "x" * room}).rejection is None
    posting = read({**envelope, "padding": "x" * (room + 1)})
    assert reason(posting) is RejectReason.TOO_LARGE
    assert posting.session_id is not None


@pytest.mark.parametrize("event", [{"type": "rc-call-ring-notify"}, {"type": "rc-dialer-status-notify", "ready": "x"}])
def test_an_event_without_what_it_must_have_violates_its_schema(event: object) -> None:
    """SPEC 3.13; its type is told all the same."""
    posting = read({"event": event})
    assert reason(posting) is RejectReason.SCHEMA_VIOLATION
    assert posting.type is not EventType.OTHER


@pytest.mark.parametrize(
    "event", [{}, {"type": None}, {"type": 5}, {"type": "else"}, {"type": "rc-telephony-session-notify"}]
)
def test_what_is_not_for_us_is_foreign_and_not_refused(event: object) -> None:
    """The page hears other frames too (SPEC 1.1)."""
    posting = read({"event": event})
    assert posting.rejection is None
    assert posting.event is not None
    assert posting.event.meaning is Meaning.FOREIGN


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("event_id", 5), ("event_id", {}), ("session_id", 5), ("session_id", ""), ("sequence", "1"), ("sequence", 0),
        ("sequence", -1), ("sequence", 1.5), ("sequence", 2**53), ("captured_at", "now"), ("captured_at", -1),
        ("captured_at", 10**16), ("sent_at", []), ("received_at", {}), ("verified", "yes"), ("replayed", 1),
        ("account_id", [1]), ("extension_id", True), ("login_number", 5),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_is_as_good_as_absent(field: str, wrong: object) -> None:
    """The event itself is what must not be lost."""
    envelope = {**Tab().route(0), "account_id": "1", "extension_id": "7"}
    without = {name: value for name, value in envelope.items() if name != field}
    posting, absent = read({**envelope, field: wrong}), read(without)
    assert posting.rejection is None
    assert posting == absent


def test_only_an_event_is_needed() -> None:
    """Other collectors and hand-made records are tolerated (CONTRACT 3)."""
    posting = read({"event": ROUTE})
    assert posting.rejection is None
    assert (posting.session_id, posting.sequence, posting.captured_at, posting.login_number) == (None, None, None, None)


def test_a_session_id_that_is_no_uuid_is_hashed() -> None:
    """A collector may take a login for it."""
    posting = read({"event": ROUTE, "session_id": "jo@example.com"})
    assert posting.session_id is not None
    assert posting.session_id.startswith("sha256:")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def mutated(envelope: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return envelopes with some fields replaced by anything."""
    event = st.dictionaries(st.sampled_from(["type", "call", "path", "loggedIn", "message"]), JSON_VALUES, max_size=4)
    changes = st.dictionaries(st.sampled_from(sorted(envelope)), JSON_VALUES, max_size=4)
    return st.builds(
        lambda change, inner: {**envelope, "event": {**envelope["event"], **inner}, **change}, changes, event
    )


@given(st.binary(max_size=60) | mutated(Tab().call().ring(0)).map(lambda value: json.dumps(value).encode()))
@example(b'{"event":{"from":{"token":null,"country":null,"kind":[]}}}')
@example(b'{"event":' + b'{"from":' * 1_000 + b"1" + b"}" * 1_001)
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_an_event_or_a_rejection(value: bytes) -> None:
    """Exactly one of them, and never an exception."""
    posting = read_posting(value, KEY)
    assert (posting.event is None) == (posting.rejection is not None)
