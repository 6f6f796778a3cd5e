"""Rows become records: in their topic, under their key, in the right partition, with the right headers (CONTRACT 2)."""

from typing import Any

import pytest

from streams.contracts.avro import codec
from streams.contracts.catalog import Naming
from streams.contracts.enriched import watermark_row
from streams.contracts.letters import letter_row, refused
from streams.domain.postings import Rejection
from streams.domain.words import RejectReason
from streams.pipeline.partitioner import partition_of
from streams.pipeline.records import Mark, Written
from streams.pipeline.writer import MAX_PRESENCES, OutputTooLargeError, Writer
from tests.builders import LOGIN, T0, Json, Tab, a_plan, a_uuid, fold

TRACE = [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
PARTITIONS = 12


def a_writer(partition: int = 5, **changes: Any) -> Writer:
    """Return the writer of a partition."""
    return Writer(a_plan(**{"partitions": PARTITIONS, **changes}), partition)


def a_letter() -> dict[str, object]:
    """Return the row of a dead letter."""
    place: dict[str, object] = {"topic": "widget.events.v1", "partition": 5, "offset": 7}
    row = letter_row(place, stage="sessions", key=LOGIN.encode(), value=b"x", received_at=T0)
    return refused(row, Rejection(RejectReason.BAD_JSON, "no JSON"), None, None)


def rows(record: str) -> list[Json]:
    """Return rows of a record, from a call and its page load."""
    tab = Tab()
    call = tab.call()
    posts = [tab.logs_in(0), tab.presence(1), call.ring(10), call.start(20), call.end(30)]
    return fold(posts, until=120_000).of(record)


def names(written: Written) -> list[str]:
    """Return the names of a record's headers."""
    return [name for name, _ in written.headers]


def test_an_enriched_event_goes_to_the_partition_of_its_extension() -> None:
    """The next stage finds everything of one user in one partition."""
    (row, *_) = rows("EnrichedEvent")
    written = a_writer().enriched(row, TRACE)
    assert written.topic == "widget.enriched-events.v1"
    assert (written.key, written.partition) == (LOGIN.encode(), partition_of(LOGIN, PARTITIONS))
    assert list(written.headers) == TRACE
    assert written.partition != 5


def test_a_mark_goes_to_every_partition() -> None:
    """Each must learn how far the sources are (CONTRACT 1)."""
    marks = a_writer().watermarks(watermark_row([Mark(5, T0, 70)._asdict()]))
    assert [mark.partition for mark in marks] == list(range(PARTITIONS))
    assert {(mark.key, mark.topic, mark.value) for mark in marks} == {(None, marks[0].topic, marks[0].value)}
    row = codec("EnrichedEvent").decode(marks[0].value or b"")
    assert row["marks"] == [{"source_partition": 5, "time": T0, "next_offset": 70}]


@pytest.mark.parametrize("record", ["CallEvent", "PresenceEvent", "SessionEvent"])
def test_event_topics_carry_cloudevents_and_the_trace(record: str) -> None:
    """And stay in the partition of the stage."""
    (row, *_) = rows(record)
    written = a_writer().row(record, "key", row, TRACE)
    assert names(written) == [
        "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "traceparent",
    ]  # fmt: skip
    assert dict(written.headers)["ce_id"].decode() == row["event_id"]
    assert (written.key, written.partition) == (b"key", 5)


@pytest.mark.parametrize("record", ["CallRecord", "ActiveCall", "Presence", "SessionAudit"])
def test_tables_carry_no_event_headers(record: str) -> None:
    """They are states, not events."""
    result = rows(record)
    if record == "ActiveCall":
        assert result
    assert a_writer().row(record, "key", result[0], TRACE).headers == []


def test_a_tombstone_has_a_key_and_no_value() -> None:
    """The end of an active call."""
    assert a_writer().row("ActiveCall", "leg", None, TRACE) == Written("widget.active-calls.v1", 5, b"leg", None, [])


def test_a_dead_letter_has_both_kinds_of_headers() -> None:
    """So that tools for dead letters and for CloudEvents find it; its subject is the reason."""
    written = a_writer().letter(a_letter(), T0, TRACE)
    told = dict(written.headers)
    assert (told["ce_subject"], told["__streams.errors.exception"]) == (b"BAD_JSON", b"BAD_JSON")
    assert told["__streams.errors.offset"] == b"7"
    assert (written.key, written.partition) == (LOGIN.encode(), 5)


def test_topics_take_the_prefix() -> None:
    """The setting topic_prefix names public topics."""
    written = a_writer(naming=Naming("acme.", "night")).letter(a_letter(), T0, [])
    assert written.topic == "acme.dead-letters.v1"


def test_one_byte_decides_what_is_too_large() -> None:
    """A record over its topic's limit would stop the transaction; its kind is told, nothing of it."""
    (row, *_) = rows("SessionAudit")
    size = len(a_writer().row("SessionAudit", "k", row, []).value or b"")
    assert a_writer(max_output_bytes=size).row("SessionAudit", "k", row, []).value is not None
    with pytest.raises(OutputTooLargeError) as error:
        a_writer(max_output_bytes=size - 1).row("SessionAudit", "k", row, [])
    assert str(error.value) == "SessionAudit"


def test_a_session_id_is_the_key_of_its_audit() -> None:
    """CONTRACT 2 topic 10."""
    assert [row["session_id"] for row in rows("SessionAudit")] == [a_uuid("A")] * len(rows("SessionAudit"))


def test_presences_written_from_kept_bytes_are_those_of_the_rows() -> None:
    """A presence is left with the bytes with which it was entered, however many others came between."""
    presences: list[Json] = [
        {"extension_key": LOGIN, "activity": "BUSY", "activity_since": T0 + at, "updated_at": T0} for at in range(3)
    ]
    shared = {"event_id": "e", "event_time": T0, "extension_key": LOGIN}
    changes: list[Json] = [
        {**shared, "previous": before, "current": after}
        for before, after in zip([None, *presences], presences, strict=False)
    ]
    writer = a_writer()
    others = [{**presences[0], "activity_since": T0 + at} for at in range(MAX_PRESENCES)]
    for between in ([], others, []):
        for row in between:
            writer.row("Presence", LOGIN, row, [])
        for change in changes:
            assert writer.row("PresenceEvent", LOGIN, change, []).value == codec("PresenceEvent").encode(change)
            row = change["current"]
            assert writer.row("Presence", LOGIN, row, []).value == codec("Presence").encode(row)
