"""The whole pipeline over lines of a file (CONTRACT 9, DECISIONS 43)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.pipeline.fold import Fold, read_line
from tests.builders import T0, Tab, a_plan, fold, line
from tests.stories import Envelope, stories


def test_a_line_without_coordinates_is_the_next_of_one_partition() -> None:
    """Its number is its offset; Kafka's time is unknown, so the gateway's counts."""
    envelope = Tab().route(0)
    read = read_line(json.dumps(envelope).encode(), 7)
    assert (read.partition, read.offset, read.timestamp) == (0, 7, -1)
    assert read.key == envelope["session_id"].encode()
    assert json.loads(read.value or b"") == envelope


def test_coordinates_of_a_line_are_no_part_of_its_value() -> None:
    """What was in Kafka had none in it: length and digest are the record's own."""
    envelope = Tab().route(0)
    place = {"partition": 3, "offset": 70, "timestamp": 5}
    read = read_line(json.dumps({**envelope, "_kafka": place}).encode(), 7)
    assert (read.partition, read.offset, read.timestamp) == (3, 70, 5)
    assert json.loads(read.value or b"") == envelope


@pytest.mark.parametrize("place", [None, 5, [], {}, {"offset": "1", "timestamp": True, "partition": 1.5}])
def test_coordinates_of_the_wrong_type_are_as_good_as_absent(place: object) -> None:
    """A line is never refused for them."""
    read = read_line(json.dumps({**Tab().route(0), "_kafka": place}).encode(), 7)
    assert (read.partition, read.offset, read.timestamp) == (0, 7, -1)


@given(st.binary(max_size=40))
def test_every_line_is_an_input(text: bytes) -> None:
    """What is no envelope arrives as it is and becomes a dead letter."""
    assert read_line(text, 0).value is not None


def test_a_line_that_is_no_json_arrives_right_after_the_one_before() -> None:
    """It has no instant of its own, and the fold reads no clock (DECISIONS 43)."""
    tab = Tab()
    result = fold([tab.route(0), b"{no", tab.route(5_000)])
    (letter,) = result.of("DeadLetter")
    assert letter["reason"] == "BAD_JSON"
    assert letter["received_at"] == T0 + 40
    assert letter["offset"] == 1


def test_without_an_end_time_stops_at_the_last_line() -> None:
    """A record settles only when somebody says that time went on."""
    tab = Tab()
    call = tab.call()
    posts = [call.ring(0), call.start(10), call.end(20)]
    assert [row["is_final"] for row in fold(posts).of("CallRecord")] == [False]
    assert fold(posts, until=60_000).record()["is_final"]


@pytest.mark.parametrize(("until", "is_final"), [(30_059, False), (30_060, True)])
def test_a_wait_that_ends_exactly_at_the_end_has_ended(until: int, is_final: bool) -> None:
    """DECISIONS 43: `settle` is 30 s after the last news, which arrived 40 ms after it was posted."""
    call = Tab().call()
    result = fold([call.ring(0), call.start(10), call.end(20)], until=until)
    assert result.record()["is_final"] is is_final


def test_an_end_before_the_last_line_changes_nothing() -> None:
    """Time does not run backwards."""
    posts = [Tab().route(10_000)]
    assert fold(posts, until=5_000).rows == fold(posts).rows


def test_what_still_waits_is_given_up_at_the_end() -> None:
    """The counts add up; what means nothing without a user is ignored (DECISIONS 20, 43)."""
    tab = Tab(login=None)
    summary = fold([tab.route(0), tab.presence(10)]).summary
    assert summary == {
        "received": 2,
        "accepted": 0,
        "duplicate": 0,
        "ignored": 1,
        "dead_letter": 1,
        "dead_letters": {"MISSING_EXTENSION": 1},
    }


def test_nothing_gives_nothing() -> None:
    """An empty file, with and without an end."""
    for until in (None, 5_000):
        result = fold([], until=until)
        assert result.summary["received"] == 0
        assert [row for row in result.rows if row.record != "EnrichedEvent"] == []


def test_a_fold_is_one_partition() -> None:
    """Anything else would be wrong in silence."""
    with pytest.raises(AssertionError):
        Fold(a_plan(partitions=2))


@given(stories())
@settings(max_examples=40, deadline=None)
def test_the_same_lines_give_the_same_bytes(story: tuple[list[Envelope], int]) -> None:
    """On every machine, every time: nothing is drawn by lot and no clock is read."""
    lines = [line(envelope) for envelope in story[0]]
    first, second = Fold(a_plan()), Fold(a_plan())
    once = [*first.lines(lines), *first.end(T0 + story[1])]
    assert [*second.lines(iter(lines)), *second.end(T0 + story[1])] == once
    assert second.summary() == first.summary()
