"""Capture coverage by the extensions stage: by day, by partition, with a directory that changes while it runs."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.directory import Directory
from streams.contracts.directory_rows import read_row
from streams.domain.intervals.windows import SETTLE_MS
from streams.pipeline.coverage import Shares
from streams.pipeline.records import Read
from tests.builders import HOUR, KEY, T0, Both, Json, Tab, fold, line, reads

QUARTER = 900_000
ANN, BOB, CAT = (f"+16505550100*{number}" for number in (101, 102, 103))
MIDNIGHT = 14 * HOUR
"""The end of the day of T0 in Berlin, after T0."""


def take(directory: Directory, *rows: Json) -> None:
    """Let the directory have rows."""
    for row in rows:
        directory.add(read_row(line(row)))


def a_row(key: str, account: str = "16") -> Json:
    """Return the row of an extension."""
    return {"account_id": account, "extension_id": key[-3:], "login_number": key}


def a_directory(*keys: str, zone: str | None = "Europe/Berlin") -> Directory:
    """Return a directory with the extensions of one account."""
    directory = Directory(KEY)
    take(directory, {"account_id": "16", "time_zone": zone}, *map(a_row, keys))
    return directory


def told(both: Both) -> list[Json]:
    """Return the rows of capture coverage, in order."""
    return [row.row for row in both.rows if row.record == "CaptureCoverage" and row.row is not None]


def brief(row: Json) -> tuple[str, int, int, list[str]]:
    """Return what a row says in short."""
    return row["kind"], row["extensions"], row["heard"], row["not_heard"]


def tab_of(key: str) -> Tab:
    """Return a page load of an extension."""
    return Tab(name=key, login=key)


def test_an_extension_that_posts_goes_off_the_list() -> None:
    """First all are silent, then those that were heard are not listed, and the day ends with a FINAL row."""
    both = Both(directory=a_directory(ANN, BOB))
    both.take(reads([tab_of(ANN).presence(0)]))
    both.until(MIDNIGHT + SETTLE_MS - 1)
    assert [brief(row) for row in told(both)] == [
        ("EARLY", 2, 0, [ANN, BOB]),
        ("EARLY", 2, 1, [BOB]),
        ("EARLY", 2, 0, [ANN, BOB]),
    ]
    both.until(MIDNIGHT + SETTLE_MS)
    final = told(both)[-1]
    assert brief(final) == ("FINAL", 2, 1, [BOB])
    assert (final["window_end"], final["updated_at"]) == (T0 + MIDNIGHT, T0 + MIDNIGHT + SETTLE_MS)
    assert (final["revision"], final["account_id"], final["partition"]) == (3, "16", 0)


def test_an_event_that_tells_nothing_new_was_heard_too() -> None:
    """A page load whose every post repeats another's is captured: what matters is that it came."""
    both = Both(directory=a_directory(ANN))
    both.until(0)
    first, second = Tab(name="A", login=ANN), Tab(name="B", login=ANN)
    both.take(reads([first.presence(MIDNIGHT - 1_000), second.presence(MIDNIGHT + 1_000)]))
    assert [outcome for _, outcome in both.tally.outcomes] == ["accepted", "duplicate"]
    both.until(MIDNIGHT + QUARTER)
    assert brief(told(both)[-1]) == ("EARLY", 1, 1, [])


def test_a_partition_that_hears_nobody_tells_so() -> None:
    """Time alone is enough: nobody was captured, which is when it matters."""
    both = Both(directory=a_directory(ANN))
    both.until(0)
    assert [brief(row) for row in told(both)] == [("EARLY", 1, 0, [ANN])]


def test_without_a_directory_there_are_no_rows() -> None:
    """Nobody knows whom to expect, and nothing is remembered for it."""
    both = Both()
    both.take(reads([tab_of(ANN).presence(0)]))
    both.until(30 * HOUR)
    assert told(both) == []
    assert not {b"H", b"R", b"V"} & {key[:1] for key in both.saved["extensions"]}


def test_rows_of_a_day_are_15_minutes_apart() -> None:
    """However often somebody is heard for the first time."""
    keys = [f"+16505550100*{number}" for number in range(101, 131)]
    both = Both(directory=a_directory(*keys))
    for index, key in enumerate(keys):
        both.take(reads([tab_of(key).presence(index * 100_000)]))
    both.until(HOUR)
    times = [row["updated_at"] for row in told(both)]
    assert len(times) == 5
    assert all(later // QUARTER > earlier // QUARTER for earlier, later in pairwise(times))
    assert told(both)[-1]["heard"] == 30


def test_a_day_without_news_is_told_twice() -> None:
    """When it begins and when it ends."""
    both = Both(directory=a_directory(ANN))
    both.until(MIDNIGHT)
    both.until(MIDNIGHT + 24 * HOUR + SETTLE_MS)
    rows = [row for row in told(both) if row["window_start"] == T0 + MIDNIGHT]
    assert [(row["kind"], row["updated_at"] - T0 - MIDNIGHT) for row in rows] == [
        ("EARLY", 0),
        ("FINAL", 24 * HOUR + SETTLE_MS),
    ]


def test_an_extension_added_at_noon_counts_with_what_it_said_before() -> None:
    """One that was silent and one that had posted when nobody knew it."""
    directory = a_directory(ANN)
    both = Both(directory=directory)
    both.take(reads([tab_of(CAT).presence(0)]))
    both.until(3 * HOUR)
    take(directory, a_row(BOB), a_row(CAT))
    both.until(3 * HOUR + QUARTER)
    assert [brief(row) for row in told(both)] == [("EARLY", 1, 0, [ANN]), ("EARLY", 3, 1, [ANN, BOB])]


@pytest.mark.parametrize(("leaver", "left"), [(ANN, ("EARLY", 1, 0, [BOB])), (BOB, ("EARLY", 1, 1, []))])
def test_an_extension_removed_at_noon_counts_no_more(leaver: str, left: tuple[str, int, int, list[str]]) -> None:
    """Whether it was heard or not."""
    directory = a_directory(ANN, BOB)
    both = Both(directory=directory)
    both.take(reads([tab_of(ANN).presence(0)]))
    both.until(3 * HOUR)
    directory.remove("16", leaver[-3:])
    both.until(3 * HOUR + QUARTER)
    assert brief(told(both)[-1]) == left


def test_an_account_that_leaves_is_told_empty() -> None:
    """The last extension of a partition is taken back: the row does not go on listing it."""
    directory = a_directory(ANN)
    both = Both(directory=directory)
    both.until(0)
    directory.remove("16", ANN[-3:])
    both.until(QUARTER)
    assert brief(told(both)[-1]) == ("EARLY", 0, 0, [])
    assert told(both)[-1]["directory_version"] is None
    both.until(2 * MIDNIGHT)
    assert [row["kind"] for row in told(both)] == ["EARLY", "EARLY", "FINAL"]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 3, 2), 24)])
def test_a_day_has_the_hours_of_its_time_zone(day: tuple[int, int, int], hours: int) -> None:
    """What is heard in its first and last minute belongs to it, what is heard a minute outside does not."""
    noon = round(datetime(*day, 11, tzinfo=UTC).timestamp() * 1000) - T0
    begun = Both(directory=a_directory(ANN))
    begun.until(noon)
    start, end = (told(begun)[0][name] - T0 for name in ("window_start", "window_end"))
    assert end - start == hours * HOUR
    for at, heard in ((start - 60_000, 0), (start + 60_000, 1), (end - 60_000, 1), (end + 20_000, 0)):
        both = Both(directory=a_directory(ANN))
        both.until(start - HOUR)
        both.take(reads([tab_of(ANN).presence(at)]))
        both.until(end + SETTLE_MS)
        finals = {row["window_start"] - T0: row["heard"] for row in told(both) if row["kind"] == "FINAL"}
        assert finals[start] == heard


def test_what_comes_after_the_day_amends_it() -> None:
    """A browser was off line over midnight; who joined meanwhile is not counted for yesterday."""
    directory = a_directory(ANN, BOB)
    both = Both(directory=directory)
    both.until(0)
    both.until(MIDNIGHT + HOUR)
    take(directory, a_row(CAT))
    both.take(reads([tab_of(BOB).post(tab_of(BOB).presence(0)["event"], MIDNIGHT - HOUR, sent=MIDNIGHT + HOUR + 1)]))
    both.until(MIDNIGHT + 2 * HOUR)
    rows = [brief(row) for row in told(both) if row["window_end"] == T0 + MIDNIGHT]
    assert rows == [("EARLY", 2, 0, [ANN, BOB]), ("FINAL", 2, 0, [ANN, BOB]), ("AMENDED", 2, 1, [ANN])]
    today = [brief(row) for row in told(both) if row["window_start"] == T0 + MIDNIGHT]
    assert today[-1] == ("EARLY", 3, 0, [ANN, BOB, CAT])


def test_what_is_over_is_forgotten() -> None:
    """Days after 26 hours, an extension when no day asks any more."""
    both = Both(directory=a_directory(ANN))
    both.take(reads([tab_of(ANN).presence(0)]))
    both.until(MIDNIGHT + 80 * HOUR)
    kept = [key for key in both.saved["extensions"] if key[:1] in (b"H", b"V")]
    ends = {row["window_start"]: row["window_end"] for row in told(both)}
    assert all(ends[int(key.rpartition(b"\x1f")[2])] > T0 + MIDNIGHT + 54 * HOUR for key in kept)
    assert len(kept) == 2


def test_a_time_zone_that_changes_begins_another_day() -> None:
    """The day that has begun is told to its end, and what was heard counts in the new one too."""
    directory = a_directory(ANN)
    both = Both(directory=directory)
    both.take(reads([tab_of(ANN).presence(0)]))
    both.until(HOUR)
    take(directory, {"account_id": "16", "time_zone": "America/New_York"})
    both.until(MIDNIGHT + 8 * HOUR)
    finals = [(row["window_end"] - T0, row["heard"]) for row in told(both) if row["kind"] == "FINAL"]
    assert finals == [(MIDNIGHT, 1), (MIDNIGHT + 6 * HOUR, 1)]


def test_a_record_that_fails_costs_no_row() -> None:
    """The batch is folded again without it, and the round that was due in it is made."""
    both = Both(directory=a_directory(ANN, BOB))
    both.until(0)
    both.take(reads([tab_of(ANN).presence(0)]))
    alone = Both(directory=a_directory(ANN, BOB))
    sessions = alone.sessions.fold(reads([tab_of(ANN).presence(0), tab_of(BOB).presence(QUARTER)])).outputs
    events = [record for record in sessions if record.topic == alone.plan.names["EnrichedEvent"]]
    values = [events[0].value, b"no event", events[1].value]
    folded = alone.extensions.fold([Read(0, place, -1, b"", value) for place, value in enumerate(values)])
    topics = [record.topic for record in folded.outputs]
    assert topics.count(alone.plan.names["DeadLetter"]) == 1
    assert topics.count(alone.plan.names["CaptureCoverage"]) == 2


posts = st.lists(st.tuples(st.sampled_from([ANN, BOB, CAT]), st.integers(0, 40)), max_size=12)


@given(posts, st.data())
@settings(max_examples=40, deadline=None)
def test_final_rows_depend_on_neither_order_nor_batches_nor_restarts(
    said: list[tuple[str, int]], data: st.DataObject
) -> None:
    """What was captured off line arrives in any order, in any batches, with a worker that begins anew between them."""
    other = data.draw(st.permutations(said))

    def final(order: list[tuple[str, int]], *, one_by_one: bool) -> list[Json]:
        both = Both(directory=a_directory(ANN, BOB, CAT))
        both.until(-24 * HOUR)
        batch = [
            Tab(name=f"{key} {index}", login=key).post(
                {"type": "rc-adapter-syncPresence", "userStatus": "Available", "telephonyStatus": "NoCall",
                 "dndStatus": "TakeAllCalls"}, -hours * HOUR // 2, sent=0,
            )
            for index, (key, hours) in enumerate(order)
        ]  # fmt: skip
        for envelopes in [[one] for one in batch] if one_by_one else [batch]:
            both.take(reads(envelopes))
            if one_by_one:
                both.reopen()
        both.until(48 * HOUR)
        last = {row["window_start"]: row for row in told(both) if row["kind"] != "EARLY"}
        return [{**row, "revision": 0} for row in last.values()]

    assert final(said, one_by_one=False) == final(other, one_by_one=True)


def test_the_partitions_share_the_directory() -> None:
    """Each extension is counted in the one partition that its events go to."""
    keys = [f"+16505550100*{number}" for number in range(101, 201)]
    directory = a_directory(*keys)
    shares = [Shares(directory, partition, 12).by_account()["16"].keys for partition in range(12)]
    assert sorted(key for share in shares for key in share) == keys


def test_a_file_is_folded_with_its_directory() -> None:
    """`fold --directory` tells the same rows."""
    result = fold([tab_of(ANN).presence(0)], until=QUARTER, directory=a_directory(ANN, BOB))
    assert [brief(row) for row in result.of("CaptureCoverage")] == [
        ("EARLY", 2, 0, [ANN, BOB]),
        ("EARLY", 2, 1, [BOB]),
    ]
