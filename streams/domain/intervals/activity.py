"""What an extension was doing when: the latest changes of its activity, and the time between (DECISIONS 36, 39)."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.domain.words import Activity

IDLE = frozenset({Activity.OFFLINE.value, Activity.UNKNOWN.value})
"""Activities that are counted where a window has a row, and give it none of themselves."""


class Doing(NamedTuple):
    """What an extension does from an instant on, until the next change."""

    at: int
    activity: str
    legs: int
    """How many legs are open."""

    @property
    def is_idle(self) -> bool:
        """Whether it alone makes no row."""
        return self.activity in IDLE


class Spent(NamedTuple):
    """How the time of a window was spent."""

    activity_ms: dict[str, int]
    legs: int
    """Most legs at once."""


def spent(timeline: Sequence[Doing], start: int, end: int) -> Spent:
    """Add up the time between two instants by activity; the last change of the timeline lasts until `end`."""
    times: dict[str, int] = {}
    legs = 0
    last = len(timeline) - 1
    for index, doing in enumerate(timeline):
        until = end if index == last else timeline[index + 1].at
        begun, over = max(doing.at, start), min(until, end)
        if over > begun:
            times[doing.activity] = times.get(doing.activity, 0) + over - begun
        if over > begun or start <= doing.at < end:
            legs = max(legs, doing.legs)
    return Spent(times, legs)
