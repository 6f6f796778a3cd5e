"""Prove what the workers wrote: fold the input again and compare record by record (CONTRACT 9, `verify`).

A stage is a pure function of its recorded input, so what it must have written can be worked out from the log alone:
the sessions stage from the widget events and the recorded marks, the extensions stage from the enriched events, the
scopes stage from the deltas and the marks between them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from streams.contracts.avro import AvroError, codec
from streams.pipeline.extensions import STAGE as EXTENSIONS
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, InputRecord, Mark, Written
from streams.pipeline.scopes import STAGE as SCOPES
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.sessions import NAME as SESSIONS
from streams.pipeline.sessions import SessionsPartition

BATCH = 2_000
IDENTITIES: dict[str, tuple[str, ...]] = {
    "CallEvent": ("event_id",),
    "PresenceEvent": ("event_id",),
    "SessionEvent": ("event_id",),
    "MessageEvent": ("event_id",),
    "CallRecord": ("leg_id", "revision"),
    "SessionAudit": ("session_id", "updated_at"),
    "DeadLetter": ("dead_letter_id",),
    "EnrichedEvent": ("input",),
    "IntervalMetrics": ("scope_id", "scope_type", "window_seconds", "window_start", "revision"),
    "ScopeDelta": ("extension_key", "serial"),
}
"""The fields that make two records the same record, whatever else they say. Others are known by key and bytes."""
KEYED = frozenset({"ScopeDelta"})
"""Records that are the same only under the same key: one telling goes to several scopes."""
COMPACTED = frozenset({"CallRecord", "ActiveCall", "Presence", "IntervalMetrics"})
"""Records whose topic forgets all but the last of a key."""

REPEATABLE = frozenset({"ActiveCall", "Presence"})
"""Records that may be written twice with the same content: a state that was left and came back."""
UNRECORDED = frozenset({"CaptureCoverage"})
"""Records that depend on more than the recorded input, on what the directory had at a time: they are not compared."""


@dataclass(slots=True)
class Verdict:
    """What was found wrong, per topic; nothing is wrong when all are empty."""

    records: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    different: Counter[str] = field(default_factory=Counter)
    out_of_order: Counter[str] = field(default_factory=Counter)

    @property
    def problems(self) -> int:
        """Count everything that is wrong."""
        return sum(found.total() for found in (self.lost, self.doubled, self.different, self.out_of_order))

    def add(self, other: "Verdict") -> None:
        """Add what was found elsewhere."""
        self.records += other.records
        self.lost += other.lost
        self.doubled += other.doubled
        self.different += other.different
        self.out_of_order += other.out_of_order


class Expected(NamedTuple):
    """What a stage must have written, and how much of it was committed for sure when the reading began."""

    records: list[Written]
    certain: int


def mark_of(row: Mapping[str, int]) -> Mark:
    """Return a mark as it stands in a WATERMARK record."""
    return Mark(row["source_partition"], row["time"], row["next_offset"])


class Recorded(NamedTuple):
    """What was recorded of one source partition, and how much of it before the outputs were read."""

    records: Sequence[InputRecord]
    """In log order, all that were folded."""
    marks: Sequence[Mark]
    """In order."""
    certain_offset: int
    """Records below it were committed before."""
    certain_marks: int
    """So many marks were committed before: what they let happen was too."""


def expect_sessions(plan: Plan, partition: int, recorded: Recorded) -> Expected:
    """Work out what the sessions stage wrote of one source partition."""
    stage = SessionsPartition(plan, partition, {})
    written: list[Written] = []
    certain, position, records = 0, 0, recorded.records
    for index, mark in enumerate([*recorded.marks, None]):
        stop = position
        while stop < len(records) and (mark is None or records[stop].offset < mark.next_offset):
            stop += 1
        for start in range(position, stop, BATCH):
            written += stage.fold(records[start : min(stop, start + BATCH)]).outputs
        position = stop
        if mark is not None:
            folded = stage.mark(mark.time, mark.next_offset)
            written += folded.outputs if folded else []
        was_read = position == 0 or records[position - 1].offset < recorded.certain_offset
        if was_read and index - (mark is None) < recorded.certain_marks:
            certain = len(written)
    return Expected(written, certain)


class Folding(Protocol):
    """A partition of a stage that needs nothing but its input."""

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch in log order."""


def expect_extensions(plan: Plan, partition: int, records: Sequence[InputRecord], certain_offset: int) -> Expected:
    """Work out what the extensions stage wrote of one partition of the enriched events."""
    return _expect(ExtensionsPartition(plan, partition, {}), records, certain_offset)


def expect_scopes(plan: Plan, partition: int, records: Sequence[InputRecord], certain_offset: int) -> Expected:
    """Work out what the scopes stage wrote of one partition of the deltas."""
    return _expect(ScopesPartition(plan, partition, {}), records, certain_offset)


def _expect(stage: Folding, records: Sequence[InputRecord], certain_offset: int) -> Expected:
    written: list[Written] = []
    sure = [record for record in records if record.offset < certain_offset]
    for start in range(0, len(sure), BATCH):
        written += stage.fold(sure[start : start + BATCH]).outputs
    certain = len(written)
    rest = records[len(sure) :]
    for start in range(0, len(rest), BATCH):
        written += stage.fold(rest[start : start + BATCH]).outputs
    return Expected(written, certain)


def split(expected: Expected, group: Callable[[Written], tuple[str, int]]) -> dict[tuple[str, int], Expected]:
    """Divide what is expected by topic and partition, or however `group` says."""
    parts: dict[tuple[str, int], Expected] = {}
    for index, record in enumerate(expected.records):
        part = parts.setdefault(group(record), Expected([], 0))
        part.records.append(record)
        if index < expected.certain:
            parts[group(record)] = part._replace(certain=len(part.records))
    return parts


def compare(topic: str, record: str, expected: Expected, found: Sequence[InputRecord]) -> Verdict:
    """Compare what must be in one partition of a topic with what is there.

    Args:
        topic: Name for the report.
        record: The Avro record that the topic carries.
        expected: What must be there, in order; records beyond `certain` may be there already or not.
        found: What is there, in log order.
    """
    verdict = Verdict(records=len(found))
    wanted = [(identity(record, item.key, item.value), item.value) for item in expected.records]
    places = {name: index for index, (name, _) in enumerate(wanted)}
    times = Counter(name for name, _ in wanted) if record in REPEATABLE else Counter(places.keys())
    seen: Counter[object] = Counter()
    highest = -1
    for item in found:
        name = identity(record, item.key, item.value)
        seen[name] += 1
        place = places.get(name)
        if place is None:
            verdict.different[topic] += 1
        elif seen[name] > times[name]:
            verdict.doubled[topic] += 1
        elif wanted[place][1] != item.value:
            verdict.different[topic] += 1
        elif record not in REPEATABLE and place < highest:
            verdict.out_of_order[topic] += 1
        highest = max(highest, place if place is not None else -1)
    verdict.lost[topic] += _lost(record, expected, seen)
    return verdict


def held(record: str, expected: Expected, found: Sequence[InputRecord]) -> Expected:
    """Leave out what had to be written before the first record that is there: the retention may have taken it.

    Only for a partition whose beginning is gone. What is lost right at its new beginning cannot be told apart.
    """
    names = [identity(record, item.key, item.value) for item in expected.records]
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    there = (first.get(identity(record, item.key, item.value)) for item in found)
    begin = min((place for place in there if place is not None), default=len(names))
    return Expected(expected.records[begin:], max(0, expected.certain - begin))


def _lost(record: str, expected: Expected, seen: Counter[object]) -> int:
    due = expected.records[: expected.certain]
    names = [identity(record, item.key, item.value) for item in due]
    if record not in COMPACTED:
        return sum((Counter(names) - seen).values())
    last = {item.key: name for item, name in zip(due, names, strict=True)}
    return sum(1 for name in last.values() if not seen[name])


def identity(record: str, key: bytes | None, value: bytes | None) -> object:
    """Return what makes a record that record; see IDENTITIES. What is no such record is known by its bytes."""
    fields = IDENTITIES.get(record)
    if value is None or fields is None:
        return key, value
    try:
        row = codec(record).decode(value)
    except AvroError:
        return key, value
    return (key if record in KEYED else None, *(str(row[name]) for name in fields))


def stage_of(value: bytes | None) -> str:
    """Return which stage wrote a dead letter; one that cannot be read is laid at the first one's door."""
    try:
        return str(codec("DeadLetter").decode(value or b"")["stage"])
    except AvroError:
        return SESSIONS


__all__ = [
    "EXTENSIONS", "SCOPES", "SESSIONS", "Expected", "Verdict", "compare", "expect_extensions", "expect_scopes",
    "expect_sessions", "held",
]  # fmt: skip
