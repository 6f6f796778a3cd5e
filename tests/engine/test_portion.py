"""Portions: the time of a fold is held steady, whatever a record costs."""

import pytest

from streams.engine.portion import FEWEST, FIRST, MOST, QUICK_SECONDS, SLOW_SECONDS, Portion
from streams.pipeline.records import Read

RECORDS = [Read(0, offset, 0, None, None) for offset in range(3 * FIRST)]


def settled(seconds_per_record: float) -> Portion:
    """Let a stage fold whole portions until nothing changes any more."""
    portion = Portion()
    for _ in range(10):
        portion.took(portion.records, portion.records * seconds_per_record)
    return portion


@pytest.mark.parametrize("microseconds", [40, 70, 100, 250, 1_000])
def test_a_portion_takes_as_long_as_it_should(microseconds: int) -> None:
    """Unless that would be more records than are ever folded in one go, or fewer."""
    records = settled(microseconds / 1e6).records
    assert FEWEST <= records <= MOST
    assert records == MOST or records * microseconds / 1e6 >= QUICK_SECONDS
    assert records == FEWEST or records * microseconds / 1e6 <= SLOW_SECONDS


def test_a_stage_that_costs_next_to_nothing_and_one_that_stands_still_have_bounds() -> None:
    """However fast or slow it is."""
    assert settled(0).records == MOST
    assert settled(1).records == FEWEST


def test_few_records_teach_nothing() -> None:
    """At night a batch has three records; they say nothing of five hundred."""
    portion = Portion()
    portion.took(3, 0.0001)
    portion.took(3, 3.0)
    assert portion.records == FIRST


def test_portions_are_the_records_in_their_order() -> None:
    """None is left out; one that has become larger meanwhile takes more."""
    portion, taken = Portion(), []
    for part in portion.of(RECORDS):
        taken.append(part)
        portion.took(len(part), 0.001)
    assert [record for part in taken for record in part] == RECORDS
    assert [len(part) for part in taken] == [FIRST, 2 * FIRST]
