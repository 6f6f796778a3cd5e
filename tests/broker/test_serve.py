"""`serve` as a process on a real Kafka: what is committed is answered, soon, and honestly when Kafka is away."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from streams.contracts.catalog import Naming, topic
from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace
from tests.serve import crowd
from tests.serve.serving import encoded, now_ms, stream, until

pytestmark = pytest.mark.broker
READ = ("active-calls", "presence", "call-records", "interval-metrics", "directory")


class Served:
    """A running process."""

    def __init__(self, process: subprocess.Popen[str], url: str):
        self.process, self.url = process, url

    def get(self, path: str) -> Any:
        """Return the JSON of an answer."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def when(self, path: str, fits: Callable[[Any], bool], seconds: float = 20.0) -> Any:
        """Return an answer once it fits."""
        end, told = time.monotonic() + seconds, None
        while time.monotonic() < end:
            try:
                if fits(told := self.get(path)):
                    return told
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} did not come to fit: {str(told)[:500]}")


@contextmanager
def serve(bootstrap: str, prefix: str, log: Path, *more: str) -> Iterator[Served]:
    """Run `widget-streams serve` on a free port until the end of the block."""
    command = [
        sys.executable,
        "-m",
        "streams.cli.main",
        "serve",
        "--serve-port",
        "0",
        "--serve-requests-per-second",
        "10000",
    ]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--bootstrap-servers", bootstrap, "--topic-prefix", prefix, *more],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, said + log.read_text()
        yield Served(process, found[0])
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()


def create(namespace: Namespace, *topics: str) -> None:
    """Create topics of the catalogue, with two partitions, as the catalogue has them."""
    for name in topics:
        entry = topic(name)
        settings = {key.replace(".", "_"): value for key, value in entry.config(1).items()}
        namespace.topic(entry.name(Naming(prefix=""))[0:], 2, **settings)


class Writer:
    """Writes rows in transactions, as a worker does."""

    def __init__(self, bootstrap: str, prefix: str):
        self._naming = Naming(prefix=prefix)
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{prefix}writer"})
        self._producer.init_transactions(30)

    def write(self, *rows: tuple[str, str, crowd.Row | None], abort: bool = False) -> int:
        """Write rows in one transaction and return the instant of its end."""
        self._producer.begin_transaction()
        for name, key, row in rows:
            value = None if row is None else encoded(name, row)
            self._producer.produce(topic(name).name(self._naming), key=key.encode(), value=value)
        if abort:
            self._producer.flush(20)
            self._producer.abort_transaction(20)
        else:
            self._producer.commit_transaction(20)
        return now_ms()


@pytest.fixture
def writer(kafka: str, namespace: Namespace) -> Writer:
    """Give a writer to topics that are there."""
    create(namespace, *READ)
    return Writer(kafka, namespace.prefix)


def call(number: int, **changes: Any) -> tuple[str, str, crowd.Row]:
    """Return the row of an active call with its topic and key."""
    row = crowd.active_call(number, now_ms(), **changes)
    return "active-calls", row["leg_id"], row


def test_it_answers_what_is_committed_and_nothing_else(
    kafka: str, namespace: Namespace, writer: Writer, tmp_path: Path
) -> None:
    """What an aborted transaction wrote is never seen; a tombstone takes a call away; two copies answer alike."""
    now = now_ms()
    record = crowd.call_record(1, now - 5_000)
    old = crowd.call_record(2, now - 25 * 3_600_000)
    writer.write(
        call(1),
        call(2),
        ("presence", crowd.key_of(1), crowd.presence(1, now, "ON_CALL")),
        ("call-records", record["leg_id"], record),
        ("call-records", old["leg_id"], old),
    )
    writer.write(call(3), abort=True)
    _, gone, _ = call(2)
    writer.write(("active-calls", gone, None))
    with serve(kafka, namespace.prefix, tmp_path / "1") as one, serve(kafka, namespace.prefix, tmp_path / "2") as two:
        for served in (one, two):
            served.when("/v1/status", lambda told: told["ready"])
            (held,) = served.get("/v1/calls/active")["items"]
            assert held["extension_key"] == crowd.key_of(1)
            assert [row["leg_id"] for row in served.get("/v1/calls/records")["items"]] == [record["leg_id"]]
            assert served.get("/v1/calls/records")["items"] == [record]
            assert served.get("/v1/presence")["items"][0]["activity"] == "ON_CALL"
        assert one.get("/v1/calls/active") == two.get("/v1/calls/active")


def test_a_change_is_seen_within_a_second_of_its_commit(
    kafka: str, namespace: Namespace, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whoever follows the stream."""
    delays = []
    with serve(kafka, namespace.prefix, tmp_path / "log") as served:
        served.when("/v1/status", lambda told: told["ready"])
        with stream(served.url + "/v1/stream") as events:
            assert until(events, "hello")
            for number in range(20):
                committed = writer.write(call(number))
                assert until(events, "active-call").data["extension_key"] == crowd.key_of(number)
                delays.append(now_ms() - committed)
    delays.sort()
    with capsys.disabled():
        sys.stdout.write(f"\nseen after: median {delays[10]} ms, longest {delays[-1]} ms\n")
    assert delays[18] < 1_000, delays


def test_a_viewer_goes_on_after_it_was_away(kafka: str, namespace: Namespace, writer: Writer, tmp_path: Path) -> None:
    """What was committed meanwhile is told; of another copy it is told to begin anew."""
    with serve(kafka, namespace.prefix, tmp_path / "1") as one, serve(kafka, namespace.prefix, tmp_path / "2") as two:
        for served in (one, two):
            served.when("/v1/status", lambda told: told["ready"])
        with stream(one.url + "/v1/stream?kinds=active-call") as events:
            assert until(events, "hello")
            writer.write(call(1))
            seen = until(events, "active-call")
        writer.write(call(2), call(3))
        one.when("/v1/calls/active", lambda told: len(told["items"]) == 3)
        assert seen.id is not None
        with stream(one.url + "/v1/stream?kinds=active-call", Last_Event_ID=seen.id) as events:
            told = {until(events, "active-call").data["extension_key"] for _ in range(2)}
        assert told == {crowd.key_of(2), crowd.key_of(3)}
        with stream(two.url + "/v1/stream", Last_Event_ID=seen.id) as events:
            assert next(events).name == "reset"


def test_a_record_that_cannot_be_read_holds_nothing_up(
    kafka: str, namespace: Namespace, writer: Writer, tmp_path: Path
) -> None:
    """It is counted and told with its place, without its value."""
    name = topic("presence").name(Naming(prefix=namespace.prefix))
    plain = Producer({"bootstrap.servers": kafka})
    plain.produce(name, key=b"x", value=b"+16505550199*199 is no Avro")
    assert plain.flush(20) == 0
    writer.write(("presence", crowd.key_of(1), crowd.presence(1, now_ms())))
    with serve(kafka, namespace.prefix, tmp_path / "log") as served:
        served.when("/v1/presence", lambda told: len(told["items"]) == 1)
        with urllib.request.urlopen(served.url + "/metrics", timeout=10) as answer:
            text = answer.read().decode()
    assert 'widgetstreams_serve_records_total{outcome="unreadable",topic="presence"} 1.0' in text
    log = (tmp_path / "log").read_text()
    assert f"feed.unreadable topic={name} partition=" in log
    assert "5550199" not in log


def test_missing_topics_stop_the_start_or_are_waited_for(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Without those it cannot do without it ends with 2 and names them; the others may come later."""
    command = [sys.executable, "-m", "streams.cli.main", "serve", "--serve-port", "0"]
    arguments = ["--bootstrap-servers", kafka, "--topic-prefix", namespace.prefix]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{namespace.prefix}presence.v1" in done.stderr
    create(namespace, "active-calls", "presence", "call-records")
    with serve(kafka, namespace.prefix, tmp_path / "log") as served:
        told = served.when("/v1/status", lambda told: told["ready"])
    assert any("directory.v1 is not read: there is no such topic yet" in note for note in told["notes"])


def test_a_topic_that_is_made_anew_is_read_anew(
    kafka: str, namespace: Namespace, writer: Writer, tmp_path: Path
) -> None:
    """What the old one held is gone, and viewers are told to begin anew."""
    writer.write(call(1), call(2))
    with serve(kafka, namespace.prefix, tmp_path / "log") as served:
        served.when("/v1/calls/active", lambda told: len(told["items"]) == 2)
        with stream(served.url + "/v1/stream") as events:
            assert until(events, "hello")
            name = topic("active-calls").name(Naming(prefix=namespace.prefix))
            namespace.admin.delete_topics([name])[name].result(20)
            while name in namespace.admin.list_topics(timeout=20).topics:
                time.sleep(0.05)
            create(namespace, "active-calls")
            assert until(events, "reset")
        served.when("/v1/calls/active", lambda told: told["items"] == [], seconds=60)


@pytest.mark.timeout(240)
def test_while_kafka_is_away_it_answers_and_says_how_old(tmp_path: Path) -> None:
    """And goes on by itself when Kafka is back, with everything that was committed meanwhile."""
    with EmbeddedKafka() as kafka:
        bootstrap = kafka.bootstrap
        namespace = Namespace("away.", AdminClient({"bootstrap.servers": bootstrap}))
        create(namespace, *READ)
        writer = Writer(bootstrap, "away.")
        writer.write(call(1))
        with serve(bootstrap, "away.", tmp_path / "log") as served:
            served.when("/v1/calls/active", lambda told: len(told["items"]) == 1)
            assert not served.get("/v1/status")["stale"]
            with stream(served.url + "/v1/stream") as events:
                assert until(events, "hello")
                kafka.kill()
                stale = next(event for event in events if event.name == "status" and event.data["stale"])
                assert stale.data["stale_ms"] > 5_000
                assert len(served.get("/v1/calls/active")["items"]) == 1
                kafka.restart()
                again = next(event for event in events if event.name == "status" and not event.data["stale"])
                assert again.data["as_of"] > stale.data["as_of"]
            Writer(bootstrap, "away.").write(call(2))
            served.when("/v1/calls/active", lambda told: len(told["items"]) == 2)
    assert "feed.kafka_away" in (tmp_path / "log").read_text()
