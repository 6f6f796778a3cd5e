"""The proof finds each kind of fault that is planted, and finds none where there is none (CONTRACT 9, `verify`)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.contracts.enriched import watermark_row
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.pipeline.proof import (
    COMPACTED,
    IDENTITIES,
    REPEATABLE,
    UNRECORDED,
    Expected,
    Recorded,
    Verdict,
    compare,
    expect_extensions,
    expect_sessions,
    identity,
    mark_of,
    split,
    stage_of,
)
from streams.pipeline.records import Mark, Read, Written
from streams.pipeline.writer import Writer
from tests.builders import LOGIN, T0, Both, Tab, a_plan, reads

Found = list[Read]
LOGS = (
    "EnrichedEvent", "CallEvent", "PresenceEvent", "SessionEvent", "MessageEvent", "SessionAudit", "DeadLetter",
    "ScopeDelta",
)  # fmt: skip
QUIET = (150_000, 300_000, 600_000)
"""When marks are told after the last post."""


def a_day() -> Both:
    """Return both stages after calls in two tabs, a refusal, a log-out and quiet time."""
    both, first, second = Both(), Tab("A"), Tab("B")
    calls = [first.call(1), first.call(2), second.call(3)]
    posts: list[Any] = [first.logs_in(0), second.logs_in(10), first.presence(20), b"{no"]
    for start, call in zip((1_000, 40_000, 90_000), calls, strict=True):
        posts += [call.ring(start), call.start(start + 5_000), call.hold(start + 6_000), call.end(start + 9_000)]
    posts += [first.message(95_000), first.message(95_010, kind="inbound", changed=95_000)]
    posts += [first.route(100_000), b"{no again", first.logs_out(110_000), second.logs_out(111_000)]
    both.take(reads({**post, "account_id": "310450016"} if isinstance(post, dict) else post for post in posts))
    for at in QUIET:
        both.until(at)
    return both


DAY = a_day()
PLAN: Plan = DAY.plan


def topic_of(record: str) -> list[Written]:
    """Return what the day wrote into the topic of a record, marks left out as `verify` leaves them out."""
    written = [one for one in DAY.written if one.topic == PLAN.names[record]]
    return [one for one in written if record != "EnrichedEvent" or one.key is not None]


def found(written: Sequence[Written]) -> Found:
    """Return records as they are read back; transactions leave gaps in the offsets."""
    return [Read(0, 2 * offset, -1, one.key, one.value) for offset, one in enumerate(written)]


def judge(record: str, there: Found, certain: int | None = None) -> Verdict:
    """Compare a topic of the day with what is found in it."""
    wanted = topic_of(record)
    return compare("topic", record, Expected(wanted, len(wanted) if certain is None else certain), there)


def faults(verdict: Verdict) -> dict[str, int]:
    """Return how many of each fault were found."""
    kinds = {name: getattr(verdict, name)["topic"] for name in ("lost", "doubled", "different", "out_of_order")}
    return {name: number for name, number in kinds.items() if number}


def altered(record: str, one: Read) -> Read:
    """Return a record with another content and the same identity, where it has one."""
    field, value = {
        "EnrichedEvent": ("skew_ms", 77),
        "CallEvent": ("call_id", "s-else"),
        "MessageEvent": ("attachments", 77),
        "PresenceEvent": ("previous_ms", 77),
        "SessionEvent": ("path", "/else"),
        "SessionAudit": ("received", 77),
        "DeadLetter": ("value_bytes", 77),
        "ScopeDelta": ("source_partition", 77),
        "IntervalMetrics": ("logins", 77),
        "CallRecord": ("talk_ms", 77),
        "ActiveCall": ("muted", True),
        "Presence": ("updated_at", 77),
    }[record]
    avro = codec(record)
    return one._replace(value=avro.encode({**avro.decode(one.value or b""), field: value}))


def test_the_day_has_something_to_prove_in_every_topic() -> None:
    """Otherwise the tests below would assert nothing."""
    assert all(len(topic_of(record)) >= 2 for record in {*PLAN.names} - UNRECORDED)
    assert {*IDENTITIES, *REPEATABLE, *UNRECORDED} == set(PLAN.names)


@pytest.mark.parametrize("record", ["EnrichedEvent", *LOGS[1:], *sorted(COMPACTED)])
def test_what_was_written_once_and_in_order_is_right(record: str) -> None:
    """No complaint, and everything was looked at."""
    verdict = judge(record, found(topic_of(record)))
    assert (verdict.problems, verdict.records) == (0, len(topic_of(record)))


@pytest.mark.parametrize("record", LOGS)
@pytest.mark.parametrize("place", [0, -1])
def test_a_lost_record_is_found(record: str, place: int) -> None:
    """The first one and the last one."""
    there = found(topic_of(record))
    del there[place]
    assert faults(judge(record, there)) == {"lost": 1}


@pytest.mark.parametrize("record", [*LOGS, "CallRecord"])
@pytest.mark.parametrize("later", [1, 2])
def test_a_doubled_record_is_found(record: str, later: int) -> None:
    """Right behind itself or further on: that it is out of order as well is not told twice."""
    there = found(topic_of(record))
    there.insert(later, there[0])
    assert faults(judge(record, there)) == {"doubled": 1}


@pytest.mark.parametrize("record", [*LOGS, "CallRecord"])
def test_a_different_record_is_found(record: str) -> None:
    """Known by its identity, so it is not lost as well."""
    there = found(topic_of(record))
    there[1] = altered(record, there[1])
    assert faults(judge(record, there)) == {"different": 1}


@pytest.mark.parametrize("record", [*LOGS, "CallRecord"])
def test_two_records_out_of_order_are_found(record: str) -> None:
    """Consumers rely on the order of a partition."""
    there = found(topic_of(record))
    there[0], there[1] = there[1], there[0]
    assert faults(judge(record, there)) == {"out_of_order": 1}


@pytest.mark.parametrize("record", [*LOGS, *sorted(COMPACTED)])
def test_a_record_that_nobody_expects_is_different(record: str) -> None:
    """One of another installation, or of a bug."""
    there = found(topic_of(record))
    stranger = there[0]
    if record in REPEATABLE:
        stranger = altered(record, stranger)
    else:
        avro, name = codec(record), IDENTITIES[record][0]
        row = avro.decode(stranger.value or b"")
        other = {**row["input"], "offset": 777} if name == "input" else "somebody else"
        stranger = stranger._replace(value=avro.encode({**row, name: other}))
    assert faults(judge(record, [*there, stranger])) == {"different": 1}


@pytest.mark.parametrize("record", sorted(COMPACTED))
def test_compaction_may_have_removed_all_but_the_last(record: str) -> None:
    """What a later record of the key replaced is not missed; the last of a key is."""
    last = list({one.key: one for one in found(topic_of(record))}.values())
    assert faults(judge(record, last)) == {}
    assert faults(judge(record, last[1:])) == {"lost": 1}
    assert faults(judge(record, last[:-1])) == {"lost": 1}


@pytest.mark.parametrize("record", sorted(REPEATABLE))
def test_a_state_that_comes_once_too_often_is_doubled(record: str) -> None:
    """A state may come back, but no more often than it did."""
    there = found(topic_of(record))
    assert faults(judge(record, [*there, there[-1]])) == {"doubled": 1}


@pytest.mark.parametrize("record", sorted(REPEATABLE))
def test_a_wrong_last_state_is_found(record: str) -> None:
    """It is no state that was ever written, and the right one is missing."""
    there = found(topic_of(record))
    place = next(index for index, one in enumerate(there) if one.value is not None)
    key = there[place].key
    rest = [one for one in there if one.key != key]
    verdict = judge(record, [*rest, altered(record, there[place])])
    assert faults(verdict) == {"lost": 1, "different": 1}


@pytest.mark.parametrize("record", LOGS)
def test_what_is_not_certain_yet_may_be_there_or_not(record: str) -> None:
    """Workers go on while the proof is made: neither is a fault."""
    there = found(topic_of(record))
    assert faults(judge(record, there[:1], certain=1)) == {}
    assert faults(judge(record, there, certain=1)) == {}
    assert faults(judge(record, there[:1], certain=2)) == {"lost": 1}


@given(st.data())
def test_any_planted_faults_are_found(data: st.DataObject) -> None:
    """Lose, double and change any records: the sum of complaints is never nothing."""
    record = data.draw(st.sampled_from(LOGS))
    there = found(topic_of(record))
    done = 0
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, max(0, len(there) - 1)))
        kind = data.draw(st.sampled_from(["lose", "double", "change"]))
        if not there:
            break
        done += 1
        if kind == "lose":
            del there[index]
        elif kind == "double":
            there.insert(index, there[index])
        else:
            there[index] = altered(record, there[index])
    intact = [(one.key, one.value) for one in there] == [(one.key, one.value) for one in found(topic_of(record))]
    assert done
    assert (judge(record, there).problems == 0) == intact


def test_verdicts_add_up() -> None:
    """One for each partition becomes one for all."""
    total = Verdict()
    total.add(judge("CallEvent", []))
    total.add(judge("CallEvent", found(topic_of("CallEvent"))))
    assert total.lost["topic"] == total.problems == total.records == len(topic_of("CallEvent"))


def test_expectations_are_split_with_their_certainty() -> None:
    """Each part keeps its order, and how many of its records are certain."""
    records = [Written(name, 0, None, bytes([index])) for index, name in enumerate("ababa")]
    parts = split(Expected(records, 3), lambda one: (one.topic, one.partition))
    assert {topic: ([one.value for one in part.records], part.certain) for (topic, _), part in parts.items()} == {
        "a": ([b"\x00", b"\x02", b"\x04"], 2),
        "b": ([b"\x01", b"\x03"], 1),
    }


def test_the_stage_of_a_dead_letter_is_read_from_it() -> None:
    """Both stages write into one topic; each is proven by itself."""
    assert {stage_of(one.value) for one in topic_of("DeadLetter")} == {"sessions"}


def test_a_tombstone_is_known_by_its_key() -> None:
    """It has nothing else."""
    assert identity("ActiveCall", b"leg", None) == (b"leg", None)


def sessions_of(plan: Plan, posts: Sequence[Any], marks: Sequence[Mark], **changes: Any) -> Expected:
    """Return what the sessions stage must have written of partition 0."""
    recorded = Recorded(reads(posts), marks, **{"certain_offset": len(posts), "certain_marks": len(marks), **changes})
    return expect_sessions(plan, 0, recorded)


def test_the_sessions_stage_is_worked_out_from_its_input_and_marks() -> None:
    """Time passed where the recorded marks say so, whatever the batches were."""
    tab = Tab(login=None)
    posts = [tab.presence(0), tab.presence(50_000, "Ringing")]
    waited = [one.topic for one in sessions_of(a_plan(), posts, [Mark(0, T0 + 45_000, 1)]).records]
    assert waited == ["widget.dead-letters.v1"]
    told = [tab.presence(100_000), tab.logs_in(110_000)]
    expected = sessions_of(a_plan(), told, [Mark(0, T0 + 105_000, 1)])
    assert {one.topic for one in expected.records} == {"widget.enriched-events.v1"}
    assert expected.certain == len(expected.records) == 2


def test_a_mark_lets_time_pass_between_the_records_it_stands_between() -> None:
    """A wait that had ended before the login came was given up; one record later it would have been released."""
    tab = Tab(login=None)
    posts = [tab.presence(0), tab.logs_in(1_000)]
    late, early = Mark(0, T0 + 30_040, 1), Mark(0, T0 + 30_040, 2)
    assert [one.topic for one in sessions_of(a_plan(), posts, [late]).records] == [
        "widget.dead-letters.v1",
        "widget.enriched-events.v1",
    ]
    assert [one.topic for one in sessions_of(a_plan(), posts, [early]).records] == ["widget.enriched-events.v1"] * 2


def test_only_what_was_committed_before_is_certain() -> None:
    """By offset of the records and number of the marks."""
    tab = Tab()
    posts = [tab.route(at) for at in (0, 10, 20, 30)]
    marks = [Mark(0, T0 + 15, 2), Mark(0, T0 + 35, 4)]
    assert sessions_of(a_plan(), posts, marks).certain == 4
    assert sessions_of(a_plan(), posts, marks, certain_offset=2).certain == 2
    assert sessions_of(a_plan(), posts, marks, certain_marks=0).certain == 0


def test_the_extensions_stage_is_worked_out_from_the_enriched_events() -> None:
    """In log order; the records below the offset are certain."""
    marks = [Writer(PLAN, 0).watermarks(watermark_row([Mark(0, T0 + at, 0)._asdict()])) for at in QUIET]
    log = [*topic_of("EnrichedEvent"), *(mark for told in marks for mark in told)]
    records = [Read(0, offset, -1, one.key, one.value) for offset, one in enumerate(log)]
    wanted = [one for one in DAY.written if one.topic in {PLAN.names[name] for name in ("CallEvent", "CallRecord")}]
    whole = expect_extensions(PLAN, 0, records, len(records))
    assert [one for one in whole.records if one.topic in {w.topic for w in wanted}] == wanted
    assert whole.certain == len(whole.records)
    part = expect_extensions(PLAN, 0, records, 5)
    assert part.records == whole.records
    assert 0 < part.certain < whole.certain


def test_the_sessions_stage_knows_the_partition_of_an_extension() -> None:
    """Its enriched events go where the next stage reads them."""
    plan = replace(a_plan(), partitions=12)
    (written,) = sessions_of(plan, [Tab().route(0)], []).records
    assert written.partition == partition_of(LOGIN, 12)


def test_a_mark_is_read_as_it_stands_in_its_record() -> None:
    """Field by field."""
    assert mark_of({"source_partition": 3, "time": 4, "next_offset": 5}) == Mark(3, 4, 5)
