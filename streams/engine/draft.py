"""What the next transaction will hold: outputs, changes of state, offsets, marks and tallies.

Private API of aiokafka: the builder inside a batch and how many records it counts (tests/engine/test_private_api.py).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time_ns
from typing import Any, NamedTuple

from streams.engine.errors import OutputTooLargeError
from streams.engine.live import Live
from streams.engine.stage import Folded, OutputRecord

# NB: one list for all, never changed; aiokafka takes no tuple.
NO_HEADERS: list[tuple[str, bytes]] = []


class Filled(NamedTuple):
    """A batch of records for one partition."""

    # NB: Any, because aiokafka's batch builder has no stubs.
    batch: Any
    topic: str
    partition: int


class Filling:
    """A batch while it grows, straight into aiokafka's compiled builder: this is done for every record."""

    __slots__ = ("append", "batch", "count")

    def __init__(self, batch: Any):
        """Fill this batch, which must be empty."""
        self.batch = batch
        self.append: Callable[[int, int, bytes | None, bytes | None, Sequence[Any]], object | None] = (
            batch._builder.append
        )
        """Takes number in the batch, ms since the epoch, key, value, headers; returns None when the batch is full."""
        self.count = 0

    def filled(self) -> Any:
        """Return the batch, which now knows how many records it has."""
        self.batch._relative_offset = self.count
        return self.batch


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
    """Records per topic, once sealed."""
    _changes: dict[tuple[str, int], dict[bytes, bytes | None]] = field(default_factory=dict)
    _marks: dict[str, tuple[Live, list[object]]] = field(default_factory=dict)
    _open: dict[tuple[str, int], Filling] = field(default_factory=dict)
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
        batches, now = self._open, time_ns() // 1_000_000
        for record in records:
            topic, partition, key, value, headers = record
            filling = batches.get((topic, partition))
            if filling is None or filling.append(filling.count, now, key, value, headers) is None:
                self._begin_batch(record, now)
            else:
                filling.count += 1

    def seal(self) -> list[Filled]:
        """Add watermarks and changes, and return all batches in the order to send them."""
        for live, marks in self._marks.values():
            self.write(live.stage.watermarks(marks))
        for (topic, partition), changes in self._changes.items():
            self.write((topic, partition, key, value, NO_HEADERS) for key, value in changes.items())
        return [*self._full, *(self._filled(*where) for where in self._open)]

    def __bool__(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self.offsets)

    def _begin_batch(self, record: OutputRecord, now: int) -> None:
        topic, partition, key, value, headers = record
        if (topic, partition) in self._open:
            self._full.append(self._filled(topic, partition))
        filling = self._open[topic, partition] = Filling(self.new_batch())
        # An empty batch takes any record: too large a one is noticed here, before the broker refuses the transaction.
        filling.append(0, now, key, value, headers)
        filling.count = 1
        size = filling.batch.size()
        if size > self.max_record_bytes:
            raise OutputTooLargeError(
                f"A record for {topic} has {size} bytes, the limit is {self.max_record_bytes}:"
                " raise max_record_bytes here and max.message.bytes of the topic."
            )

    def _filled(self, topic: str, partition: int) -> Filled:
        filling = self._open[topic, partition]
        self.written[topic] += filling.count
        return Filled(filling.filled(), topic, partition)
