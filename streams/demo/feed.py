"""Feeds the board from the topics: a consumer like any other, `read_committed`, in a thread of its own."""

import asyncio
import threading

from streams.consumer import KafkaConsumer
from streams.demo.board import Board, decode, topics

POLL_MS = 200


class Feed:
    """Reads the board's topics from their beginning and goes on until it is stopped."""

    def __init__(self, bootstrap: str, board: Board):
        """Read from these brokers into the board."""
        self._bootstrap = bootstrap
        self._board = board
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until it has."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._read())

    async def _read(self) -> None:
        records = dict(topics())
        consumer = KafkaConsumer(
            *records,
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
        )
        await consumer.start()
        try:
            while not self._stop.is_set():
                for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    for item in batch:
                        record = records[item.topic]
                        self._board.take(record, (item.key or b"").decode(), decode(record, item.value))
        finally:
            await consumer.stop()
