"""The intake: every envelope is taken scrubbed and stamped, or refused with a code of its own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streams.collector
from streams.contracts.envelope import MAX_BYTES, read_posting, scrubbed
from streams.contracts.numbers import TokenKey
from streams.contracts.privacy import scrub
from streams.gateway.answers import Code, EventCode, accepted, declined
from streams.gateway.drops import DROP_REASONS
from streams.gateway.identity import Identity
from streams.gateway.intake import Batch, Judged, Rules, judge, read_batch, verdict
from streams.gateway.limits import Limits
from tests.builders import KEY, LOGIN, Tab, a_uuid

NOW = 1_772_442_000_500
OTHER = "+16505550100*102"


def rules(
    identity: Identity | None = None, *, required: bool = False, burst: float = 1_000, key: TokenKey = KEY
) -> Rules:
    limits = Limits(1.0, burst)
    return Rules(key, NOW, identity, required, lambda session_id: limits.session(session_id, 0.0))


def batch(*events: object, sent_at: int | None = None) -> Batch:
    read = read_batch(orjson.dumps({"key": "k", "sent_at": sent_at, "events": list(events)}), 500)
    assert isinstance(read, Batch)
    return read


def judged(*events: object, sent_at: int | None = None, **given_rules: Any) -> Judged:
    return judge(batch(*events, sent_at=sent_at), rules(**given_rules))


def written(result: Judged) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in result.records]


def a_ring(tab: Tab | None = None, **changes: Any) -> dict[str, Any]:
    return {**(tab or Tab()).call().ring(0), **changes}


def test_an_envelope_is_stamped_and_keyed_by_its_session() -> None:
    """received_at is the server's, sent_at the try's, verified never the collector's own word."""
    envelope = a_ring(received_at=1, verified=True, sent_at=2)
    result = judged(envelope, sent_at=NOW - 7)
    (record,) = result.records
    assert record.key == envelope["session_id"]
    assert {name: written(result)[0][name] for name in ("received_at", "sent_at", "verified")} == {
        "received_at": NOW,
        "sent_at": NOW - 7,
        "verified": False,
    }
    assert written(judged(envelope))[0]["sent_at"] == 2


def test_it_is_scrubbed_before_it_is_written() -> None:
    """Numbers are tokens, SIP ids hashes, and what the policy does not name is gone."""
    envelope = a_ring(Tab(), extra="someone@example.com")
    envelope["event"]["call"].update(callId="sip-call-id", fromUserName="Some Body")
    (record,) = judged(envelope).records
    text = record.value.decode()
    assert not any(secret in text for secret in ("4155550142", "sip-call-id", "Some Body", "someone", "dialog-A-1"))
    assert json.loads(text)["event"]["call"]["from"]["country"] == "US"


def test_the_worker_reads_what_was_written() -> None:
    """Scrubbing again changes nothing, and the envelope is one for the worker."""
    (record,) = judged(a_ring()).records
    posting = read_posting(record.value, KEY)
    assert posting.rejection is None
    assert scrubbed(record.value, KEY) == json.loads(record.value)
    assert (posting.received_at, posting.login_number) == (NOW, LOGIN)


def test_what_is_no_envelope_is_named_with_its_place() -> None:
    """The others are taken."""
    result = judged(5, a_ring(), {"event": "text"}, {}, None, [])
    assert len(result.records) == 1
    assert [(refusal.position, refusal.code) for refusal in result.refused] == [
        (place, EventCode.BAD_ENVELOPE) for place in (0, 2, 3, 4, 5)
    ]


def test_an_odd_event_is_taken() -> None:
    """What the widget posted is for the worker to judge: a dead letter can be looked at, a refusal cannot."""
    result = judged({"event": {"type": "rc-call-end-notify", "call": {}}}, {"event": {}})
    assert (len(result.records), result.refused) == (2, [])
    assert [record.key for record in result.records] == [None, None]


def test_too_large_is_refused_as_sent_and_as_written() -> None:
    """256 KiB are the limit, and tokens are longer than the numbers that they stand for."""
    fits = {"event": {"type": "x", "parties": []}, "session_id": a_uuid("s")}
    long_as_sent = {**fits, "extra": "x" * MAX_BYTES}
    long_as_written = {**fits, "event": {"type": "x", "parties": [{"from": f"+1415555{n:04}"} for n in range(7_000)]}}
    assert len(orjson.dumps(long_as_written)) < MAX_BYTES
    result = judged(fits, long_as_sent, long_as_written)
    assert [(refusal.position, refusal.code) for refusal in result.refused] == [
        (1, EventCode.TOO_LARGE),
        (2, EventCode.TOO_LARGE),
    ]


def test_a_token_vouches_for_its_user() -> None:
    """Identity comes from the token, and is verified."""
    identity = Identity(LOGIN, "400", "101")
    envelope = Tab(login=None).presence(0)
    (told,) = written(judged(envelope, identity=identity))
    assert (told["login_number"], told["account_id"], told["extension_id"], told["verified"]) == (
        LOGIN,
        "400",
        "101",
        True,
    )


@pytest.mark.parametrize(
    "said",
    [
        {"login_number": OTHER},
        {"account_id": "7"},
        {"extension_id": 7},
        {"event": {"type": "rc-login-status-notify", "loggedIn": True, "loginNumber": OTHER}},
        {"login_number": "+16505550123"},
    ],
)
def test_a_token_does_not_vouch_for_somebody_else(said: dict[str, Any]) -> None:
    """What an earlier user left in the browser keeps its own word, or is refused where only tokens count."""
    identity = Identity(LOGIN, "400", "101")
    envelope = {**Tab().presence(0), **said}
    (told,) = written(judged(envelope, identity=identity))
    assert told["verified"] is False
    assert told.get("login_number") != LOGIN or "login_number" not in said
    (refusal,) = judged(envelope, identity=identity, required=True).refused
    assert refusal.code is EventCode.IDENTITY_MISMATCH


@pytest.mark.parametrize("said", [LOGIN, LOGIN[1:], "*101", None])
def test_the_same_user_in_other_words_is_the_same(said: str | None) -> None:
    """A plus more or less, or a number that names nobody, contradicts nothing."""
    envelope = {**Tab(login=None).presence(0), "login_number": said}
    (told,) = written(judged(envelope, identity=Identity(LOGIN)))
    assert (told["login_number"], told["verified"]) == (LOGIN, True)


def test_a_page_load_that_sends_too_much_waits_in_its_order() -> None:
    """Once one of its events is refused, so are the later ones; other page loads go on."""
    busy, calm = Tab("busy"), Tab("calm")
    result = judged(*[busy.route(at) for at in range(4)], calm.route(0), burst=2)
    assert [(refusal.position, refusal.code) for refusal in result.refused] == [
        (2, EventCode.SESSION_RATE_LIMITED),
        (3, EventCode.SESSION_RATE_LIMITED),
    ]
    assert [record.key for record in result.records] == [busy.session_id, busy.session_id, calm.session_id]


def test_what_the_collector_gave_up_is_told_and_not_written() -> None:
    """By reason, in the first envelope of a batch; what is no such count says nothing."""
    dropped = {"overflow": 3, "expired": True, "refused": -1, "too_large": 10**9, "unreadable": "2", "hacked": 4}
    result = judged(a_ring(dropped=dropped), a_ring(dropped={"expired": 1}))
    assert result.dropped == {"overflow": 3}
    assert not any("dropped" in told for told in written(result))
    assert all(judged(envelope).dropped == {} for envelope in (5, a_ring(), a_ring(dropped=["overflow"])))


def test_the_reasons_are_those_of_the_collector() -> None:
    """A reason that only one of the two knows would not be counted."""
    source = (Path(streams.collector.__file__).parent / "src" / "tally.ts").read_text(encoding="utf-8")
    (union,) = re.findall(r"type Reason = ([^;]+);", source)
    assert tuple(re.findall(r'"(\w+)"', union)) == DROP_REASONS


def test_the_answer_to_nothing_taken_says_whether_to_come_again() -> None:
    """One event that may be sent again makes the whole request one."""
    assert verdict(judged(1).refused) is Code.NOTHING_ACCEPTED
    assert verdict(judged(1, Tab().route(0), burst=0).refused) is Code.RATE_LIMITED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.BAD_JSON),
        (b"\xff\xfe{}", Code.BAD_JSON),
        (b'{"key":"k","events":[NaN]}', Code.BAD_JSON),
        (b"[" * 100_000, Code.BAD_JSON),
        (b"[]", Code.BAD_REQUEST),
        (b'{"key":"k"}', Code.BAD_REQUEST),
        (b'{"key":"k","events":[]}', Code.BAD_REQUEST),
        (b'{"key":5,"events":[{}]}', Code.BAD_REQUEST),
        (b'{"key":"k","events":{}}', Code.BAD_REQUEST),
        (b'{"key":"k","token":5,"events":[{}]}', Code.TOKEN_INVALID),
        (b'{"key":"k","events":[1,2,3]}', Code.TOO_MANY_EVENTS),
    ],
)
def test_a_body_that_is_no_batch(body: bytes, code: Code) -> None:
    """Each kind of wrongness has its code."""
    assert read_batch(body, 2) is code


@pytest.mark.parametrize("sent_at", ["5", -1, 5.5, True, None, 10**17])
def test_a_clock_that_says_nothing_is_left_out(sent_at: object) -> None:
    """The envelope's own sent_at stays."""
    read = read_batch(orjson.dumps({"key": "k", "sent_at": sent_at, "events": [{}]}), 5)
    assert isinstance(read, Batch)
    assert read.sent_at is None


def test_answers_name_each_refused_event() -> None:
    """Place, code, sentence, and whether to send it again."""
    told = json.loads(accepted(1, judged(1, a_ring()).refused))
    assert told == {
        "accepted": 1,
        "refused": [
            {"index": 0, "code": "BAD_ENVELOPE", "message": EventCode.BAD_ENVELOPE.value.message, "retry": False}
        ],
    }
    assert json.loads(accepted(3)) == {"accepted": 3, "refused": []}
    assert json.loads(declined(Code.BUSY)) == {
        "accepted": 0,
        "refused": [],
        "code": "BUSY",
        "message": Code.BUSY.value.message,
        "retry": True,
    }


# Any JSON -----------------------------------------------------------------------------------------------------------

SECRET = "Zz9Secret"
NAMES = st.sampled_from(
    ["event", "session_id", "event_id", "login_number", "type", "call", "from", "to", "id", "captured_at", "verified"]
) | st.sampled_from(
    ["parties", "uri", "path", "subject", "callQueueName", "telephonySession", "loginNumber", "sequence", "account_id"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace").decode()),
    st.just(SECRET + " +14155550142"),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
ENVELOPES = st.dictionaries(NAMES, JSON, max_size=8) | JSON
IDENTITIES = st.sampled_from([None, Identity(LOGIN), Identity(LOGIN, "400", "101")])


@given(st.lists(ENVELOPES, min_size=1, max_size=6), IDENTITIES, st.booleans())
def test_any_envelope_is_taken_or_refused_and_nothing_of_it_leaks(
    events: list[Any], identity: Identity | None, required: bool
) -> None:
    """Each event ends once; what is written is scrubbed, verified only by the token, and never an exception."""
    result = judged(*events, identity=identity, required=required)
    assert len(result.records) + len(result.refused) == len(events)
    for record in result.records:
        told = json.loads(record.value)
        assert scrub(told, KEY) == told
        assert SECRET not in record.value.decode()
        assert told["received_at"] == NOW
        assert told["verified"] is False or told["login_number"] == LOGIN
        assert scrubbed(record.value, KEY) == told
    assert SECRET.encode() not in declined(Code.NOTHING_ACCEPTED, result.refused) + accepted(1, result.refused)


@given(st.binary(max_size=200) | JSON.map(orjson.dumps))
def test_any_body_is_a_batch_or_a_code(body: bytes) -> None:
    """Never an exception."""
    assert isinstance(read_batch(body, 500), Batch | Code)


def test_the_check_above_can_complain() -> None:
    """A policy that lets a field through would be noticed."""
    leaky: Callable[[Any], bytes] = orjson.dumps
    assert SECRET.encode() in leaky({"subject": SECRET})
