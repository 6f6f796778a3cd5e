"""The next transaction: order per partition, one row per key in the changelog, nothing too large."""

from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from streams.engine.draft import Draft, Filled
from streams.engine.errors import OutputTooLargeError
from tests.engine.builders import Made, Out, a_live

BATCH_BYTES = 300


def a_draft(max_record_bytes: int = 1_000) -> Draft:
    """Return a draft that makes batches of BATCH_BYTES."""
    return Draft(lambda: BatchBuilder(BATCH_BYTES, 0, is_transactional=1), max_record_bytes)


def values(filled: list[Filled]) -> dict[tuple[str, int], list[Any]]:
    """Return keys and values by topic and partition, in the order in which they would be sent."""
    found: dict[tuple[str, int], list[Any]] = {}
    for batch, topic, partition in filled:
        batch.close()
        rows = [(record.key, record.value) for record in DefaultRecordBatch(bytes(batch._build()))]
        found.setdefault((topic, partition), []).extend(rows)
    return found


def test_records_keep_their_order_per_partition_over_many_batches() -> None:
    """A full batch is sent before the next of its partition; other partitions do not matter."""
    draft = a_draft()
    outputs = [Out("out", number % 2, b"k", b"%03d" % number) for number in range(100)]
    draft.take(a_live(), Made(outputs[:50]), 1)
    draft.take(a_live(), Made(outputs[50:]), 1)
    filled = draft.seal()
    assert len(filled) > 4
    for partition in (0, 1):
        wanted = [(b"k", b"%03d" % number) for number in range(partition, 100, 2)]
        assert values(filled)["out", partition] == wanted
    assert draft.written["out"] == 100


def test_the_changelog_holds_the_last_change_of_each_key() -> None:
    """One row per touched key and transaction, a deletion as a tombstone, in the input's partition."""
    draft, live = a_draft(), a_live(3)
    draft.take(live, Made(changes={b"a": b"1", b"b": b"1"}), 1)
    draft.take(live, Made(changes={b"a": b"2", b"b": None}), 1)
    assert values(draft.seal()) == {("in-changelog", 3): [(b"a", b"2"), (b"b", None)]}
    assert draft.written["in-changelog"] == 2


def test_marks_of_all_partitions_travel_in_one_record_after_the_outputs() -> None:
    """What a mark tells to be read must lie before it."""
    draft, first, second = a_draft(), a_live(0), a_live(1)
    draft.mark(first, b"p0")
    draft.mark(second, b"p1")
    draft.take(first, Made([Out("out", 0, None, b"output")]), 1)
    assert values(draft.seal())["out", 0] == [(None, b"output"), (None, b"marks:p0,p1")]


def test_what_is_committed_is_where_the_partition_stands() -> None:
    """Offset and version at the last take, how many records, every tally."""
    draft, live = a_draft(), a_live(2)
    assert not draft
    live.next_offset, live.version = 8, 1
    draft.take(live, Made(tally="one"), 3)
    live.next_offset, live.version = 9, 2
    draft.take(live, Made(tally="two"), 1)
    assert draft
    assert draft.offsets == {live: (9, 2)}
    assert draft.records == 4
    assert draft.tallies == [("first", 2, "one"), ("first", 2, "two")]


@pytest.mark.parametrize("later", [False, True])
def test_only_what_is_urgent_asks_for_a_commit(later: bool) -> None:
    """Once urgent it stays so."""
    draft = a_draft()
    draft.take(a_live(), Made(urgent=later), 1)
    draft.take(a_live(), Made(urgent=False), 1)
    assert draft.urgent is later


def test_a_record_over_the_limit_is_refused_and_told() -> None:
    """The topic, the size and both limits that can be raised; one that fits a batch of its own is taken."""
    draft = a_draft(max_record_bytes=1_000)
    draft.write([Out("out", 0, b"k", b"x" * 800)])
    for key, value in ((b"k", b"x" * 1_000), (b"k" * 1_000, b"x"), (b"k", b"x" * 100_000)):
        with pytest.raises(OutputTooLargeError, match=r"A record for out has \d+ bytes, the limit is 1000"):
            draft.write([Out("out", 0, key, value)])
    with pytest.raises(OutputTooLargeError, match=r"raise max_record_bytes here and max\.message\.bytes"):
        a_draft().write([Out("out", 0, b"k", b"x", [("header", b"h" * 2_000)])])
