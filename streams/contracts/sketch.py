"""Quantile sketches of durations: the buckets of DDSketch with 1 % relative accuracy (CONTRACT 7).

The library's sketch has no way to take a value back, so a sketch here is a map from bucket to how many durations fell
into it: maps can be added and subtracted. Which bucket a value falls in, and what value a bucket stands for, is the
library's logarithmic mapping.
"""

from collections.abc import Mapping
from functools import lru_cache

from ddsketch.mapping import LogarithmicMapping

RELATIVE_ACCURACY = 0.01
ZERO = "zero"
"""The bucket of durations of 0 ms: a logarithm has none for them."""
_MAPPING = LogarithmicMapping(RELATIVE_ACCURACY)
GAMMA: float = _MAPPING.gamma
"""Ratio of the borders of neighbouring buckets."""


@lru_cache(maxsize=50_000)
def bucket_of(duration_ms: int) -> str:
    """Return the bucket of a duration: bucket n holds the durations above GAMMA^(n-1) up to GAMMA^n ms."""
    return str(_MAPPING.key(duration_ms)) if duration_ms > 0 else ZERO


def value_of(bucket: str) -> float:
    """Return the duration that a bucket stands for, in milliseconds."""
    return 0.0 if bucket == ZERO else float(_MAPPING.value(int(bucket)))


def quantile(sketch: Mapping[str, int], q: float) -> float | None:
    """Return the quantile of a sketch in milliseconds, at most 1 % off; None for an empty one.

    Args:
        sketch: Buckets and how many durations each holds.
        q: From 0 to 1.
    """
    total = sum(sketch.values())
    rank = q * (total - 1)
    seen = 0
    for bucket in sorted(sketch, key=value_of):
        seen += sketch[bucket]
        if seen > rank:
            return value_of(bucket)
    return None
