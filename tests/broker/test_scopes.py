"""The scopes stage on a real Kafka: in a worker of its own, killed in mid-flight, adding up what is true."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.broker.conftest import Namespace, ReadAll
from tests.builders import Tab

pytestmark = pytest.mark.broker

PROGRAM = (sys.executable, "-m", "streams.cli.main")
ENVIRONMENT = {**os.environ, "WIDGET_STREAMS_TOKEN_KEY": "a secret for tests only"}
ACCOUNT = "310450016"
PATIENCE_SECONDS = 90


class Workers:
    """Worker processes of one installation; all of them end with the test."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path):
        self._common = [f"--bootstrap-servers={bootstrap}", f"--topic-prefix={prefix}", f"--group={prefix}group"]
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *stages: str) -> None:
        """Start a worker of these stages."""
        named = [f"--stage={stage}" for stage in stages]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*PROGRAM, "worker", *self._common, f"--instance-id={name}", "--health-port=0", *named],
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
            )

    def kill(self, name: str) -> None:
        """Kill a worker."""
        worker = self._running.pop(name)
        worker.kill()
        worker.wait()

    def stop(self) -> None:
        """Let all of them end."""
        for worker in self._running.values():
            worker.send_signal(signal.SIGTERM)
        for worker in self._running.values():
            worker.wait(30)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command to its end."""
        whole = [*PROGRAM, *arguments, *self._common]
        return subprocess.run(whole, capture_output=True, text=True, env=ENVIRONMENT, check=False)


def a_morning(begun: int) -> list[dict[str, Any]]:
    """Return the posts of two people of an account who share a call, as they are posted just now."""
    first, second = (Tab(name, login=f"+16505550100*{name}") for name in ("101", "102"))
    posts = []
    for tab in (first, second):
        posts += [tab.logs_in(0, tab.login), tab.presence(10)]
    ringing, answering = first.call(1), second.call(1)
    posts += [ringing.ring(100), answering.ring(120), answering.start(900), ringing.end(950), answering.end(1_900)]
    shift = begun - min(post["captured_at"] for post in posts)
    moved = json.loads(json.dumps(posts), object_hook=lambda found: _moved(found, shift))
    return [{**post, "account_id": ACCOUNT} for post in moved]


def _moved(found: dict[str, Any], shift: int) -> dict[str, Any]:
    instants = {"captured_at", "sent_at", "received_at", "creationTime", "startTime", "endTime"}
    return {name: value + shift if name in instants else value for name, value in found.items()}


def test_an_account_is_added_up_by_a_worker_of_its_own(
    kafka: str, namespace: Namespace, read_all: ReadAll, tmp_path: Path
) -> None:
    """Two offers, one call, one answer; the worker of the scopes is killed once; verify finds nothing wrong."""
    workers = Workers(kafka, namespace.prefix, tmp_path)
    applied = workers.run("topics", "apply", "--partitions=2", "--replication-factor=1")
    assert applied.returncode == 0, applied.stderr
    try:
        workers.start("first", "sessions", "extensions")
        workers.start("second", "scopes")
        producer = Producer({"bootstrap.servers": kafka})
        for post in a_morning(round(time.time() * 1000) - 3_000):
            producer.produce(f"{namespace.prefix}events.v1", json.dumps(post), post["session_id"])
        producer.flush(20)
        deltas = f"{namespace.prefix}group-scopes-repartition"
        wait_for(lambda: any(record.key for record in read_all(deltas)))
        workers.kill("second")
        workers.start("second", "scopes")
        rows = f"{namespace.prefix}interval-metrics.v1"
        wait_for(lambda: any(is_whole(record.avro()) for record in read_all(rows)))
    finally:
        workers.stop()
    proof = workers.run("verify")
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert ": 0 lost, 0 doubled, 0 different, 0 out of order" in proof.stdout


def is_whole(row: dict[str, Any]) -> bool:
    """Tell whether it is the account's day with everything that happened."""
    if (row["scope_type"], row["window_seconds"]) != ("ACCOUNT", 86_400):
        return False
    wanted = {"scope_id": ACCOUNT, "calls_offered": 2, "calls_answered": 1, "logins": 2, "distinct_calls_offered": 1}
    return {name: row[name] for name in wanted} == wanted


def wait_for(happened: Any) -> None:
    """Look until it has happened."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
