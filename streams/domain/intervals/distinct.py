"""Calls counted once, however many extensions they rang: offered, answered, abandoned (CONTRACT 7).

A call is offered and answered in each window in which a leg of it ended so. It is abandoned in the windows in which a
leg was missed, if nobody and nothing took the call in this scope, then or later.
"""

from dataclasses import dataclass, field

from streams.domain.intervals.call_numbers import ANSWERED, MISSED, OFFERED, TAKEN
from streams.domain.intervals.deltas import Change
from streams.domain.intervals.numbers import COUNTS
from streams.domain.intervals.publishing import DISTINCT
from streams.domain.intervals.windows import DAY, MEMORY_MS, MINUTE, Window, around

MAX_MINUTES = 500
"""No call ends legs in more minutes than this; what comes beyond is not counted once more."""
_NAMES = (OFFERED, ANSWERED, MISSED, TAKEN)
Standing = dict[Window, tuple[int, int, int]]
"""What a call counts for in each window: offered, answered, abandoned, each 0 or 1."""


@dataclass(slots=True)
class Minute:
    """The legs of a call that ended in one minute, by outcome."""

    day: Window
    legs: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """Offered, answered, missed, taken."""


@dataclass(slots=True)
class CallLegs:
    """What is known of one call in one scope, by the minutes in which its inbound legs ended."""

    minutes: dict[int, Minute] = field(default_factory=dict)


def take(call: CallLegs, change: Change) -> dict[Window, dict[str, int]]:
    """Take a change of the legs of a call; return what it changes in the distinct counts of each window."""
    counts = change.numbers.get(COUNTS, {})
    moved = [counts.get(name, 0) for name in _NAMES]
    spans = {window.seconds: window for window in change.windows}
    minute, day = spans.get(MINUTE), spans.get(DAY)
    if minute is None or day is None or not any(moved):
        return {}
    before = standing(call)
    known = call.minutes.get(minute.start)
    if known is None:
        if len(call.minutes) >= MAX_MINUTES:
            return {}
        known = call.minutes[minute.start] = Minute(day)
    known.legs = [legs + more for legs, more in zip(known.legs, moved, strict=True)]
    if not any(known.legs):
        del call.minutes[minute.start]
    return _changed(before, standing(call))


def standing(call: CallLegs) -> Standing:
    """Return what a call counts for now."""
    taken = any(minute.legs[3] > 0 for minute in call.minutes.values())
    result: Standing = {}
    for start, minute in call.minutes.items():
        offered, answered, missed, _ = (int(legs > 0) for legs in minute.legs)
        abandoned = 0 if taken else missed
        for window in around(start, minute.day):
            held = result.get(window)
            if held is None:
                result[window] = offered, answered, abandoned
            else:
                result[window] = held[0] | offered, held[1] | answered, held[2] | abandoned
    return result


def _changed(before: Standing, after: Standing) -> dict[Window, dict[str, int]]:
    nothing = (0, 0, 0)
    changed = {}
    for window in {**before, **after}:
        old, new = before.get(window, nothing), after.get(window, nothing)
        if old != new:
            changed[window] = {name: now - was for name, was, now in zip(DISTINCT, old, new, strict=True) if now != was}
    return changed


def forgotten_at(call: CallLegs) -> int:
    """Return the stream time at which no window of the call can be amended any more."""
    return max((minute.day.end for minute in call.minutes.values()), default=0) + MEMORY_MS
