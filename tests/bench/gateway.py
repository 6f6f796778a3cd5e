"""How fast the gateway is on one core, beside a bare aiohttp handler with the same producer, in the same run.

python -m tests.bench.gateway [--seconds 10] [--connections 64] [--rounds 3]

Two bare handlers are measured, neither judges, scrubs or limits anything: one hands each event to aiokafka's producer,
as its documentation shows, with the settings of the gateway's; the other writes through the gateway's own publisher,
which batches over requests: what the gateway adds to that is what judging costs.

Each server runs alone on one core; Kafka and the load share the others. Saturation is closed loop: every connection
posts the next batch of ten when the last one was answered. Half load is open loop: batches are posted when they are
due, and latency counts from then, so a slow answer is not hidden by a late question; how late the load itself was is
told beside it. It is half of what is wanted (2,500 events/s): where the load shares two cores with Kafka, half of the
most that one core can do leaves the load itself too late. CPU seconds are the server's own, and are compared too: they
do not depend on what else the machine does.
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.gateway.broker import BATCH_BYTES, Broker, BrokerOptions
from streams.gateway.budget import Budget
from streams.gateway.intake import Record
from streams.local.embedded import EmbeddedKafka
from streams.local.node import FOR_BENCHMARKS
from streams.simulate.envelopes import Collector
from streams.simulate.habits import Scenario, hurried, shift
from streams.simulate.population import Population

BATCH = 10
KEY = "wk_bench_of_the_gateway"
PARTITIONS = 12
SERVER_CORE = {0}
WANTED_EVENTS, WANTED_RATIO, WANTED_P99_MS = 5_000, 0.7, 50.0
KINDS = ("gateway", "producer", "publisher")


def bodies(count: int) -> list[bytes]:
    """Return request bodies of ten envelopes each, of one page load each, as collectors post them."""
    habits, crowd = hurried(*shift(Scenario.STEADY, extensions=100_000, tabs=3, calls_per_hour=120), 2_000)
    dues = Collector(1).envelopes(Population(1, habits, crowd, time.time_ns() // 1_000_000).postings())
    open_batches: dict[str, list[object]] = {}
    made: list[bytes] = []
    for due in dues:
        batch = open_batches.setdefault(due.session_id, [])
        batch.append({name: value for name, value in due.envelope.items() if name not in ("received_at", "verified")})
        if len(batch) == BATCH:
            made.append(orjson.dumps({"key": KEY, "events": open_batches.pop(due.session_id)}))
            if len(made) == count:
                return made
    raise AssertionError("the population never ends")


def request_of(body: bytes) -> bytes:
    """Return the bytes of a whole request."""
    return (
        b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        b"Origin: https://crm.example.com\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body


@dataclass
class Load:
    """What was answered."""

    taken: int = 0
    other: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """How much later than due each request was begun."""

    def answered(self, head: bytes, begun: float) -> None:
        """Count an answer."""
        self.latencies_ms.append((time.perf_counter() - begun) * 1000)
        if head.startswith(b"HTTP/1.1 202"):
            self.taken += BATCH
        else:
            self.other += 1


def quantile(values: list[float], share: float) -> float:
    """Return a quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Client:
    """One connection that posts one request after the other, as cheaply as can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer

    async def post(self, request: bytes) -> bytes:
        """Post, and return the head of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        return head

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


async def clients(port: int, count: int) -> list[Client]:
    return [Client(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def closed_loop(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    """Post as fast as answers come."""
    load, supply, end = Load(), itertools.cycle(requests), time.perf_counter() + seconds

    async def work(client: Client) -> None:
        while (begun := time.perf_counter()) < end:
            load.answered(await client.post(next(supply)), begun)
        client.close()

    await asyncio.gather(*map(work, await clients(port, connections)))
    return load


async def open_loop(port: int, requests: list[bytes], rate: float, seconds: float) -> Load:
    """Post so many requests a second, each at its time."""
    load, idle, supply = Load(), await clients(port, 100), itertools.cycle(requests)
    begun, tasks = time.perf_counter(), []

    async def work(due: float) -> None:
        client = idle.pop() if idle else (await clients(port, 1))[0]
        load.late_ms.append((time.perf_counter() - due) * 1000)
        load.answered(await client.post(next(supply)), due)
        idle.append(client)

    for number in range(int(rate * seconds)):
        due = begun + number / rate
        if (early := due - time.perf_counter()) > 0.001:
            await asyncio.sleep(early)
        tasks.append(asyncio.create_task(work(due)))
    await asyncio.gather(*tasks)
    for client in idle:
        client.close()
    return load


class Server:
    """A server process on its own core."""

    def __init__(self, process: "subprocess.Popen[str]", port: int):
        self.process, self.port = process, port

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return its memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def served(command: list[str], log: Path) -> Iterator[Server]:
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORE),
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        port = int(line.rsplit(":", 1)[1])
        wait_until_ready(port)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(port: int) -> None:
    import urllib.error
    import urllib.request

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@contextmanager
def gateway(bootstrap: str, prefix: str, folder: Path) -> Iterator[Server]:
    sites = folder / "sites.toml"
    sites.write_text(
        f'[[site]]\nname = "bench"\nwrite_key = "{KEY}"\norigins = ["https://crm.example.com"]\n'
        "events_per_second = 1000000\n"
    )
    key = folder / "token.key"
    key.write_text("a key for the bench of the gateway")
    command = ["streams.cli.main", "gateway", "--bootstrap-servers", bootstrap, "--topic-prefix", prefix]
    command += ["--gateway-port", "0", "--gateway-sites-file", str(sites), "--token-key-file", str(key)]
    command += ["--gateway-session-events-per-second", "100000", "--gateway-notice-seconds", "0"]
    with served(command, folder / "gateway.log") as server:
        yield server


@contextmanager
def bare(kind: str, bootstrap: str, topic: str, folder: Path) -> Iterator[Server]:
    with served(["tests.bench.gateway", "--bare", kind, bootstrap, topic], folder / f"{kind}.log") as server:
        yield server


Write = Callable[[list[Any]], Awaitable[object]]


async def serve_bare(kind: str, bootstrap: str, topic: str) -> None:
    """Serve what anybody would write first: parse, write what came, answer."""
    broker = Broker(BrokerOptions(bootstrap, topic, 10.0), Budget(2**30))
    link = asyncio.create_task(broker.run())
    await broker.connected.wait()
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES
    )
    await producer.start()

    async def through_producer(batch: list[Any]) -> None:
        sent = [await producer.send(topic, orjson.dumps(event), key=event["session_id"].encode()) for event in batch]
        await asyncio.gather(*sent)

    async def through_publisher(batch: list[Any]) -> None:
        await broker.write([Record(event["session_id"], orjson.dumps(event)) for event in batch])

    write: Write = through_producer if kind == "producer" else through_publisher
    await answer_with(write)
    await link


async def answer_with(write: Write) -> None:
    async def events(request: web.Request) -> web.Response:
        batch = orjson.loads(await request.read())["events"]
        await write(batch)
        return web.json_response({"accepted": len(batch)}, status=202)

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/v1/events", events)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"listens at http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()


def records_in(bootstrap: str, topic: str) -> int:
    """Count what is in a topic; there are no transactions in it, so offsets have no gaps."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})
    try:
        marks = [consumer.get_watermark_offsets(TopicPartition(topic, number), 10) for number in range(PARTITIONS)]
        return sum(high - low for low, high in marks)
    finally:
        consumer.close()


@dataclass
class Figures:
    """What was measured of one server."""

    per_second: float
    per_cpu_second: float


def saturate(server: Server, requests: list[bytes], connections: int, seconds: float) -> tuple[Figures, Load]:
    asyncio.run(closed_loop(server.port, requests, connections, 2.0))
    used, begun = server.cpu_seconds(), time.perf_counter()
    load = asyncio.run(closed_loop(server.port, requests, connections, seconds))
    wall, cpu = time.perf_counter() - begun, server.cpu_seconds() - used
    assert not load.other, f"{load.other} requests were not taken"
    return Figures(load.taken / wall, load.taken / cpu), load


def measure(bootstrap: str, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    requests = [request_of(body) for body in bodies(3_000)]
    prefix = f"bench{time.time_ns()}."
    topics = {"gateway": f"{prefix}events.v1", "producer": f"{prefix}producer", "publisher": f"{prefix}publisher"}
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for created in admin.create_topics([NewTopic(name, PARTITIONS) for name in topics.values()]).values():
        created.result(20)
    found: dict[str, list[Figures]] = {kind: [] for kind in KINDS}
    with (
        gateway(bootstrap, prefix, folder) as ours,
        bare("producer", bootstrap, topics["producer"], folder) as producer,
        bare("publisher", bootstrap, topics["publisher"], folder) as publisher,
    ):
        for _ in range(options.rounds):  # By turns, so that the machine's moods meet all of them.
            for kind, server in zip(KINDS, (ours, producer, publisher), strict=True):
                found[kind].append(saturate(server, requests, options.connections, options.seconds)[0])
                sys.stderr.write(f"{kind}: {found[kind][-1]}\n")
        before = records_in(bootstrap, topics["gateway"])
        half = asyncio.run(open_loop(ours.port, requests, WANTED_EVENTS / 2 / BATCH, options.seconds))
        written = records_in(bootstrap, topics["gateway"]) - before
        rss = ours.rss_mb()
    for deleted in admin.delete_topics(list(topics.values())).values():
        deleted.result(20)
    assert written == half.taken, f"{half.taken} events were answered with 202 and {written} are in Kafka"
    return {**compared(found), **half_load(half, options.seconds), "rss_mb": rss}


def compared(found: dict[str, list[Figures]]) -> dict[str, float]:
    """Return the best round of each server, and the gateway's beside the bare ones."""
    wall = {kind: max(figures.per_second for figures in rounds) for kind, rounds in found.items()}
    cpu = {kind: max(figures.per_cpu_second for figures in rounds) for kind, rounds in found.items()}
    figures = {f"{kind}_events_per_second": value for kind, value in wall.items()}
    figures |= {f"{kind}_events_per_cpu_second": value for kind, value in cpu.items()}
    for kind in KINDS[1:]:
        figures[f"ratio_to_{kind}"] = wall["gateway"] / wall[kind]
        figures[f"ratio_to_{kind}_by_cpu"] = cpu["gateway"] / cpu[kind]
    return figures


def half_load(half: Load, seconds: float) -> dict[str, float]:
    """Return rate and latency at half load."""
    return {
        "half_load_events_per_second": half.taken / seconds,
        "half_load_p50_ms": quantile(half.latencies_ms, 0.5),
        "half_load_p99_ms": quantile(half.latencies_ms, 0.99),
        "half_load_begun_late_p99_ms": quantile(half.late_ms, 0.99),
    }


def main() -> int:
    """Measure, print the figures as JSON, exit with 1 when one misses its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bootstrap", help="a running Kafka instead of one of its own")
    parser.add_argument("--bare", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(serve_bare(*options.bare))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if options.bootstrap:
            figures = measure(options.bootstrap, options, Path(folder))
        else:
            with EmbeddedKafka(size=FOR_BENCHMARKS) as kafka:
                figures = measure(kafka.bootstrap, options, Path(folder))
    sys.stdout.write(json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=2) + "\n")
    missed = (
        figures["gateway_events_per_second"] < WANTED_EVENTS
        or figures["ratio_to_producer"] < WANTED_RATIO
        or figures["half_load_p99_ms"] > WANTED_P99_MS
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
