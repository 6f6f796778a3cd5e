"""The engine: partitions come and go, batches are folded, and what was folded is committed or forgotten as a whole.

Every change of what this worker holds begins a new epoch; batches of an older one are ignored and fetched again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter, time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

from streams.engine.agents import add_agent
from streams.engine.batch import Batch
from streams.engine.committer import Committer
from streams.engine.errors import EngineError, FoldError, MembershipLostError, failure_of
from streams.engine.fencing import Membership
from streams.engine.journal import log, told
from streams.engine.live import Live
from streams.engine.options import EngineOptions
from streams.engine.portion import Portion
from streams.engine.producer import WorkerProducer
from streams.engine.stage import InputRecord, Observer, Partition, SilentObserver, Stage
from streams.engine.takeover import Takeover

if TYPE_CHECKING:
    from streams.engine.transport import End


class Engine:
    """Runs stages on the partitions that the group assigns to this worker."""

    def __init__(self, app: Any, stages: Sequence[Stage], options: EngineOptions, observer: Observer | None = None):
        """Run these stages in a Faust app made by `build_app`, whose agents hand batches to `fold`."""
        self.app = app
        self.options = options
        self.observer: Observer = observer or SilentObserver()
        self.stages: Mapping[str, Stage] = {stage.input_topic: stage for stage in stages}
        self._portions = {topic: Portion() for topic in self.stages}
        self._folding = asyncio.Lock()
        self.epoch = 0
        """Raised whenever what this worker holds changes."""
        self.failure: EngineError | None = None
        """Why the worker stops; None while it does not."""
        self._lives: dict[TopicPartition, Live] = {}
        self._membership: Membership | None = None
        self._producer: WorkerProducer | None = None
        self._committer: Committer | None = None
        self._acquiring: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        app.engine = self
        for stage in stages:
            add_agent(app, stage, self.fold)

    # What others may ask

    @property
    def ready(self) -> bool:
        """Whether this worker holds its partitions and folds; a worker without partitions is ready too."""
        return self._ready.is_set()

    @property
    def joined(self) -> bool:
        """Whether the group has assigned partitions at least once."""
        return self._membership is not None

    @property
    def partitions(self) -> Mapping[tuple[str, int], Partition]:
        """The partitions held now, by stage name and number, for reading only."""
        lives = self._lives.values() if self.ready else ()
        return MappingProxyType({(live.stage.name, live.partition): live.work for live in lives})

    def lag_seconds(self) -> dict[tuple[str, int], float]:
        """Return by input topic and partition how old the oldest record is that may not be folded yet."""
        now = time()
        return {
            (live.stage.input_topic, live.partition): 0.0
            if live.silent_until or live.last_timestamp is None
            else max(0.0, now - live.last_timestamp / 1000)
            for live in self._lives.values()
        }

    # What the agents ask

    async def fold(self, batch: Batch) -> None:
        """Fold a batch and leave its result to the committer; waits while commits lag behind.

        A batch of an older epoch is ignored. Errors stop the worker; nothing is raised.
        """
        try:
            for portion in self._portions[batch.tp.topic].of(batch.records):
                # NB: one partition at a time, or a single turn of the loop would fold a portion of each, while a commit
                # on its way needs many turns.
                async with self._folding:
                    live = self._lives.get(batch.tp)
                    if live is None or not self.is_current(batch.epoch):
                        return
                    self._fold(live, portion)
                    committer = self._committing_now()
                    await committer.turn()
                await committer.room()
        except Exception as error:  # the top of the fold: whatever it is, nothing of it may be committed
            self.fail(error)
        finally:
            batch.done.set()

    # What the transport asks

    async def wait_ready(self, seconds: float) -> bool:
        """Wait until there are partitions to read, at most so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), seconds)
        if self.ready and not self._lives:
            await asyncio.sleep(seconds)
        return self.ready and bool(self._lives)

    def is_current(self, epoch: int) -> bool:
        """Tell whether batches fetched in this epoch may be folded."""
        return self.ready and epoch == self.epoch

    def positions(self) -> dict[TopicPartition, int]:
        """Return the next offset to read of every partition held."""
        return {tp: live.next_offset for tp, live in self._lives.items()}

    def handed(self, batch: Batch) -> None:
        """Take note that there are records of a partition on their way."""
        if live := self._lives.get(batch.tp):
            live.silent_until = 0.0
            live.last_timestamp = batch.records[0].timestamp

    def saw_ends(self, epoch: int, ends: Mapping[Any, "End"]) -> None:
        """Take note which partitions are read to their end; called when no batch is on its way."""
        if not self.is_current(epoch):
            return
        for tp, end in ends.items():
            at_end = end.highwater is not None and end.position >= end.highwater
            if live := self._lives.get(TopicPartition(*tp)):
                live.silent_until = (end.told_ms or 0.0) if at_end else 0.0

    async def wait_done(self, batch: Batch) -> bool:
        """Wait until a batch is dealt with; False when its epoch ended first."""
        if batch.done.is_set() or not self.is_current(batch.epoch):
            return self.is_current(batch.epoch)
        done = asyncio.ensure_future(batch.done.wait())
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            done.cancel()
            changed.cancel()
        return self.is_current(batch.epoch)

    def assigned(self, membership: Membership, tps: Iterable[Any]) -> None:
        """Take these partitions over, in a task of its own; `ready` says when it is done."""
        self._begin_epoch()
        self._forget_watch()
        self._membership = membership
        self.observer.rebalanced()
        mine = [TopicPartition(*tp) for tp in tps]
        self._acquiring = asyncio.ensure_future(self._acquire(membership, mine))

    async def revoked(self) -> None:
        """Commit what is folded; the group waits for it. Afterwards nothing of it is folded any more."""
        was_ready, committer = self.ready, self._committer
        self._begin_epoch()
        await self._end_task(self._acquiring)
        if was_ready and committer is not None and self.failure is None:
            try:
                await committer.commit()
            except Exception as error:  # as in `_commit`: it is looked at in one place
                self.fail(error)
        await self._end_task(self._committing)

    async def stopped(self) -> None:
        """Commit what is folded and disconnect."""
        self._forget_watch()
        await self.revoked()
        if self._producer is not None:
            await self._producer.close()
        log.info(told("engine.stopped", failed=self.failure is not None))

    # Inside

    def fail(self, error: BaseException) -> None:
        """Forget everything that is not committed; then wait for an assignment, or stop the worker."""
        if self.failure is not None:
            return
        self._begin_epoch()
        self._lives = {}
        if isinstance(error, MembershipLostError):
            log.warning(told("membership.lost", reason=error))
            self._acquiring = asyncio.ensure_future(self._abort())
            self._watch()
            return
        self.failure = failure_of(error)
        # Where the text says whose fault it is and what to do, a traceback would only hide it.
        cause = error if isinstance(error, FoldError) or self.failure is not error else None
        log.error(told("engine.failed", reason=self.failure, exit_code=self.failure.exit_code), exc_info=cause)
        self.app.stop_soon()

    def _fold(self, live: Live, records: Sequence[InputRecord]) -> None:
        if records[0].offset < live.next_offset:
            records = [record for record in records if record.offset >= live.next_offset]
        if not records:
            return
        begun = perf_counter()
        try:
            folded = live.work.fold(records)
        except Exception as error:
            raise FoldError(
                f"The stage {live.stage.name} failed in partition {live.partition}, offsets {records[0].offset} to"
                f" {records[-1].offset}; nothing of it was committed."
            ) from error
        live.next_offset = records[-1].offset + 1
        live.last_timestamp = records[-1].timestamp
        live.version += 1
        seconds = perf_counter() - begun
        self._portions[live.stage.input_topic].took(len(records), seconds)
        self.observer.folded(live.stage.name, len(records), seconds)
        self._committing_now().take(live, folded, len(records))

    def _committing_now(self) -> Committer:
        if self._committer is None:
            raise EngineError("A batch was folded before there was anything to commit with.")
        return self._committer

    async def _acquire(self, membership: Membership, tps: list[TopicPartition]) -> None:
        epoch = self.epoch
        try:
            producer = await self._usable_producer()
            producer.membership = membership
            takeover = Takeover(self.options, self.stages, self.observer, producer.client)
            lives = await takeover.lives(tps, self._lives)
            committer = Committer(self.options, producer, lives, self.observer)
            await committer.claim()
            self._lives = {live.tp: live for live in lives}
            self._committer = committer
            self._committing = asyncio.ensure_future(self._commit(committer))
            if epoch == self.epoch:
                self._changed.clear()
                self._ready.set()
            log.info(told("assignment.ready", generation=membership.generation, partitions=len(lives)))
        except Exception as error:
            self.fail(error)

    async def _usable_producer(self) -> WorkerProducer:
        if self._producer is None or not self._producer.usable:
            await self._abort()
        if self._producer is None:
            raise EngineError("There is no producer.")
        return self._producer

    async def _abort(self) -> None:
        """Replace the producer; the new one, with the same id, ends what the old one left open."""
        if self._producer is not None:
            await self._producer.close()
        topics = {name for stage in self.stages.values() for name in (stage.changelog_topic, *stage.output_topics)}
        self._producer = WorkerProducer(self.options, topics)
        await self._producer.open()

    async def _commit(self, committer: Committer) -> None:
        try:
            await committer.run()
        except Exception as error:  # every failure is looked at in one place
            self.fail(error)

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self._ready.clear()
        self._changed.set()
        if self._committer is not None:
            self._committer.release()

    async def _end_task(self, task: asyncio.Task[None] | None) -> None:
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _watch(self) -> None:
        """Stop the worker if no assignment follows the loss of membership."""
        seconds = 2 * self.options.session_timeout_seconds + self.app.conf.broker_rebalance_timeout
        gone = EngineError(f"The group assigned nothing for {seconds:g} seconds after it dropped this worker.")
        self._forget_watch()
        self._watching = asyncio.get_running_loop().call_later(seconds, self.fail, gone)

    def _forget_watch(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
