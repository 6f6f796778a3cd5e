"""Commits what was folded: at once after a pause, then at most every interval; folding goes on meanwhile.

A worker that catches up commits less often. What the next stage then finds in each partition is more, and a stage saves
what it touched once for all that it is given.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from time import monotonic, time

from aiokafka import TopicPartition

from streams.engine.draft import Draft
from streams.engine.errors import FoldError
from streams.engine.live import Live
from streams.engine.offsets import Committed, Tokens
from streams.engine.options import EngineOptions
from streams.engine.producer import WorkerProducer
from streams.engine.stage import Folded, Observer

SILENCE_SECONDS = 1.0
"""A source that is read to its end is taken to be silent until this long ago: what was sent later may be on its way."""
EVIDENCE_SLACK_SECONDS = 0.05
TICK_SECONDS = 0.1
ANSWER_SECONDS = 0.002
"""A transaction is some ten questions and answers; next to a portion of a tenth of a second that is 2 %."""
ROOM = 2
"""Folding waits when so many times `commit_records` wait to be committed."""
MANY_RECORDS = 1_000
"""When so many wait, the worker is catching up: 500 envelopes a second leave a tenth of it in an interval."""
CATCHING_UP = 5
"""Intervals between the beginnings of two transactions while it does."""


class Committer:
    """Owns the draft of the next transaction; one assignment's, thrown away with it."""

    def __init__(self, options: EngineOptions, producer: WorkerProducer, lives: Iterable[Live], observer: Observer):
        """Commit for these partitions."""
        self._options = options
        self._producer = producer
        self._lives = tuple(lives)
        self._observer = observer
        self._tokens = Tokens(options.transactional_id)
        self._draft = self._new_draft()
        self._wanted, self._room = asyncio.Event(), asyncio.Event()
        self._busy = asyncio.Lock()
        self._begun_at = self._marked_at = 0.0
        self._broken = False

    async def claim(self) -> None:
        """Commit the offsets as they are: from now on they name this worker, and the group has seen its membership.

        Raises:
            EngineError: See `WorkerProducer.commit`.
        """
        for live in self._lives:
            self._draft.offsets[live] = live.next_offset, live.version
        await self.commit()

    def take(self, live: Live, folded: Folded, records: int) -> None:
        """Add what was folded to the next transaction.

        Raises:
            OutputTooLargeError: See `Draft.take`.
        """
        self._draft.take(live, folded, records)
        if self._draft.urgent:
            self._wanted.set()

    async def turn(self) -> None:
        """Let everything else have its turn; while a commit is on its way, so long that the brokers can answer."""
        await asyncio.sleep(ANSWER_SECONDS if self._busy.locked() else 0)

    async def room(self) -> None:
        """Wait while commits lag behind folding."""
        while self._draft.records >= ROOM * self._options.commit_records:
            self._room.clear()
            self._wanted.set()
            await self._room.wait()

    def release(self) -> None:
        """Let those go who wait for room: nothing will be committed any more."""
        self._draft.records = 0
        self._room.set()

    async def run(self) -> None:
        """Commit until cancelled.

        Raises:
            EngineError: A commit failed; what it held and all that came after is lost to this object.
        """
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), TICK_SECONDS)
            if not self._due():
                continue
            await self._pace()
            await self.commit()

    async def commit(self) -> None:
        """Commit what there is, marks that are due included; does nothing once a commit has failed.

        Raises:
            EngineError: See `WorkerProducer.commit`, or a stage failed.
        """
        async with self._busy:
            if self._broken:
                return
            self._mark()
            draft, self._draft = self._draft, self._new_draft()
            self._wanted.clear()
            self._begun_at = monotonic()
            if draft:
                self._broken = True
                await self._commit(draft)
                self._broken = False
            self._room.set()

    async def _commit(self, draft: Draft) -> None:
        batches = draft.seal()
        rows = {live: Committed(offset, self._tokens.next()) for live, (offset, _) in draft.offsets.items()}
        await self._producer.commit(batches, _by_partition(rows))
        for live, (_, version) in draft.offsets.items():
            live.committed, live.committed_version = rows[live], version
        self._observer.produced(draft.written)
        self._observer.committed(draft.tallies)

    def _due(self) -> bool:
        draft, now = self._draft, monotonic()
        waited = bool(draft) and now - draft.begun_at >= self._options.mark_interval_seconds
        return self._wanted.is_set() or waited or self._marks_due(now)

    async def _pace(self) -> None:
        """Wait until enough time has passed since the last transaction began, or enough has come together."""
        while (left := self._begun_at + interval(self._options, self._draft.records) - monotonic()) > 0:
            await asyncio.sleep(min(left, 0.02))

    def _marks_due(self, now: float) -> bool:
        marked = any(live.stage.marked for live in self._lives)
        return marked and now - self._marked_at >= self._options.mark_interval_seconds

    def _mark(self) -> None:
        """Let every partition of a marked stage say how far it is: all at once, so that one record carries them."""
        if not self._marks_due(monotonic()):
            return
        self._marked_at = monotonic()
        for live in self._lives:
            if live.stage.marked:
                self._mark_one(live)

    def _mark_one(self, live: Live) -> None:
        try:
            folded = live.work.mark(_idle_until(live), live.next_offset)
        except Exception as error:
            raise FoldError(f"The stage {live.stage.name} failed at a mark of partition {live.partition}.") from error
        if folded is None:
            return
        live.version += 1
        self._draft.take(live, folded, 0)
        if folded.mark is not None:
            self._draft.mark(live, folded.mark)

    def _new_draft(self) -> Draft:
        return Draft(self._producer.new_batch, self._options.max_record_bytes)


def interval(options: EngineOptions, records: int) -> float:
    """Return the seconds between the beginnings of two transactions when so many records wait for the second."""
    if records >= options.commit_records:
        return 0.0
    return options.commit_interval_seconds * (CATCHING_UP if records >= MANY_RECORDS else 1)


def _idle_until(live: Live) -> int | None:
    """Return the instant until which the source was certainly silent, ms since the epoch, or None."""
    until = int((time() - SILENCE_SECONDS) * 1000)
    return until if live.silent_until >= until + EVIDENCE_SLACK_SECONDS * 1000 else None


def _by_partition(rows: Mapping[Live, Committed]) -> dict[TopicPartition, Committed]:
    return {live.tp: row for live, row in rows.items()}
