"""Interval rows of a whole day of many extensions, as the topic keeps them: the last row of each window."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from streams.contracts.interval_rows import IntervalRows
from streams.contracts.sketch import bucket_of
from streams.domain.intervals.numbers import ACTIVITY, COUNTS, RING, TALK, WITHIN
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.publishing import IntervalRow
from streams.domain.intervals.scopes import scope_key
from streams.domain.intervals.windows import DAY, HALF_HOUR, MINUTE, QUARTER, Window, fixed
from streams.domain.words import IntervalKind, ScopeType
from streams.pipeline.partitioner import partition_of

DAY_MS = DAY * 1_000


def day_of_rows(
    extensions: Sequence[str], now: int, calls: int, partitions: int
) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Give (partition, key, value, time stamp) of the rows in the order in which windows end.

    Everybody is at work all day, so that every quarter of an hour has a row; a minute has one where a call ends.

    Args:
        extensions: Their keys.
        now: The day ends here, ms since the epoch.
        calls: Of each extension.
        partitions: Of the topic.
    """
    some, encode = random.Random(3), IntervalRows().encode
    places = {key: partition_of(key, partitions) for key in extensions}
    ended: dict[Window, Counter[str]] = defaultdict(Counter)
    for key in extensions:
        for _ in range(calls):
            at = now - DAY_MS + some.randrange(DAY_MS)
            for seconds in (MINUTE, QUARTER, HALF_HOUR):
                ended[fixed(seconds, at)][key] += 1
            ended[_day(at)][key] += 1
    for window in _windows(now):
        for key in ended[window] if window.seconds == MINUTE else extensions:
            entry = _entry(window, ended[window][key], some)
            row = IntervalRow(
                scope_key(ScopeType.EXTENSION, key), window, IntervalKind.FINAL, 3, window.end + 30_000, entry
            )
            yield places[key], row.key.encode(), encode(row), min(window.end, now)


def _day(at: int) -> Window:
    return Window(DAY, at - at % DAY_MS, at - at % DAY_MS + DAY_MS)


def _windows(now: int) -> Iterator[Window]:
    """Give the windows of a day in the order of their ends, the days last."""
    begun = now - DAY_MS
    for minute in range(DAY // MINUTE):
        at = begun + minute * MINUTE * 1_000
        for seconds in (MINUTE, QUARTER, HALF_HOUR):
            if at // 60_000 % (seconds // MINUTE) == seconds // MINUTE - 1:
                yield fixed(seconds, at)
    yield from (_day(begun), _day(now))


def _entry(window: Window, calls: int, some: random.Random) -> Entry:
    length = window.end - window.start
    if not calls and some.random() < 0.7:
        return Entry({ACTIVITY: {"AVAILABLE": length}}, revision=3, is_final=True)
    rings = [some.randrange(1_000, 32_000) for _ in range(calls)]
    talks = [some.randrange(8_000, 400_000) for _ in range(calls)]
    busy = some.randrange(length // 3)
    numbers = {ACTIVITY: {"AVAILABLE": length - busy, "ON_CALL" if calls else "BUSY": busy}}
    if calls:
        talk = sum(talks)
        numbers |= {
            COUNTS: {
                "calls_offered": calls, "calls_answered": calls, "ring_ms": sum(rings), "talk_ms": talk,
                "handle_ms": talk,
            },
            WITHIN: {"20": calls},
            RING: {bucket_of(ring): 1 for ring in rings},
            TALK: {bucket_of(talk): 1 for talk in talks},
        }  # fmt: skip
    return Entry(numbers, rings=sorted(rings), legs=min(calls, 1), revision=3, is_final=True)
