"""Tumbling windows: a minute, a quarter of an hour, half an hour, and the day of the account (CONTRACT 7)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MINUTE, QUARTER, HALF_HOUR, DAY = 60, 900, 1_800, 86_400
LONGER = (QUARTER, HALF_HOUR)
"""Lengths in seconds of the windows that begin at multiples of their length and count activities."""

GRID_MS = 10_000
"""Rows are told at multiples of this, in stream time."""
SETTLE_MS = 30_000
"""A window is final so long after its end, in stream time."""
MEMORY_MS = 50 * 3_600_000
"""Windows can be amended so long: what is accepted is at most 24 h late, and its leg may change for 25 h more."""
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


class Window(NamedTuple):
    """From start to end, ms since the epoch, the end not included. A day has 86,400 seconds whatever its length."""

    seconds: int
    start: int
    end: int


def fixed(seconds: int, at: int) -> Window:
    """Return the window of this length that an instant falls in; not for days."""
    start = at - at % (seconds * 1000)
    return Window(seconds, start, start + seconds * 1000)


def around(at: int, day: Window) -> tuple[Window, ...]:
    """Return every window that an instant of this day falls in."""
    return _around(at // MINUTE_MS, day)


@lru_cache(maxsize=10_000)
def _around(minute: int, day: Window) -> tuple[Window, ...]:
    at = minute * MINUTE_MS
    return fixed(MINUTE, at), fixed(QUARTER, at), fixed(HALF_HOUR, at), day


def over(seconds: int, start: int, end: int) -> Iterator[Window]:
    """Give the windows of a length that a span overlaps."""
    window = fixed(seconds, start)
    while window.start < end:
        yield window
        window = Window(seconds, window.end, window.end + seconds * 1000)


def final_at(window: Window) -> int:
    """Return the stream time at which a window becomes final."""
    return window.end + SETTLE_MS


def page_end(window: Window) -> int:
    """Return the end of the page that a window is kept in: its hour's, or its own when it is a day."""
    return window.end if window.seconds == DAY else window.start - window.start % HOUR_MS + HOUR_MS


def is_forgotten(window: Window, now: int) -> bool:
    """Tell whether a window is too old to be amended at stream time now."""
    return page_end(window) + MEMORY_MS <= now


def next_grid(now: int) -> int:
    """Return the next moment at which rows are told, later than now."""
    return now - now % GRID_MS + GRID_MS


def grid_from(at: int) -> int:
    """Return the first moment at which rows are told that is not before `at`."""
    return -(-at // GRID_MS) * GRID_MS
