"""What the next transaction will hold: outputs, changes of state, offsets, marks and tallies."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from streams.engine.errors import OutputTooLargeError
from streams.engine.live import Live
from streams.engine.stage import Folded, OutputRecord


class Filled(NamedTuple):
    """A batch of records for one partition."""

    # NB: Any, because aiokafka's batch builder has no stubs.
    batch: Any
    topic: str
    partition: int


@dataclass(slots=True)
class Draft:
    """Grows while the transaction before it commits; `seal` ends that. Outputs keep their order per topic partition."""

    new_batch: Callable[[], Any]
    """Makes an empty batch of the producer that will send it."""
    max_record_bytes: int
    records: int = 0
    """Input records that it will commit."""
    urgent: bool = False
    begun_at: float = field(default_factory=monotonic)
    tallies: list[tuple[str, int, object]] = field(default_factory=list)
    offsets: dict[Live, tuple[int, int]] = field(default_factory=dict)
    """Per partition the next offset to read and the version of the state that belongs to it."""
    written: Counter[str] = field(default_factory=Counter)
    _changes: dict[tuple[str, int], dict[bytes, bytes | None]] = field(default_factory=dict)
    _marks: dict[str, tuple[Live, list[object]]] = field(default_factory=dict)
    _open: dict[tuple[str, int], Any] = field(default_factory=dict)
    _full: list[Filled] = field(default_factory=list)

    def take(self, live: Live, folded: Folded, records: int) -> None:
        """Add what was folded; `live` has moved on already.

        Raises:
            OutputTooLargeError: A record is larger than Kafka takes.
        """
        self.write(folded.outputs)
        if folded.changes:
            self._changes.setdefault((live.stage.changelog_topic, live.partition), {}).update(folded.changes)
        self.records += records
        self.urgent = self.urgent or folded.urgent
        self.tallies.append((live.stage.name, live.partition, folded.tally))
        self.offsets[live] = live.next_offset, live.version

    def mark(self, live: Live, mark: object) -> None:
        """Let the stage's watermarks carry this mark; they are written after all outputs."""
        self._marks.setdefault(live.stage.name, (live, []))[1].append(mark)
        self.urgent = True

    def write(self, records: Iterable[OutputRecord]) -> None:
        """Append records to the batches of their partitions."""
        batches, written = self._open, self.written
        for record in records:
            where = record.topic, record.partition
            batch = batches.get(where)
            written[record.topic] += 1
            if batch is None or batch.append(
                timestamp=None, key=record.key, value=record.value, headers=record.headers
            ) is None:  # fmt: skip
                self._begin_batch(where, record)

    def seal(self) -> list[Filled]:
        """Add watermarks and changes, and return all batches in the order to send them."""
        for live, marks in self._marks.values():
            self.write(live.stage.watermarks(marks))
        for (topic, partition), changes in self._changes.items():
            self.write(_Change(topic, partition, key, value) for key, value in changes.items())
        return [*self._full, *(Filled(batch, *where) for where, batch in self._open.items())]

    def __bool__(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.offsets)

    def _begin_batch(self, where: tuple[str, int], record: OutputRecord) -> None:
        if where in self._open:
            self._full.append(Filled(self._open[where], *where))
        batch = self._open[where] = self.new_batch()
        # An empty batch takes any record: too large a one is noticed here, before the broker refuses the transaction.
        batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
        if batch.size() > self.max_record_bytes:
            raise OutputTooLargeError(
                f"A record for {record.topic} has {batch.size()} bytes, the limit is {self.max_record_bytes}:"
                " raise max_record_bytes here and max.message.bytes of the topic."
            )


class _Change(NamedTuple):
    """A row of a changelog."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    # NB: one list for all, never changed; aiokafka takes no tuple.
    headers: list[tuple[str, bytes]] = []  # noqa: RUF012
