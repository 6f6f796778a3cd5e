"""Kafka headers: CloudEvents in binary mode, traces that are well formed, coordinates of refusals (CONTRACT 2)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.cloudevents import error_headers, event_headers, trace_of

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_event_has_the_six_attributes_and_its_trace() -> None:
    """In the order in which people read them."""
    assert event_headers("CallEvent", "e-1", 1_772_442_000_007, "leg-1", [("traceparent", TRACE)]) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_type", b"io.widgetstreams.v1.CallEvent"),
        ("ce_source", b"/widget-streams"),
        ("ce_time", b"2026-03-02T09:00:00.007Z"),
        ("ce_subject", b"leg-1"),
        ("traceparent", TRACE),
    ]


@given(st.integers(-2_000_000_000_000, 4_102_444_800_000))
def test_the_time_reads_back_to_the_millisecond(at: int) -> None:
    """RFC 3339, UTC, before 1970 too."""
    text = dict(event_headers("CallEvent", "e", at, "s", []))["ce_time"].decode()
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    assert moment.tzinfo == UTC
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000 == pytest.approx(at, abs=0.01)
    assert len(text) == 24


def test_a_well_formed_trace_is_handed_on() -> None:
    """And nothing else of the input's headers."""
    given_headers = [("authorization", b"Bearer x"), ("traceparent", TRACE), ("tracestate", b"a=b")]
    assert trace_of(given_headers) == [("traceparent", TRACE)]


@pytest.mark.parametrize("value", [b"", b"00-0-0-0", TRACE + b"-x", TRACE.upper(), b"+14155550142", b"\xff", None])
def test_a_trace_of_another_form_is_not(value: bytes | None) -> None:
    """A header is no way around the privacy policy."""
    assert trace_of([("traceparent", value)]) == []


def test_a_refusal_says_where_it_stands() -> None:
    """The six headers that tools for dead letters look for, as text."""
    letter = {"reason": "BAD_JSON", "detail": "no JSON", "topic": "t", "partition": 3, "offset": 70, "key": "k"}
    assert error_headers(letter) == [
        ("__streams.errors.exception", b"BAD_JSON"),
        ("__streams.errors.message", b"no JSON"),
        ("__streams.errors.stacktrace", b""),
        ("__streams.errors.topic", b"t"),
        ("__streams.errors.partition", b"3"),
        ("__streams.errors.offset", b"70"),
    ]
