"""Keys per second when a worker takes partitions over and reads its state back, beside Faust's way of doing so."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator

from aiokafka import TopicPartition as Place
from confluent_kafka import Consumer, TopicPartition

from streams.engine.options import EngineOptions
from streams.engine.producer import WorkerProducer
from streams.engine.stage import SilentObserver
from streams.engine.takeover import Takeover
from streams.pipeline.extensions import ExtensionsPartition, ExtensionsStage
from streams.pipeline.sessions import SessionsPartition, SessionsStage
from tests.bench.figures import Figure, at_least
from tests.bench.installation import PARTITIONS, Installation, produce
from tests.bench.processes import Program
from tests.bench.stages import Folding, Rows, worker_gc
from tests.bench.traffic import Traffic

TRAFFIC = Traffic(people=2_000, envelopes=60_000)
COPIES = 20
"""Each row of the folded state is written so often under keys of its own: folding that many people takes too long."""
FAUST_KEYS = 60_000


class Recovery:
    """Fills changelogs with the state of folded envelopes and reads them back."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._copies = COPIES // 4 if quick else COPIES
        self._runs = 1 if quick else 3

    def measure(self) -> list[Figure]:
        """Return both speeds and their ratio."""
        ours = Figure("State recovery", "keys/s", at_least(100_000), "both stages, takeover to state in memory")
        theirs = Figure("Faust table recovery", "keys/s", None, "the same rows of the extensions stage, memory store")
        ratio = Figure("Recovery to Faust's", "ratio", None, "same run, same rows")
        there = Installation(self._bootstrap, "recovery", replay=True)
        state, keys = self._fill(there)
        for run in range(1, self._runs + 1):
            with worker_gc():
                ours.add(keys / asyncio.run(restored(there, keys)))
            theirs.add(self._faust(there, f"recovery{run}", state))
            ratio.add(ours.values[-1] / theirs.values[-1])
            self._say(
                f"recovery{run}: {keys} keys at {ours.values[-1]:,.0f}/s, Faust's table {theirs.values[-1]:,.0f}/s"
            )
        return [ours, theirs, ratio]

    def _fill(self, there: Installation) -> tuple[dict[tuple[str, int], Rows], int]:
        folding = Folding(there.plan)
        folding.run(list(TRAFFIC.records()))
        keys = 0
        for stage in stages(there):
            rows = ((p, k, v, 0) for (name, p), r in folding.state.items() if name == stage.name for k, v in r.items())
            keys += produce(self._bootstrap, stage.changelog_topic, self._copied(rows))
        # State belongs to committed offsets: without them a worker refuses it.
        committed = [TopicPartition(stage.input_topic, p, 0) for stage in stages(there) for p in range(PARTITIONS)]
        consumer = Consumer({"bootstrap.servers": self._bootstrap, "group.id": there.group})
        consumer.commit(offsets=committed, asynchronous=False)
        consumer.close()
        return folding.state, keys

    def _copied(self, rows: Iterator[tuple[int, bytes, bytes, int]]) -> Iterator[tuple[int, bytes, bytes, int]]:
        for partition, key, value, _ in rows:
            for copy in range(self._copies):
                yield partition, b"%b#%d" % (key, copy), value, time.time_ns() // 1_000_000

    def _faust(self, there: Installation, group: str, state: dict[tuple[str, int], Rows]) -> float:
        source = there.create(f"{group}.nothing")
        changelog = there.create(f"{group}-rows-changelog", {"cleanup.policy": "compact"})
        plain = (
            (p, key, value, 0) for (name, p), r in state.items() if name == "extensions" for key, value in r.items()
        )
        rows = []
        for row in self._copied(plain):
            rows.append(row)
            if len(rows) == FAUST_KEYS:
                break
        produce(self._bootstrap, changelog, rows)
        with tempfile.TemporaryDirectory(prefix="widget-streams-bench-") as folder:
            arguments = (self._bootstrap, group, source, "rows", folder)
            with Program("the Faust table", "-m", "tests.bench.peers.faust_table", *arguments) as program:
                begun = program.wait_for("Restoring state from changelog topics", 120)
                return len(rows) / (program.wait_for("Recovery complete", 240) - begun)


def stages(there: Installation) -> tuple[SessionsStage, ExtensionsStage]:
    """Return the stages of an installation with their changelogs."""
    names = [f"{there.group}-{stage}-changelog" for stage in ("sessions", "extensions")]
    return SessionsStage(there.plan, names[0]), ExtensionsStage(there.plan, names[1])


async def restored(there: Installation, keys: int) -> float:
    """Take all partitions over, as a worker does, and return the seconds that it took."""
    options = EngineOptions(there.bootstrap, there.group, "bench")
    by_topic = {stage.input_topic: stage for stage in stages(there)}
    producer = WorkerProducer(options, by_topic)
    await producer.open()
    try:
        begun = time.monotonic()
        takeover = Takeover(options, by_topic, SilentObserver(), producer.client)
        places = [Place(topic, number) for topic in by_topic for number in range(PARTITIONS)]
        lives = await takeover.lives(places, {})
        seconds = time.monotonic() - begun
    finally:
        await producer.close()
    found = sum(
        len(live.work.store) for live in lives if isinstance(live.work, SessionsPartition | ExtensionsPartition)
    )
    assert found == keys, f"{found} keys were recovered of {keys}"
    return seconds
