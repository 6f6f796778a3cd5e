"""What an engine says without a broker."""

import asyncio
from pathlib import Path

from aiokafka import TopicPartition

from streams.engine.app import build_app
from streams.engine.batch import Batch
from streams.engine.engine import Engine
from streams.engine.options import EngineOptions
from tests.engine.builders import Described


async def waited(folder: Path) -> bool:
    """Wait for a batch of an epoch that is over, and that a rebalance dropped on its way to the agent."""
    options = EngineOptions("127.0.0.1:1", "group", "slot")
    engine = Engine(build_app(options, data_dir=folder), [Described()], options)
    return await asyncio.wait_for(engine.wait_done(Batch(TopicPartition("in", 0), [], engine.epoch - 1)), 5)


def test_nobody_waits_for_a_batch_whose_epoch_is_over(tmp_path: Path) -> None:
    """Nobody will fold it: the drain loop goes back to where the engine is."""
    assert asyncio.run(waited(tmp_path)) is False
