"""The embedded Kafka against a client that is not ours, and the command that starts and stops it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.local import state
from streams.local.embedded import EmbeddedKafka
from streams.local.errors import LocalError
from streams.local.ports import free_ports
from streams.local.processes import Identity, is_alive, send
from tests.broker.conftest import SCHEMAS, Namespace, ReadAll, Record, read_topic

pytestmark = pytest.mark.broker


class Own(NamedTuple):
    """The command `widget-streams` in an environment of its own."""

    home: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            self._command(arguments), env=self.environment, capture_output=True, text=True, timeout=180
        )

    def open(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(self._command(arguments), env=self.environment, stdout=subprocess.PIPE, text=True)

    def processes(self) -> list[Identity]:
        """Name the processes of the Kafka that it started."""
        running = state.load(self.home / "widget-streams" / "kafka" / "running.json")
        return [node.process for node in running.nodes] if running else []

    @staticmethod
    def _command(arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "streams.cli.main", *arguments]


def test_records_of_one_mebibyte_are_taken(kafka: str, namespace: Namespace, read_all: ReadAll) -> None:
    """What is at the limit of an input record reaches the log, and is read back as it was."""
    topic = namespace.topic("large", partitions=2)
    producer = Producer({"bootstrap.servers": kafka, "message.max.bytes": 2_000_000})
    producer.produce(topic, bytes(1_048_576), b"key", partition=1, headers={"h": b"1"}, timestamp=1_000)
    assert producer.flush(20) == 0
    assert read_all(topic) == [Record(1, 0, b"key", bytes(1_048_576), (("h", b"1"),), 1_000)]


def test_the_reader_sees_only_what_is_committed(kafka: str, namespace: Namespace, read_all: ReadAll) -> None:
    """An aborted transaction is in the log, and hidden from those who read committed records."""
    topic = namespace.topic("transactions")
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": namespace.group("writer")})
    producer.init_transactions(20)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(20)
        end(20)
    assert [record.value for record in read_all(topic)] == [b"committed"]
    assert [record.value for record in read_all(topic, read_committed=False)] == [b"aborted", b"committed"]


def test_the_reader_decodes_by_the_id_in_the_frame() -> None:
    """Avro that fastavro wrote is read back by its id; bytes without a frame, or with an unknown id, are refused."""
    example = json.loads((SCHEMAS / "examples/presence/on-call.json").read_text(encoding="utf-8"))
    schema_id = json.loads((SCHEMAS / "ids.json").read_text(encoding="utf-8"))["widget.presence.v1-value"]
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.schema.load_schema(SCHEMAS / "presence.avsc"), example)
    assert _record(schema_id.to_bytes(5, "big") + body.getvalue()).avro() == example
    for refused, why in ((b"{}", "no frame"), ((9_999).to_bytes(5, "big") + body.getvalue(), "no id 9999")):
        with pytest.raises(AssertionError, match=why):
            _record(refused).avro()


def _record(value: bytes) -> Record:
    return Record(partition=0, offset=0, key=None, value=value, headers=(), timestamp=0)


def test_a_topic_is_not_made_by_a_spelling_mistake(namespace: Namespace, read_all: ReadAll) -> None:
    """Reading what does not exist is refused, and does not create it."""
    with pytest.raises(AssertionError, match="there is no topic"):
        read_all(namespace.prefix + "mistake")
    assert namespace.prefix + "mistake" not in namespace.admin.list_topics(timeout=20).topics


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    """Give the command `widget-streams` with a home of its own; whatever it left running is stopped."""
    own = Own(tmp_path / "state", {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")})
    yield own
    own.run("kafka", "stop", "--drop")


def test_start_status_stop(own: Own, tmp_path: Path) -> None:
    """Started in the background it answers; a second start is refused; after the stop nothing is left of it."""
    port = free_ports(1)[0]
    started = own.run("kafka", "start", "--port", str(port))
    assert (started.returncode, started.stdout) == (0, f"127.0.0.1:{port}\n"), started.stderr
    assert "kafka stop" in started.stderr
    assert AdminClient({"bootstrap.servers": started.stdout.strip()}).list_topics(timeout=20).brokers
    status = own.run("kafka", "status")
    assert (status.returncode, "node 1: answers" in status.stdout) == (0, True)
    second = own.run("kafka", "start", "--port", "0")
    assert (second.returncode, "runs already" in second.stderr) == (2, True)
    processes = own.processes()
    stopped = own.run("kafka", "stop")
    assert (stopped.returncode, "data dropped" in stopped.stderr) == (0, True)
    assert not any(is_alive(process) for process in processes)
    assert [path.name for path in (tmp_path / "state").rglob("*") if path.is_file()] == ["lock"]
    assert own.run("kafka", "status").returncode == 3


def test_a_killed_broker_is_told_and_its_kept_data_come_back(own: Own, namespace: Namespace) -> None:
    """`status` says that it ended, `start` takes up its data; plain starts and stops leave them alone."""
    topic = namespace.group("kept")
    bootstrap = own.run("kafka", "start", "--port", "0", "--keep-data").stdout.strip()
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(20)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"kept")
    assert producer.flush(20) == 0
    send(own.processes()[0], signal.SIGKILL)
    status = own.run("kafka", "status")
    assert (status.returncode, "ended by itself" in status.stdout) == (1, True)
    bootstrap = own.run("kafka", "start", "--port", "0", "--keep-data").stdout.strip()
    assert [record.value for record in read_topic(bootstrap, topic)] == [b"kept"]
    assert "are kept in" in own.run("kafka", "stop").stderr
    other_size = own.run("kafka", "start", "--port", "0", "--keep-data", "--nodes", "3")
    assert (other_size.returncode, "--nodes 1" in other_size.stderr) == (2, True)


def test_a_taken_port_is_told_before_anything_starts(own: Own, kafka: str) -> None:
    """The port of the broker of these tests is taken; the sentence names it."""
    port = kafka.split(",")[0].rpartition(":")[2]
    refused = own.run("kafka", "start", "--port", port)
    assert (refused.returncode, f"Port {port} is taken" in refused.stderr) == (2, True)
    assert own.run("kafka", "status").returncode == 3


def test_in_the_foreground_it_ends_with_the_command(own: Own) -> None:
    """SIGTERM stops it in order; after SIGKILL of the command nothing is left running either."""
    for number, note_stays in ((signal.SIGTERM, False), (signal.SIGKILL, True)):
        with own.open("kafka", "start", "--port", "0", "--foreground") as command:
            assert command.stdout is not None
            assert command.stdout.readline().startswith("127.0.0.1:")
            processes = own.processes()
            command.send_signal(number)
        assert _are_gone(processes)
        assert bool(own.processes()) is note_stays


def test_a_broker_that_cannot_start_tells_why(tmp_path: Path) -> None:
    """A property that Kafka refuses: the sentence has Kafka's own words, the log is there to read."""
    with pytest.raises(LocalError, match=r"Node 1 of Kafka ended.*num\.io\.threads.*Its log: ") as refused:
        EmbeddedKafka(data=tmp_path / "data", properties={"num.io.threads": "none"}).start()
    assert Path(str(refused.value).rpartition("Its log: ")[2]).read_text(encoding="utf-8")


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))


@pytest.mark.slow
def test_a_disk_that_fills_up_is_told(own: Own, tmp_path: Path) -> None:
    """The broker would answer for ever and take nothing; the command ends with 1 and says what to do."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a small disk of its own cannot be mounted here")
    small = tmp_path / "small"
    small.mkdir()
    mount = f'mount -t tmpfs -o size=540m none {small} && exec "$@"'
    start = [sys.executable, "-m", "streams.cli.main", "kafka", "start", "--foreground", "--port", "0"]
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", *start, "--data", str(small / "data")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=own.environment, text=True, stdout=pipe, stderr=pipe) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("127.0.0.1:")
        processes = own.processes()
        with pytest.raises(OSError, match="No space left"):
            _fill(Path(f"/proc/{started.pid}/root{small}/fill"))
        _, told = started.communicate(timeout=120)
    assert started.returncode == 1
    assert "Node 1 of Kafka cannot write. The disk under its data is full: make room" in told
    assert _are_gone(processes)


@pytest.mark.slow
def test_three_nodes_go_on_without_one(tmp_path: Path) -> None:
    """What three brokers acknowledged is there when one is killed, and the killed one comes back."""
    with EmbeddedKafka(3, data=tmp_path / "data") as embedded:
        admin = AdminClient({"bootstrap.servers": embedded.bootstrap})
        admin.create_topics([NewTopic("copied", 3)])["copied"].result(20)
        assert len(admin.list_topics(timeout=20).brokers) == 3
        producer = Producer({"bootstrap.servers": embedded.bootstrap, "acks": "all"})
        for partition in range(3):
            producer.produce("copied", b"before", partition=partition)
        assert producer.flush(30) == 0
        embedded.kill(2)
        assert sorted(embedded.pids) == [1, 3]
        for partition in range(3):
            producer.produce("copied", b"after", partition=partition)
        assert producer.flush(60) == 0
        embedded.restart(2)
        assert sorted(embedded.pids) == [1, 2, 3]
        values = [record.value for record in read_topic(embedded.bootstrap, "copied", timeout_seconds=60)]
        assert values == [b"before", b"after"] * 3


def _are_gone(processes: list[Identity]) -> bool:
    deadline = time.monotonic() + 20
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(is_alive(process) for process in processes)
