"""The extensions stage: enriched events of one partition become calls, records and presence (CONTRACT 6, 7).

Stream time here is the minimum over all source partitions of the latest instant read from each, told by their events
and marks: what was written last by the slowest source decides how far waiting has come.
"""

from collections.abc import Mapping, Sequence

from streams.contracts.cloudevents import Headers, trace_of
from streams.contracts.enriched import is_watermark, read_event, read_marks
from streams.contracts.letters import MAX_KEPT_BYTES, letter_row, refused
from streams.contracts.snapshots import CLOCK, EXTENSION, LEG, MESSAGE, NAME
from streams.domain import decide, messages
from streams.domain import extension as extensions
from streams.domain.events import Event
from streams.domain.extension import Extension
from streams.domain.legs import advance
from streams.domain.legs.evidence import Leg
from streams.domain.messages import MessageState
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Rejection
from streams.domain.words import EventType, Outcome, ScopeType
from streams.pipeline import coverage, intervals
from streams.pipeline.clocks import Clocks
from streams.pipeline.coverage import CoverageKeeper, Shares
from streams.pipeline.guard import fold_guarded
from streams.pipeline.intervals import IntervalKeeper, Told
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, InputRecord, Mark, Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import Writer

STAGE = "extensions"


KINDS: Kinds = {
    b"E": (EXTENSION, extensions.next_due),
    b"L": (LEG, advance.next_due),
    b"N": (NAME, None),
    b"M": (MESSAGE, messages.next_due),
    b"C": (CLOCK, None),
    **intervals.KINDS,
    **coverage.KINDS,
}


class StoredBook:
    """One extension and its legs in the store of its partition."""

    def __init__(self, store: Store, key: str):
        """Open the book of an extension; a new one is begun."""
        self._store = store
        self._key = key
        found: Extension | None = store.get(self._extension_key())
        if found is None:
            found = Extension(key)
            store.put(self._extension_key(), found)
        self._extension = found
        self._legs: dict[str, Leg] = {}
        """Those that were opened: a record asks for the same leg by each of its names."""

    @property
    def extension(self) -> Extension:
        """The extension itself."""
        return self._extension

    def leg(self, leg_id: str) -> Leg:
        """Return a leg that is known to be there."""
        leg = self._legs.get(leg_id)
        if leg is None:
            leg = self._legs[leg_id] = self._store.get(leg_key(self._key, leg_id))
        return leg

    def look(self, leg_id: str) -> Leg:
        """Return a leg that is known to be there, to be looked at only."""
        leg: Leg = self._legs.get(leg_id) or self._store.peek(leg_key(self._key, leg_id))
        return leg

    def add(self, leg: Leg) -> None:
        """Keep a new leg."""
        self._legs[leg.leg_id] = leg
        self._store.put(leg_key(self._key, leg.leg_id), leg)

    def forget(self, leg: Leg) -> None:
        """Drop a leg and its names."""
        self._legs.pop(leg.leg_id, None)
        for name in leg.aliases:
            self._store.delete(self._name_key(name))
        self._store.delete(leg_key(self._key, leg.leg_id))

    def named(self, name: str) -> Leg | None:
        """Return the leg of that name, or None."""
        leg_id: str | None = self._store.peek(self._name_key(name))
        return None if leg_id is None else self.leg(leg_id)

    def name(self, name: str, leg: Leg) -> None:
        """Remember a name of a leg."""
        self._store.put(self._name_key(name), leg.leg_id)

    def message(self, message_id: str) -> MessageState:
        """Return what is remembered of a message, to be changed; nothing yet of a new one."""
        key = f"M{self._key}\x1f{message_id}".encode()
        found: MessageState | None = self._store.get(key)
        if found is None:
            found = MessageState()
            self._store.put(key, found)
        return found

    def _extension_key(self) -> bytes:
        return b"E" + self._key.encode()

    def _name_key(self, name: str) -> bytes:
        return f"N{self._key}\x1f{name}".encode()


def leg_key(extension_key: str, leg_id: str) -> bytes:
    """Return the key under which a leg is stored."""
    return f"L{extension_key}\x1f{leg_id}".encode()


class ExtensionsPartition:
    """One partition of the enriched events, and the memory of its extensions."""

    def __init__(self, plan: Plan, partition: int, saved: Mapping[bytes, bytes]):
        """Open the partition with the state that was saved."""
        self._plan = plan
        self._partition = partition
        self._writer = Writer(plan, partition)
        self.store = Store(KINDS, saved)
        self._clocks = Clocks(self.store, plan.partitions)
        self._intervals = IntervalKeeper(self.store, self._writer)
        shares = Shares(plan.directory, partition, plan.partitions)
        self.coverage = CoverageKeeper(self.store, self._writer, shares, partition)

    @property
    def clocks(self) -> dict[int, int]:
        """The latest instant read from each source partition, ms since the epoch."""
        return self._clocks.told

    @property
    def stream_time(self) -> int:
        """How far waiting has come, ms since the epoch; 0 until every source partition was heard of."""
        return self._clocks.stream_time

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch in log order."""
        return fold_guarded(records, self.store, self._step, self._refuse)

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:  # noqa: ARG002
        """Tell the scopes stage how far this partition is; None while nobody knows what time it is.

        Args:
            idle_until: Of no meaning here: the time of this stage is what its input says.
            next_offset: Everything before it is folded.
        """
        now = self.stream_time
        return Folded(mark=Mark(self._partition, now, next_offset)) if now else None

    def _step(self, record: InputRecord, folded: Folded) -> None:
        value = record.value or b""
        if is_watermark(value):
            for partition, time in read_marks(value):
                self._clocks.hear(partition, time)
            self._pass_time(folded)
            return
        event = read_event(value)
        folded.urgent = True
        source = event.input["partition"]
        assert isinstance(source, int)
        self._clocks.hear(source, event.received_at)
        now = max(self._pass_time(folded), event.received_at)
        outcome, emissions = decide.apply(StoredBook(self.store, event.extension_key), event, now)
        folded.tally.outcomes[event.type, outcome] += 1
        self.coverage.hear(event, now)
        self._write(emissions, trace_of(record.headers), folded)
        self._measure(event.extension_key, emissions, now, folded, event)
        self.store.reschedule()

    def _pass_time(self, folded: Folded) -> int:
        """Let everything happen that is due, and return how far time has come."""
        now = self.stream_time
        self.coverage.begin(now)
        while (due := self.store.pop_due(now)) is not None:
            at, key = due
            folded.urgent = True
            if key[:1] in intervals.KINDS:
                self._tell(self._intervals.expire(key, at), folded)
            elif key[:1] in coverage.KINDS:
                folded.outputs += self.coverage.expire(key, at)
            else:
                self._expire(key, at, folded)
            self.store.reschedule()
        return now

    def _expire(self, key: bytes, at: int, folded: Folded) -> None:
        if key[:1] == b"M":
            self.store.delete(key)
            return
        memory: Extension | Leg | None = self.store.get(key)
        if memory is None:
            return
        if isinstance(memory, Leg):
            extension_key, emissions = memory.extension_key, self._expire_leg(memory, at)
        else:
            extension_key, emissions = memory.key, self._expire_extension(memory, at)
        self._write(emissions, [], folded)
        self._measure(extension_key, emissions, at, folded, None)

    def _expire_leg(self, leg: Leg, at: int) -> list[Emission]:
        emissions = decide.expire_leg(StoredBook(self.store, leg.extension_key), leg, at)
        if self.store.peek(leg_key(leg.extension_key, leg.leg_id)) is None:
            self._intervals.forget_leg(leg.extension_key, leg.leg_id)
        return emissions

    def _expire_extension(self, extension: Extension, at: int) -> list[Emission]:
        if extensions.is_forgettable(extension, at):
            self.store.delete(b"E" + extension.key.encode())
            self._intervals.forget(extension.key)
            return []
        return decide.expire_extension(extension, at)

    def _measure(self, key: str, emissions: Sequence[Emission], now: int, folded: Folded, event: Event | None) -> None:
        """Let what a step emitted count in the windows of its extension."""
        if emissions:
            self._tell(self._intervals.take(key, emissions, now, self.stream_time, event), folded)

    def _tell(self, told: Told, folded: Folded) -> None:
        folded.outputs += told.outputs
        for kind in told.kinds:
            folded.tally.rows[ScopeType.EXTENSION, kind] += 1
        folded.tally.too_late += told.too_late

    def _write(self, emissions: Sequence[Emission], trace: Headers, folded: Folded) -> None:
        for output, key, row in emissions:
            folded.outputs.append(self._writer.row(output, key, row, trace))
            if output is Output.CALL_RECORD and row is not None:
                folded.tally.revisions.append(row)

    def _refuse(self, record: InputRecord, rejection: Rejection, folded: Folded) -> None:
        """Refuse an enriched event: it was scrubbed before it was written, so its bytes may be kept."""
        folded.urgent = True
        folded.tally.outcomes[EventType.OTHER, Outcome.DEAD_LETTER] += 1
        folded.tally.dead_letters[rejection.reason] += 1
        topic = self._plan.names["EnrichedEvent"]
        row = letter_row(
            {"topic": topic, "partition": record.partition, "offset": record.offset},
            stage=STAGE,
            key=record.key,
            value=record.value,
            received_at=max(record.timestamp, 0),
        )
        kept = record.value if len(record.value or b"") <= MAX_KEPT_BYTES else None
        letter = {**refused(row, rejection, None, None), "value": kept}
        folded.outputs.append(self._writer.letter(letter, self.stream_time, trace_of(record.headers)))


class ExtensionsStage:
    """The stage as the engine runs it."""

    name = STAGE
    marked = True

    def __init__(self, plan: Plan, changelog_topic: str):
        """Run by this plan; its state is kept in changelog_topic."""
        self._plan = plan
        self.input_topic = plan.names["EnrichedEvent"]
        self.changelog_topic = changelog_topic
        self.output_topics = [plan.names[output.value] for output in Output] + [plan.names["DeadLetter"]]

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> ExtensionsPartition:
        """Open a partition with the state recovered for it."""
        return ExtensionsPartition(self._plan, partition, saved)

    def watermarks(self, marks: Sequence[Mark]) -> list[Written]:
        """Return the record that carries these marks, for every partition of the scopes' input."""
        return Writer(self._plan, 0).scope_marks({"marks": [mark._asdict() for mark in marks]})
