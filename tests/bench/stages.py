"""Processor time of each stage per envelope: the pure folds in this process, without Kafka and without a client."""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.pipeline.records import Read, Written
from streams.pipeline.sessions import SessionsPartition, SessionsStage
from streams.worker.app import GC_THRESHOLDS
from tests.bench.builds import Build, builds
from tests.bench.figures import Figure, below
from tests.bench.traffic import Sent, Traffic
from tests.bench.witnesses import Witnesses

TRAFFIC = Traffic(people=1_000, envelopes=60_000)
QUICK = Traffic(people=400, envelopes=20_000)
WITNESSES = Witnesses(legs=3_000)
QUICK_WITNESSES = Witnesses(legs=1_000)
KINDS: dict[tuple[str, bool], Traffic | Witnesses] = {
    ("web phones", False): TRAFFIC,
    ("web phones", True): QUICK,
    ("all witnesses", False): WITNESSES,
    ("all witnesses", True): QUICK_WITNESSES,
}
"""By name, and whether it is for a quick look."""
BOTH_STAGES_US = 120.5
"""At most 120 µs an envelope for both stages, in whole microseconds."""
ROUND = 2_000
"""Envelopes of a round, as the worker fetches them."""
Rows = dict[bytes, bytes]


class Costs(NamedTuple):
    """Processor time of a run, seconds."""

    sessions: float
    extensions: float


class Folding:
    """Both stages over all partitions, fed round by round as the worker is."""

    def __init__(self, plan: Plan):
        """Begin with empty state."""
        self._plan = plan
        self._stage = SessionsStage(plan, "")
        self._sessions = [SessionsPartition(plan, number, {}) for number in range(plan.partitions)]
        self._extensions = [ExtensionsPartition(plan, number, {}) for number in range(plan.partitions)]
        self._offsets = [0] * plan.partitions
        self._enriched = 0
        self.state: dict[tuple[str, int], Rows] = defaultdict(dict)
        """What the changelogs would hold, by stage and partition."""
        self._sessions_seconds = self._extensions_seconds = 0.0

    @property
    def costs(self) -> Costs:
        """Processor time so far."""
        return Costs(self._sessions_seconds, self._extensions_seconds)

    def run(self, records: Sequence[Sent]) -> None:
        """Fold records in the order of their arrival."""
        for batches in self._rounds(records):
            begun = time.process_time()
            written: list[Written] = []
            for partition, batch in batches.items():
                folded = self._sessions[partition].fold(batch)
                written += folded.outputs
                self._keep("sessions", partition, folded.changes)
            written += self._marks()
            self._sessions_seconds += time.process_time() - begun
            self._extend(written)

    def _rounds(self, records: Sequence[Sent]) -> Iterator[dict[int, list[Read]]]:
        waiting = iter(records)
        while chunk := list(islice(waiting, ROUND)):
            batches: dict[int, list[Read]] = defaultdict(list)
            for sent in chunk:
                partition = partition_of(sent.key.decode(), self._plan.partitions)
                batches[partition].append(Read(partition, self._offsets[partition], sent.at, sent.key, sent.value))
                self._offsets[partition] += 1
            yield batches

    def _marks(self) -> list[Written]:
        told = [self._sessions[number].mark(None, offset) for number, offset in enumerate(self._offsets)]
        return self._stage.watermarks([folded.mark for folded in told if folded and folded.mark])

    def _extend(self, written: list[Written]) -> None:
        batches: dict[int, list[Read]] = defaultdict(list)
        for row in written:
            if row.topic == self._plan.names["EnrichedEvent"]:
                batches[row.partition].append(Read(row.partition, self._enriched, 0, row.key, row.value, row.headers))
                self._enriched += 1
        begun = time.process_time()
        for partition, batch in batches.items():
            folded = self._extensions[partition].fold(batch)
            self._keep("extensions", partition, folded.changes)
        self._extensions_seconds += time.process_time() - begun

    def _keep(self, stage: str, partition: int, changes: Mapping[bytes, bytes | None]) -> None:
        rows = self.state[stage, partition]
        for key, value in changes.items():
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value


@contextmanager
def worker_gc() -> Iterator[None]:
    """Look for garbage as seldom as a worker does."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Stages:
    """Folds the same envelopes several times, each time from the beginning, with each build in a process of its own."""

    def __init__(self, _: str, say: Callable[[str], None], *, quick: bool):
        """Tell what is done; no broker is used."""
        self._say, self._quick = say, quick
        self._builds = builds(say)

    def measure(self) -> list[Figure]:
        """Return the cost of each stage and of both, for each kind of traffic and each build."""
        kinds = dict.fromkeys(kind for kind, _ in KINDS)
        return [figure for kind in kinds for build in self._builds for figure in self._of(kind, build)]

    def _of(self, kind: str, build: Build) -> list[Figure]:
        arguments = ("1", "quick") if self._quick else ("3",)
        told = build.measured("tests.bench.stage_costs", kind, *arguments)
        # The image has the native build, so that is what the target is for where there is one.
        target = below(BOTH_STAGES_US) if kind == "all witnesses" and build is self._builds[-1] else None
        sessions = Figure(build.called(f"Processor time, stage sessions, {kind}"), "µs/envelope", None, "pure fold")
        extensions = Figure(
            build.called(f"Processor time, stage extensions, {kind}"),
            "µs/envelope",
            None,
            "pure fold, per envelope sent",
        )
        both = Figure(
            build.called(f"Processor time, both stages, {kind}"), "µs/envelope", target, "pure folds, without Kafka"
        )
        for costs in told["costs"]:
            for figure, cost in zip((sessions, extensions, both), (*costs, sum(costs)), strict=True):
                figure.add(cost)
        self._say(build.called(f"stages, {kind}: {told['mix']}"))
        self._say(build.called(f"stages, {kind}: {sessions.median:.1f} + {extensions.median:.1f} µs an envelope"))
        return [sessions, extensions, both]
