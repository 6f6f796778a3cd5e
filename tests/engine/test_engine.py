"""What an engine says without a broker."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka import TopicPartition

from streams.engine.app import build_app
from streams.engine.batch import Batch
from streams.engine.committer import Committer
from streams.engine.engine import Engine
from streams.engine.options import EngineOptions
from streams.engine.portion import FIRST
from streams.engine.producer import WorkerProducer
from streams.engine.stage import Folded, InputRecord, SilentObserver
from tests.engine.builders import Described, Made, Silent, a_live


async def waited(folder: Path) -> bool:
    """Wait for a batch of an epoch that is over, and that a rebalance dropped on its way to the agent."""
    options = EngineOptions("127.0.0.1:1", "group", "slot")
    engine = Engine(build_app(options, data_dir=folder), [Described()], options)
    return await asyncio.wait_for(engine.wait_done(Batch(TopicPartition("in", 0), [], engine.epoch - 1)), 5)


def test_nobody_waits_for_a_batch_whose_epoch_is_over(tmp_path: Path) -> None:
    """Nobody will fold it: the drain loop goes back to where the engine is."""
    assert asyncio.run(waited(tmp_path)) is False


class Turns(Silent):
    """Partitions that write down in which turn of the event loop each fold was."""

    def __init__(self) -> None:
        """Begin with the first turn."""
        self.turn = 0
        self.folds: list[int] = []

    def fold(self, records: Sequence[InputRecord]) -> Folded:  # noqa: ARG002
        """Take a portion."""
        self.folds.append(self.turn)
        return Made()

    async def count(self) -> None:
        """Count turns."""
        while True:
            self.turn += 1
            await asyncio.sleep(0)


class Given(NamedTuple):
    """A record of the input."""

    offset: int
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = []


async def folds(folder: Path, portions: int) -> list[int]:
    """Let three partitions fold so many portions each at once, and return the turns of the loop."""
    options, turns = EngineOptions("127.0.0.1:1", "group", "slot"), Turns()
    engine = Engine(build_app(options, data_dir=folder), [Described()], options)
    lives = [a_live(number, work=turns, next_offset=0) for number in range(3)]
    producer = WorkerProducer(options, ["out"])
    engine._lives = {live.tp: live for live in lives}
    engine._committer = Committer(options, producer, lives, SilentObserver())
    engine._ready.set()
    counting = asyncio.ensure_future(turns.count())
    records = [Given(offset) for offset in range(FIRST * portions)]
    await asyncio.gather(*(engine.fold(Batch(live.tp, records, engine.epoch)) for live in lives))
    counting.cancel()
    await producer.close()
    assert engine.failure is None
    return turns.folds


def test_partitions_fold_one_portion_in_a_turn_of_the_loop(tmp_path: Path) -> None:
    """A commit on its way needs many turns, and with a portion of each partition in every one it would time out."""
    turns = asyncio.run(folds(tmp_path, 4))
    assert len(turns) > 3
    assert len(set(turns)) == len(turns)
