"""What holds whatever is posted: nothing depends on batches, repeats or restarts, and every call comes to an end."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from streams.domain.legs.transitions import TRANSITIONS
from streams.domain.words import CallEventType, State
from tests.builders import HOUR, Both, Json, Result, Row, Tab, fold, reads
from tests.stories import ALL, DAYS, LONG_GAPS, TOLD, Envelope, Step, batches, length, posted, steps, stories

PER_FOLD = {"SessionAudit", "DeadLetter"}
BESIDE = frozenset({CallEventType.MUTED, CallEventType.UNMUTED, CallEventType.TRANSFERRED})
"""Call events that tell no change of state."""


def ended(envelopes: Sequence[Envelope], lasting: int) -> Result:
    """Fold a story and let five hours pass."""
    return fold(envelopes, until=lasting + 5 * HOUR)


def by_leg(rows: Sequence[Json]) -> dict[str, list[Json]]:
    """Return rows by their leg."""
    found: dict[str, list[Json]] = {}
    for row in rows:
        found.setdefault(row["leg_id"], []).append(row)
    return found


def withdrawn(result: Result) -> set[str]:
    """Return the legs that proved to be another one: a tombstone, and no record."""
    active = {row.key for row in result.rows if row.record == "ActiveCall" and row.row is None}
    ended = {row["leg_id"] for row in result.of("CallEvent") if row["type"] == "ENDED"}
    recorded = {row["leg_id"] for row in result.last("CallRecord")}
    merged = any("MERGED" in row["quality"] for row in result.last("CallRecord"))
    return {key for key in active if key and key not in recorded} - ended if merged else set()


def lasting_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that tell of calls and people, not of how often something was read."""
    return [row for row in rows if row.record not in PER_FOLD]


@given(stories(gaps=DAYS, lasting=99 * HOUR), st.data())
@settings(max_examples=60, deadline=None)
def test_a_restart_anywhere_changes_no_byte(story: tuple[list[Envelope], int], data: st.DataObject) -> None:
    """Folding in any batches, with the state saved and opened again between them, writes the same records."""
    envelopes, lasting = story
    records = reads(envelopes)
    whole, parts = Both(), Both()
    whole.take(records)
    for batch in batches(data, records):
        parts.take(batch)
        parts.reopen()
    for both in (whole, parts):
        both.until(lasting + 5 * HOUR)
    assert rows_sorted(parts) == rows_sorted(whole)
    assert parts.saved == whole.saved


def rows_sorted(both: Both) -> dict[str, list[Row]]:
    """Return what was written by topic, in order: batches change how topics are interleaved, nothing else."""
    found: dict[str, list[Row]] = {}
    for row in both.rows:
        found.setdefault(row.record, []).append(row)
    return found


@given(stories(), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_repeated_envelopes_change_nothing(story: tuple[list[Envelope], int], repeats: list[tuple[int, int]]) -> None:
    """A record that is delivered again, whenever, changes no call, no presence and no enriched event."""
    envelopes, lasting = story
    assume(envelopes)
    records = reads(envelopes)
    repeated = list(records)
    for which, later in repeats:
        record = records[which % len(records)]
        place = repeated.index(record)
        if b"sequence" in (record.value or b""):
            repeated.insert(place + 1 + later % (len(repeated) - place), record)
    once, again = Both(), Both()
    once.take(records)
    again.take(repeated)
    for both in (once, again):
        both.until(lasting + 5 * HOUR)
    assert lasting_rows(again.rows) == lasting_rows(once.rows)


@given(stories(gaps=LONG_GAPS))
@settings(max_examples=60, deadline=None)
def test_every_call_ends_and_becomes_final(story: tuple[list[Envelope], int]) -> None:
    """Five hours of stream time after the last post no call is active and every record is final."""
    result = ended(*story)
    assert result.last("ActiveCall") == []
    finals = {record["leg_id"] for record in result.last("CallRecord") if record["is_final"]}
    assert finals == set(by_leg(result.of("CallEvent"))) - withdrawn(result)
    for revisions in by_leg(result.of("CallRecord")).values():
        assert [record["revision"] for record in revisions] == list(range(1, len(revisions) + 1))


@given(stories(gaps=LONG_GAPS))
@settings(max_examples=100, deadline=None)
def test_no_duration_is_negative_or_counted_twice(story: tuple[list[Envelope], int]) -> None:
    """Ring, talk, hold and park are parts of the total, and mute of talk and hold."""
    for record in ended(*story).of("CallRecord"):
        parts = [record[name] or 0 for name in ("ring_ms", "talk_ms", "hold_ms", "park_ms")]
        assert min(*parts, record["mute_ms"], record["longest_hold_ms"]) >= 0
        assert sum(parts) <= record["total_ms"]
        assert record["handle_ms"] == record["talk_ms"] + record["hold_ms"]
        assert record["longest_hold_ms"] <= record["hold_ms"]
        assert record["ended_at"] >= (record["answered_at"] or record["initiated_at"])


@given(stories(gaps=LONG_GAPS))
@settings(max_examples=100, deadline=None)
def test_a_leg_moves_by_the_table_only(story: tuple[list[Envelope], int]) -> None:
    """Each call event leaves the state that the one before it entered, as the table of transitions says."""
    for events in by_leg(ended(*story).of("CallEvent")).values():
        standing: str | None = None
        for event in events:
            before, after = event["state_before"], event["state_after"]
            assert before == standing
            if event["type"] in BESIDE:
                assert before == after
            else:
                assert TRANSITIONS[before and State(before), State(after)] == event["type"]
            if standing == State.ENDED:
                assert event["type"] == CallEventType.REOPENED
            standing = after


@given(stories(actions=(*ALL, "garbage", "violation"), gaps=LONG_GAPS))
@settings(max_examples=100, deadline=None)
def test_every_envelope_has_exactly_one_outcome(story: tuple[list[Envelope], int]) -> None:
    """Received is accepted, duplicate, ignored and dead letters together, and each dead letter was written."""
    envelopes, _ = story
    result = fold(envelopes)
    summary = result.summary
    outcomes = [summary[name] for name in ("accepted", "duplicate", "ignored", "dead_letter")]
    assert summary["received"] == sum(outcomes) == len(envelopes)
    letters = Counter(letter["reason"] for letter in result.of("DeadLetter"))
    assert letters == summary["dead_letters"]
    assert letters.total() == summary["dead_letter"]


@given(stories(gaps=LONG_GAPS))
@settings(max_examples=60, deadline=None)
def test_audits_add_up(story: tuple[list[Envelope], int]) -> None:
    """What a page load's audit says was received is what it says became of it, once nothing waits any more."""
    envelopes = [Tab("C").route(0), *story[0]]
    audits = fold(envelopes).last("SessionAudit")
    for audit in audits:
        assert audit["received"] == sum(audit[name] for name in ("admitted", "duplicate", "ignored", "dead_letter"))
    assert sum(audit["received"] for audit in audits) == len(envelopes)


NOT_COMPARED = frozenset({"leg_id", "revision", "revision_reason", "input_refs"})
BY_ARRIVAL = frozenset({"LATE_AMENDED", "MERGED"})
"""Flags that tell how the record came about, not what happened."""


def finals(result: Result) -> list[Json]:
    """Return what the last records say happened, in a fixed order."""
    told = [
        {name: value for name, value in record.items() if name not in NOT_COMPARED}
        | {"quality": sorted(set(record["quality"]) - BY_ARRIVAL)}
        for record in result.last("CallRecord")
    ]
    return sorted(told, key=repr)


def interleaved(envelopes: Sequence[Json], choices: Sequence[int]) -> list[Json]:
    """Return the envelopes in another order that keeps the order of each page load."""
    waiting: dict[str, list[Json]] = {}
    for envelope in envelopes:
        waiting.setdefault(envelope["session_id"], []).append(envelope)
    queues, order = list(waiting.values()), []
    for choice in choices:
        if not queues:
            break
        queue = queues[choice % len(queues)]
        order.append(queue.pop(0))
        queues = [left for left in queues if left]
    return order + [envelope for queue in queues for envelope in queue]


def _at(tab: int, call: int, action: str, gap: int = 0, delay: int = 20) -> Step:
    return Step(tab, call, action, gap, delay)


@example(
    # The second page load loses something after the end that it saw; the first one had answered the call.
    [
        *(_at(tab, 1, "ring") for tab in (1, 0)),
        _at(1, 1, "telephony Disconnected"),
        _at(0, 1, "start", 3),
        _at(1, 2, "ring"),
        _at(1, 1, "lost"),
        _at(1, 2, "ring"),
    ],
    [],
)
@example(
    # The active call's end is told twice before the call itself: its ids and doubts are the call's too.
    [_at(0, 1, "active NoCall", delay=40), _at(1, 1, "ring"), _at(0, 1, "active NoCall")],
    [],
)
@example(
    # The page load that told the end first loses something before another one tells that the call lives.
    [
        *(_at(0, 1, action) for action in ("active NoCall", "lost", "NoCall")),
        _at(1, 1, "ring", 250),
        _at(1, 1, "start", 3),
    ],
    [],
)
@example(
    # The web phone tells a later end than the telephony session did, and between the two the other page load loses
    # something: before or after the web phone's end is read.
    [
        *(_at(tab, 1, "ring") for tab in (1, 0)),
        _at(0, 1, "start", 3),
        _at(1, 1, "telephony Disconnected", 900),
        _at(1, 2, "ring", 5_100),
        _at(1, 1, "lost"),
        _at(1, 2, "ring", 250),
        _at(0, 1, "end", 900),
    ],
    [0, 1, 1, 0, 1],
)
@given(
    # A delay that a page load's first posts share is taken for skew: what is told of one leg is then joined by instants
    # that are wrong by as much (CONTRACT 5).
    steps(
        (*TOLD, "NoCall", "logout", "lost"),
        gaps=(0, 3, 250, 900, 4_900, 5_100, 29_000, 61_000),
        size=12,
        delays=(20, 40, 45),
    ),
    st.lists(st.integers(0, 1), max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_the_order_of_page_loads_changes_no_record(story: list[Step], choices: list[int]) -> None:
    """Whatever arrives first, as long as each page load keeps its order, the last records say the same."""
    envelopes = [envelope for envelope in posted(story) if isinstance(envelope, dict)]
    assume(envelopes)
    lasting = length(story)
    told = finals(ended(envelopes, lasting))
    assert finals(ended(interleaved(envelopes, choices), lasting)) == told
