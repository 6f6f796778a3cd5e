"""Kafka headers: CloudEvents 1.0 in binary mode, the trace of the input, the coordinates of an error (CONTRACT 2)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache

from streams.domain.postings import Row

Headers = list[tuple[str, bytes]]
_VERSION = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", b"/widget-streams")
_TRACE = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def event_headers(record: str, event_id: str, at: int, subject: str, trace: Headers) -> Headers:
    """Return the headers of an event: `record` is its Avro record, `at` its event time in ms since the epoch."""
    return [
        _VERSION,
        ("ce_id", event_id.encode()),
        _type(record),
        _SOURCE,
        ("ce_time", b"%s.%03dZ" % (_second(at // 1000), at % 1000)),
        ("ce_subject", subject.encode()),
        *trace,
    ]


@cache
def _type(record: str) -> tuple[str, bytes]:
    return "ce_type", b"io.widgetstreams.v1." + record.encode()


@lru_cache(maxsize=1024)
def _second(at: int) -> bytes:
    return datetime.fromtimestamp(at, UTC).isoformat()[:19].encode()


def error_headers(letter: Row) -> Headers:
    """Return the headers that tools for dead letters look for; they repeat fields of the row."""
    told = {
        "exception": letter["reason"],
        "message": letter["detail"],
        "stacktrace": "",
        "topic": letter["topic"],
        "partition": letter["partition"],
        "offset": letter["offset"],
    }
    return [(f"__streams.errors.{name}", str(value).encode()) for name, value in told.items()]


def trace_of(headers: Sequence[tuple[str, bytes | None]]) -> Headers:
    """Return the W3C trace header of an input record, if it has a well-formed one."""
    if not headers:
        return []
    return [(name, value) for name, value in headers if name == "traceparent" and value and _TRACE.fullmatch(value)]
