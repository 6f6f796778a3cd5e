"""Interval rows: packed or loose, read by their key alone or whole, they are the last row of each window."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.serve.intervals import KEPT_MS, LOOSE, Intervals, place_of
from streams.serve.packs import Pack, end_of
from tests.serve import crowd
from tests.serve.serving import a_view

NOW = 1_772_442_000_000
HOUR = 3_600_000
SECONDS = (60, 900, 1_800, 86_400)
CODEC = codec("IntervalMetrics")
WINDOWS = st.builds(
    lambda seconds, ago: (seconds, (NOW - ago) // (seconds * 1_000) * seconds * 1_000),
    st.sampled_from(SECONDS),
    st.integers(0, 30 * HOUR),
)
SCOPES = st.sampled_from([("EXTENSION", crowd.key_of(1)), ("EXTENSION", "a:b"), ("TEAM", "sales")])


def held(intervals: Intervals) -> dict[Any, bytes]:
    """Return all rows by place, which must come in order."""
    rows = list(intervals.after(None, None, None))
    assert [place for place, _ in rows] == sorted(place for place, _ in rows)
    return dict(rows)


@given(st.lists(st.tuples(SCOPES, WINDOWS), max_size=400), st.integers(0, 30 * HOUR))
@settings(max_examples=60, deadline=None)
def test_the_last_row_of_each_window_is_held(puts: list[Any], ago: int) -> None:
    """Whatever was packed meanwhile; what ended before an instant is not given any more after it was told so."""
    intervals, expected = Intervals(), {}
    for number, (scope, window) in enumerate(puts):
        assert intervals.put(scope, window, b"%d" % number)
        expected[scope, window] = b"%d" % number
    assert held(intervals) == expected
    intervals.expire(NOW - ago)
    assert held(intervals) == {place: row for place, row in expected.items() if end_of(place[1]) >= NOW - ago}


def test_a_day_of_an_extension_is_packed() -> None:
    """Most of it lies in packs, a page goes on anywhere in it, and nothing is left when all of it is old."""
    intervals, scope = Intervals(), ("EXTENSION", crowd.key_of(1))
    windows = [(900, NOW + number * 900_000) for number in range(96)]
    for window in windows:
        intervals.put(scope, window, b"row of %d" % window[1])
    shelf = intervals.of[scope]
    assert (len(shelf.loose) < LOOSE, intervals.count) == (True, 96)
    assert sum(pack.size for pack in shelf.packs) == 96 - len(shelf.loose)
    assert [place[1] for place, _ in intervals.after((scope, windows[40]), None, None)] == windows[41:]
    intervals.expire(windows[-1][1] + KEPT_MS + HOUR)
    assert (intervals.of, intervals.count) == ({}, 0)


@given(st.dictionaries(WINDOWS, st.binary(max_size=300), min_size=1))
def test_packing_loses_nothing(rows: dict[tuple[int, int], bytes]) -> None:
    """Rows come back as they were, in their order."""
    assert list(Pack.of(rows).rows().items()) == list(rows.items())


@pytest.mark.parametrize("scope_type", ["EXTENSION", "TEAM"])
def test_what_is_read_at_the_start_is_what_is_read_later(scope_type: str) -> None:
    """A row of an extension is not decoded while loading; it is the same row, and a foreign value is refused."""
    row = crowd.interval(scope_type, crowd.key_of(1), 900, NOW - 900_000)
    key = f"{scope_type}:{crowd.key_of(1)}:900:{NOW - 900_000}"
    old = f"{scope_type}:{crowd.key_of(1)}:900:{NOW - 28 * HOUR}"
    loading, later = a_view(), a_view()
    later.begin(NOW)
    for view in (loading, later):
        assert view.take("interval-metrics", key, CODEC.encode(row), NOW)
        assert view.take("interval-metrics", old, CODEC.encode({**row, "window_end": NOW - 27 * HOUR}), NOW)
        assert not view.take("interval-metrics", key, b"no row", NOW)
    assert held(loading.intervals) == held(later.intervals) == {place_of(key): CODEC.encode(row)}


@pytest.mark.parametrize(
    "key", ["", "TEAM", "TEAM:a", "TEAM:a:900", "TEAM:a:b:9", "TEAM:a:9:b", "a:9:9", "T:a:9:" + "9" * 30]
)
def test_other_texts_are_no_place(key: str) -> None:
    """Keys that no row has."""
    assert place_of(key) is None
