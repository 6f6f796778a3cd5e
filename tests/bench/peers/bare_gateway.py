"""`python -m tests.bench.peers.bare_gateway KIND BOOTSTRAP TOPIC PORT`: what anybody would write first.

A bare aiohttp handler that parses, writes what came and answers; nothing is judged, scrubbed or limited. `producer`
hands each event to aiokafka's producer, as its documentation shows, with the settings of the gateway's; `publisher`
writes through the gateway's own publisher, which batches over requests.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from aiokafka import AIOKafkaProducer

from streams.gateway.broker import BATCH_BYTES, Broker, BrokerOptions
from streams.gateway.budget import Budget
from streams.gateway.intake import Record

Write = Callable[[list[Any]], Awaitable[object]]


async def serve(kind: str, bootstrap: str, topic: str, port: int) -> None:
    """Serve until the process is ended."""
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
    await answer_with(write, port)
    await link


async def answer_with(write: Write, port: int) -> None:
    """Answer requests once they are written."""

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
    await web.TCPSite(runner, "127.0.0.1", port).start()


if __name__ == "__main__":
    named, where, into, at = sys.argv[1:]
    asyncio.run(serve(named, where, into, int(at)))
