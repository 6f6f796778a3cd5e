"""What the stages write of their inputs: how many records and changes of state, how large, with how many headers."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

from streams.engine.stage import OutputRecord, Stage
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.pipeline.records import Read
from streams.worker.installation import stages_of
from tests.bench.traffic import Sent

ROUND = 2_000


class Share(NamedTuple):
    """What a stage writes to one topic."""

    stage: str
    topic: str
    """Name of the topic; of a changelog where the share is one of changes."""
    per_thousand: int
    """Records of a thousand inputs, marks not counted."""
    value_bytes: int
    """Mean."""
    headers: int
    """Mean number of headers."""
    header_bytes: int
    """Mean size of a header's value."""


def shares(records: Sequence[Sent], plan: Plan, stages: Sequence[Stage] = ()) -> list[Share]:
    """Return what stages make of these records; without stages, the worker's own."""
    folding = _Folding(plan, stages or stages_of(plan))
    for begin in range(0, len(records), ROUND):
        folding.take(records[begin : begin + ROUND])
    return folding.shares()


class _Folding:
    """All stages over all partitions, and what they wrote."""

    def __init__(self, plan: Plan, stages: Sequence[Stage]):
        self._plan = plan
        self._stages = stages
        self._open = {
            (stage.name, number): stage.open(number, {}) for stage in self._stages for number in range(plan.partitions)
        }
        self._waiting: dict[str, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self._offset = count()
        self._inputs: Counter[str] = Counter()
        self._written: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def take(self, records: Sequence[Sent]) -> None:
        for sent in records:
            partition = partition_of(sent.key.decode(), self._plan.partitions)
            self._wait(self._plan.events, partition, sent.at, sent.key, sent.value, ())
        for stage in self._stages:
            self._fold(stage)

    def _wait(self, topic: str, partition: int, at: int, *rest: Any) -> None:
        self._waiting[topic][partition].append(Read(partition, next(self._offset), at, *rest))

    def _fold(self, stage: Stage) -> None:
        written: list[OutputRecord] = []
        for partition, batch in self._waiting.pop(stage.input_topic, {}).items():
            folded = self._open[stage.name, partition].fold(batch)
            self._inputs[stage.name] += sum(read.key is not None for read in batch)
            changes = [(stage.changelog_topic, 0, key, value, ()) for key, value in folded.changes.items()]
            self._count(stage, [*folded.outputs, *changes])
            written += folded.outputs
        for topic, partition, *rest in [*written, *self._marks(stage)]:
            self._wait(topic, partition, 0, *rest)

    def _marks(self, stage: Stage) -> Sequence[OutputRecord]:
        if not stage.marked:
            return []
        told = [self._open[stage.name, number].mark(None, 0) for number in range(self._plan.partitions)]
        return stage.watermarks([folded.mark for folded in told if folded is not None and folded.mark is not None])

    def _count(self, stage: Stage, written: Sequence[OutputRecord]) -> None:
        for topic, _, _, value, headers in written:
            total = self._written[stage.name, topic]
            total["records"] += 1
            total["bytes"] += len(value or b"")
            total["headers"] += len(headers)
            total["header bytes"] += sum(len(text) for _, text in headers)

    def shares(self) -> list[Share]:
        return [
            Share(
                stage,
                topic,
                round(total["records"] * 1_000 / self._inputs[stage]),
                round(total["bytes"] / total["records"]),
                round(total["headers"] / total["records"]),
                round(total["header bytes"] / max(1, total["headers"])),
            )
            for (stage, topic), total in self._written.items()
        ]
