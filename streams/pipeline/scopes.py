"""The scopes stage: what extensions tell becomes metrics of teams, queues, sites and accounts (CONTRACT 2, 7).

Stream time is the minimum over all partitions of the extensions stage of what each told last. A delta says that
everything before its moment was told, a mark that everything up to its moment was.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from streams.contracts.avro import codec
from streams.contracts.cloudevents import trace_of
from streams.contracts.letters import letter_row, refused
from streams.contracts.snapshots import CALL_LEGS, CLOCK, PAGE, SCOPE_BOOK
from streams.domain.intervals import distinct, scope_book
from streams.domain.intervals.deltas import Change, changes_of
from streams.domain.intervals.distinct import CallLegs
from streams.domain.intervals.publishing import IntervalRow
from streams.domain.intervals.scope_book import ScopeBook
from streams.domain.intervals.scopes import parts_of
from streams.domain.legs.records import identifier
from streams.domain.postings import Rejection
from streams.pipeline.clocks import Clocks
from streams.pipeline.guard import fold_guarded
from streams.pipeline.intervals import StoredPages, page_due
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, InputRecord, Mark, Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import Writer

STAGE = "scopes"
CODEC = codec("ScopeDelta")
KINDS: Kinds = {
    b"S": (SCOPE_BOOK, scope_book.next_due),
    b"W": (PAGE, page_due),
    b"Q": (CALL_LEGS, distinct.forgotten_at),
    b"C": (CLOCK, None),
}
"""Books, pages of windows, calls of a scope, and the clocks of the sources."""


class StoredShelf(StoredPages):
    """Pages and calls of one scope in the store of its partition."""

    def call(self, call_id: str) -> CallLegs:
        """Return what is known of a call; a new one is begun."""
        key = b"Q" + identifier(self._owner, call_id).encode()
        call: CallLegs | None = self._store.get(key)
        if call is None:
            call = CallLegs()
            self._store.put(key, call)
        return call


class Delta(NamedTuple):
    """What a record of the deltas says; not to be changed."""

    source_partition: int
    told_at: int
    changes: list[Change]
    marks: list[Mark]


@lru_cache(maxsize=1_000)
def _read(value: bytes) -> Delta:
    """Read a record: one telling comes with the same bytes for each scope that it is for."""
    row = CODEC.decode(value)
    marks = [Mark(mark["source_partition"], mark["time"], mark["next_offset"]) for mark in row["marks"]]
    return Delta(row["source_partition"], row["told_at"], changes_of(row), marks)


class ScopesPartition:
    """One partition of the deltas, and the memory of its scopes."""

    def __init__(self, plan: Plan, partition: int, saved: Mapping[bytes, bytes]):
        """Open the partition with the state that was saved."""
        self._plan = plan
        self._partition = partition
        self._writer = Writer(plan, partition)
        self.store = Store(KINDS, saved)
        self._clocks = Clocks(self.store, plan.partitions)

    @property
    def clocks(self) -> dict[int, int]:
        """The latest instant read from each partition of the extensions stage, ms since the epoch."""
        return self._clocks.told

    @property
    def stream_time(self) -> int:
        """How far waiting has come, ms since the epoch; 0 until every source partition was heard of."""
        return self._clocks.stream_time

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch in log order."""
        return fold_guarded(records, self.store, self._step, self._refuse)

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:  # noqa: ARG002
        """Say nothing: no stage follows that waits in this one's time."""
        return None

    def _step(self, record: InputRecord, folded: Folded) -> None:
        delta = _read(record.value or b"")
        for mark in delta.marks:
            self._clocks.hear(mark.source_partition, mark.time)
        if not delta.changes:
            self._pass_time(folded)
            return
        told_at = delta.told_at
        self._clocks.hear(delta.source_partition, told_at - 1)
        now = self._pass_time(folded)
        folded.urgent = True
        scope = (record.key or b"").decode()
        book, shelf = self._book(scope), StoredShelf(self.store, scope)
        for change in delta.changes:
            folded.tally.too_late += scope_book.take(book, shelf, change, told_at, now)
        self.store.reschedule()

    def _book(self, scope: str) -> ScopeBook:
        """Return the book of a scope; a new one is begun."""
        key = f"S{scope}".encode()
        book: ScopeBook | None = self.store.get(key)
        if book is None:
            book = ScopeBook(scope)
            self.store.put(key, book)
        return book

    def _pass_time(self, folded: Folded) -> int:
        """Let everything happen that is due, and return how far time has come."""
        now = self.stream_time
        while (due := self.store.pop_due(now)) is not None:
            at, key = due
            if key[:1] == b"S":
                folded.urgent = True
                book: ScopeBook = self.store.get(key)
                self._write(scope_book.tell(book, StoredShelf(self.store, book.key), at), folded)
            else:
                self.store.delete(key)
            self.store.reschedule()
        return now

    def _write(self, rows: Iterable[IntervalRow], folded: Folded) -> None:
        for row in rows:
            folded.outputs.append(self._writer.interval(row))
            folded.tally.rows[parts_of(row.scope)[0], row.kind.value] += 1

    def _refuse(self, record: InputRecord, rejection: Rejection, folded: Folded) -> None:
        """Refuse a delta: a letter keeps its bytes, which have no personal data but the extension's key."""
        folded.urgent = True
        folded.tally.dead_letters[rejection.reason] += 1
        row = letter_row(
            {"topic": self._plan.names["ScopeDelta"], "partition": record.partition, "offset": record.offset},
            stage=STAGE,
            key=record.key,
            value=record.value,
            received_at=max(record.timestamp, 0),
        )
        letter = {**refused(row, rejection, None, None), "value": record.value}
        folded.outputs.append(self._writer.letter(letter, self.stream_time, trace_of(record.headers)))


class ScopesStage:
    """The stage as the engine runs it."""

    name = STAGE
    marked = False

    def __init__(self, plan: Plan, changelog_topic: str):
        """Run by this plan; its state is kept in changelog_topic."""
        self._plan = plan
        self.input_topic = plan.names["ScopeDelta"]
        self.changelog_topic = changelog_topic
        self.output_topics = [plan.names["IntervalMetrics"], plan.names["DeadLetter"]]

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> ScopesPartition:
        """Open a partition with the state recovered for it."""
        return ScopesPartition(self._plan, partition, saved)

    def watermarks(self, marks: Sequence[object]) -> list[Written]:  # noqa: ARG002
        """Return nothing: no stage follows that waits in this one's time."""
        return []
