"""Interval metrics over all stages: they add up, agree with the call records, and depend on nothing but the input."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.words import IntervalKind, ScopeType
from tests.builders import HOUR, Json
from tests.offices import Step, Three, arrivals, belongs, numbers_of, steps, total
from tests.stories import batches

EXTENSION = ScopeType.EXTENSION
TOLD_ONLY = frozenset({"activity_ms"})
LASTING = 26 * HOUR


def told(story: list[Step], *, until: int = LASTING) -> Three:
    """Fold a story and let time pass until every window is final."""
    office = Three()
    office.take([record for record, _ in arrivals(story)])
    office.until(arrivals(story)[-1][1] + until)
    return office


def split_by_scope(office: Three) -> tuple[list[Json], list[Json]]:
    """Return the last rows of extensions and those of the scopes above them."""
    rows = list(office.metrics().values())
    return [row for row in rows if row["scope_type"] == EXTENSION], [
        row for row in rows if row["scope_type"] != EXTENSION
    ]


def assert_scopes_add_up(office: Three) -> None:
    """Each number of a scope is the sum over its extensions, and every row of an extension is in some scope's sum."""
    extensions, scopes = split_by_scope(office)
    summed = 0
    for scope in scopes:
        mine = [row for row in extensions if belongs(row, scope)]
        assert total([scope]) == total(mine), (scope, mine)
        summed += len(mine)
    assert summed == 3 * len(extensions)


@given(steps(), st.sets(st.integers(1, 29), max_size=4))
@settings(max_examples=40, deadline=None)
def test_scopes_are_the_sum_of_their_extensions_at_any_moment(story: list[Step], stops: set[int]) -> None:
    """Whenever stream time stands still, and after any amendments."""
    office, arrived = Three(), arrivals(story)
    begun = 0
    for stop in (*sorted(stop for stop in stops if stop < len(arrived)), len(arrived)):
        office.take([record for record, _ in arrived[begun:stop]])
        office.until(arrived[stop - 1][1])
        assert_scopes_add_up(office)
        begun = stop
    for later in (7_000, 47_000, 1_000_000, LASTING):
        office.until(arrived[-1][1] + later)
        assert_scopes_add_up(office)


@given(steps())
@settings(max_examples=40, deadline=None)
def test_short_windows_add_up_to_the_day(story: list[Step]) -> None:
    """Quarters and half hours give the day; minutes give its calls, messages and logins."""
    parts: dict[tuple[Any, ...], list[Json]] = defaultdict(list)
    days: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in told(story).metrics().values():
        parts[row["scope_type"], row["scope_id"], row["window_seconds"]].append(row)
        if row["window_seconds"] == 86_400:
            days[row["scope_type"], row["scope_id"]].append(row)
    for scope, rows in days.items():
        assert total(parts[*scope, 60], without=TOLD_ONLY) == total(rows, without=TOLD_ONLY)
        for seconds in (900, 1_800):
            assert busy(total(parts[*scope, seconds])) == busy(total(rows))


def busy(numbers: Any) -> dict[Any, int]:
    """Leave out the activities that give no row of their own: a quarter without any other has none."""
    return {name: value for name, value in numbers.items() if name[1] not in ("OFFLINE", "UNKNOWN")}


@given(steps())
@settings(max_examples=40, deadline=None)
def test_rows_agree_with_the_call_records(story: list[Step]) -> None:
    """What the last rows of the days say of calls is the sum over the last revisions of the records."""
    office = told(story)
    days = [row for row in split_by_scope(office)[0] if row["window_seconds"] == 86_400]
    found: dict[str, int] = defaultdict(int)
    for record in office.records():
        inbound, answered = record["direction"] == "INBOUND", record["disposition"] == "ANSWERED"
        found["calls_offered"] += inbound
        found["calls_answered"] += inbound and answered
        found["calls_missed"] += record["disposition"] == "MISSED"
        found["calls_voicemail"] += record["disposition"] == "VOICEMAIL"
        found["calls_outbound"] += not inbound
        found["calls_outbound_connected"] += answered and not inbound
        found["calls_transferred"] += record["transfer"] in ("BLIND", "WARM")
        found["calls_held"] += record["hold_count"] > 0
        found["ring_ms"] += record["ring_ms"] or 0 if inbound and answered else 0
        for name in ("talk_ms", "hold_ms", "handle_ms"):
            found[name] += record[name]
    assert {name: sum(row[name] for row in days) for name in found} == dict(found)
    assert_distinct(office)


def assert_distinct(office: Three) -> None:
    """Each call counts once in the account's windows, however many it rang."""
    rows = [row for row in office.metrics().values() if row["scope_type"] == ScopeType.ACCOUNT]
    for row in rows:
        legs = [
            record
            for record in office.records()
            if record["direction"] == "INBOUND" and row["window_start"] <= record["ended_at"] < row["window_end"]
        ]
        offered = {leg["call_id"] or leg["leg_id"] for leg in legs}
        answered = {leg["call_id"] or leg["leg_id"] for leg in legs if leg["disposition"] == "ANSWERED"}
        assert row["distinct_calls_offered"] == len(offered)
        assert row["distinct_calls_answered"] == len(answered)
        assert row["distinct_calls_abandoned"] <= len(offered) - len(answered)


@given(steps())
@settings(max_examples=40, deadline=None)
def test_every_row_is_possible(story: list[Step]) -> None:
    """No number is negative, no activity lasts longer than its window, and every window comes to an end."""
    office = told(story)
    for row in office.metrics().values():
        assert min(numbers_of(row).values(), default=0) >= 0, row
        is_over = row["window_end"] + 30_000 <= office.extensions.stream_time
        assert is_over == (row["kind"] != IntervalKind.EARLY)
        if row["scope_type"] == EXTENSION:
            assert sum(row["activity_ms"].values()) <= row["window_end"] - row["window_start"]
            assert row["longest_hold_ms"] <= row["hold_ms"]
    assert office.tally.too_late == 0


@given(steps())
@settings(max_examples=10, deadline=None)
def test_kinds_and_revisions_follow_each_other(story: list[Step]) -> None:
    """EARLY comes before FINAL, FINAL once, AMENDED after the time of FINAL; revisions run 1, 2, 3."""
    rows: dict[str, list[Json]] = defaultdict(list)
    for row in told(story).rows:
        if row.record == "IntervalMetrics" and row.row is not None:
            rows[str(row.key)].append(row.row)
    for mine in rows.values():
        assert [row["revision"] for row in mine] == list(range(1, len(mine) + 1))
        order = [list(IntervalKind).index(IntervalKind(row["kind"])) for row in mine]
        assert order == sorted(order)
        assert sum(row["kind"] == IntervalKind.FINAL for row in mine) <= 1
        for one in mine:
            over = one["updated_at"] >= one["window_end"] + 30_000
            assert over == (one["kind"] != IntervalKind.EARLY)
        moments = [row["updated_at"] for row in mine]
        assert moments == sorted(set(moments))


@given(steps(), st.data())
@settings(max_examples=10, deadline=None)
def test_a_restart_anywhere_changes_no_byte(story: list[Step], data: st.DataObject) -> None:
    """Folding in any batches, with the state saved, and opened again between them or not, writes the same records."""
    records = [record for record, _ in arrivals(story)]
    last = arrivals(story)[-1][1]
    whole, parts, reopened = Three(), Three(), Three()
    whole.take(records)
    for batch in batches(data, records):
        for office in (parts, reopened):
            office.take(batch)
        assert parts.saved == reopened.saved
        reopened.reopen()
    for later in (0, 47_000, 2 * HOUR):
        for office in (whole, parts, reopened):
            office.until(last + later)
        reopened.reopen()
    for office in (parts, reopened):
        assert by_topic(office) == by_topic(whole)
        assert office.saved == whole.saved


def by_topic(office: Three) -> dict[tuple[str, bool], list[Any]]:
    """Return what each stage wrote by topic, in order: batches change how the stages are interleaved, nothing else."""
    found: dict[tuple[str, bool], list[Any]] = defaultdict(list)
    for record in office.written:
        found[record.topic, bool(record.key and record.key.startswith(b"EXTENSION:"))].append(record)
    return found


@given(steps(size=8))
@settings(max_examples=40, deadline=None)
def test_memory_is_given_back(story: list[Step]) -> None:
    """Four days later nothing is kept but what is known of the extensions and scopes themselves."""
    office = told(story)
    office.until(arrivals(story)[-1][1] + 120 * HOUR)
    kept = {stage: {key[:1] for key in office.saved[stage]} for stage in ("extensions", "scopes")}
    assert kept["extensions"].isdisjoint({b"W", b"K"})
    assert kept["scopes"] <= {b"C", b"S"}


@given(steps())
@settings(max_examples=60, deadline=None)
def test_minutes_say_what_the_presence_events_say(story: list[Step]) -> None:
    """However late a change of activity came: its minute is amended."""
    office = told(story)
    changes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in office.rows:
        if event.record == "PresenceEvent" and event.row is not None:
            changes[event.row["extension_key"]].append((event.row["event_time"], event.row["current"]["activity"]))
    for row in split_by_scope(office)[0]:
        if row["window_seconds"] == 60:
            assert row["activity_ms"] == lasted(changes[row["scope_id"]], row["window_start"], row["window_end"]), row


def lasted(changes: list[tuple[int, str]], start: int, end: int) -> dict[str, int]:
    """Add up how long each activity lasted between two instants; the last one goes on."""
    found: dict[str, int] = defaultdict(int)
    for index, (at, activity) in enumerate(changes):
        until = changes[index + 1][0] if index + 1 < len(changes) else end
        if (spent := min(until, end) - max(at, start)) > 0:
            found[activity] += spent
    return found


def test_a_change_that_comes_after_its_minute_was_final_amends_it() -> None:
    """An extension went away in a minute with a message; that is told three minutes later, within its quarter."""
    story = [
        Step(0, 1, "available", 0, 20, 0),
        Step(0, 1, "received", 65_000, 20, 0),
        Step(0, 1, "away", 5_000, 20, 180_000),
    ]
    office = told(story)
    minutes = [row for row in split_by_scope(office)[0] if row["window_seconds"] == 60 and row["messages_in"]]
    assert [row["kind"] for row in minutes] == [IntervalKind.AMENDED]
    assert minutes[0]["activity_ms"] == {"AVAILABLE": 10_020, "OFFLINE": 49_980}
    assert_scopes_add_up(office)
