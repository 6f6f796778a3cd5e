"""The sessions stage: envelopes of one partition become enriched events, audits and dead letters (CONTRACT 2 to 5).

Everything that belongs to one page load is settled here: its user, the skew of its clock, repeats and losses.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import orjson

from streams.contracts.cloudevents import Headers, trace_of
from streams.contracts.enriched import enriched_row, identify, watermark_row
from streams.contracts.envelope import read_posting, scrubbed
from streams.contracts.letters import letter_row, refused
from streams.contracts.snapshots import CLOCK, PAGE_LOAD
from streams.domain import page_loads, sequences
from streams.domain.audits import audit_row
from streams.domain.event_time import effective_received_at
from streams.domain.page_loads import MISSING_EXTENSION, Judgement, PageLoad, Waiting, judge
from streams.domain.postings import Posting, Rejection, Row
from streams.domain.words import Identity, Outcome, Quirk
from streams.pipeline.clocks import Clocks
from streams.pipeline.guard import fold_guarded
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, InputRecord, Mark, Written
from streams.pipeline.store import Kinds, Store
from streams.pipeline.writer import Writer

NAME = "sessions"
ACCEPTED = Outcome.ACCEPTED
NO_SESSION = b"P-"
MAX_KEPT_WAITING = 100_000
KINDS: Kinds = {b"P": (PAGE_LOAD, page_loads.next_due), b"C": (CLOCK, None)}


class Taken(NamedTuple):
    """A record on its way through the stage."""

    record: InputRecord
    position: Row
    """Its topic, partition and offset."""
    posting: Posting
    received_at: int
    """Its effective arrival, ms since the epoch."""


class SessionsPartition:
    """One partition of the topic of widget events, and the memory of its page loads."""

    def __init__(self, plan: Plan, partition: int, saved: Mapping[bytes, bytes]):
        """Open the partition with the state that was saved."""
        self._plan = plan
        self._partition = partition
        self._writer = Writer(plan, partition)
        self._known = plan.directory.revision
        self.store = Store(KINDS, saved)
        self._clocks = Clocks(self.store, 1)

    @property
    def stream_time(self) -> int:
        """The largest effective arrival that was read, or a later tick; ms since the epoch, 0 before the first."""
        return self._clocks.stream_time

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch in log order."""
        return fold_guarded(records, self.store, self._step, self._refuse)

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:
        """Tell how far this partition is; in silence, let time pass until `idle_until` (ms since the epoch).

        Returns:
            None while nothing was ever read and nobody says what time it is.
        """
        folded = Folded()
        if idle_until is not None and idle_until > self.stream_time:
            self._clocks.hear(self._partition, idle_until)
            self._pass_time(idle_until, folded)
        if not self.stream_time:
            return None
        self._wake(folded)
        self.store.save()
        folded.changes = self.store.take_changes()
        folded.mark = Mark(self._partition, self.stream_time, next_offset)
        return folded

    def finish(self) -> Folded:
        """Give up what still waits and write the last audits: a fold over files ends here (DECISIONS 43)."""
        folded, now = Folded(), self.stream_time
        for key in sorted(self.store.keys(b"P")):
            load: PageLoad = self.store.get(key)
            for item in load.waiting:
                self._give_up(load, item, now, folded)
            load.waiting = []
            if load.audit_due is not None:
                self._audit(load, now, folded)
        self.store.save()
        folded.changes = self.store.take_changes()
        return folded

    def _wake(self, folded: Folded) -> None:
        """Release what waits and whose user the directory has come to know; new rows count from mark to mark."""
        directory = self._plan.directory
        if directory.revision == self._known:
            return
        self._known = directory.revision
        for key in sorted(self.store.keys(b"P")):
            load: PageLoad | None = self.store.peek(key)
            if load is None:
                # Forgotten in this very tick, which is not saved yet.
                continue
            found = page_loads.now_known(load, directory.key_of, self.stream_time)
            if found is not None:
                load = self.store.get(key)
                load.login = found
                self._release(load, found, Identity.DIRECTORY, folded)
                page_loads.want_audit(load, self.stream_time)
        self.store.reschedule()

    def _pass_time(self, now: int, folded: Folded) -> None:
        while (due := self.store.pop_due(now)) is not None:
            at, key = due
            load: PageLoad | None = self.store.get(key)
            if load is None:
                continue
            for item in page_loads.give_up(load, at):
                self._give_up(load, item, at, folded)
            if load.audit_due is not None and load.audit_due <= at:
                self._audit(load, at, folded)
            if page_loads.is_forgettable(load, at):
                self.store.delete(key)
            self.store.reschedule()

    def _step(self, record: InputRecord, folded: Folded) -> None:
        posting = read_posting(record.value, self._plan.token_key)
        now = self.stream_time
        arrival, doubtful = effective_received_at(posting.received_at, record.timestamp)
        received_at = arrival or now
        if received_at > now:
            now = received_at
            self._clocks.hear(self._partition, now)
            self._pass_time(now, folded)
        load, position = self._load(posting), self._position(record)
        holes = len(load.read.holes)
        judgement = judge(load, posting, received_at, now, partial(self._plan.directory.key_of, position=position))
        if doubtful:
            judgement.quirks.append(Quirk.RECEIVED_AT_DOUBTFUL)
        folded.urgent = True
        folded.tally.received[posting.type] += 1
        folded.tally.gaps += len(load.read.holes) > holes
        if judgement.learned:
            assert judgement.extension_key is not None
            self._release(load, judgement.extension_key, Identity.SESSION, folded)
        self._settle(Taken(record, position, posting, received_at), load, judgement, folded)
        page_loads.want_audit(load, now)
        self.store.reschedule()

    def _load(self, posting: Posting) -> PageLoad:
        key = NO_SESSION if posting.session_id is None else b"P" + posting.session_id.encode()
        load: PageLoad | None = self.store.get(key)
        if load is None:
            load = PageLoad(posting.session_id)
            self.store.put(key, load)
        return load

    def _settle(self, taken: Taken, load: PageLoad, judgement: Judgement, folded: Folded) -> None:
        outcome = judgement.outcome
        if outcome is ACCEPTED:
            assert judgement.extension_key is not None
            assert judgement.identity is not None
            folded.tally.latencies.append((judgement.event_time, taken.received_at))
            row = enriched_row(taken.posting, judgement, taken.received_at, taken.position)
            trace = trace_of(taken.record.headers)
            self._admit(load, row, judgement.extension_key, judgement.identity, folded, trace)
            return
        if outcome is None:
            self._wait(taken, load, judgement, folded)
            return
        folded.tally.outcomes[taken.posting.type, outcome] += 1
        if outcome is Outcome.DUPLICATE:
            load.counts.duplicate += 1
        elif outcome is Outcome.IGNORED:
            load.counts.ignored += 1
        else:
            assert judgement.rejection is not None
            letter = self._letter(taken, judgement.rejection)
            self._bury(load, letter, folded, trace_of(taken.record.headers))

    def _wait(self, taken: Taken, load: PageLoad, judgement: Judgement, folded: Folded) -> None:
        event = taken.posting.event
        assert event is not None
        row = enriched_row(taken.posting, judgement, taken.received_at, taken.position)
        letter = self._letter(taken, MISSING_EXTENSION)
        # A large one keeps length, digest and place only: what waits is saved with its page load.
        kept = letter["value"] if isinstance(letter["value"], bytes) else b""
        letter["value"] = kept.decode() if 0 < len(kept) <= MAX_KEPT_WAITING else None
        item = Waiting(
            due=self.stream_time + self._plan.identity_wait_ms,
            ignorable=page_loads.ignorable(event.meaning),
            row=row,
            letter=letter,
            saved_bytes=len(orjson.dumps([row, letter])),
        )
        for surplus in page_loads.wait(load, item):
            self._give_up(load, surplus, self.stream_time, folded)

    def _release(self, load: PageLoad, key: str, identity: Identity, folded: Folded) -> None:
        """Admit what waited, in its order."""
        folded.urgent = True
        for item in load.waiting:
            self._admit(load, {**item.row, "released_at": self.stream_time}, key, identity, folded, [])
        load.waiting = []

    def _give_up(self, load: PageLoad, item: Waiting, at: int, folded: Folded) -> None:
        folded.urgent = True
        page_loads.want_audit(load, at)
        event_type = str(item.row["type"])
        if item.ignorable:
            load.counts.ignored += 1
            folded.tally.outcomes[event_type, Outcome.IGNORED] += 1
            return
        value = item.letter["value"]
        letter = {**item.letter, "value": value.encode() if isinstance(value, str) else None}
        folded.tally.outcomes[event_type, Outcome.DEAD_LETTER] += 1
        self._bury(load, letter, folded, [])

    def _admit(self, load: PageLoad, row: Row, key: str, identity: Identity, folded: Folded, trace: Headers) -> None:
        load.counts.admitted += 1
        identify(row, key, identity, self._plan.directory)
        folded.outputs.append(self._writer.enriched(row, trace))

    def _bury(self, load: PageLoad | None, letter: Row, folded: Folded, trace: Headers) -> None:
        if load is not None:
            load.counts.dead_letter += 1
        folded.tally.dead_letters[str(letter["reason"])] += 1
        folded.outputs.append(self._writer.letter(letter, self.stream_time, trace))

    def _refuse(self, record: InputRecord, rejection: Rejection, folded: Folded) -> None:
        """Refuse a record that our own fold could not take."""
        position = self._position(record)
        try:
            posting = read_posting(record.value, self._plan.token_key)
            letter = self._letter(Taken(record, position, posting, 0), rejection)
        except Exception:  # then this was what failed: the letter keeps length, digest and place
            posting = Posting()
            letter = refused(_coordinates(record, position, 0), rejection, None, None)
        folded.tally.received[posting.type] += 1
        folded.tally.outcomes[posting.type, Outcome.DEAD_LETTER] += 1
        folded.urgent = True
        load = self._load(posting)
        load.counts.received += 1
        if posting.sequence is not None:
            sequences.take(load.read, posting.sequence, self.stream_time)
        self._bury(load, letter, folded, trace_of(record.headers))
        page_loads.want_audit(load, self.stream_time)
        self.store.reschedule()

    def _letter(self, taken: Taken, rejection: Rejection) -> Row:
        row = _coordinates(taken.record, taken.position, taken.received_at)
        return refused(row, rejection, scrubbed(taken.record.value, self._plan.token_key), taken.posting.session_id)

    def _position(self, record: InputRecord) -> Row:
        return {"topic": self._plan.events, "partition": record.partition, "offset": record.offset}

    def _audit(self, load: PageLoad, now: int, folded: Folded) -> None:
        page_loads.audited(load, now)
        row = audit_row(load, now)
        if row["skew_ms"] is not None:
            folded.tally.skews_ms.append(row["skew_ms"])
        folded.tally.lost += max(0, row["lost"] - load.lost_told)
        load.lost_told = max(row["lost"], load.lost_told)
        folded.outputs.append(self._writer.row("SessionAudit", row["session_id"], row, []))


def _coordinates(record: InputRecord, position: Row, received_at: int) -> Row:
    return letter_row(position, stage=NAME, key=record.key, value=record.value, received_at=received_at)


class SessionsStage:
    """The stage as the engine runs it."""

    name = NAME
    marked = True

    def __init__(self, plan: Plan, changelog_topic: str):
        """Run by this plan; its state is kept in changelog_topic."""
        self._plan = plan
        self.input_topic = plan.events
        self.changelog_topic = changelog_topic
        self.output_topics = [plan.names[name] for name in ("EnrichedEvent", "SessionAudit", "DeadLetter")]

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> SessionsPartition:
        """Open a partition with the state recovered for it."""
        return SessionsPartition(self._plan, partition, saved)

    def watermarks(self, marks: Sequence[Mark]) -> list[Written]:
        """Return the record that carries these marks, for every partition of the enriched events."""
        return Writer(self._plan, 0).watermarks(watermark_row(mark._asdict() for mark in marks))
