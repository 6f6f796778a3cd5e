"""A broker that goes away and comes back, or that will not have a worker: nothing is lost, and it is told."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace
from tests.broker.installation import Envelope, Installation, port_of
from tests.builders import T0, Tab

pytestmark = pytest.mark.broker

READY = "assignment.ready"
PRODUCTION = {"group.min.session.timeout.ms": "6000"}
SIX = {"WIDGET_STREAMS_SESSION_TIMEOUT_SECONDS": "6"}


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafka]:
    """Give a broker of these tests alone, which may be killed, and whose least session timeout is Kafka's own."""
    with EmbeddedKafka(properties=PRODUCTION) as kafka:
        yield kafka


@pytest.fixture
def installation(broker: EmbeddedKafka, tmp_path: Path) -> Installation:
    """Give an installation on that broker."""
    prefix = f"t{uuid.uuid4().hex[:10]}."
    namespace = Namespace(prefix, AdminClient({"bootstrap.servers": broker.bootstrap}))
    return Installation(broker.bootstrap, namespace, tmp_path, 2)


def presences(tab: Tab, number: int) -> list[Envelope]:
    """Return posts of a page load, each with another presence than the one before."""
    now = round(time.time() * 1000) - T0
    users = ("Available", "Busy")
    posts = [tab.presence(now + index, "NoCall", users[tab.sequence % 2]) for index in range(number)]
    return [Envelope(json.dumps(post).encode(), tab.session_id.encode()) for post in posts]


def ready(port: int) -> tuple[int, str]:
    """Ask a worker whether it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_session_timeout_that_the_brokers_refuse_is_named(installation: Installation) -> None:
    """Exit code 2 and both limits, where aiokafka would let the worker wait in silence for ever."""
    ended = installation.command("worker", "--health-port", "0", WIDGET_STREAMS_SESSION_TIMEOUT_SECONDS="2")
    assert ended.code == 2, ended.text
    last = ended.text.splitlines()[-1]
    assert last.startswith("Error: The brokers refuse a session timeout of 2 seconds: see their group.min.session")


def test_a_broker_that_was_away_costs_nothing(broker: EmbeddedKafka, installation: Installation) -> None:
    """The worker goes on, or ends with 3 and says so; who is started next goes on; `verify` finds every record once."""
    tab = Tab()
    installation.send(presences(tab, 20))
    with installation.worker("a", **SIX) as worker:
        installation.until_caught_up(worker)
        broker.kill()
        worker.until_said("aiokafka")
        broker.restart()
        installation.send(presences(tab, 20))
        try:
            worker.until(installation.is_caught_up, 60)
        except AssertionError:
            assert worker.ended(5) == 3, worker.text
            assert "Error: Kafka did not " in worker.text
        else:
            assert worker.end() == 0
        assert "Traceback" not in worker.text
    with installation.worker("a", **SIX) as worker:
        worker.until_said(READY)
        installation.send(presences(tab, 5))
        installation.until_caught_up(worker)
        verified = installation.command("verify")
        assert worker.end() == 0
    assert verified.code == 0, verified.text
    assert len(installation.rows("PresenceEvent")) == 45
    assert installation.rows("DeadLetter") == []


@pytest.mark.slow
def test_a_worker_with_nothing_to_commit_says_that_kafka_is_silent(
    broker: EmbeddedKafka, installation: Installation
) -> None:
    """It waits, as there is nothing to lose; /health/ready and one line of the log tell, and tell when it is over."""
    with installation.worker("a", **SIX) as worker:
        worker.until_said(READY)
        port = port_of(worker)
        assert ready(port) == (200, "ok\n")
        broker.kill()
        try:
            worker.until_said("kafka.silent", 90)
            status, sentence = ready(port)
        finally:
            broker.restart()
        assert status == 503
        assert sentence.startswith("has heard nothing from Kafka for 3")
        worker.until_said("kafka.answered", 90)
        worker.until(lambda: ready(port)[0] == 200)
        assert worker.text.count("kafka.silent") == 1
        assert worker.end() == 0


@pytest.mark.slow
def test_a_broker_that_stays_away_ends_the_worker_with_a_sentence(
    broker: EmbeddedKafka, installation: Installation
) -> None:
    """Exit code 3; what to look at is said last, and no traceback of Faust, asyncio or aiokafka hides it."""
    installation.send(presences(Tab(), 5))
    with installation.worker("a", **SIX) as worker:
        # From now on a mark is due every two seconds: a worker with nothing to commit would wait for its broker.
        installation.until_caught_up(worker)
        broker.kill()
        try:
            assert worker.ended(60) == 3, worker.text
        finally:
            broker.restart()
    last = worker.text.splitlines()[-1]
    assert last.startswith("Error: Kafka did not finish a transaction in 15 seconds: is it running, can this machine")
    for noise in ("Traceback", "Crashed", "Task was destroyed", "Exception in thread", "NoneType"):
        assert noise not in worker.text, worker.text
