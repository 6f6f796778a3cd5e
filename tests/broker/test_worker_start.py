"""A worker that cannot start says in a sentence why and what to do, with the exit code of CONTRACT 9."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from streams.local.ports import free_ports
from tests.broker.conftest import Namespace
from tests.broker.installation import KEY, Ended, Envelope, Installation, run
from tests.broker.processes import Process, until

pytestmark = pytest.mark.broker

READY = "assignment.ready"


def is_told(ended: Ended, code: int, *said: str) -> None:
    """Check how a command ended, and that it told it in sentences, not in a traceback."""
    assert ended.code == code, ended.text
    for text in said:
        assert text in ended.text
    assert "Traceback" not in ended.text


@pytest.fixture
def nobody() -> str:
    """Give an address at which nobody listens."""
    (port,) = free_ports(1)
    return f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--mark-interval-seconds", "600"], {}, "mark_interval_seconds is 600.0, it must be from 0.1 to 60"),
        ([], {}, "WIDGET_STREAMS_TOKEN_KEY_FILE to a file with at least 16 random characters"),
    ],
)
def test_what_is_wrong_here_is_told_before_kafka_is_waited_for(
    nobody: str, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    """Exit code 2 at once; without a key for the tokens nothing starts, and a secret is never shown."""
    key = {"WIDGET_STREAMS_TOKEN_KEY": KEY} if "mark" in said else {}
    begun = time.monotonic()
    flags = ["--bootstrap-servers", nobody, "--broker-wait-seconds", "600", *arguments]
    ended = run("worker", *flags, environment={**key, **environment})
    is_told(ended, 2, said)
    assert "broker.awaited" not in ended.text
    assert "hush" not in ended.text
    assert time.monotonic() - begun < 60


def test_without_kafka_it_waits_says_so_and_ends_with_3(nobody: str) -> None:
    """It tries for the time that was set, then names the address."""
    begun = time.monotonic()
    ended = run(
        "worker",
        "--bootstrap-servers",
        nobody,
        "--broker-wait-seconds",
        "2.5",
        environment={"WIDGET_STREAMS_TOKEN_KEY": KEY},
    )
    is_told(ended, 3, f"No Kafka answered at {nobody} for 2.5 seconds")
    assert ended.text.count(f"broker.awaited brokers={nobody}") >= 2
    assert time.monotonic() - begun >= 2.5


def test_a_signal_ends_the_waiting_for_kafka(nobody: str, tmp_path: Path) -> None:
    """A deployment that is rolled back does not have to wait for the limit."""
    environment = {"WIDGET_STREAMS_TOKEN_KEY": KEY}
    arguments = ["worker", "--bootstrap-servers", nobody, "--broker-wait-seconds", "600"]
    with Process(tmp_path / "log", "streams.cli.main", *arguments, environment=environment) as worker:
        worker.until_said("broker.awaited")
        assert worker.end(signal.SIGTERM, 10) != 0
        assert "Traceback" not in worker.text


def test_without_topics_it_names_the_command_that_makes_them(kafka: str, namespace: Namespace) -> None:
    """Exit code 2; each topic that it needs is a line with the fix."""
    environment = {"WIDGET_STREAMS_TOKEN_KEY": KEY}
    names = ["--topic-prefix", namespace.prefix, "--group", namespace.group()]
    ended = run("worker", "--bootstrap-servers", kafka, *names, environment=environment)
    is_told(ended, 2, f"{namespace.prefix}events.v1: missing.", f"{namespace.group()}-sessions-changelog: missing.")
    assert "`widget-streams topics apply --partitions 12`" in ended.text


def test_another_partition_count_is_named_with_the_fix(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """One topic of another size stops the start, whichever it is."""
    namespace.topic("call-records.v1", 3)
    for name in ("events.v1", "enriched-events.v1"):
        namespace.topic(name, 2)
    environment = {"WIDGET_STREAMS_TOKEN_KEY": KEY}
    names = ["--topic-prefix", namespace.prefix, "--group", namespace.group()]
    ended = run("worker", "--bootstrap-servers", kafka, *names, environment=environment)
    is_told(
        ended, 2, f"{namespace.prefix}call-records.v1: partitions is 3, wanted is 2.", "widget-streams topics apply"
    )
    assert tmp_path.exists()


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port on loopback that somebody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_the_option(kafka: str, namespace: Namespace, taken: int, tmp_path: Path) -> None:
    """Exit code 2; without its pages a worker would run unseen."""
    ended = Installation(kafka, namespace, tmp_path).command("worker", "--health-port", str(taken))
    is_told(ended, 2, f"Port {taken} on 127.0.0.1 is taken", "--health-port, or 0 for a free one")


def test_an_address_that_is_not_ours_is_named(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """A host that this machine does not have is a wrong setting, told as such."""
    installation = Installation(kafka, namespace, tmp_path)
    ended = installation.command("worker", "--health-port", "0", "--health-host", "192.0.2.1")
    is_told(ended, 2, "192.0.2.1", "--health-host")


def test_ctrl_c_ends_it_in_order(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Exit code 0 as with SIGTERM, what was folded is committed, and the log holds lines only."""
    installation = Installation(kafka, namespace, tmp_path)
    with installation.worker() as worker:
        worker.until_said(READY)
        installation.send([Envelope(b"{no JSON")])
        installation.until_caught_up(worker)
        assert worker.end(signal.SIGINT) == 0
        assert "engine.stopped failed=False" in worker.text
        assert "\x1b" not in worker.text
        assert "Traceback" not in worker.text
    assert len(installation.rows("DeadLetter")) == 1


def test_consumers_of_another_kind_in_the_group_are_told(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Exit code 2 instead of a worker that waits in silence; the group is named."""
    installation = Installation(kafka, namespace, tmp_path)
    stranger = Consumer({"bootstrap.servers": kafka, "group.id": installation.naming.group})
    stranger.subscribe([installation.events])
    try:
        until(lambda: stranger.poll(0.1) is None and bool(stranger.assignment()), 30)
        ended = installation.command("worker", "--health-port", "0")
        assert ended.code == 2, ended.text
        assert f"Error: Consumers of another kind are in the group {installation.naming.group}" in ended.text
    finally:
        stranger.close()
