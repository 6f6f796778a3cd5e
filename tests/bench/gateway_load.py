"""What collectors post, and clients that post it: as fast as answers come, or each request when it is due."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

import orjson

from streams.simulate.envelopes import Collector
from streams.simulate.habits import Scenario, hurried, shift
from streams.simulate.population import Population

BATCH = 10
KEY = "wk_bench_of_the_gateway"
ORIGIN = "https://crm.example.com"
CONNECTIONS = 64


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
        b"Origin: %b\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Length: %d\r\n\r\n" % (ORIGIN.encode(), len(body))
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


async def _clients(port: int, count: int) -> list[Client]:
    return [Client(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def closed_loop(port: int, requests: list[bytes], seconds: float) -> Load:
    """Post as fast as answers come."""
    load, supply, end = Load(), itertools.cycle(requests), time.perf_counter() + seconds

    async def work(client: Client) -> None:
        while (begun := time.perf_counter()) < end:
            load.answered(await client.post(next(supply)), begun)
        client.close()

    await asyncio.gather(*map(work, await _clients(port, CONNECTIONS)))
    return load


async def open_loop(port: int, requests: list[bytes], rate: float, seconds: float) -> Load:
    """Post so many requests a second, each at its time."""
    load, idle, supply = Load(), await _clients(port, 100), itertools.cycle(requests)
    begun, tasks = time.perf_counter(), []

    async def work(due: float) -> None:
        client = idle.pop() if idle else (await _clients(port, 1))[0]
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
