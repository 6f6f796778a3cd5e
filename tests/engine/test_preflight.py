"""What is checked before the start, and how it is told."""

import pytest

from streams.engine.errors import BrokerTooOldError, WrongUseError
from streams.engine.preflight import check_topics, check_versions
from tests.engine.builders import Described

NEW_ENOUGH = {28: 3, 9: 7}
TWO = (Described(), Described("second", "middle", "middle-changelog", ("result",)))
COUNTS = {"in": 4, "in-changelog": 4, "middle": 4, "middle-changelog": 4, "out": 1, "result": 9}


@pytest.mark.parametrize("newest", [NEW_ENOUGH, {28: 5, 9: 10, 1: 17}])
def test_kafka_2_5_and_later_are_accepted(newest: dict[int, int]) -> None:
    """Both requests are known in the version that fences."""
    check_versions(newest)


@pytest.mark.parametrize("newest", [{28: 2, 9: 7}, {28: 3, 9: 6}, {28: 3}, {}])
def test_an_older_broker_is_refused(newest: dict[int, int]) -> None:
    """The text says from which release on it works; the exit code is that of wrong use."""
    with pytest.raises(BrokerTooOldError, match=r"needs Kafka 2\.5 or newer") as refused:
        check_versions(newest)
    assert refused.value.exit_code == 2


def test_fitting_topics_are_accepted() -> None:
    """Inputs and changelogs have one partition count; outputs may have others."""
    check_topics(TWO, COUNTS)


@pytest.mark.parametrize("topic", sorted(COUNTS))
def test_a_missing_topic_is_named(topic: str) -> None:
    """Whichever it is, absent or without partitions."""
    for counts in ({name: count for name, count in COUNTS.items() if name != topic}, {**COUNTS, topic: 0}):
        with pytest.raises(WrongUseError, match=f"There is no topic {topic}: create it first"):
            check_topics(TWO, counts)


@pytest.mark.parametrize("topic", ["in", "in-changelog", "middle", "middle-changelog"])
def test_another_partition_count_is_named(topic: str) -> None:
    """State lies beside its input and the stages are assigned together."""
    with pytest.raises(WrongUseError, match=f"need the same partition count, these differ: .*{topic} 5"):
        check_topics(TWO, {**COUNTS, topic: 5})
