"""All stages over several partitions in one process: what a worker does with them, without Kafka.

Whoever asks decides how much is folded at once, when marks are told, and when state is read again from its bytes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from streams.contracts.enriched import watermark_row
from streams.pipeline import extensions, scopes, sessions
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, Read, Tally, Written
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.sessions import SessionsPartition
from streams.pipeline.writer import Writer
from tests.builders import Row, a_plan, rows_of

PARTITIONS = 4
Partition = SessionsPartition | ExtensionsPartition | ScopesPartition
Where = tuple[str, int]
OPEN: dict[str, Callable[[Plan, int, dict[bytes, bytes]], Partition]] = {
    sessions.NAME: SessionsPartition,
    extensions.STAGE: ExtensionsPartition,
    scopes.STAGE: ScopesPartition,
}


class Done(NamedTuple):
    """One step of a partition: records that were folded together, or a mark."""

    records: Sequence[Read] | None
    idle_until: int | None = None


class Partitions:
    """The stages and the topics between them."""

    def __init__(self, **plan: Any) -> None:
        """Begin with empty state."""
        self.plan = a_plan(partitions=PARTITIONS, **plan)
        self.tally = Tally()
        self.done: dict[Where, list[Done]] = defaultdict(list)
        self.written: dict[Where, list[Written]] = defaultdict(list)
        self._saved: dict[Where, dict[bytes, bytes]] = defaultdict(dict)
        self._open: dict[Where, Partition] = {}
        self._unread: dict[Where, list[Read]] = defaultdict(list)
        self._offsets: Counter[Where] = Counter()
        self._readers = {
            self.plan.names["EnrichedEvent"]: extensions.STAGE,
            self.plan.names["ScopeDelta"]: scopes.STAGE,
        }
        self._writer = Writer(self.plan, 0)
        for stage in OPEN:
            for partition in range(PARTITIONS):
                self.reopen((stage, partition))

    def reopen(self, where: Where) -> None:
        """Read the state of a partition from what was saved, as after a rebalance."""
        self._open[where] = OPEN[where[0]](self.plan, where[1], dict(self._saved[where]))

    def fold(self, where: Where, records: Sequence[Read]) -> None:
        """Fold records of one partition together."""
        if records:
            self._keep(where, Done(records), self._open[where].fold(records))

    def mark(self, where: Where, idle_until: int | None) -> Any:
        """Let one partition tell how far it is."""
        folded = self._open[where].mark(idle_until, 0)
        if folded is None:
            return None
        self._keep(where, Done(None, idle_until), folded)
        return folded.mark

    def mark_all(self, idle_until: int | None) -> None:
        """Let every partition tell how far it is, up to which instant its source was silent (ms since the epoch)."""
        told = [self.mark((sessions.NAME, partition), idle_until) for partition in range(PARTITIONS)]
        rows = [mark._asdict() for mark in told if mark is not None]
        self._send(self._writer.watermarks(watermark_row(rows)) if rows else ())
        told = [self.mark((extensions.STAGE, partition), None) for partition in range(PARTITIONS)]
        rows = [mark._asdict() for mark in told if mark is not None]
        self._send(self._writer.scope_marks({"marks": rows}) if rows else ())

    def read_on(self, random: Random | None = None) -> None:
        """Let the later stages read some of what is there for them, or all of it."""
        for stage in (extensions.STAGE, scopes.STAGE):
            for partition in range(PARTITIONS):
                where = stage, partition
                unread = self._unread[where]
                number = len(unread) if random is None else random.randrange(len(unread) + 1)
                batch, self._unread[where] = unread[:number], unread[number:]
                self.fold(where, batch)

    def replay(self, where: Where, random: Random) -> list[Written]:
        """Fold the steps of a partition again in other batches, its state read from its bytes now and then."""
        again = Partitions(identity_wait_ms=self.plan.identity_wait_ms)
        for step in self.done[where]:
            if step.records is None:
                again.mark(where, step.idle_until)
            else:
                cut = random.randrange(len(step.records) + 1)
                again.fold(where, step.records[:cut])
                if random.random() < 0.2:
                    again.reopen(where)
                again.fold(where, step.records[cut:])
        return again.written[where]

    @property
    def rows(self) -> list[Row]:
        """Everything that was written, decoded, partition by partition."""
        return [row for written in self.written.values() for row in rows_of(written)]

    def _keep(self, where: Where, step: Done, folded: Folded) -> None:
        self.done[where].append(step)
        self.written[where] += folded.outputs
        self.tally.add(folded.tally)
        for key, value in folded.changes.items():
            if value is None:
                self._saved[where].pop(key, None)
            else:
                self._saved[where][key] = value
        self._send(folded.outputs)

    def _send(self, written: Sequence[Written]) -> None:
        for record in written:
            stage = self._readers.get(record.topic)
            if stage is not None:
                where = stage, record.partition
                read = Read(record.partition, self._offsets[where], -1, record.key, record.value, record.headers)
                self._unread[where].append(read)
                self._offsets[where] += 1
