"""What the bench says about a figure."""

import pytest

from tests.bench.figures import Figure, Target, at_least, below, table
from tests.bench.latency import ended_by
from tests.bench.page import page


def a_figure(target: Target | None, *values: float) -> Figure:
    figure = Figure("Speed", "envelopes/s", target)
    for value in values:
        figure.add(value)
    return figure


@pytest.mark.parametrize(
    ("target", "values", "verdict"),
    [
        (at_least(8_000), (7_000, 9_000, 8_000), "met"),
        (at_least(8_000), (7_000, 9_000, 7_999), "below target"),
        (below(400), (500, 399, 100), "met"),
        (below(400), (400,), "above target"),
        (None, (1,), ""),
    ],
)
def test_the_median_decides_whether_a_target_is_met(
    target: Target | None, values: tuple[float, ...], verdict: str
) -> None:
    """One bad run of three does not miss a target, and one good run does not meet it."""
    assert a_figure(target, *values).verdict == verdict


def test_a_missed_target_stands_in_the_table_and_on_the_page() -> None:
    """Whoever reads the figures sees that one is missed, and how far the runs lie apart."""
    missed = [a_figure(at_least(8_000), 4_000, 5_000, 6_000)]
    for text in (table(missed), page(missed, {"Memory": "24 GiB"}, "2026-01-01", ["a line"])):
        assert ">= 8,000" in text
        assert "5,000" in text
        assert "4,000 to 6,000" in text
        assert "below target" in text


def test_only_records_that_an_envelope_ended_count_for_the_latency() -> None:
    """Later revisions and ends that nobody told wait on purpose."""
    refs = [{"partition": 0, "offset": 1}, {"partition": 0, "offset": 2}]
    row = {"revision": 1, "end_source": "WEB_PHONE", "input_refs": refs}
    stamps = {(0, 1): 1_000, (0, 2): 2_500}
    assert ended_by(row, stamps) == 2_500
    assert ended_by({**row, "revision": 2}, stamps) is None
    assert ended_by({**row, "end_source": "TIMEOUT"}, stamps) is None
