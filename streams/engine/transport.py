"""Our Faust transport, found by the entry point `faust.transports` under the name `widget-streams`.

It reads `read_committed` and hands one message per partition and fetch to Faust's conductor, channels and agents, which
run unchanged. Its drain loop is the only one that fetches and the only one that seeks: a fetch in flight across a
rebalance brings records of the new assignment, and what is dropped without a rewind is lost.

Private API of Faust and aiokafka: see `PRIVATE` in tests/engine/test_private_api.py.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import aiokafka
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.consumer import KafkaConsumer
from streams.engine.batch import Batch
from streams.engine.fencing import Membership
from streams.engine.group import LOOK_SECONDS, refused
from streams.engine.journal import log, told

if TYPE_CHECKING:
    from streams.engine.engine import Engine

FETCH_WAIT_SECONDS = 0.25
"""Longest wait for records: in silence the ends of the partitions are looked at so often."""
FETCH_MAX_WAIT_MS = 500
SMALL_ROUND = 1_000
"""After a smaller round the loop pauses."""


class End(NamedTuple):
    """Where a partition is read to, and where it ended when the broker last said so."""

    position: int
    highwater: int | None
    told_ms: float | None
    """When the broker said so, ms since the epoch."""


# The suppressions below: Faust has no stubs that mypy may follow, so its classes are Any.
class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's thread around aiokafka's consumer."""

    def _create_worker_consumer(self, transport: Any) -> KafkaConsumer:
        options, conf = self.app.engine.options, self.app.conf
        self._assignor = self.app.assignor
        return KafkaConsumer(
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=options.instance_id,
            partition_assignment_strategy=[self._assignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=options.fetch_records,
            max_partition_fetch_bytes=options.fetch_bytes,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            session_timeout_ms=int(options.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(options.heartbeat_seconds * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            **options.security.arguments(),
        )

    def _stopped_set(self) -> None:
        """Tell the thread to stop; after a crash it has, and its loop is closed."""
        if self.thread_loop.is_closed():
            self._stopped.set()
        else:
            super()._stopped_set()

    def membership(self, generation: int) -> Membership:
        """Return who this worker is in a generation; not valid when the group has moved on."""
        coordinator = self._ensure_consumer()._coordinator
        current = coordinator.generation == generation
        return Membership(generation if current else -1, coordinator.member_id, self.app.engine.options.instance_id)

    async def ends(self, tps: Iterable[TP]) -> dict[TP, End]:
        """Return how far partitions are read; none when the assignment is changing."""
        found: dict[TP, End] = await self.call_thread(self._ends, list(tps))
        return found

    async def refusal(self) -> KafkaError | None:
        """Return why the group's coordinator will not have this worker, None while it will."""
        found: KafkaError | None = await self.call_thread(self._refusal)
        return found

    async def _refusal(self) -> KafkaError | None:
        try:
            self._ensure_consumer()._coordinator.check_errors()
        except KafkaError as error:
            return error
        return None

    async def _ends(self, tps: list[TP]) -> dict[TP, End]:
        consumer = self._ensure_consumer()
        try:
            return {
                tp: End(await consumer.position(tp), consumer.highwater(tp), consumer.last_poll_timestamp(tp))
                for tp in tps
            }
        except KafkaError:
            return {}


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer with the engine's fetching, seeking and committing."""

    @property
    def engine(self) -> "Engine":
        """The engine of the app."""
        engine: Engine = self.app.engine
        return engine

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @Service.task  # type: ignore[untyped-decorator]  # Faust has no stubs
    async def _watch_group(self) -> None:
        """Stop the worker when the group's coordinator refuses it; aiokafka tells that only to who fetches."""
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            self.app.hearing.look()
            # Whoever is ready fetches, and fetching tells.
            error = None if self.engine.ready else await self._thread.refusal()
            if error is not None and not error.retriable:
                self.engine.fail(refused(error, self.engine.options))
                return

    async def _drain_messages(self, fetcher: Any) -> None:
        def stopping() -> bool:
            return bool(self._stopped.is_set() or fetcher._stopped.is_set())

        try:
            while not stopping():
                await self._drain_epoch(stopping)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _drain_epoch(self, stopping: Any) -> None:
        """Fetch and hand over until the engine's epoch changes; begins with a seek to where the engine is."""
        engine, hearing = self.engine, self.app.hearing
        if not await engine.wait_ready(FETCH_WAIT_SECONDS):
            hearing.end()
            return
        epoch = engine.epoch
        try:
            await self.seek_wait({TP(*tp): offset for tp, offset in engine.positions().items()})
        except (KafkaError, TimeoutError) as error:
            # The assignment is changing, or the brokers do not answer: try again.
            log.warning(told("seek.failed", error=repr(error)))
            await asyncio.sleep(0.05)
            return
        hearing.begin()
        await self._drain_rounds(epoch, stopping)

    async def _drain_rounds(self, epoch: int, stopping: Any) -> None:
        """Fetch round by round; the agents fold a large one while the next is fetched."""
        under_way: list[Batch] = []
        while self.engine.is_current(epoch) and not stopping():
            records = await self._next_round(epoch, under_way)
            if records is None:
                return
            under_way = [Batch(aiokafka.TopicPartition(*tp), found, epoch) for tp, found in records.items()]
            if not await self._hand_over(under_way):
                return
            if sum(map(len, records.values())) < SMALL_ROUND:
                if not await self._folded(under_way):
                    return
                under_way = []
                await asyncio.sleep(self.engine.options.fetch_pause_seconds)

    async def _next_round(self, epoch: int, under_way: Iterable[Batch]) -> Mapping[Any, list[Any]] | None:
        """Fetch, and return the records once the round before them is folded; None when part of it was dropped."""
        if not under_way:
            # Before the fetch nobody waits for it.
            await self._look(epoch, {})
        records = (await self._wait_next_records(FETCH_WAIT_SECONDS))[0] or {}
        if under_way:
            if not await self._folded(under_way):
                return None
            await self._look(epoch, records)
        return records

    async def _look(self, epoch: int, records: Mapping[Any, list[Any]]) -> None:
        """Tell the engine which partitions are read to their end; not those of records that it has not seen yet."""
        ends = await self._thread.ends(map(TP._make, self.engine.positions()))
        self.app.hearing.heard(max((end.told_ms or 0.0 for end in ends.values()), default=0.0) / 1000)
        self.engine.saw_ends(epoch, {tp: end for tp, end in ends.items() if tp not in records})

    async def _hand_over(self, round_: Iterable[Batch]) -> bool:
        """Give a round to the agents; False when part of it was dropped."""
        for batch in round_:
            if not (self.engine.is_current(batch.epoch) and self.flow_active):
                return False
            self.engine.handed(batch)
            message = self._to_message(TP(*batch.tp), batch.records[-1])
            message.value = batch
            await self.callback(message)
        return True

    async def _folded(self, round_: Iterable[Batch]) -> bool:
        """Wait until a round is folded; False when part of it was dropped."""
        for batch in round_:
            if not await self.engine.wait_done(batch):
                return False
        return True

    async def perform_seek(self) -> None:
        """Do nothing: the drain loop seeks, once the engine has its partitions."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is folded before the group gives the partitions to others."""
        self.stop_flow()
        await self.engine.revoked()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the engine take the partitions over; that goes on after this returns."""
        self.engine.assigned(self._thread.membership(generation_id), assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Do nothing: offsets are committed in the engine's transactions."""
        return True

    async def on_stop(self) -> None:
        """Commit what is folded before leaving the group."""
        await self.engine.stopped()
        await super().on_stop()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's watch over its own acks and commits would cry wolf."""


class Transport(driver.Transport):  # type: ignore[misc]
    """aiokafka's transport with our consumer."""

    Consumer = Consumer
