"""Sketches: at most 1 % off, and what was taken away was never there."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.sketch import RELATIVE_ACCURACY, bucket_of, quantile, value_of

DURATIONS = st.lists(st.integers(0, 200_000_000), min_size=1, max_size=50)


@given(st.integers(1, 10**9))
def test_a_bucket_stands_for_its_durations(duration: int) -> None:
    """The value of the bucket is at most 1 % off."""
    assert abs(value_of(bucket_of(duration)) - duration) <= duration * RELATIVE_ACCURACY * (1 + 1e-9)


@given(DURATIONS, st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_near_the_true_ones(durations: list[int], q: float) -> None:
    """Compared with the duration of that rank."""
    sketch = Counter(map(bucket_of, durations))
    true = sorted(durations)[int(q * (len(durations) - 1))]
    found = quantile(sketch, q)
    assert found is not None
    assert found == pytest.approx(true, rel=RELATIVE_ACCURACY * 1.01)


def test_an_empty_sketch_has_no_quantile() -> None:
    """None rather than 0."""
    assert quantile({}, 0.5) is None


def test_buckets_are_the_documented_ones() -> None:
    """Bucket n reaches up to G^n ms: anybody can work them out."""
    gamma = 1.01 / 0.99
    assert bucket_of(0) == "zero"
    assert bucket_of(1) == "0"
    number = int(bucket_of(4_801))
    assert gamma ** (number - 1) < 4_801 <= gamma**number
    assert value_of(str(number)) == pytest.approx(2 * gamma**number / (gamma + 1))
