"""Whatever is read ends in one outcome, and what our own fold cannot take is a dead letter beside good records."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.domain.words import Outcome, RejectReason
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.records import Folded, Read
from streams.pipeline.sessions import SessionsPartition
from tests.builders import LOGIN, T0, Both, Json, Tab, a_plan, a_read, reads, rows_of
from tests.garble import NASTY, garbled

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def envelopes() -> list[Json]:
    """Return a short story of two page loads."""
    tab, other = Tab("A"), Tab("B", login=None)
    call = tab.call()
    posts = [tab.logs_in(0), tab.presence(50), call.ring(100), call.start(2_000), call.hold(3_000), call.resume(4_000)]
    posts += [call.mute(4_500), call.end(9_000), tab.route(9_500), other.presence(9_600), other.logs_in(9_700)]
    return [*posts, tab.say("rc-message-updated-notify", 9_800, message={"id": 7}), tab.logs_out(10_000)]


def outcomes(both: Both) -> Counter[str]:
    """Return how many records had which outcome, once everything that waited is over."""
    both.until(30 * 3_600_000)
    found: Counter[str] = Counter()
    for (_, outcome), number in both.tally.outcomes.items():
        found[outcome] += number
    return found


def each_has_one_outcome(records: Sequence[Read]) -> None:
    """Fold records and check that the counts add up: outcomes, dead letters by reason, audits."""
    both = Both()
    both.take(records)
    found = outcomes(both)
    assert both.tally.received.total() == found.total() == len(records)
    letters = Counter(row.row["reason"] for row in both.rows if row.record == "DeadLetter" and row.row)
    assert letters == both.tally.dead_letters
    assert letters.total() == found[Outcome.DEAD_LETTER]
    assert RejectReason.INTERNAL_ERROR not in letters
    audits = {row.key: row.row for row in both.rows if row.record == "SessionAudit" and row.row}
    assert sum(audit["received"] for audit in audits.values()) == len(records)


@given(st.lists(st.tuples(st.none() | st.binary(max_size=30), st.none() | st.binary(max_size=60)), max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_an_event_ignored_or_refused(pairs: list[tuple[bytes | None, bytes | None]]) -> None:
    """As key and as value; nothing is raised."""
    each_has_one_outcome([Read(0, offset, T0, key, value) for offset, (key, value) in enumerate(pairs)])


@given(st.dictionaries(st.sampled_from(["event", "sequence", "session_id", "captured_at", "login_number"]), JSON), JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_is_an_event_ignored_or_refused(fields: Json, event: object) -> None:
    """In the place of an envelope, of its fields and of its event."""
    values = [fields, {**fields, "event": event}, {**Tab().route(0), "event": event}, {**Tab().presence(5), **fields}]
    records = []
    for offset, value in enumerate(values):
        try:
            records.append(a_read(value, offset))
        except UnicodeEncodeError:
            records.append(a_read(b'"\\ud800"', offset))
    each_has_one_outcome([record._replace(key=b"k", timestamp=T0 + record.offset) for record in records])


@given(st.integers(0, 2**32))
@example(616).via("a party that is a list")
@settings(max_examples=60, deadline=None)
def test_real_envelopes_with_something_changed_have_one_outcome(seed: int) -> None:
    """A field more, less or other, bytes flipped, cut off, nested; keys of any kind."""
    values = islice(garbled(seed, envelopes()), 40)
    each_has_one_outcome(
        [Read(0, offset, T0 + 100 * offset, item.key, item.value) for offset, item in enumerate(values)]
    )


def test_a_number_that_is_an_object_of_another_kind_is_nobodys() -> None:
    """Where a number should be there may be anything: of a call, of a party, of a message."""
    tab = Tab()
    odd: dict[str, Any] = {"phoneNumber": {"type": "somebody-else", "id": 7}}
    call = tab.call()
    number: dict[str, Any] = {"from": odd, "to": odd}
    mailed: dict[str, Any] = {"from": odd, "to": [odd]}
    posts = [
        call.telephony("Setup", 0, **number),
        call.active("Ringing", 50, **number),
        call.says("ring", 90, **number),
    ]
    each_has_one_outcome(reads([*posts, tab.message(200, **mailed)]))


@given(st.lists(st.none() | st.binary(max_size=60), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_enriched_event_are_dead_letters(values: list[bytes | None]) -> None:
    """The topic between the stages is ours, and somebody may still write to it: the stage goes on."""
    stage = ExtensionsPartition(a_plan(), 0, {})
    folded = stage.fold([Read(0, offset, T0, b"k", value) for offset, value in enumerate(values)])
    reasons = Counter(row.row["reason"] for row in rows_of(folded.outputs) if row.row)
    assert reasons == {"INTERNAL_ERROR": len(values)}
    assert folded.tally.outcomes.total() == len(values)


def kinds(folded: Folded) -> list[tuple[str, str | None]]:
    """Return what was written: the record, and the reason of a dead letter."""
    return [(row.record, row.row.get("reason") if row.row else None) for row in rows_of(folded.outputs)]


def test_an_output_over_the_limit_is_a_dead_letter_and_its_neighbours_go_on() -> None:
    """OUTPUT_TOO_LARGE with the place of the record and the kind of output; what comes after it is folded.

    The record of a call refers to every post that told of it, so a call of many posts has a long one.
    """
    tab = Tab()
    call = tab.call()
    holds = [post for at in range(3_000, 60_000, 2_000) for post in (call.hold(at), call.resume(at + 1_000))]
    posts = [call.ring(100), call.start(2_000), *holds, call.end(70_000), tab.presence(70_100)]
    outputs = SessionsPartition(a_plan(), 0, {}).fold(reads(posts)).outputs
    events = [item for item in outputs if item.topic == a_plan().names["EnrichedEvent"]]
    records = [Read(0, offset, T0, item.key, item.value) for offset, item in enumerate(events)]
    folded = ExtensionsPartition(a_plan(max_output_bytes=1_100), 0, {}).fold(records)
    assert kinds(folded)[-3:] == [("DeadLetter", "OUTPUT_TOO_LARGE"), ("PresenceEvent", None), ("Presence", None)]
    (letter,) = [row.row for row in rows_of(folded.outputs) if row.record == "DeadLetter" and row.row]
    assert (letter["offset"], letter["stage"]) == (len(posts) - 2, "extensions")
    assert letter["detail"] == "CallRecord would be larger than its topic takes"


def test_a_failure_of_our_own_is_a_dead_letter_without_values() -> None:
    """INTERNAL_ERROR names the place in our code, never what was in the record; state is as if it had not come."""
    both = Both()
    both.take(reads([Tab().presence(0)]))
    before = dict(both.saved["extensions"])
    secret = Read(0, 7, T0, LOGIN.encode(), b"\x00\x00\x00\x00\x01+14155550199")
    folded = both.extensions.fold([secret])
    assert kinds(folded) == [("DeadLetter", "INTERNAL_ERROR")]
    (letter,) = [row.row for row in rows_of(folded.outputs) if row.row]
    assert "4155550199" not in letter["detail"]
    assert " at " in letter["detail"]
    assert folded.changes == {}
    assert both.saved["extensions"] == before
