"""Which numbers of a page load were read: repeats, holes, and when a hole is a loss (DECISIONS 45, 57)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain import sequences
from streams.domain.sequences import LOST_AFTER_MS, MAX_RANGES, Sequences

NUMBERS = st.lists(st.integers(1, 30), max_size=40)


def taken(*numbers: int, now: int = 0) -> Sequences:
    """Return what was read, in this order, all at one time."""
    read = Sequences()
    for number in numbers:
        sequences.take(read, number, now)
    return read


@given(NUMBERS, st.integers(1, 32))
@settings(max_examples=300)
def test_ranges_say_what_a_set_says(numbers: list[int], asked: int) -> None:
    """Known, missing before and lost, whatever the order of arrival."""
    read, numbers_read = taken(*numbers), set(numbers)
    highest = max(numbers, default=0)
    holes = set(range(1, highest)) - numbers_read
    assert sequences.known(read, asked) == (asked in numbers_read)
    assert sequences.missing_before(read, asked) == sum(1 for hole in holes if hole < asked)
    assert sequences.lost(read, LOST_AFTER_MS) == len(holes)
    assert (read.highest, read.first) == (highest, min(numbers, default=None))


@given(NUMBERS)
def test_repeats_change_nothing(numbers: list[int]) -> None:
    """A number that is read again fills no hole and opens none."""
    assert taken(*numbers, *numbers) == taken(*numbers)


@given(NUMBERS)
def test_holes_are_apart_and_in_order(numbers: list[int]) -> None:
    """So that a look at one number is a look at one range."""
    holes = taken(*numbers).holes
    assert all(first <= last for first, last, _ in holes)
    assert all(before[1] < after[0] for before, after in pairwise(holes))


def test_holes_are_counted_from_one() -> None:
    """A page load whose first envelope is the third has lost two."""
    assert sequences.missing_before(taken(3), 3) == 2


@pytest.mark.parametrize(("now", "lost"), [(LOST_AFTER_MS + 4, 0), (LOST_AFTER_MS + 5, 2)])
def test_a_hole_is_a_loss_when_it_is_a_minute_old(now: int, lost: int) -> None:
    """Late ones may come until then (DECISIONS 45)."""
    read = taken(1, 4, now=5)
    assert sequences.lost(read, now) == lost
    assert sequences.next_loss(read, now) == (None if lost else LOST_AFTER_MS + 5)


def test_a_late_arrival_fills_its_hole_after_it_was_called_lost() -> None:
    """It was late, not lost."""
    read = taken(1, 3)
    assert sequences.lost(read, LOST_AFTER_MS) == 1
    sequences.take(read, 2, LOST_AFTER_MS + 1)
    assert sequences.lost(read, 2 * LOST_AFTER_MS) == 0
    assert sequences.next_loss(read, 0) is None


def test_the_rest_of_a_hole_keeps_its_age() -> None:
    """Filling the middle does not make the ends younger."""
    read = taken(1, 9)
    sequences.take(read, 5, 30_000)
    assert sequences.lost(read, LOST_AFTER_MS) == 6


def test_a_jump_costs_one_entry() -> None:
    """A collector that counts in nanoseconds does not fill the memory."""
    read = taken(1, 2**50)
    assert len(read.holes) == 1
    assert sequences.lost(read, LOST_AFTER_MS) == 2**50 - 2


def test_too_many_holes_are_given_up_and_stay_lost() -> None:
    """The oldest go; what is forgotten is counted, and a late one of them is taken for a repeat."""
    read = taken(*range(2, 2 * MAX_RANGES + 4, 2))
    assert len(read.holes) == MAX_RANGES
    assert sequences.lost(read, 0) == 1
    assert sequences.known(read, 1)
    assert sequences.missing_before(read, 2 * MAX_RANGES + 2) == MAX_RANGES + 1
