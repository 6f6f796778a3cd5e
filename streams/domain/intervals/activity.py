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
    most = 0
    untils = [following[0] for following in timeline[1:]]
    untils.append(end)
    for (at, activity, legs), until in zip(timeline, untils, strict=True):
        # NB: a change that came late stands behind those before which it was.
        if at >= end or (at < start and until <= start):
            continue
        begun = at if at > start else start
        over = until if until < end else end
        if over > begun:
            times[activity] = times.get(activity, 0) + over - begun
        if legs > most and (over > begun or at >= start):
            most = legs
    return Spent(times, most)
