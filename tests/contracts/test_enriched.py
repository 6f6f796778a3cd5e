"""An enriched event read again: an event of the domain, without a row in between."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streams.contracts import schemas
from streams.contracts.avro import MalformedError, NotFramedError
from streams.contracts.enriched import CODEC, is_watermark, read_event, read_marks, watermark_row
from streams.domain.postings import Row
from streams.domain.words import EventType
from tests.schemas.values import fitting

SCHEMA = schemas.bare(schemas.load("EnrichedEvent"))
ALWAYS = ("event_time", "received_at", "extension_key", "input")
"""Fields that are null in marks only."""
FIELDS = [{**field, "type": field["type"][1]} if field["name"] in ALWAYS else field for field in SCHEMA["fields"]]
VALUES = fitting({**SCHEMA, "fields": FIELDS})
ELSEWHERE = {"browser_calls", "calling_mode", "logged_in"}
"""Fields of an event that are no fields of the record."""


def _is_ours(row: dict[str, Any]) -> bool:
    """Tell whether the words of a row are those of the domain: UNKNOWN is no type."""
    return row["type"] not in ("UNKNOWN", "WATERMARK", "OTHER")


@given(row=VALUES)
@settings(max_examples=200, deadline=None)
def test_an_event_has_what_the_row_has(row: dict[str, Any]) -> None:
    """Every field of the event is the field of the record of that name, down to the parties of a session."""
    assume(_is_ours(row))
    event = dataclasses.asdict(read_event(CODEC.encode(row)))
    for name in event.keys() - ELSEWHERE:
        _same(event[name], row[name])
    assert event["logged_in"] == (row["login"]["logged_in"] if row["login"] else None)


def _same(ours: Any, row: Any) -> None:
    """Compare, less the fields that the domain does not read."""
    if isinstance(ours, dict):
        for name, value in ours.items():
            _same(value, row[name])
    elif isinstance(ours, list):
        assert len(ours) == len(row)
        for mine, theirs in zip(ours, row, strict=True):
            _same(mine, theirs)
    else:
        assert ours == row


@given(row=VALUES, cut=st.integers(6, 10_000))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_cut_short_are_no_event(row: dict[str, Any], cut: int) -> None:
    """Whatever is missing at the end is noticed."""
    value = CODEC.encode(row)
    with pytest.raises(MalformedError):
        read_event(value[: min(cut, len(value) - 1)])


@pytest.mark.parametrize("name", ALWAYS)
def test_an_event_of_nobody_or_of_no_time_is_refused(name: str) -> None:
    """What only marks lack is no event."""
    row = json.loads((schemas.SCHEMAS / "examples" / "enriched-event" / "login.json").read_text(encoding="utf-8"))
    assert read_event(CODEC.encode(row)).type is EventType.RC_LOGIN_STATUS_NOTIFY
    with pytest.raises(MalformedError):
        read_event(CODEC.encode({**row, name: None}))


def test_a_watermark_is_told_by_its_first_fields() -> None:
    """It has its marks and is no event; what is not framed is neither."""
    marks: list[Row] = [{"source_partition": 3, "time": 1_772_442_000_000, "next_offset": 70_000}]
    value = CODEC.encode(watermark_row(marks))
    assert is_watermark(value)
    assert list(read_marks(value)) == [(3, 1_772_442_000_000)]
    assert not is_watermark(CODEC.encode({"type": EventType.OTHER.value}))
    for bad, error in ((b"", NotFramedError), (b"\x01" + value[1:], NotFramedError), (value[:6], MalformedError)):
        with pytest.raises(error):
            is_watermark(bad)
