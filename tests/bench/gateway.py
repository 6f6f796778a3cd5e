"""How fast the gateway is on one core, beside bare aiohttp handlers that judge, scrub and limit nothing, in one run.

Each server runs alone on one core; Kafka and the load share the others. Saturation is closed loop: every connection
posts the next batch of ten when the last one was answered. Half load is open loop: batches are posted when they are
due, and latency counts from then, so a slow answer is not hidden by a late question. It is half of what is wanted
(2,500 events/s): where the load shares two cores with Kafka, half of the most that one core can do leaves the load
itself too late; how late it was is told. Ratios are those of each server's own processor time, which is all the time
where nothing else runs, and depends less on what does. The peers run in plain Python beside every build.
"""

import asyncio
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.local.ports import free_ports
from tests.bench.builds import Build, builds
from tests.bench.figures import Figure, Target, at_least, below
from tests.bench.gateway_load import BATCH, KEY, ORIGIN, Load, bodies, closed_loop, open_loop, quantile, request_of
from tests.bench.installation import PARTITIONS
from tests.bench.processes import Program

SERVER_CORE = {0}
WANTED_EVENTS, WANTED_RATIO, WANTED_P99_MS = 5_000, 0.7, 50.0
PEERS = ("producer", "publisher")
WARM_SECONDS = 2.0
READY_SECONDS = 30.0


class Server:
    """A server on its own core, and where it writes."""

    def __init__(self, program: Program, port: int, topic: str):
        """Watch a running program."""
        self.program, self.port, self.topic = program, port, topic

    def saturate(self, requests: list[bytes], seconds: float) -> tuple[float, float]:
        """Return events a second, and a second of the processor's, when as much is posted as is taken."""
        asyncio.run(closed_loop(self.port, requests, WARM_SECONDS))
        used, begun = self.program.cpu_seconds(), time.perf_counter()
        load = asyncio.run(closed_loop(self.port, requests, seconds))
        wall, cpu = time.perf_counter() - begun, self.program.cpu_seconds() - used
        assert not load.other, f"{load.other} requests were not taken"
        return load.taken / wall, load.taken / cpu


@contextmanager
def served(program: Program, port: int, topic: str) -> Iterator[Server]:
    """Run a server until the block ends."""
    with program:
        os.sched_setaffinity(program.process.pid, SERVER_CORE)
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(port):
            program.check()
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.1)
        yield Server(program, port, topic)


def is_ready(port: int) -> bool:
    """Tell whether a server says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Figures:
    """What is measured of the gateway of one build."""

    def __init__(self, build: Build, *, is_judged: bool):
        """Prepare; the targets are for the build that is judged."""

        def figure(name: str, unit: str, target: Target | None, note: str) -> Figure:
            return Figure(build.called(name), unit, target if is_judged else None, note)

        self.rate = figure("Gateway on one core", "events/s", at_least(WANTED_EVENTS), "in Kafka, batches of ten")
        self.cpu = figure("Processor time of the gateway", "µs/event", None, "all of the process")
        self.to = {
            "publisher": figure(
                "Gateway to bare handler, same publisher",
                "ratio",
                at_least(WANTED_RATIO),
                "events per second of the processor",
            ),
            "producer": figure(
                "Gateway to bare handler, a send each", "ratio", None, "events per second of the processor"
            ),
        }
        self.p50 = figure("Gateway at 2,500 events/s, median", "ms", None, "from when a batch was due")
        self.p99 = figure("Gateway at 2,500 events/s, p99", "ms", below(WANTED_P99_MS), "from when a batch was due")

    def all(self) -> list[Figure]:
        """Return them in the order of the table."""
        return [self.rate, self.cpu, *self.to.values(), self.p50, self.p99]


class Gateway:
    """The gateway of each build beside its peers."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._rounds, self._seconds = (1, 4.0) if quick else (3, 8.0)
        self._builds = builds(say)
        # The image has the native build, so that is what the targets are for where there is one.
        self._figures = {build.name: Figures(build, is_judged=build is self._builds[-1]) for build in self._builds}
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._run = f"bench{time.time_ns()}"

    def measure(self) -> list[Figure]:
        """Return the figures of all builds; raises if an event that was answered with 202 is not in Kafka."""
        requests = [request_of(body) for body in bodies(3_000)]
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            gateways = {build.name: stack.enter_context(self._gateway(build, Path(folder))) for build in self._builds}
            peers = {kind: stack.enter_context(self._peer(kind)) for kind in PEERS}
            for _ in range(self._rounds):  # By turns, so that the machine's moods meet all of them.
                self._round(gateways, peers, requests)
            for name, server in gateways.items():
                self._half_load(self._figures[name], server, requests)
        return [figure for figures in self._figures.values() for figure in figures.all()]

    def _round(self, gateways: dict[str, Server], peers: dict[str, Server], requests: list[bytes]) -> None:
        of_peers = {kind: server.saturate(requests, self._seconds) for kind, server in peers.items()}
        for name, server in gateways.items():
            figures = self._figures[name]
            rate, of_cpu = server.saturate(requests, self._seconds)
            figures.rate.add(rate)
            figures.cpu.add(1e6 / of_cpu)
            for kind, figure in figures.to.items():
                figure.add(of_cpu / of_peers[kind][1])
            told = ", ".join(f"{kind} {one:,.0f}" for kind, (one, _) in of_peers.items())
            self._say(f"gateway {name or 'plain Python'}: {rate:,.0f} events/s; {told}")

    def _half_load(self, figures: Figures, server: Server, requests: list[bytes]) -> None:
        before = self._records_in(server.topic)
        load: Load = asyncio.run(open_loop(server.port, requests, WANTED_EVENTS / 2 / BATCH, self._seconds))
        written = self._records_in(server.topic) - before
        assert written == load.taken, f"{load.taken} events were answered with 202 and {written} are in Kafka"
        figures.p50.add(quantile(load.latencies_ms, 0.5))
        figures.p99.add(quantile(load.latencies_ms, 0.99))
        late = quantile(load.late_ms, 0.99)
        self._say(f"gateway at half load: p99 {figures.p99.median:.1f} ms, the load itself late by {late:.1f} ms")

    def _gateway(self, build: Build, folder: Path) -> AbstractContextManager[Server]:
        prefix = f"{self._run}.{build.name.replace(' ', '-') or 'plain'}."
        topic = self._created(f"{prefix}events.v1")
        sites, key = folder / "sites.toml", folder / "token.key"
        sites.write_text(
            f'[[site]]\nname = "bench"\nwrite_key = "{KEY}"\norigins = ["{ORIGIN}"]\nevents_per_second = 1000000\n'
        )
        key.write_text("a key for the bench of the gateway")
        (port,) = free_ports(1)
        program = Program(
            "gateway", "-m", "streams.cli.main", "gateway",
            f"--bootstrap-servers={self._bootstrap}",
            f"--topic-prefix={prefix}",
            f"--gateway-port={port}",
            f"--gateway-sites-file={sites}",
            f"--token-key-file={key}",
            "--gateway-session-events-per-second=100000",
            "--gateway-notice-seconds=0",
            environment=build.environment,
        )  # fmt: skip
        return served(program, port, topic)

    def _peer(self, kind: str) -> AbstractContextManager[Server]:
        topic = self._created(f"{self._run}.{kind}")
        (port,) = free_ports(1)
        arguments = ("-m", "tests.bench.peers.bare_gateway", kind, self._bootstrap, topic, str(port))
        return served(Program(kind, *arguments), port, topic)

    def _created(self, topic: str) -> str:
        self._admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result(20)
        return topic

    def _records_in(self, topic: str) -> int:
        """Count what is in a topic; there are no transactions in it, so offsets have no gaps."""
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": "bench"})
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            marks = [consumer.get_watermark_offsets(place, 10) for place in places]
            return sum(high - low for low, high in marks)
        finally:
            consumer.close()
