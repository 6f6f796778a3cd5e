"""How often is committed."""

import pytest

from streams.engine.committer import interval
from streams.engine.options import EngineOptions

OPTIONS = EngineOptions("broker", "group", "slot", commit_interval_seconds=0.1, commit_records=8_000)


@pytest.mark.parametrize(
    ("records", "seconds"),
    [(0, 0.1), (1, 0.1), (100, 0.1), (999, 0.1), (1_000, 0.5), (7_999, 0.5), (8_000, 0.0), (90_000, 0.0)],
)
def test_who_catches_up_commits_less_often(records: int, seconds: float) -> None:
    """Few records wait an interval, as the latency of a record asks; many a longer one; enough of them none."""
    assert interval(OPTIONS, records) == pytest.approx(seconds)


def test_few_is_enough_where_the_limit_is_low() -> None:
    """`commit_records` wins over the rest."""
    assert interval(EngineOptions("broker", "group", "slot", commit_records=10), 10) == 0.0
