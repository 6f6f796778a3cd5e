"""Rows of interval metrics as bytes, straight from what is kept of a window.

Half of all records are such rows, and most of their fields say nothing or what the row before said: writing them by
way of a dict of all fields takes three times as long. The bytes are those of the codec; a property test holds both to
it, and a schema that has other fields than are written here stops the start.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from streams.contracts import schemas
from streams.contracts.avro import codec
from streams.contracts.avro_writer import long_bytes
from streams.domain.intervals.diary import LOGINS
from streams.domain.intervals.numbers import (
    ACTIVITY,
    COUNTS,
    HOLD,
    MESSAGES_IN,
    MESSAGES_OUT,
    RING,
    TALK,
    WITHIN,
)  # fmt: skip
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.publishing import DISTINCT, STEPS, IntervalRow
from streams.domain.intervals.scopes import parts_of
from streams.domain.intervals.windows import Window
from streams.domain.words import IntervalKind, ScopeType

RECORD: Final = "IntervalMetrics"
_HEAD: Final = (
    "scope_type", "scope_id", "window_seconds", "window_start", "window_end", "kind", "revision", "updated_at",
)  # fmt: skip
_CALLS: Final = (
    "calls_offered", "calls_answered", "calls_missed", "calls_rejected", "calls_voicemail", "calls_outbound",
    "calls_outbound_connected", "calls_transferred", "calls_held", "ring_ms", "talk_ms", "hold_ms", "handle_ms",
)  # fmt: skip
_ALONE: Final = ("longest_ring_ms", "longest_hold_ms", "max_concurrent_calls")
FIELDS: Final = (
    *_HEAD, *_CALLS, *_ALONE, WITHIN, ACTIVITY, LOGINS, MESSAGES_IN, MESSAGES_OUT, RING, TALK, HOLD, *DISTINCT,
)  # fmt: skip
"""The fields of a row in the order in which they are written."""
_NO_CALLS: Final = b"\0" * len(_CALLS)
_NOTHING: Final[dict[str, int]] = {}
_NULLS: Final = b"\0\0\0"
_SOME: Final = b"\2"
"""The branch of an optional field that has a value."""
_END: Final = b"\0"
"""The end of a map, and all of an empty one."""
_ZERO: Final = b"\0"
_BUCKETS: Final = 30_000
"""So many buckets with a count are remembered: a day of a large account has a thousand buckets."""
_SMALL: Final = 64
_SCOPES: Final = 10_000
"""So many beginnings of rows are remembered."""

Write = Callable[[dict[str, int]], bytes]
_buckets: dict[tuple[str, int], bytes] = {}
_written_bucket = _buckets.__getitem__


@lru_cache(maxsize=10_000)
def _text(text: str) -> bytes:
    content = text.encode()
    return long_bytes(len(content)) + content


def _symbols(schema: schemas.Schema, name: str) -> dict[str, bytes]:
    """Return the bytes of each word of an enum of the row."""
    found = {named["name"]: named for named in schemas.named_types(schema)}
    return {symbol: long_bytes(index) for index, symbol in enumerate(found[name]["symbols"])}


class IntervalRows:
    """Writes rows of interval metrics."""

    def __init__(self, schema: schemas.Schema | None = None) -> None:
        """Prepare for the schema, by default the current one.

        Raises:
            ValueError: The schema has other fields than this module writes.
        """
        schema = schema or schemas.load(RECORD)
        if tuple(field["name"] for field in schema["fields"]) != FIELDS:
            raise ValueError(f"The schema of {RECORD} has other fields than its rows are written with.")
        self._prefix = codec(RECORD).prefix
        self._begun: dict[str, tuple[bytes, bool]] = {}
        self._scope_types = _symbols(schema, "ScopeType")
        self._kinds = {
            IntervalKind(word): code for word, code in _symbols(schema, "IntervalKind").items() if word != "UNKNOWN"
        }

    def encode(self, row: IntervalRow) -> bytes:
        """Return the framed bytes of a row."""
        scope, window, kind, revision, updated_at, entry = row
        get = entry.numbers.get
        counts = get(COUNTS, _NOTHING)
        begin, is_alone = self._begin(scope)
        parts = [
            begin,
            _window(window),
            self._kinds[kind],
            long_bytes(revision),
            _instant(updated_at),
            _kept(entry, COUNTS, counts, _calls) if counts else _NO_CALLS,
            _alone(entry.rings, entry.holds, entry.legs) if is_alone else _NULLS,
            _kept(entry, WITHIN, found, _within) if (found := get(WITHIN)) else _NONE_WITHIN,
            _few(found) if (found := get(ACTIVITY)) else _END,
            long_bytes(counts[LOGINS]) if LOGINS in counts else _ZERO,
            _few(found) if (found := get(MESSAGES_IN)) else _END,
            _few(found) if (found := get(MESSAGES_OUT)) else _END,
            _kept(entry, RING, found, _sketch) if (found := get(RING)) else _END,
            _kept(entry, TALK, found, _sketch) if (found := get(TALK)) else _END,
            _kept(entry, HOLD, found, _sketch) if (found := get(HOLD)) else _END,
            _NULLS if is_alone else _above(counts),
        ]
        return b"".join(parts)

    def _begin(self, scope: str) -> tuple[bytes, bool]:
        """Return what rows of a scope begin with, and whether it is an extension."""
        found = self._begun.get(scope)
        if found is None:
            if len(self._begun) >= _SCOPES:
                self._begun.clear()
            scope_type, scope_id = parts_of(scope)
            begin = self._prefix + self._scope_types[scope_type] + _text(scope_id)
            found = self._begun[scope] = begin, scope_type == ScopeType.EXTENSION
        return found


@lru_cache(maxsize=10_000)
def _window(window: Window) -> bytes:
    return b"".join(map(long_bytes, window))


@lru_cache(maxsize=100)
def _instant(at: int) -> bytes:
    """Return the bytes of an instant: rows are told at a few of them."""
    return long_bytes(at)


def _calls(counts: dict[str, int]) -> bytes:
    get = counts.get
    return b"".join([long_bytes(get(name, 0)) for name in _CALLS])


def _alone(rings: list[int], holds: list[int], legs: int) -> bytes:
    """Return what only rows of extensions have: a maximum cannot be added up."""
    ring = long_bytes(rings[-1]) if rings else _ZERO
    hold = long_bytes(holds[-1]) if holds else _ZERO
    return b"".join((_SOME, ring, _SOME, hold, _SOME, long_bytes(legs)))


def _above(counts: dict[str, int]) -> bytes:
    """Return what only rows of scopes above have."""
    return b"".join([_SOME + long_bytes(counts.get(name, 0)) for name in DISTINCT])


def _within(steps: dict[str, int]) -> bytes:
    """Return the steps added up: each counts what the steps before it count too."""
    total, parts = 0, [_STEPS]
    for step, name in _STEP_NAMES:
        if step in steps:
            total += steps[step]
        parts += (name, long_bytes(total))
    parts.append(_END)
    return b"".join(parts)


def _few(values: dict[str, int]) -> bytes:
    """Return a map of few names that mostly has other numbers each time."""
    parts = [long_bytes(len(values))]
    for name, value in values.items():
        parts += (_text(name), long_bytes(value))
    parts.append(_END)
    return b"".join(parts)


def _kept(entry: Entry, group: str, values: dict[str, int], write: Write) -> bytes:
    """Return what is written of a group that mostly is what it was when the row before was written."""
    written = entry.written.get(group)
    if written is None:
        written = entry.written[group] = write(values)
    return written


def _sketch(buckets: dict[str, int]) -> bytes:
    items = buckets.items()
    try:
        parts = b"".join(map(_written_bucket, items))
    except KeyError:
        parts = b"".join(map(_bucket, items))
    return b"".join((long_bytes(len(buckets)), parts, _END))


def _bucket(item: tuple[str, int]) -> bytes:
    """Return a bucket and its count; small counts are remembered, they stand in the sketches of all windows."""
    name, count = item
    written = _text(name) + long_bytes(count)
    if 0 < count < _SMALL:
        if len(_buckets) >= _BUCKETS:
            _buckets.clear()
        _buckets[item] = written
    return written


_STEPS: Final = long_bytes(len(STEPS))
_STEP_NAMES: Final = [(step, _text(step)) for step in STEPS]
_NONE_WITHIN: Final = _within({})
