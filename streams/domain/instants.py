"""Instants and the clocks they were read on (CONTRACT 5, DECISIONS 2)."""

from typing import NamedTuple

SERVER = ""
"""The clock of RingCentral's servers and of our own: its readings need no correction."""


class Instant(NamedTuple):
    """A moment, corrected to UTC, and what the clock it was read on said."""

    at: int
    """Milliseconds since the epoch, UTC, skew corrected."""
    reading: int
    """Milliseconds since the epoch as the clock said it."""
    clock: str
    """The page load whose browser clock was read, or SERVER."""


def between(first: Instant, last: Instant) -> int:
    """Return the milliseconds from first to last, never negative.

    Two readings of one browser's clock are subtracted as they are: a better estimate of its skew must not change a
    duration. Instants of different clocks are compared after correction.
    """
    if first.clock and first.clock == last.clock:
        return max(0, last.reading - first.reading)
    return max(0, last.at - first.at)
