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
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.contracts.numbers import DEVELOPMENT_KEY

PACE_SECONDS = (0.3, 4.0)
FREEZE_SECONDS = (0.2, 12.0)
"""A freeze longer than the session timeout of 6 s lets the others take over before the sleeper wakes."""
DOWN_SECONDS = (0.0, 0.0, 0.5, 4.0, 8.0)
"""How long a killed worker stays away: a supervisor's quick restart, or a machine that has to boot."""
DRAIN_SECONDS = 180.0
STOP_SECONDS = 30.0


PROGRAM: Sequence[str] = (sys.executable, "-m", "streams.cli.main")
ENVIRONMENT = {**os.environ, "WIDGET_STREAMS_TOKEN_KEY": DEVELOPMENT_KEY.decode()}


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

    def acts(self) -> list[signal.Signals]:
        """Return the signals in the order in which they are sent."""
        acts = [signal.SIGKILL] * self.kills + [signal.SIGSTOP] * self.freezes
        random.Random(self.seed).shuffle(acts)
        return acts


@dataclass
class Report:
    """What happened."""

    sent: int = 0
    kills: int = 0
    freezes: int = 0
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
            f" ended by themselves: {exits}\n{self.verdict}"
        )


class Storm:
    """One storm over one installation with a prefix and a group of its own."""

    def __init__(self, bootstrap: str, prefix: str, weather: Weather, folder: Path):
        """Prepare; logs of all processes go to the folder."""
        self._bootstrap, self._prefix, self.weather, self._folder = bootstrap, prefix, weather, folder
        self._random = random.Random(weather.seed)
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.report = Report()

    def run(self) -> Report:
        """Run it to its end and prove the outcome; every process that was started has ended when this returns."""
        applied = self._run("topics", "apply", f"--partitions={self.weather.partitions}", "--replication-factor=1")
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
        self.report.verdict = proof.stdout.strip()
        return self.report

    def _blow(self) -> None:
        load = self._popen("simulator", "simulate", f"--rate={self.weather.rate}", f"--seed={self.weather.seed}")
        begun = time.monotonic()
        try:
            for act in self.weather.acts():
                time.sleep(self._random.uniform(*PACE_SECONDS))
                self._supervise()
                name = self._random.choice(sorted(self._workers))
                (self._kill if act is signal.SIGKILL else self._freeze)(name)
        finally:
            self.report.seconds = time.monotonic() - begun
            load.send_signal(signal.SIGINT)
            load.wait(60)
        told = re.search(r"(\d+) envelopes fell due, (\d+) acknowledged", self._log("simulator"))
        assert told, self._log("simulator")
        self.report.sent = int(told[2])

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
