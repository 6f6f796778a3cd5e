"""Calls counted once: offered, answered, and abandoned only where nobody took them, then or later."""

from streams.domain.intervals.deltas import Change
from streams.domain.intervals.distinct import CallLegs, take
from streams.domain.intervals.windows import DAY, Window, around, fixed

MINUTE_MS = 60_000
TODAY = Window(DAY, 0, 86_400_000)


def a_leg(minute: int, **counts: int) -> Change:
    """Return the change of a leg that ended in a minute."""
    return Change(around(minute * MINUTE_MS, TODAY), {"counts": {"calls_offered": 1, **counts}}, "call")


def undone(change: Change) -> Change:
    """Return the change that takes another away."""
    return change._replace(numbers={"counts": {name: -value for name, value in change.numbers["counts"].items()}})


def test_ten_phones_are_one_call() -> None:
    """Only the first offer of a call changes anything."""
    call = CallLegs()
    first = take(call, a_leg(1))
    assert set(first) == set(around(MINUTE_MS, TODAY))
    assert all(counts == {"distinct_calls_offered": 1} for counts in first.values())
    assert all(take(call, a_leg(1)) == {} for _ in range(9))


def test_a_call_that_is_missed_and_then_answered_was_not_abandoned() -> None:
    """Whoever takes it later takes the abandonment back, in every window that had it."""
    call = CallLegs()
    missed = take(call, a_leg(1, calls_missed=1))
    assert missed[TODAY] == {"distinct_calls_offered": 1, "distinct_calls_abandoned": 1}
    taken = take(call, a_leg(20, calls_answered=1, calls_taken=1))
    assert taken[TODAY] == {"distinct_calls_answered": 1, "distinct_calls_abandoned": -1}
    assert taken[fixed(60, MINUTE_MS)] == {"distinct_calls_abandoned": -1}
    assert taken[fixed(900, 20 * MINUTE_MS)] == {"distinct_calls_offered": 1, "distinct_calls_answered": 1}


def test_an_amendment_takes_everything_back() -> None:
    """What was counted of a leg goes as it came, and nothing is kept of the call."""
    call, leg = CallLegs(), a_leg(1, calls_missed=1)
    there = take(call, leg)
    back = take(call, undone(leg))
    assert back == {window: {name: -value for name, value in counts.items()} for window, counts in there.items()}
    assert call == CallLegs()
