"""Rows of interval metrics: the bytes of the codec, whatever a window holds."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts import schemas
from streams.contracts.avro import codec
from streams.contracts.interval_rows import RECORD, IntervalRows
from streams.domain.intervals.call_numbers import TAKEN, WITHIN_SECONDS
from streams.domain.intervals.numbers import COUNTS, WITHIN, Numbers
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.publishing import DISTINCT, IntervalRow
from streams.domain.intervals.scopes import scope_key
from streams.domain.intervals.windows import Window
from streams.domain.words import Activity, IntervalKind, ScopeType

INSTANTS = st.integers(0, 2**42)
AMOUNTS = st.integers(-(2**60), 2**60) | st.integers(-2, 300)
PLAIN = [field["name"] for field in schemas.load(RECORD)["fields"] if field["type"] == "long"]
BUCKETS = st.dictionaries(st.integers(-5, 1_500).map(str) | st.just("zero"), AMOUNTS)
NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        COUNTS: st.dictionaries(st.sampled_from([*PLAIN, *DISTINCT, TAKEN]), AMOUNTS, min_size=1),
        WITHIN: st.dictionaries(st.sampled_from(list(map(str, WITHIN_SECONDS))), st.integers(1, 10**6), min_size=1),
        "activity_ms": st.dictionaries(st.sampled_from(list(map(str, Activity))), AMOUNTS, min_size=1),
        "messages_in": st.dictionaries(st.text(max_size=70), AMOUNTS, min_size=1),
        "messages_out": st.dictionaries(st.text(max_size=70), AMOUNTS, min_size=1),
        "ring_sketch": BUCKETS,
        "talk_sketch": BUCKETS,
        "hold_sketch": BUCKETS,
    },
)
LONGEST = st.lists(st.integers(1, 2**62), max_size=3)
ENTRIES = st.builds(Entry, NUMBERS, LONGEST, LONGEST, st.integers(0, 2**31 - 1))
ROWS = st.builds(
    IntervalRow,
    st.builds(scope_key, st.sampled_from(ScopeType), st.text(max_size=80)),
    st.builds(Window, st.sampled_from([60, 900, 1_800, 86_400]), INSTANTS, INSTANTS),
    st.sampled_from(IntervalKind),
    st.integers(1, 2**31 - 1),
    INSTANTS,
    ENTRIES,
)


def fields_of(row: IntervalRow) -> dict[str, Any]:
    """Return a row by its fields, worked out from the page that documents them."""
    scope_type, _, scope_id = row.scope.partition(":")
    numbers = copy.deepcopy(row.entry.numbers)
    counts = numbers.pop(COUNTS, {})
    fields: dict[str, Any] = {
        **{"scope_type": scope_type, "scope_id": scope_id, "window_seconds": row.window.seconds},
        **{"window_start": row.window.start, "window_end": row.window.end, "kind": row.kind.value},
        **{"revision": row.revision, "updated_at": row.updated_at},
        **{name: counts[name] for name in PLAIN if name in counts},
        **numbers,
    }
    within = numbers.get(WITHIN, {})
    fields[WITHIN] = {
        str(step): sum(within.get(str(less), 0) for less in WITHIN_SECONDS if less <= step) for step in WITHIN_SECONDS
    }
    if scope_type == ScopeType.EXTENSION:
        fields["longest_ring_ms"] = max(row.entry.rings, default=0)
        fields["longest_hold_ms"] = max(row.entry.holds, default=0)
        fields["max_concurrent_calls"] = row.entry.legs
    else:
        fields |= {name: counts.get(name, 0) for name in DISTINCT}
    return fields


@given(row=ROWS)
@settings(max_examples=300, deadline=None)
def test_the_bytes_are_the_codecs(row: IntervalRow) -> None:
    """What is written straight is what the codec makes of the fields."""
    row.entry.rings.sort()
    row.entry.holds.sort()
    assert IntervalRows().encode(row) == codec(RECORD).encode(fields_of(row))


@given(row=ROWS, more=st.lists(NUMBERS, max_size=3))
@settings(max_examples=200, deadline=None)
def test_what_was_written_before_is_not_written_again(row: IntervalRow, more: list[Numbers]) -> None:
    """After each change of its window a row says what the window holds then."""
    rows = IntervalRows()
    for numbers in more:
        rows.encode(row)
        row.entry.add(numbers)
        row = row._replace(entry=row.entry, revision=row.revision - 1 or 1)
    assert rows.encode(row) == rows.encode(row._replace(entry=replace(row.entry, written={})))


def test_what_is_no_long_is_refused() -> None:
    """A sum that no long can hold is an error, not other bytes."""
    entry = Entry({COUNTS: {"talk_ms": 2**63}})
    row = IntervalRow("TEAM:red", Window(900, 0, 900_000), IntervalKind.EARLY, 1, 0, entry)
    with pytest.raises(ValueError, match="not a long"):
        IntervalRows().encode(row)


def test_a_schema_with_another_field_stops_the_start() -> None:
    """Nobody adds a field that is then never written."""
    schema = schemas.load(RECORD)
    schema["fields"].append({"name": "calls_parked", "type": "long", "default": 0})
    with pytest.raises(ValueError, match="other fields"):
        IntervalRows(schema)
