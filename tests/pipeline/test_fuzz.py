"""Traffic that nobody should send through all stages of several partitions: no record is a fault of our own.

What a call is told by all its witnesses, mutated, lost, repeated, late; in batches of any size, with idle ticks, state
that is read again from its bytes, and stream time that runs on for weeks in the end.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice
from random import Random
from typing import Any

import orjson
import pytest

from streams.domain.words import Outcome, RejectReason
from streams.pipeline import extensions, sessions
from streams.pipeline.partitioner import partition_of
from streams.pipeline.records import Read
from tests.bench.witnesses import Witnesses
from tests.builders import HOUR
from tests.garble import Arrival, disturbed, garbled
from tests.partitions import OPEN, PARTITIONS, Partitions

STILL = 0.005
BURST_PER_MS = 5
LATER = (1_000, 3_000, 10_000, 40_000, 120_000, HOUR, 5 * HOUR, 26 * HOUR, 80 * HOUR, 40 * 24 * HOUR)


@cache
def real() -> list[dict[str, Any]]:
    """Return the envelopes of calls that every kind of witness tells."""
    return [orjson.loads(sent.value) for sent in Witnesses(150).records()]


def as_it_happened(seed: int, records: int) -> Iterator[Arrival]:
    """Give records that arrive when their envelopes say so; most are in order."""
    return islice(disturbed(seed, real()), records)


def in_a_burst(seed: int, records: int) -> Iterator[Arrival]:
    """Give records of which few are in order, all within a second or two, long after their envelopes were sent."""
    begun = real()[-1]["received_at"] + Random(seed).randrange(60 * 24 * HOUR)
    for number, item in enumerate(islice(garbled(seed, real()), records)):
        yield Arrival(begun + number // BURST_PER_MS, item.key, item.value)


def folded(arrivals: Iterator[Arrival], seed: int) -> Partitions:
    """Fold what arrives in the way of a worker, with chance in everything that must not matter."""
    random = Random(seed)
    cluster = Partitions(identity_wait_ms=random.choice((1_000, 30_000)))
    offsets: Counter[int] = Counter()
    now, unread = 0, dict[int, list[Read]]()
    for arrival in arrivals:
        now, partition = max(now, arrival.at), partition_of((arrival.key or b"").decode("latin-1"), PARTITIONS)
        read = Read(partition, offsets[partition], now, arrival.key, arrival.value)
        unread.setdefault(partition, []).append(read)
        offsets[partition] += 1
        if random.random() < 2 * STILL:
            take(cluster, unread)
            cluster.read_on(random)
        if random.random() < STILL:
            cluster.mark_all(random.choice((now - 1_000, None)))
            cluster.reopen((random.choice(list(OPEN)), random.randrange(PARTITIONS)))
    take(cluster, unread)
    cluster.read_on()
    for later in LATER:
        cluster.mark_all(now + later)
        cluster.read_on()
        cluster.read_on()
    return cluster


def take(cluster: Partitions, unread: dict[int, list[Read]]) -> None:
    """Fold what has come together in each partition."""
    for partition, records in unread.items():
        cluster.fold((sessions.NAME, partition), records)
    unread.clear()


def each_is_right(cluster: Partitions, records: int) -> None:
    """Check that every record had one outcome and none was our fault, and that calls are over after weeks."""
    assert cluster.tally.received.total() == cluster.tally.outcomes.total() == records
    rows = cluster.rows
    letters = [row.row for row in rows if row.record == "DeadLetter" and row.row]
    assert [letter["detail"] for letter in letters if letter["reason"] == RejectReason.INTERNAL_ERROR] == []
    buried = sum(number for (_, outcome), number in cluster.tally.outcomes.items() if outcome is Outcome.DEAD_LETTER)
    assert buried == len(letters)
    shown = {row.key: row.row for row in rows if row.record == "ActiveCall"}
    assert [key for key, row in shown.items() if row is not None] == []
    assert shown


def nothing_else_mattered(cluster: Partitions, seed: int) -> None:
    """Check that other batches and state from its bytes give the same bytes."""
    for where in cluster.done:
        assert cluster.replay(where, Random(seed)) == cluster.written[where], where


@pytest.mark.parametrize("arriving", [as_it_happened, in_a_burst])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_record_is_a_fault_of_our_own(arriving: Any, seed: int) -> None:
    """The normal run's share."""
    cluster = folded(arriving(seed, 2_500), seed)
    each_is_right(cluster, 2_500)
    nothing_else_mattered(cluster, seed)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("arriving", [as_it_happened, in_a_burst])
def test_none_of_a_hundred_thousand_records_is_a_fault_of_our_own(arriving: Any) -> None:
    """Ten thousand at a time: each time other people, calls and faults."""
    for seed in range(100, 110):
        cluster = folded(arriving(seed, 10_000), seed)
        each_is_right(cluster, 10_000)
        nothing_else_mattered(cluster, seed)


def test_a_fault_of_our_own_is_noticed() -> None:
    """Bytes that are no enriched event, between the stages."""
    cluster = folded(as_it_happened(3, 300), 3)
    each_is_right(cluster, 300)
    cluster.fold((extensions.STAGE, 0), [Read(0, 10**6, -1, b"k", b"no enriched event")])
    with pytest.raises(AssertionError):
        each_is_right(cluster, 300)


def test_a_batch_that_mattered_is_noticed() -> None:
    """Something that was written and does not follow from what was read."""
    cluster = folded(as_it_happened(3, 300), 3)
    where = next(where for where in cluster.done if where[0] == extensions.STAGE and cluster.written[where])
    cluster.written[where].pop()
    with pytest.raises(AssertionError):
        nothing_else_mattered(cluster, 3)
