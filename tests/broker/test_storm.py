"""Workers that are killed and frozen under load lose nothing and write nothing twice."""

from pathlib import Path

import pytest

from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace
from tests.chaos.storm import Storm, Weather

pytestmark = pytest.mark.broker


def assert_unharmed(storm: Storm) -> None:
    """Run a storm to its end; every envelope is folded and verify finds nothing."""
    report = storm.run()
    assert report.drained, report
    assert report.sent > 0, report
    assert report.verify_exit == 0, report
    assert ": 0 lost, 0 doubled, 0 different, 0 out of order" in report.verdict
    assert (report.kills, report.freezes) == (storm.weather.kills, storm.weather.freezes)


def test_a_short_storm_does_no_harm(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Three SIGKILL and two SIGSTOP at 300 envelopes a second."""
    assert_unharmed(Storm(kafka, namespace.prefix, Weather(3, 2, 300, partitions=4), tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_long_storm_does_no_harm(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Twenty SIGKILL and ten SIGSTOP at 2,000 envelopes a second."""
    assert_unharmed(Storm(kafka, namespace.prefix, Weather(20, 10, 2_000), tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_storm_over_brokers_does_no_harm(tmp_path: Path) -> None:
    """Six brokers of three killed one after the other, workers killed and frozen meanwhile."""
    with EmbeddedKafka(nodes=3) as cluster:
        weather = Weather(4, 2, 300, partitions=6, broker_kills=6)
        storm = Storm(cluster.bootstrap, "storm.", weather, tmp_path, cluster)
        assert_unharmed(storm)
        assert storm.report.broker_kills == 6
