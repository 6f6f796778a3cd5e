"""How soon `serve` is ready, how much it takes, and what 50 viewers cost: `python -m tests.bench.serve`.

10,000 extensions, 100,000 call records and a day's interval rows of each extension are read from a real Kafka. Then 50
viewers follow the stream as wallboards do, while changes are written: as many as 1,000 extensions make in a busy hour,
then as many as 10,000 make.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import aiohttp
from aiokafka import AIOKafkaProducer

from streams.contracts.avro import codec
from streams.contracts.catalog import Naming, topic
from streams.local.embedded import EmbeddedKafka
from streams.local.ports import free_ports
from streams.pipeline.partitioner import partition_of
from tests.bench.installation import PARTITIONS, Installation, produce
from tests.bench.interval_day import day_of_rows
from tests.bench.processes import Program
from tests.serve import crowd

VIEWERS = 50
KINDS = "active-call,active-call-ended,presence,presence-gone,summary"
SETTLE_SECONDS = 3.0
QUEUES_SECONDS = 5.0
"""How often a wallboard asks for the numbers of the queues."""
RECORD_OF = {"presence": "Presence", "active-calls": "ActiveCall", "call-records": "CallRecord"}


@dataclass
class Seen:
    """What the viewers saw of the changes."""

    written: dict[str, float] = field(default_factory=dict)
    """Instant of the broker's confirmation, by extension and instant in the row."""
    delays: list[float] = field(default_factory=list)


def rows(topic_id: str, made: Iterator[tuple[str, crowd.Row]]) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Give rows as they are written: by extension into partitions, stamped now."""
    encode, now = codec(RECORD_OF[topic_id]).encode, round(time.time() * 1_000)
    for key, row in made:
        yield partition_of(row["extension_key"], PARTITIONS), key.encode(), encode(row), now


def fill(bootstrap: str, naming: Naming, extensions: int, records: int) -> None:
    """Write what the service finds when it starts."""
    now, some = round(time.time() * 1_000), random.Random(1)
    people = ((crowd.key_of(number), crowd.presence(number, now)) for number in range(extensions))
    calls = (crowd.active_call(number, now) for number in range(0, extensions, 4))
    ended = (
        crowd.call_record(number % extensions, now - some.randrange(23 * 3_600_000), number // extensions)
        for number in range(records)
    )
    for topic_id, made in (
        ("presence", people),
        ("active-calls", ((row["leg_id"], row) for row in calls)),
        ("call-records", ((row["leg_id"], row) for row in ended)),
    ):
        produce(bootstrap, topic(topic_id).name(naming), rows(topic_id, made))


def fill_intervals(bootstrap: str, naming: Naming, extensions: int, records: int) -> int:
    """Write a day of interval rows; return how many."""
    keys = [crowd.key_of(number) for number in range(extensions)]
    made = day_of_rows(keys, round(time.time() * 1_000), records // extensions, PARTITIONS)
    return produce(bootstrap, topic("interval-metrics").name(naming), made)


async def ready(url: str, patience_seconds: float = 120.0) -> None:
    """Return when the service says that it is ready."""
    end = time.monotonic() + patience_seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise TimeoutError(f"not ready within {patience_seconds:g} s")


async def view(session: aiohttp.ClientSession, url: str, seen: Seen, number: int) -> None:
    """Follow the stream as a wallboard does, until cancelled; one of the viewers notes when it sees what."""
    asking = asyncio.create_task(ask(session, url))
    try:
        async with session.get(f"{url}/v1/stream", params={"kinds": KINDS}) as answer:
            async for line in answer.content:
                if number == 0 and line.startswith(b'data: {"extension_key"'):
                    row = json.loads(line[6:])
                    at = seen.written.get(f"{row['extension_key']}/{row.get('activity_since')}")
                    if at is not None:
                        seen.delays.append(time.time() - at)
    finally:
        asking.cancel()


async def ask(session: aiohttp.ClientSession, url: str) -> None:
    """Ask for the queues' numbers, over and over."""
    await asyncio.sleep(random.random() * QUEUES_SECONDS)
    while True:
        async with session.get(f"{url}/v1/summaries", params={"scope_type": "QUEUE"}) as answer:
            await answer.read()
        await asyncio.sleep(QUEUES_SECONDS)


async def change(bootstrap: str, naming: Naming, seen: Seen, extensions: int, rate: float, seconds: float) -> int:
    """Write so many changes a second: a call and its person each, a record with every fourth."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0, acks="all")
    await producer.start()
    begun, count, some = time.monotonic(), 0, random.Random(2)

    async def write(topic_id: str, key: str, row: crowd.Row) -> None:
        value = codec(RECORD_OF[topic_id]).encode(row)
        place = partition_of(row["extension_key"], PARTITIONS)
        await (await producer.send(topic(topic_id).name(naming), value, key.encode(), place))
        if topic_id == "presence":
            seen.written[f"{key}/{row['activity_since']}"] = time.time()

    async with asyncio.TaskGroup() as group:
        while (passed := time.monotonic() - begun) < seconds:
            while count < passed * rate:
                number, now = some.randrange(extensions), round(time.time() * 1_000)
                state, activity = some.choice(
                    [("RINGING", "RINGING"), ("CONNECTED", "ON_CALL"), ("ON_HOLD", "ON_HOLD")]
                )
                call = crowd.active_call(number, now, state, state_since=now)
                group.create_task(write("active-calls", call["leg_id"], call))
                key = crowd.key_of(number)
                group.create_task(write("presence", key, crowd.presence(number, now, activity, activity_since=now)))
                if count % 8 == 0:
                    record = crowd.call_record(number, now, 1_000_000 + count)
                    group.create_task(write("call-records", record["leg_id"], record))
                count += 2
            await asyncio.sleep(0.02)
    await producer.stop()
    return count


async def watch(server: Program, url: str, bootstrap: str, naming: Naming, *, extensions: int, rate: float) -> str:
    """Return what 50 viewers cost and see at a rate of changes, in one line."""
    seen, seconds = Seen(), 20.0
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        viewers = [asyncio.create_task(view(session, url, seen, number)) for number in range(VIEWERS)]
        await asyncio.sleep(SETTLE_SECONDS)
        used, begun = server.cpu_seconds(), time.monotonic()
        count = await change(bootstrap, naming, seen, extensions, rate, seconds)
        share = (server.cpu_seconds() - used) / (time.monotonic() - begun)
        await asyncio.sleep(1)
        for viewer in viewers:
            viewer.cancel()
        await asyncio.gather(*viewers, return_exceptions=True)
    delays = sorted(seen.delays)
    if not delays:
        raise RuntimeError("the viewers saw nothing")
    median, late = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    return (
        f"{VIEWERS} viewers, {count / seconds:.0f} changes/s: {share:.0%} of a core;"
        f" seen after commit: median {median * 1_000:.0f} ms, p99 {late * 1_000:.0f} ms ({len(delays)} seen)"
    )


def measure(extensions: int, records: int, *, intervals: bool) -> Iterator[str]:
    """Give the figures, a line each."""
    with EmbeddedKafka() as kafka:
        naming = Installation(kafka.bootstrap, "serve", replay=False).naming
        fill(kafka.bootstrap, naming, extensions, records)
        rows = fill_intervals(kafka.bootstrap, naming, extensions, records) if intervals else 0
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        server = Program(
            "serve",
            "-m", "streams.cli.main", "serve",
            f"--bootstrap-servers={kafka.bootstrap}",
            f"--topic-prefix={naming.prefix}",
            f"--serve-port={port}",
            "--serve-requests-per-second=1000",
        )  # fmt: skip
        begun = time.monotonic()
        with server:
            asyncio.run(ready(url))
            yield (
                f"{extensions} extensions, {records} call records, {rows} interval rows:"
                f" ready {time.monotonic() - begun:.1f} s after the"
                f" start of the process ({server.cpu_seconds():.1f} s of a processor),"
                f" {server.memory_mib('VmHWM'):.0f} MiB at most"
            )
            for busy, rate in ((1_000, 30.0), (extensions, 300.0)):
                yield asyncio.run(watch(server, url, kafka.bootstrap, naming, extensions=busy, rate=rate))
            yield f"afterwards {server.memory_mib():.0f} MiB"


def main() -> None:
    """Measure and tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--extensions", type=int, default=10_000)
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--intervals", action=argparse.BooleanOptionalAction, default=True)
    given = options.parse_args()
    for line in measure(given.extensions, given.records, intervals=given.intervals):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
