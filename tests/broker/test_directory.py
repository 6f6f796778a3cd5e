"""The directory's topic is read whole, then followed: new rows, tombstones, rows that are none."""

import asyncio
import json
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from streams.contracts.directory import Directory
from streams.worker.directory import DirectoryReader
from tests.broker.conftest import Namespace
from tests.builders import KEY, LOGIN

pytestmark = pytest.mark.broker
SECONDS = 30


def produce(kafka: str, topic: str, rows: list[tuple[str, dict[str, object] | bytes | None]]) -> None:
    """Write rows as whoever fills the directory does."""
    producer = Producer({"bootstrap.servers": kafka})
    for key, row in rows:
        producer.produce(topic, json.dumps(row).encode() if isinstance(row, dict) else row, key.encode())
    assert producer.flush(20) == 0


def row(extension: str, login_number: str) -> dict[str, object]:
    """Return a row of account 16."""
    return {"account_id": "16", "extension_id": extension, "login_number": login_number}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what the reader takes in the background."""
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.05)


def test_the_directory_is_read_whole_and_then_followed(kafka: str, namespace: Namespace) -> None:
    """What stands in every partition is known before the first event; what comes later follows."""
    topic = namespace.topic("directory", partitions=3, cleanup_policy="compact")
    numbers = {str(number): LOGIN.replace("*101", f"*{number}") for number in range(101, 121)}
    produce(kafka, topic, [(f"16/{number}", row(number, login)) for number, login in numbers.items()])
    produce(kafka, topic, [("16/999", b"{no row")])
    directory = Directory(KEY)

    async def story() -> None:
        reader = DirectoryReader(kafka, topic, 3, directory)
        assert await reader.read_whole() == len(numbers)
        assert all(directory.key_of("16", number) == login for number, login in numbers.items())
        following = asyncio.create_task(reader.follow())
        produce(kafka, topic, [("16/500", row("500", LOGIN.replace("*101", "*500"))), ("16/101", None)])
        await until(lambda: directory.key_of("16", "500") is not None and directory.key_of("16", "101") is None)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(story())
    assert len(directory) == len(numbers)


def test_an_empty_directory_is_no_trouble(kafka: str, namespace: Namespace) -> None:
    """Installations without a directory start as well."""
    topic = namespace.topic("directory", partitions=2, cleanup_policy="compact")
    assert asyncio.run(DirectoryReader(kafka, topic, 2, Directory(KEY)).read_whole()) == 0
