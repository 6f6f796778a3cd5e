"""What is held after any records in any order: the same that a plain reading of the topics says."""

from collections import Counter
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.serve.held import NOWHERE, tags
from streams.serve.records import KEPT_MS, MOST_OF_AN_EXTENSION
from streams.serve.view import View
from tests.serve import crowd
from tests.serve.serving import a_view, encoded, put

DAY = 86_400_000
NOW = 1_772_442_000_000
START = NOW - NOW % DAY

STATES = ("RINGING", "CONNECTED", "ON_HOLD", None)
CALLS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(STATES)), max_size=40)
RECORDS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(1, 4), st.integers(-30 * 3_600_000, 0)), max_size=40
)


@given(CALLS, st.integers(0, 40))
def test_active_calls_are_the_last_row_of_each_leg(steps: list[tuple[int, str | None]], loaded: int) -> None:
    """A tombstone takes the leg away; whether it came while loading or later makes no difference."""
    view, expected = a_view(), dict[str, dict[str, Any]]()
    for index, (number, state) in enumerate(steps):
        if index == loaded:
            view.begin(NOW)
        row = crowd.active_call(number, NOW, state or "CONNECTED")
        put(view, "active-calls", row["leg_id"], row if state else None, NOW)
        expected.pop(row["leg_id"], None)
        if state:
            expected[row["leg_id"]] = row
    assert {key: orjson.loads(held.json) for key, held in view.active.rows.items()} == expected
    assert view.active.ordered() == sorted(expected)


@given(CALLS)
def test_who_follows_the_changes_knows_what_is_held(steps: list[tuple[int, str | None]]) -> None:
    """Rows and ends of the stream, laid over each other, are the table."""
    view, followed = a_view(), dict[str, Any]()
    view.begin(NOW)
    for number, state in steps:
        row = crowd.active_call(number, NOW, state or "CONNECTED")
        put(view, "active-calls", row["leg_id"], row if state else None, NOW)
    for change in view.changes.since(0) or ():
        row = orjson.loads(change.json)
        followed.pop(row["leg_id"], None)
        if change.kind == "active-call":
            followed[row["leg_id"]] = row
    assert followed == {key: orjson.loads(held.json) for key, held in view.active.rows.items()}


@settings(max_examples=200)
@given(RECORDS, st.integers(0, 40))
def test_totals_count_each_record_of_today_once(steps: list[tuple[int, int, int, int]], loaded: int) -> None:
    """Revisions replace, older ones change nothing, yesterday does not count; every scope has its own."""
    view, latest = a_view(), dict[str, dict[str, Any]]()
    for index, (number, serial, revision, ago) in enumerate(steps):
        if index == loaded:
            view.begin(NOW)
        row = crowd.call_record(number, NOW + ago, serial, revision=revision)
        put(view, "call-records", row["leg_id"], row, NOW)
        known = latest.get(row["leg_id"])
        if row["ended_at"] >= NOW - KEPT_MS and (known is None or known["revision"] <= revision):
            latest[row["leg_id"]] = row
    if loaded >= len(steps):
        view.begin(NOW)
    today = [row for row in latest.values() if row["ended_at"] >= START]
    scopes = [
        NOWHERE,
        *(tags(team, None, ()) for team in crowd.TEAMS),
        tags(None, "north", ()),
        tags(None, None, ("q-sales",)),
    ]
    for scope in scopes:
        assert_totals(view, scope, [row for row in today if scope <= tags_of(row)])
    assert sorted(view.records.by_leg) == sorted(latest)


def tags_of(row: dict[str, Any]) -> frozenset[str]:
    """Return the scopes that a record counts in, read off the row itself."""
    queues = [f"queue:{row['queue']}"] if row["queue"] else []
    return frozenset([f"team:{row['team']}", f"site:{row['site']}", *queues])


def assert_totals(view: View, scope: frozenset[str], rows: list[dict[str, Any]]) -> None:
    """Compare a summary with a plain count."""
    told = view.summary(scope, NOW)
    inbound = Counter(row["disposition"] for row in rows if row["direction"] == "INBOUND")
    outbound = Counter(row["disposition"] for row in rows if row["direction"] == "OUTBOUND")
    assert told["dispositions"] == {"INBOUND": inbound, "OUTBOUND": outbound}
    assert told["calls_offered"] == inbound.total()
    assert told["calls_outbound_connected"] == outbound["ANSWERED"]
    within = [
        row
        for row in rows
        if (row["direction"], row["disposition"]) == ("INBOUND", "ANSWERED") and row["ring_ms"] <= 20_000
    ]
    assert told["answered_within_20"] == len(within)
    assert told["service_level_source"] == "CALL_RECORDS"


def test_records_go_after_24_hours_and_a_new_day_counts_anew() -> None:
    """Time alone takes them away, from the totals too."""
    view = a_view()
    for serial, ago in enumerate((0, 3_600_000, 20 * 3_600_000)):
        row = crowd.call_record(1, NOW - ago, serial)
        put(view, "call-records", row["leg_id"], row, NOW)
    view.begin(NOW)
    assert sum(view.today.of(NOWHERE).ended.values()) == 2
    view.pass_time(NOW + 5 * 3_600_000)
    assert len(view.records.by_leg) == 2
    view.pass_time(START + DAY)
    assert sum(view.today.of(NOWHERE).ended.values()) == 0
    view.pass_time(NOW + KEPT_MS + 1)
    assert not view.records.by_leg


def test_an_extension_keeps_its_latest_thousand() -> None:
    """More than that are not held, and do not count."""
    view = a_view()
    view.begin(NOW)
    for serial in range(MOST_OF_AN_EXTENSION + 20):
        row = crowd.call_record(1, NOW - 5_000_000 + serial * 1_000, serial)
        put(view, "call-records", row["leg_id"], row, NOW)
    held = [record.at for record in view.records.newest_first(crowd.key_of(1), None)]
    assert len(held) == MOST_OF_AN_EXTENSION
    assert min(held) == NOW - 5_000_000 + 20 * 1_000
    assert sum(view.today.of(NOWHERE).ended.values()) == MOST_OF_AN_EXTENSION


def test_a_merged_leg_leaves_the_totals() -> None:
    """The tombstone of a record takes it away."""
    view = a_view()
    view.begin(NOW)
    row = crowd.call_record(1, NOW)
    put(view, "call-records", row["leg_id"], row, NOW)
    put(view, "call-records", row["leg_id"], None, NOW)
    assert not view.records.by_leg
    assert view.summary(NOWHERE, NOW)["dispositions"] == {"INBOUND": {}, "OUTBOUND": {}}


def test_the_service_level_comes_from_interval_rows_where_there_are_any() -> None:
    """The row of the day that is now, of the scope; all is the sum of the accounts."""
    view = a_view()
    view.begin(NOW)
    rows = [
        crowd.interval("TEAM", "sales", 86_400, START, answered_within={"20": 60}, calls_offered=80),
        crowd.interval("TEAM", "sales", 86_400, START - DAY, answered_within={"20": 1}, calls_offered=99),
        crowd.interval("TEAM", "sales", 900, START, answered_within={"20": 5}, calls_offered=6),
        crowd.interval("ACCOUNT", "1", 86_400, START, answered_within={"20": 100}, calls_offered=150),
        crowd.interval("ACCOUNT", "2", 86_400, START, answered_within={"20": 10}, calls_offered=50),
    ]
    for row in rows:
        put(view, "interval-metrics", str(row["window_start"]), row, NOW)
    level = ("service_level_source", "service_level_offered", "service_level_answered_within_20")
    told = {scope: view.summary(scope, NOW) for scope in (NOWHERE, tags("sales", None, ()), tags("support", None, ()))}
    assert [[row[name] for name in level] for row in told.values()] == [
        ["INTERVAL_METRICS", 200, 110],
        ["INTERVAL_METRICS", 80, 60],
        ["CALL_RECORDS", 0, 0],
    ]


def test_an_older_revision_of_an_interval_row_changes_nothing() -> None:
    """The highest revision wins, and old windows go."""
    view = a_view()
    view.begin(NOW)
    for revision, offered in ((1, 1), (3, 3), (2, 2)):
        row = crowd.interval("TEAM", "sales", 900, NOW - 900_000, revision=revision, calls_offered=offered)
        put(view, "interval-metrics", "k", row, NOW)
    ((_, held),) = view.intervals.after(None, None, None)
    assert view.codecs["interval-metrics"].decode(held)["calls_offered"] == 3
    view.forget_old_intervals(NOW + 27 * 3_600_000)
    assert view.intervals.count == 0
    assert list(view.intervals.after(None, None, None)) == []


def test_people_belong_where_the_directory_says() -> None:
    """Before it says anything, where their latest call says; an account's row is about nobody."""
    view = a_view()
    view.begin(NOW)
    call = crowd.active_call(1, NOW)
    put(view, "active-calls", call["leg_id"], call, NOW)
    assert view.places.of(crowd.key_of(1)) == tags("sales", call["site"], ("q-sales",))
    told = {"account_id": "1", "extension_id": "2", "login_number": crowd.key_of(1), "team": "night", "queues": ["q-n"]}
    assert view.take("directory", "1/2", orjson.dumps(told), NOW)
    assert view.take("directory", "1/", orjson.dumps({"account_id": "1", "time_zone": "UTC"}), NOW)
    assert view.places.of(crowd.key_of(1)) == tags("night", None, ("q-n",))
    assert view.take("directory", "1/2", None, NOW)
    assert view.places.of(crowd.key_of(1)) == tags("sales", call["site"], ("q-sales",))


@given(st.sampled_from(["active-calls", "presence", "call-records", "interval-metrics", "directory"]), st.binary())
def test_any_bytes_change_nothing_or_are_taken(topic: str, value: bytes) -> None:
    """What cannot be read is told, never raised."""
    view = a_view()
    view.begin(NOW)
    if not view.take(topic, "k", value, NOW):
        assert view.changes.number == 0
        assert not view.active.rows | view.presence.rows
        assert not view.records.by_leg


def test_bytes_of_another_record_are_refused() -> None:
    """The schema id says whose they are."""
    view = a_view()
    assert not view.take("presence", "k", encoded("active-calls", crowd.active_call(1, NOW)), NOW)
    assert len(view.presence) == 0
