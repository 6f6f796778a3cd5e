"""Numbers that add up: groups of whole numbers by name, with zeros left out.

The group COUNTS has the plain numbers of a row; every other group is a map of the row: times by activity, messages by
type, calls by the seconds in which they were answered, buckets of quantile sketches. All of them can be added and
subtracted, which is what makes an amendment possible.
"""

from collections.abc import Mapping
from typing import Final

Numbers = dict[str, dict[str, int]]

COUNTS: Final = "counts"
WITHIN: Final = "answered_within"
ACTIVITY: Final = "activity_ms"
MESSAGES_IN: Final = "messages_in"
MESSAGES_OUT: Final = "messages_out"
RING, TALK, HOLD = "ring_sketch", "talk_sketch", "hold_sketch"
"""The groups that are maps of a row have the names of its fields."""


def add(into: Numbers, more: Mapping[str, Mapping[str, int]], sign: int = 1) -> None:
    """Add numbers to others in place, or take them away with sign -1."""
    for group, values in more.items():
        held = into.get(group)
        if held is None:
            held = into[group] = {}
        for name, value in values.items():
            total = held.get(name, 0) + sign * value
            if total:
                held[name] = total
            else:
                held.pop(name, None)
        if not held:
            del into[group]


def difference(after: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]) -> Numbers:
    """Return what has to be added to `before` to get `after`."""
    result: Numbers = {}
    add(result, after)
    add(result, before, -1)
    return result
