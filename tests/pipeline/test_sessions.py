"""The sessions stage: every envelope is admitted, repeated, ignored or refused, and audited (CONTRACT 2 to 5)."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.domain.words import Outcome
from streams.pipeline.records import Folded, Mark, Read
from streams.pipeline.sessions import MAX_KEPT_WAITING, SessionsPartition, SessionsStage
from tests.builders import HOUR, LOGIN, T0, Call, Json, Row, Tab, a_plan, a_read, a_uuid, reads, rows_of
from tests.stories import Envelope, stories

TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
OTHER = "+16505550100*102"


def a_stage(**plan: Any) -> SessionsPartition:
    """Return a partition of the stage without state."""
    return SessionsPartition(a_plan(**plan), 0, {})


def written(folded: Folded) -> list[Row]:
    """Return the rows of what was written."""
    return rows_of(folded.outputs)


def of(rows: list[Row], record: str) -> list[Json]:
    """Return the rows of a record."""
    return [row.row for row in rows if row.record == record and row.row is not None]


def outcomes(folded: Folded) -> Counter[str]:
    """Count outcomes; what is admitted gets its own from the next stage."""
    found: Counter[str] = Counter()
    for (_, outcome), number in folded.tally.outcomes.items():
        found[outcome] += number
    return found


def test_an_admitted_event_is_identified_timed_and_placed() -> None:
    """CONTRACT 2: what the next stage and every reader rely on."""
    tab = Tab(skew_ms=7_000)
    (row,) = of(written(a_stage().fold([a_read(tab.route(0), 70)])), "EnrichedEvent")
    assert row["extension_key"] == LOGIN
    assert (row["type"], row["identity"]) == ("RC_ROUTE_CHANGED_NOTIFY", "ENVELOPE")
    assert (row["event_time"], row["received_at"], row["captured_at"]) == (T0 + 40, T0 + 40, T0 + 7_000)
    assert row["skew_ms"] == 40 - 7_000
    assert row["input"] == {"topic": "widget.events.v1", "partition": 0, "offset": 70}


def test_events_wait_for_the_login_and_are_released_in_their_order_before_it() -> None:
    """DECISIONS 23; they keep their own event times."""
    tab, stage = Tab(login=None), a_stage()
    waiting = stage.fold(reads([tab.presence(0), tab.route(1_000)]))
    assert waiting.outputs == []
    rows = of(written(stage.fold([a_read(tab.logs_in(20_000), 2)])), "EnrichedEvent")
    assert [row["type"] for row in rows] == [
        "RC_ADAPTER_SYNC_PRESENCE",
        "RC_ROUTE_CHANGED_NOTIFY",
        "RC_LOGIN_STATUS_NOTIFY",
    ]
    assert [row["event_time"] for row in rows] == [T0 + 40, T0 + 1_040, T0 + 20_040]
    assert {row["extension_key"] for row in rows} == {LOGIN}
    assert [row["identity"] for row in rows] == ["SESSION"] * 3


@pytest.mark.parametrize(("waited", "given_up"), [(29_999, 0), (30_000, 1)])
def test_a_wait_ends_with_stream_time(waited: int, given_up: int) -> None:
    """Its own arrival plus `identity_wait`; another page load's news lets time pass."""
    stage, tab = a_stage(), Tab("A", login=None)
    stage.fold([a_read(tab.presence(0))])
    folded = stage.fold([a_read(Tab("B").route(waited), 1)])
    assert folded.tally.dead_letters == Counter({"MISSING_EXTENSION": given_up} if given_up else {})


def test_the_wait_is_a_setting() -> None:
    """In stream time."""
    stage, tab = a_stage(identity_wait_ms=1_000), Tab("A", login=None)
    stage.fold([a_read(tab.presence(0))])
    assert stage.mark(T0 + 1_039, 1) is not None
    folded = stage.mark(T0 + 1_040, 1)
    assert folded is not None
    assert folded.tally.dead_letters == {"MISSING_EXTENSION": 1}


def test_what_waited_in_vain_is_shown_scrubbed_with_its_place() -> None:
    """And what means nothing without a user is only counted (DECISIONS 20)."""
    stage, tab = a_stage(), Tab(login=None)
    call = tab.call().ring(0)
    stage.fold(reads([call, tab.route(0)]))
    folded = stage.mark(T0 + HOUR, 2)
    assert folded is not None
    (letter,) = of(written(folded), "DeadLetter")
    assert (letter["reason"], letter["offset"], letter["key"]) == ("MISSING_EXTENSION", 0, tab.session_id)
    kept = json.loads(letter["value"])
    assert kept["event"]["call"]["from"]["token"].startswith("k1.")
    assert "4155550142" not in letter["value"].decode()
    assert outcomes(folded) == {Outcome.DEAD_LETTER: 1, Outcome.IGNORED: 1}


def test_of_a_large_one_only_the_digest_waits() -> None:
    """The saved state of a page load stays small (DECISIONS 22: the original is in Kafka for 7 days)."""
    stage, tab = a_stage(), Tab(login=None)
    presence = tab.presence(0)
    stage.fold([a_read({**presence, "event": {**presence["event"], "calls": [{"id": "x" * 40}] * 2_000}})])
    folded = stage.mark(T0 + HOUR, 1)
    assert folded is not None
    (letter,) = of(written(folded), "DeadLetter")
    assert letter["value"] is None
    assert letter["value_bytes"] > MAX_KEPT_WAITING
    assert len(letter["value_sha256"]) == 64


def test_a_repeat_is_counted_and_not_written() -> None:
    """Delivered twice by a collector that had no answer."""
    post = a_read(Tab().route(0))
    folded = a_stage().fold([post, post._replace(offset=1)])
    assert len(folded.outputs) == 1
    assert outcomes(folded) == {Outcome.DUPLICATE: 1}
    assert folded.tally.received == {"RC_ROUTE_CHANGED_NOTIFY": 2}


def test_a_hole_is_told_with_the_event_behind_it() -> None:
    """The next stage marks calls by it (DECISIONS 57); a late arrival brings its own number."""
    tab = Tab()
    first, late, third = tab.route(0), tab.route(1), tab.route(2)
    folded = a_stage().fold(reads([first, third, late]))
    rows = of(written(folded), "EnrichedEvent")
    assert [(row["sequence"], row["missing_before"]) for row in rows] == [(1, 0), (3, 1), (2, 0)]
    assert folded.tally.gaps == 1


def test_an_audit_counts_what_became_of_a_page_load() -> None:
    """Cumulative, at most one a minute, and once more when a hole becomes a loss (DECISIONS 40)."""
    stage, tab = a_stage(), Tab()
    first = tab.route(0)
    tab.lose(2)
    stage.fold(
        reads([first, first, tab.route(30_000), tab.say("else", 31_000), tab.say("rc-dialer-status-notify", 32_000)])
    )
    folded = stage.mark(T0 + 60_040, 5)
    assert folded is not None
    (audit,) = of(written(folded), "SessionAudit")
    counts = ("received", "admitted", "duplicate", "ignored", "dead_letter", "lost", "unsequenced")
    assert {name: audit[name] for name in counts} == {
        "received": 5, "admitted": 2, "duplicate": 1, "ignored": 1, "dead_letter": 1, "lost": 0, "unsequenced": 0,
    }  # fmt: skip
    assert (audit["first_sequence"], audit["last_sequence"], audit["skew_ms"]) == (1, 6, 40)
    later = stage.mark(T0 + 200_000, 5)
    assert later is not None
    (audit,) = of(written(later), "SessionAudit")
    assert (audit["lost"], later.tally.lost) == (2, 2)
    quiet = stage.mark(T0 + 900_000, 5)
    assert quiet is not None
    assert quiet.outputs == []


def test_a_wait_that_ends_brings_no_audit_forward() -> None:
    """At most one a minute, whatever happens meanwhile."""
    stage = a_stage(identity_wait_ms=1_000)
    stage.fold([a_read(Tab(login=None).presence(0))])
    early, later = stage.mark(T0 + 60_039, 1), stage.mark(T0 + 60_040, 1)
    assert early is not None
    assert later is not None
    assert [row.record for row in written(early)] == ["DeadLetter"]
    assert [row.record for row in written(later)] == ["SessionAudit"]


@pytest.mark.parametrize("ends", [False, True])
def test_what_is_given_up_after_an_audit_is_audited_again(ends: bool) -> None:
    """The last row of a page load counts, so it must know of everything."""
    stage, tab = a_stage(identity_wait_ms=90_000), Tab(login=None)
    stage.fold([a_read(tab.presence(0))])
    folded = stage.mark(T0 + 60_040, 1)
    assert folded is not None
    (audit,) = of(written(folded), "SessionAudit")
    assert (audit["received"], audit["dead_letter"]) == (1, 0)
    later = stage.finish() if ends else stage.mark(T0 + HOUR, 1)
    assert later is not None
    (audit,) = of(written(later), "SessionAudit")
    assert (audit["received"], audit["dead_letter"]) == (1, 1)


def test_records_without_a_page_load_are_audited_together() -> None:
    """Under `-`, and nothing of one is remembered for the next (DECISIONS 45)."""
    stage = a_stage()
    event = {"type": "rc-route-changed-notify", "path": "/dialer"}
    stage.fold(
        [
            a_read({"event": event, "received_at": T0}),
            a_read({"event": event, "login_number": LOGIN}, 1),
            a_read(b"{", 2),
        ]
    )
    rows = written(stage.finish())
    (audit,) = of(rows, "SessionAudit")
    assert audit["session_id"] == "-"
    assert (audit["received"], audit["ignored"], audit["admitted"], audit["dead_letter"]) == (3, 1, 1, 1)
    assert audit["extension_key"] is None


@pytest.mark.parametrize(
    ("off", "quirks", "received_at"), [(60_000, [], 40), (60_001, ["RECEIVED_AT_DOUBTFUL"], 60_041)]
)
def test_a_gateway_clock_that_is_off_is_not_believed(off: int, quirks: list[str], received_at: int) -> None:
    """More than a minute off Kafka's time stamp; then that counts (CONTRACT 3)."""
    (row,) = of(written(a_stage().fold([a_read(Tab().route(0))._replace(timestamp=T0 + 40 + off)])), "EnrichedEvent")
    assert (row["quirks"], row["received_at"]) == (quirks, T0 + received_at)


def created(call: Call, at: int) -> Call:
    """Let a server say that a call began at an instant."""
    call.created = at - T0
    return call


DAY = 24 * HOUR
FAST = 3_600_000
"""How far the browser's clock is ahead."""


@pytest.mark.parametrize(
    ("post", "quirks"),
    [
        (lambda call: call.says("ring", 0, creationTime=T0 + FAST - DAY), []),
        (lambda call: call.says("ring", 0, creationTime=T0 + FAST - DAY - 1), ["ABSURD_INSTANT"]),
        (lambda call: call.says("start", 0, startTime=T0 + FAST + DAY + 1), ["ABSURD_INSTANT"]),
        (lambda call: call.says("end", 0, endTime=T0 + FAST + DAY + 1), ["ABSURD_INSTANT"]),
        (lambda call: call.active("Ringing", 0, startTime=T0 + 40 - DAY), []),
        (lambda call: call.active("Ringing", 0, startTime=T0 + 40 - DAY - 1), ["ABSURD_INSTANT"]),
        (lambda call: created(call, T0 + 40 + DAY + 1).telephony("Setup", 0), ["ABSURD_INSTANT"]),
        (lambda call: call.tab.message(0, changed=-3 * DAY), []),
    ],
)
def test_an_instant_that_nobody_believes_is_noted(post: Callable[[Call], Json], quirks: list[str]) -> None:
    """More than 24 h off its post, on the clock that read it: the browser's or a server's (DECISIONS 56)."""
    tab = Tab(skew_ms=FAST)
    (row,) = of(written(a_stage().fold([a_read(post(tab.call()))])), "EnrichedEvent")
    assert row["quirks"] == quirks


def test_stream_time_never_goes_back() -> None:
    """An older arrival is taken, and time stays where it was."""
    stage = a_stage()
    stage.fold(reads([Tab("A").route(50_000), Tab("B").route(0)]))
    assert stage.stream_time == T0 + 50_040
    assert stage.mark(T0, 2) == Folded(mark=Mark(0, T0 + 50_040, 2))


def test_before_anything_was_read_there_is_no_mark() -> None:
    """Unless somebody says what time it is."""
    stage = a_stage()
    assert stage.mark(None, 0) is None
    folded = stage.mark(T0, 0)
    assert folded is not None
    assert folded.mark == Mark(0, T0, 0)
    assert not folded.urgent


def test_marks_alone_ask_for_no_commit_and_events_do() -> None:
    """An idle cluster stays idle (ENGINE 2.12)."""
    stage = a_stage()
    assert stage.fold([a_read(Tab().route(0))]).urgent
    folded = stage.mark(T0 + 1_000, 1)
    assert folded is not None
    assert not folded.urgent


def test_a_page_load_is_forgotten_after_25_silent_hours() -> None:
    """Its state goes; so does its memory of repeats."""
    stage, tab = a_stage(), Tab("A")
    stage.fold([a_read(tab.route(0))])
    kept = len(stage.store)
    folded = stage.mark(T0 + 40 + 25 * HOUR, 1)
    assert folded is not None
    assert None in folded.changes.values()
    assert len(stage.store) == kept - 1


def test_a_trace_is_handed_on_with_its_event() -> None:
    """From the header of the input to that of the output, for dead letters too."""
    good, bad = a_read(Tab().route(0), headers=[TRACE, ("cookie", b"x")]), a_read(b"{", headers=[TRACE])
    for record in (good, bad):
        (output,) = a_stage().fold([record]).outputs
        assert TRACE in output.headers
        assert "cookie" not in dict(output.headers)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "BAD_JSON"),
        (b"[]", "BAD_ENVELOPE"),
        ({"event": {"type": "rc-dialer-status-notify"}}, "SCHEMA_VIOLATION"),
        ({**Tab().route(0), "padding": "x" * 262_144}, "TOO_LARGE"),
        (Tab().post({"type": "rc-route-changed-notify", "path": "/"}, -25 * HOUR, sent=0), "TOO_LATE"),
        ({**Tab(login=None).presence(0), "session_id": None}, "MISSING_EXTENSION"),
    ],
)
def test_every_refusal_has_its_reason_and_its_place(value: Json | bytes, reason: str) -> None:
    """The closed list of DECISIONS 21, as far as the input alone decides."""
    folded = a_stage().fold([a_read(value, 7)])
    (letter,) = of(written(folded), "DeadLetter")
    assert (letter["reason"], letter["offset"], letter["stage"]) == (reason, 7, "sessions")
    assert letter["detail"]
    assert (outcomes(folded) == folded.tally.dead_letters and {Outcome.DEAD_LETTER: 1}) or {Outcome.DEAD_LETTER: 1}


def test_an_output_over_the_limit_is_refused_and_the_rest_goes_on() -> None:
    """OUTPUT_TOO_LARGE: its sequence was read all the same, so that it leaves no hole."""
    tab = Tab()
    small, large, last = tab.route(0), many_calls(tab, 20_000), tab.route(2)
    folded = a_stage().fold(reads([small, large, last]))
    rows = written(folded)
    assert [row["sequence"] for row in of(rows, "EnrichedEvent")] == [1, 3]
    assert of(rows, "EnrichedEvent")[1]["missing_before"] == 0
    assert [letter["reason"] for letter in of(rows, "DeadLetter")] == ["OUTPUT_TOO_LARGE"]


def many_calls(tab: Tab, number: int) -> Json:
    """Post an event that grows when it is scrubbed: every short SIP id becomes a digest."""
    return tab.say("rc-callLogger-auto-log-notify", 0, calls=[{"id": "x"}] * number)


@pytest.mark.parametrize(("posts", "calls"), [(1, 20_000), (60, 700), (300, 1)])
def test_what_waits_never_makes_the_saved_state_too_large(posts: int, calls: int) -> None:
    """The changelog takes records of a megabyte; one that is larger would stop every worker that meets it."""
    stage, tab = a_stage(), Tab(login=None)
    folded = stage.fold(reads([tab.presence(0), *(many_calls(tab, calls) for _ in range(posts))]))
    assert max(len(saved or b"") for saved in folded.changes.values()) < 600_000
    rest = stage.finish()
    assert (outcomes(folded) + outcomes(rest)).total() == posts + 1


def test_another_login_in_one_page_load_does_not_take_what_came_before() -> None:
    """Two users of one tab (DECISIONS 23)."""
    tab = Tab(login=None)
    posts = [tab.logs_in(0), tab.presence(10), tab.logs_out(20), tab.logs_in(30, OTHER), tab.presence(40)]
    rows = of(written(a_stage().fold(reads(posts))), "EnrichedEvent")
    assert [row["extension_key"] for row in rows] == [LOGIN, LOGIN, LOGIN, OTHER, OTHER]


def test_the_stage_names_its_topics() -> None:
    """What the engine opens producers and changelogs for."""
    stage = SessionsStage(a_plan(), "log")
    assert stage.input_topic == "widget.events.v1"
    assert stage.output_topics == ["widget.enriched-events.v1", "widget.audit.v1", "widget.dead-letters.v1"]
    (mark,) = stage.watermarks([Mark(0, T0, 1), Mark(3, T0, 2)])
    row = codec("EnrichedEvent").decode(mark.value or b"")
    assert (row["type"], [one["source_partition"] for one in row["marks"]]) == ("WATERMARK", [0, 3])


@given(stories(), st.lists(st.binary(max_size=20), max_size=4))
@settings(max_examples=60, deadline=None)
def test_every_record_is_written_waits_or_is_counted(story: tuple[list[Envelope], int], keys: list[bytes]) -> None:
    """Received is admitted, duplicate, ignored and refused together once nothing waits any more; any bytes are keys."""
    records = [record._replace(key=keys[record.offset % len(keys)] if keys else None) for record in reads(story[0])]
    stage = a_stage()
    folded, rest = stage.fold(records), stage.finish()
    rows = written(folded) + written(rest)
    total = outcomes(folded) + outcomes(rest)
    admitted = of(rows, "EnrichedEvent")
    assert folded.tally.received.total() == len(records) == len(admitted) + total.total()
    letters = of(rows, "DeadLetter")
    assert len(letters) == total[Outcome.DEAD_LETTER]
    assert len({letter["offset"] for letter in letters} | {row["input"]["offset"] for row in admitted}) == len(
        letters
    ) + len(admitted)


def test_a_read_without_value_is_refused_and_not_raised() -> None:
    """A tombstone on the topic of events."""
    folded = a_stage().fold([Read(0, 0, T0, a_uuid("A").encode(), None)])
    assert folded.tally.dead_letters == {"BAD_JSON": 1}
