"""Workers under load that are killed and frozen at random moments, and the proof that nothing came of it.

A storm runs real processes: an embedded Kafka, the simulator in an open loop, and workers that are started anew like a
supervisor would. `verify` judges what the topics hold in the end.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import assert_never

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.contracts.numbers import DEVELOPMENT_KEY
from streams.local.embedded import EmbeddedKafka

PACE_SECONDS = (0.3, 4.0)
FREEZE_SECONDS = (0.2, 12.0)
"""A freeze longer than the session timeout of 6 s lets the others take over before the sleeper wakes."""
DOWN_SECONDS = (0.0, 0.0, 0.5, 4.0, 8.0)
"""How long a killed worker stays away: a supervisor's quick restart, or a machine that has to boot."""
BROKER_DOWN_SECONDS = 6.0
"""Longer than a broker's session of 4 s: others lead its partitions before it is back."""
DRAIN_SECONDS = 180.0
STOP_SECONDS = 30.0


PROGRAM: Sequence[str] = (sys.executable, "-m", "streams.cli.main")
ENVIRONMENT = {**os.environ, "WIDGET_STREAMS_TOKEN_KEY": DEVELOPMENT_KEY.decode()}


class Act(Enum):
    """One stroke of a storm."""

    KILL = auto()
    """SIGKILL a worker and start it again."""
    FREEZE = auto()
    """SIGSTOP a worker and SIGCONT it."""
    BROKER = auto()
    """SIGKILL a broker and start it again."""


@dataclass(frozen=True)
class Weather:
    """What a storm does; the same seed does it at the same distances."""

    kills: int
    freezes: int
    rate: int
    """Envelopes per second."""
    workers: int = 2
    partitions: int = 12
    seed: int = 1

    broker_kills: int = 0
    """Of a cluster of three; each is back before the next goes."""

    def acts(self) -> list[Act]:
        """Return what is done, in its order."""
        acts = [Act.KILL] * self.kills + [Act.FREEZE] * self.freezes + [Act.BROKER] * self.broker_kills
        random.Random(self.seed).shuffle(acts)
        return acts


@dataclass
class Report:
    """What happened."""

    sent: int = 0
    kills: int = 0
    freezes: int = 0
    broker_kills: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    """Workers that ended by themselves, by exit code: a frozen one whose name was taken over does."""
    seconds: float = 0.0
    drained: bool = False
    verdict: str = ""
    verify_exit: int = -1

    def __str__(self) -> str:
        """Tell it in two lines."""
        exits = ", ".join(f"{number} with exit code {code}" for code, number in sorted(self.exits.items())) or "none"
        return (
            f"{self.sent} envelopes in {self.seconds:.0f} s, {self.kills} SIGKILL, {self.freezes} SIGSTOP/SIGCONT,"
            f" {self.broker_kills} brokers killed, ended by themselves: {exits}\n{self.verdict}"
        )


class Storm:
    """One storm over one installation with a prefix and a group of its own."""

    def __init__(self, bootstrap: str, prefix: str, weather: Weather, folder: Path, kafka: EmbeddedKafka | None = None):
        """Prepare; logs of all processes go to the folder. `kafka` is needed where brokers are killed."""
        self._bootstrap, self._prefix, self.weather, self._folder, self._kafka = (
            bootstrap,
            prefix,
            weather,
            folder,
            kafka,
        )
        self._random = random.Random(weather.seed)
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.report = Report()

    def run(self) -> Report:
        """Run it to its end and prove the outcome; every process that was started has ended when this returns."""
        copies = 3 if self.weather.broker_kills else 1
        applied = self._run(
            "topics", "apply", f"--partitions={self.weather.partitions}", f"--replication-factor={copies}"
        )
        assert applied.returncode == 0, applied.stderr
        try:
            for number in range(self.weather.workers):
                self._start(f"storm-{number}")
            self._wait_for_progress()
            self._blow()
            self.report.drained = self._drain()
        finally:
            self._stop_workers()
        proof = self._run("verify")
        self.report.verify_exit = proof.returncode
        # Its progress goes to stderr as well, and is of interest only where there is no verdict.
        self.report.verdict = proof.stdout.strip() or proof.stderr.strip()[-2_000:]
        return self.report

    def _blow(self) -> None:
        load = self._popen("simulator", "simulate", f"--rate={self.weather.rate}", f"--seed={self.weather.seed}")
        begun = time.monotonic()
        try:
            for act in self.weather.acts():
                time.sleep(self._random.uniform(*PACE_SECONDS))
                self._supervise()
                self._do(act, self._random.choice(sorted(self._workers)))
        finally:
            self.report.seconds = time.monotonic() - begun
            load.send_signal(signal.SIGINT)
            load.wait(60)
        told = re.search(r"(\d+) envelopes fell due, (\d+) acknowledged", self._log("simulator"))
        assert told, self._log("simulator")
        self.report.sent = int(told[2])

    def _do(self, act: Act, name: str) -> None:
        match act:
            case Act.KILL:
                self._kill(name)
            case Act.FREEZE:
                self._freeze(name)
            case Act.BROKER:
                self._kill_broker()
            case _:
                assert_never(act)

    def _kill_broker(self) -> None:
        assert self._kafka is not None, "brokers are killed only where the cluster is given"
        node = self._random.choice(sorted(self._kafka.pids))
        self._kafka.kill(node)
        time.sleep(BROKER_DOWN_SECONDS)
        self._kafka.restart(node)
        self.report.broker_kills += 1

    def _kill(self, name: str) -> None:
        worker = self._workers.pop(name)
        worker.kill()
        worker.wait()
        self.report.kills += 1
        time.sleep(self._random.choice(DOWN_SECONDS))
        self._start(name)

    def _freeze(self, name: str) -> None:
        worker = self._workers[name]
        worker.send_signal(signal.SIGSTOP)
        time.sleep(self._random.uniform(*FREEZE_SECONDS))
        worker.send_signal(signal.SIGCONT)
        self.report.freezes += 1

    def _supervise(self) -> None:
        """Start again who ended by himself."""
        for name, worker in list(self._workers.items()):
            if worker.poll() is not None:
                self.report.exits[worker.returncode] += 1
                self._start(name)

    def _start(self, name: str) -> None:
        self._workers[name] = self._popen(name, "worker", f"--instance-id={name}", "--health-port=0")

    def _stop_workers(self) -> None:
        for worker in self._workers.values():
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers.values():
            try:
                worker.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _wait_for_progress(self) -> None:
        """Wait until every worker has joined: a storm over an empty sea proves nothing."""
        deadline = time.monotonic() + 60
        while not all("assignment.ready" in self._log(name) for name in self._workers):
            assert time.monotonic() < deadline, {name: self._log(name)[-2000:] for name in self._workers}
            time.sleep(0.1)

    def _drain(self) -> bool:
        """Wait until everything that was sent is folded; False when that does not come."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            self._supervise()
            if not any(self._behind()):
                return True
            time.sleep(0.5)
        return False

    def _behind(self) -> Iterator[int]:
        topic, group = f"{self._prefix}events.v1", f"{self._prefix}group"
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        wanted = [TopicPartition(topic, number) for number in range(self.weather.partitions)]
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])
        ends = Consumer({"bootstrap.servers": self._bootstrap, "group.id": f"{group}-ends"})
        try:
            for place in asked[group].result(20).topic_partitions or ():
                yield max(0, ends.get_watermark_offsets(place, timeout=20)[1] - max(place.offset, 0))
        finally:
            ends.close()

    def _arguments(self, command: str) -> list[str]:
        common = [f"--bootstrap-servers={self._bootstrap}", f"--topic-prefix={self._prefix}"]
        return common if command == "simulate" else [*common, f"--group={self._prefix}group"]

    def _popen(self, name: str, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*PROGRAM, command, *self._arguments(command), *arguments], stdout=log, stderr=log, env=ENVIRONMENT
            )

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        whole = [*PROGRAM, command, *arguments, *self._arguments(command)]
        return subprocess.run(whole, capture_output=True, text=True, env=ENVIRONMENT, check=False)

    def _log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
