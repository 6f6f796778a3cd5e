"""What `verify` does not compare once the retention has taken a beginning, and that it says so (CONTRACT 2, 9)."""

from dataclasses import replace

from streams.pipeline.proof import Expected, compare, held
from streams.pipeline.retained import Retained
from tests.builders import a_plan
from tests.pipeline.test_proof import found, topic_of

PLAN = replace(a_plan(), partitions=2)
ENRICHED, DELTAS, CALLS = (PLAN.names[name] for name in ("EnrichedEvent", "ScopeDelta", "CallEvent"))


def retained(*beginnings: tuple[str, int, int]) -> Retained:
    """Return what is known of topics that begin there."""
    known = Retained(PLAN)
    for topic, partition, offset in beginnings:
        known.begins(topic, partition, offset)
    return known


def test_all_stages_are_named_where_all_begin_at_0() -> None:
    """Nothing is left open."""
    known = retained((PLAN.events, 0, 0), (ENRICHED, 1, 0))
    assert known.sentences() == ["Compared: sessions, extensions, scopes."]
    assert not known.is_nothing_proven()


def test_a_source_partition_without_its_beginning_is_not_compared() -> None:
    """The page loads' state before is not known; the other partition has its own."""
    known = retained((PLAN.events, 1, 57))
    assert (known.sessions(0), known.sessions(1)) == (True, False)
    assert known.extensions(1)
    assert known.sentences() == [
        f"NOT compared: sessions: {PLAN.events} partition 1 begins at offset 57, its state before is not known.",
        "Compared: sessions (1 of 2 partitions), extensions, scopes.",
    ]


def test_without_all_enriched_events_no_page_load_is_compared() -> None:
    """The marks and the directory's fields of every source stand in them."""
    known = retained((ENRICHED, 0, 9))
    assert not known.sessions(0)
    assert not known.sessions(1)
    assert (known.extensions(0), known.extensions(1)) == (False, True)
    assert known.sentences()[-1] == "Compared: extensions (1 of 2 partitions), scopes."


def test_without_all_deltas_no_scope_is_compared() -> None:
    """Nobody takes the silence of a stage for a proof."""
    known = retained((DELTAS, 1, 3))
    assert not known.scopes()
    assert f"NOT compared: scopes: {DELTAS} partition 1 begins at offset 3" in known.sentences()[0]
    assert known.sentences()[-1] == "Compared: sessions, extensions."


def test_an_old_installation_proves_nothing_and_says_so() -> None:
    """No stage's input has its beginning: that is no success."""
    cut = [(topic, partition, 5) for topic in (PLAN.events, ENRICHED, DELTAS) for partition in (0, 1)]
    known = retained(*cut)
    assert known.is_nothing_proven()
    assert known.sentences()[-1] == "No stage could be compared."


def test_records_before_the_beginning_of_an_output_are_counted_and_not_lost() -> None:
    """The retention took the first three: those that are left are compared, and a loss among them is found."""
    written = topic_of("CallEvent")
    expected, left = Expected(written, len(written)), found(written)[3:]
    assert compare(CALLS, "CallEvent", expected, left).lost[CALLS] == 3
    provable = held("CallEvent", expected, left)
    assert len(provable.records) == provable.certain == len(written) - 3
    assert compare(CALLS, "CallEvent", provable, left).problems == 0
    planted = [*left[:2], *left[3:]]
    assert compare(CALLS, "CallEvent", held("CallEvent", expected, planted), planted).lost[CALLS] == 1
    known = retained((CALLS, 0, 6))
    known.passed_over(CALLS, 0, 3)
    assert known.sentences()[0] == f"NOT compared: {CALLS} partition 0 begins at offset 6: 3 records before."


def test_a_foreign_record_in_an_output_without_its_beginning_is_found() -> None:
    """Where nothing is left of what was written, nothing is lost, and what is there is nobody's."""
    written = topic_of("CallEvent")
    foreign = [found(written)[0]._replace(value=b"nobody's")]
    provable = held("CallEvent", Expected(written, len(written)), foreign)
    assert provable == Expected([], 0)
    assert compare(CALLS, "CallEvent", provable, foreign).different[CALLS] == 1


def test_a_state_that_came_back_is_held_from_its_first_time() -> None:
    """A row written twice with the same content is not told as doubled."""
    written = topic_of("CallEvent")[:1]
    first, second = written[0], written[0]._replace(key=b"another")
    rows = [first, second, first]
    provable = held("ActiveCall", Expected(rows, 3), found(rows))
    assert provable.records == rows
