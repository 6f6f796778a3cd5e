"""The partition of a key is the one that Kafka's Java clients choose: other producers and consumers rely on it."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as other_murmur2
from hypothesis import given
from hypothesis import strategies as st

from streams.pipeline.partitioner import murmur2, partition_of
from tests.builders import LOGIN


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_hashes_are_the_ones_of_the_java_client(key: str, signed: int) -> None:
    """Values that Apache Kafka's own tests expect; Java shows them signed."""
    assert murmur2(key.encode()) == signed % 2**32


@given(st.binary(max_size=64))
def test_hashes_are_another_clients(key: bytes) -> None:
    """Any bytes, of every length modulo four."""
    assert murmur2(key) == other_murmur2(key)


@given(st.text(max_size=30), st.integers(1, 200))
def test_partitions_are_another_clients(key: str, partitions: int) -> None:
    """The sign bit is cleared, not the sign taken away."""
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), list(range(partitions)), [])


def test_extensions_spread_over_the_partitions() -> None:
    """Neighbouring extension numbers do not meet in one partition."""
    found = {partition_of(f"{LOGIN}{number}", 12) for number in range(100)}
    assert found == set(range(12))
