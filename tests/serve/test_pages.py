"""Pages together are the table, whatever the limit; a wrong parameter is named and never repeated."""

import contextlib
import string
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.serve import pages
from streams.serve.queries import BadQueryError, read
from streams.serve.routes import ROUTES
from streams.serve.view import View
from tests.serve import crowd
from tests.serve.serving import a_view, put

NOW = 1_772_442_000_000
PARAMETERS = {route.name: route.parameters for route in ROUTES}


@pytest.fixture(scope="module")
def view() -> View:
    """Give a company of 40 people."""
    view = a_view()
    for number in range(40):
        key = crowd.key_of(number)
        put(view, "presence", key, crowd.presence(number, NOW, "ON_CALL" if number % 2 else "AVAILABLE"), NOW)
        call = crowd.active_call(number, NOW, "CONNECTED" if number % 3 else "RINGING")
        put(view, "active-calls", call["leg_id"], call, NOW)
        for serial in range(number % 4):
            record = crowd.call_record(number, NOW - 1_000 * number - serial, serial)
            put(view, "call-records", record["leg_id"], record, NOW)
        for seconds in (900, 86_400):
            row = crowd.interval("EXTENSION", key, seconds, NOW - 900_000)
            put(view, "interval-metrics", f"{key}{seconds}", row, NOW)
    put(view, "interval-metrics", "t", crowd.interval("TEAM", "sales", 900, NOW - 900_000), NOW)
    view.begin(NOW)
    return view


ASKS = {
    "listActiveCalls": pages.active_calls,
    "listPresence": pages.presences,
    "listCallRecords": pages.call_records,
    "listIntervals": pages.intervals,
}


def collect(view: View, name: str, limit: int, **given: str) -> list[Any]:
    """Return the rows of all pages."""
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = ASKS[name](view, read(PARAMETERS[name], {**given, "limit": str(limit), **more}.items()))
        assert len(page.items) <= limit
        rows += [orjson.loads(item) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return rows


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_are_the_whole_table_in_one_order(view: View, name: str, limit: int) -> None:
    """No row twice, none left out."""
    rows = collect(view, name, limit)
    assert rows == collect(view, name, 999)
    sizes = {
        "listActiveCalls": 40,
        "listPresence": 40,
        "listCallRecords": len(view.records.by_leg),
        "listIntervals": 81,
    }
    assert len(rows) == sizes[name] == len({orjson.dumps(row) for row in rows})


def test_filters_leave_what_fits(view: View) -> None:
    """Team, site, queue and state, alone and together, compared with a plain look at the rows."""
    calls = collect(view, "listActiveCalls", 1000)
    wanted = [row for row in calls if row["team"] == "sales" and row["site"] == "north" and row["state"] == "RINGING"]
    assert wanted
    assert collect(view, "listActiveCalls", 3, team="sales", site="north", state="RINGING") == wanted
    people = collect(view, "listPresence", 1000, queue="q-sales", state="ON_CALL")
    sales = {crowd.key_of(number) for number in range(40) if number % 4 == 1}
    assert {row["extension_key"] for row in people} == sales
    records = collect(view, "listCallRecords", 2, queue="q-sales")
    assert records
    assert {row["queue"] for row in records} == {"q-sales"}
    assert collect(view, "listActiveCalls", 10, team="nobody") == []


def test_records_are_newest_first_and_of_one_extension_if_asked(view: View) -> None:
    """By the instant of their ends."""
    ends = [row["ended_at"] for row in collect(view, "listCallRecords", 5)]
    assert ends == sorted(ends, reverse=True)
    own = collect(view, "listCallRecords", 1, extension_key=crowd.key_of(7))
    assert [row["extension_key"] for row in own] == [crowd.key_of(7)] * 3


def test_interval_rows_of_a_scope(view: View) -> None:
    """By type and id, by team, by length and beginning of the window."""
    (team,) = collect(view, "listIntervals", 10, team="sales")
    assert (team["scope_type"], team["scope_id"]) == ("TEAM", "sales")
    assert len(collect(view, "listIntervals", 10, scope_type="EXTENSION", window_seconds="86400")) == 40
    assert collect(view, "listIntervals", 10, since=str(NOW)) == []
    with pytest.raises(BadQueryError):
        collect(view, "listIntervals", 10, team="sales", site="north")


def test_a_page_that_finds_nothing_for_long_ends(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is short and has a next one: nobody holds the others up."""
    monkeypatch.setattr(pages, "MOST_LOOKED_AT", 10)
    query = read(PARAMETERS["listActiveCalls"], [("team", "nobody")])
    page = pages.active_calls(view, query)
    assert page.items == []
    assert page.next_cursor
    assert collect(view, "listActiveCalls", 10, team="nobody") == []


WRONG = [
    ("listActiveCalls", "limit", "0"),
    ("listActiveCalls", "limit", "1001"),
    ("listActiveCalls", "limit", "x5550100"),
    ("listActiveCalls", "limit", "٣"),
    ("listActiveCalls", "state", "x5550100"),
    ("listActiveCalls", "cursor", "x5550100"),
    ("listActiveCalls", "cursor", "WzFd"),
    ("listCallRecords", "cursor", "WyJ4Il0"),
    ("listIntervals", "cursor", "WyJ4Il0"),
    ("listCallRecords", "extension_key", "+16505550100"),
    ("listCallRecords", "team", ""),
    ("listCallRecords", "team", "x" * 201),
    ("listCallRecords", "team", "a\nb"),
    ("listIntervals", "window_seconds", "61"),
    ("listIntervals", "since", "-1"),
    ("listPresence", "+16505550100", "x5550100"),
]


@pytest.mark.parametrize(("name", "parameter", "value"), WRONG)
def test_a_wrong_parameter_is_refused_and_not_repeated(view: View, name: str, parameter: str, value: str) -> None:
    """The text says what is allowed."""
    with pytest.raises(BadQueryError) as refused:
        ASKS[name](view, read(PARAMETERS[name], [(parameter, value)]))
    assert "5550100" not in str(refused.value)
    assert str(refused.value).endswith(".")


@given(
    st.sampled_from(sorted(ASKS)),
    st.lists(st.tuples(st.sampled_from(["cursor", "limit", "team", "x"]), st.text(string.printable))),
)
def test_any_parameters_give_a_page_or_a_refusal(name: str, given: list[tuple[str, str]]) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(BadQueryError):
        page = ASKS[name](a_view(), read(PARAMETERS[name], given))
        assert page.items == []
