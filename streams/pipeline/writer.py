"""Rows become records: encoded, put into their topic and partition, never over the limit."""

from streams.contracts.avro import codec
from streams.contracts.cloudevents import Headers, error_headers, event_headers
from streams.contracts.encoded import Encoded
from streams.contracts.interval_rows import RECORD as INTERVALS
from streams.contracts.interval_rows import IntervalRows
from streams.domain.intervals.publishing import IntervalRow
from streams.domain.postings import Row
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.pipeline.records import Written

SUBJECTS = {
    "CallEvent": "leg_id",
    "PresenceEvent": "extension_key",
    "SessionEvent": "extension_key",
    "MessageEvent": "message_id",
}
"""Records of the event topics, which carry CloudEvents headers, and the field that is their subject."""


MAX_PRESENCES = 500
"""Presences whose bytes are kept: each is written as a row, in the event that it is entered and in that it is left."""


class OutputTooLargeError(Exception):
    """A record would be larger than its topic takes; the text names the kind of record."""


class Writer:
    """Writes the rows that a stage emits for one of its partitions."""

    def __init__(self, plan: Plan, partition: int):
        """Write into partition `partition`, except where the extension decides."""
        self._plan = plan
        self._partition = partition
        self._encoders = {record: codec(record).encode for record in plan.names}
        self._intervals = IntervalRows()
        self._topics = plan.names
        self._limit = plan.max_output_bytes
        self._last_delta: tuple[Row | None, Written] = None, Written("", 0, None, None)
        self._presences: dict[int, tuple[Row, Encoded]] = {}
        """By identity of the row, which nobody changes."""

    def enriched(self, row: Row, trace: Headers) -> Written:
        """Return an enriched event, in the partition of its extension."""
        key = str(row["extension_key"])
        return self._write("EnrichedEvent", key, row, partition_of(key, self._plan.partitions), trace)

    def watermarks(self, row: Row) -> list[Written]:
        """Return a mark for every partition of the enriched events."""
        first = self._write("EnrichedEvent", None, row, 0, [])
        return [first._replace(partition=partition) for partition in range(self._plan.partitions)]

    def delta(self, scope: str, row: Row) -> Written:
        """Return a delta, in the partition of its scope; rows of one telling are encoded once."""
        if row is not self._last_delta[0]:
            told = {**row, "source_partition": self._partition}
            self._last_delta = row, self._write("ScopeDelta", scope, told, self._partition, [])
        partition = partition_of(scope, self._plan.partitions)
        return self._last_delta[1]._replace(partition=partition, key=scope.encode())

    def scope_marks(self, row: Row) -> list[Written]:
        """Return a mark for every partition of the scopes' input."""
        first = self._write("ScopeDelta", None, row, 0, [])
        return [first._replace(partition=partition) for partition in range(self._plan.partitions)]

    def row(self, record: str, key: str, row: Row | None, trace: Headers) -> Written:
        """Return a record in this stage's own partition; a row of None is a tombstone."""
        subject = SUBJECTS.get(record)
        if row is None or subject is None:
            told = self._presence(row) if record == "Presence" and row is not None else row
            return self._write(record, key, told, self._partition, [])
        at = row["event_time"]
        assert isinstance(at, int)
        headers = event_headers(record, str(row["event_id"]), at, str(row[subject]), trace)
        if record == "PresenceEvent":
            row = {**row, "previous": self._presence(row["previous"]), "current": self._presence(row["current"])}
        return self._write(record, key, row, self._partition, headers)

    def interval(self, row: IntervalRow) -> Written:
        """Return a row of interval metrics."""
        value = self._intervals.encode(row)
        if len(value) > self._limit:
            raise OutputTooLargeError(INTERVALS)
        return Written(self._topics[INTERVALS], self._partition, row.key.encode(), value, [])

    def _presence(self, row: object) -> Encoded | None:
        """Return the bytes of a presence, None of none."""
        if row is None:
            return None
        assert isinstance(row, dict)
        known = self._presences.get(id(row))
        if known is None:
            if len(self._presences) >= MAX_PRESENCES:
                self._presences.clear()
            known = self._presences[id(row)] = row, codec("Presence").body(row)
        return known[1]

    def letter(self, row: Row, at: int, trace: Headers) -> Written:
        """Return a dead letter; its key is the original one where that may be shown."""
        headers = event_headers("DeadLetter", str(row["dead_letter_id"]), at, str(row["reason"]), trace)
        key = None if row["key"] is None else str(row["key"])
        return self._write("DeadLetter", key, row, self._partition, [*headers, *error_headers(row)])

    def _write(
        self, record: str, key: str | None, row: Row | Encoded | None, partition: int, headers: Headers
    ) -> Written:
        value = None if row is None else self._encoders[record](row)
        if value is not None and len(value) > self._limit:
            raise OutputTooLargeError(record)
        return Written(self._topics[record], partition, None if key is None else key.encode(), value, headers)
