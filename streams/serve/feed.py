"""Reads the topics into the view: `read_committed`, without a group, from where it is needed to the end, then on.

While Kafka is away the view stays as it is and says how old it is. What cannot be continued (offsets that are gone, a
topic made anew, an absence so long that tombstones may be lost) is read anew beside the old view, which serves until
the new one is ready.
"""

import asyncio
import contextlib
import gc
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, UnknownTopicOrPartitionError

from streams.consumer import KafkaConsumer
from streams.contracts.catalog import Naming, topic
from streams.security import PLAIN_TEXT, Security
from streams.serve.intervals import KEPT_MS as INTERVALS_MS
from streams.serve.live import Live
from streams.serve.partitions import partitions
from streams.serve.records import KEPT_MS as RECORDS_MS
from streams.serve.view import View
from streams.telemetry.logs import event
from streams.telemetry.serve_metrics import ServeMetrics

REQUIRED: Final = ("active-calls", "presence", "call-records")
OPTIONAL: Final = ("interval-metrics", "directory")
REACH_MS: Final = {"call-records": RECORDS_MS, "interval-metrics": INTERVALS_MS}
"""Of these only what was written in the last hours is read."""
MARGIN_MS: Final = 3_600_000
"""A record may be written before the end that it tells, by clocks that differ."""
POLL_MS: Final = 200
BATCH: Final = 4_000
PROBE_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 5.0
START_SECONDS: Final = 15.0
RETRY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 60.0
"""How often new topics and partitions are looked for."""
TOO_LONG_MS: Final = 12 * 3_600_000
"""After such an absence tombstones may be gone (`delete.retention.ms` is a day)."""
log = logging.getLogger(__name__)


class TopicsMissingError(Exception):
    """Topics that must be there are not; the text says what to do."""


class _ReadAnewError(Exception):
    """What was read cannot be continued; the text says why."""


class _LookAgainError(Exception):
    """There are other partitions than those that are read."""


@dataclass
class Feed:
    """Keeps a live view up to date."""

    bootstrap: str
    naming: Naming
    live: Live
    metrics: ServeMetrics
    make_view: Callable[[], View]
    security: Security = PLAIN_TEXT
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once Kafka has answered."""

    def __post_init__(self) -> None:
        """Begin with the view that is served."""
        self._view = self.live.view
        self._topics = {topic(name).name(self.naming): name for name in (*REQUIRED, *OPTIONAL)}
        self._positions: dict[TopicPartition, int] = {}
        self._probe: tuple[int, Mapping[TopicPartition, int]] | None = None

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            TopicsMissingError: At the start, topics are missing.
        """
        while True:
            try:
                await self._follow()
            except (OffsetOutOfRangeError, _ReadAnewError) as error:
                self._read_anew(error)
            except _LookAgainError:
                log.info(event("feed.partitions_changed"))
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning(event("feed.interrupted", error=type(error).__name__))
                await asyncio.sleep(RETRY_SECONDS)

    def _read_anew(self, why: Exception) -> None:
        log.warning(event("feed.read_anew", why=str(why) if isinstance(why, _ReadAnewError) else "offsets are gone"))
        self._positions, self._probe = {}, None
        self._view = self.make_view()
        if not self.live.view.ready:
            self.live.view = self._view

    async def _follow(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=None,
            client_id=f"widget-streams-serve-{secrets.token_hex(4)}",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=250,
            max_partition_fetch_bytes=1024 * 1024,
            **self.security.arguments(),
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await consumer.start()
                places = await self._places()
                self.connected.set()
                await self._seek(consumer, places)
            await self._read(consumer, places)
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await consumer.stop()

    async def _places(self) -> list[TopicPartition]:
        there = await partitions(self.bootstrap, self.security, self._topics)
        missing = [name for name, topic_id in self._topics.items() if topic_id in REQUIRED and name not in there]
        if missing:
            # Once they were there: they are made anew, or this broker does not know them yet.
            if self.connected.is_set():
                raise UnknownTopicOrPartitionError
            raise TopicsMissingError(
                f"Kafka at {self.bootstrap} has no topic {', '.join(missing)}."
                " `widget-streams topics apply` creates what is missing."
            )
        places = []
        for name, topic_id in self._topics.items():
            note = None if name in there else f"{name} is not read: there is no such topic yet."
            if note is None:
                places += there[name]
            if note != self.live.notes.get(topic_id):
                log.info(event("feed.topic", topic=name, note=repr(note or "is read")))
            self.live.notes.pop(topic_id, None)
            if note is not None:
                self.live.notes[topic_id] = note
        return places

    async def _seek(self, consumer: KafkaConsumer, places: list[TopicPartition]) -> None:
        """Go to where the reading stopped, or to where what is needed begins."""
        begin = await consumer.beginning_offsets(places)
        now = self.live.now()
        wanted = {
            place: now - REACH_MS[self._topics[place.topic]] - MARGIN_MS
            for place in places
            if self._topics[place.topic] in REACH_MS
        }
        found = await consumer.offsets_for_times(wanted) if wanted else {}
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for place in places:
            first = found[place].offset if found.get(place) else ends[place]
            start = max(begin[place], first) if place in wanted else begin[place]
            at = self._positions.setdefault(place, start)
            if at < begin[place] and place not in wanted:
                raise _ReadAnewError("records were deleted before they were read")
            consumer.seek(place, max(at, begin[place]))

    async def _read(self, consumer: KafkaConsumer, places: list[TopicPartition]) -> None:
        probing = asyncio.create_task(self._probe_on(consumer, places))
        try:
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
                for place, records in batches.items():
                    self._take(self._topics[place.topic], records)
                await self._caught_up(consumer)
                if probing.done():
                    probing.result()
                await asyncio.sleep(0)
        finally:
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await probing

    def _take(self, topic_id: str, records: list[ConsumerRecord]) -> None:
        now, view = self.live.now(), self._view
        refused = 0
        for record in records:
            if not view.take(topic_id, (record.key or b"").decode("utf-8", "replace"), record.value, now):
                refused += 1
                log.warning(
                    event("feed.unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
                )
        self.metrics.took(topic_id, len(records) - refused, refused)

    async def _caught_up(self, consumer: KafkaConsumer) -> None:
        """Note how far the reading is; when it has come to the ends that Kafka told, the view is as of that telling."""
        for place in self._positions:
            if place in consumer.assignment():
                self._positions[place] = await consumer.position(place)
        if self._probe is None:
            return
        asked_at, ends = self._probe
        remaining = sum(max(0, end - self._positions[place]) for place, end in ends.items())
        if not self._view.ready:
            self.live.remaining = remaining
        if remaining:
            return
        self._probe = None
        if not self._view.ready:
            self._begin(asked_at)
        self.live.as_of = asked_at

    def _begin(self, as_of: int) -> None:
        self._view.begin(self.live.now())
        self.live.view, self.live.remaining = self._view, None
        # What was read stays for long: the collector of cycles need not look at it again and again.
        gc.collect()
        gc.freeze()
        status = self.live.status()
        counts = {name: status[name] for name in ("active_calls", "presences", "call_records", "interval_rows")}
        log.info(event("feed.ready", as_of=as_of, **counts))

    async def _probe_on(self, consumer: KafkaConsumer, places: list[TopicPartition]) -> None:
        """Ask Kafka every second where the topics end: its answer is also the sign that it is there."""
        loop = asyncio.get_running_loop()
        looked, answered = loop.time(), True
        while True:
            asked_at, read_before = self.live.now(), dict(self._positions)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    ends = await consumer.end_offsets(places)
                    if loop.time() - looked > LOOK_SECONDS:
                        looked = loop.time()
                        await self._look(places)
            except (KafkaError, OSError, TimeoutError) as error:
                if answered:
                    log.warning(event("feed.kafka_away", error=type(error).__name__))
                answered = False
            else:
                self._check(ends, read_before, asked_at)
                if not answered:
                    log.info(event("feed.kafka_back"))
                answered = True
                if self._probe is None:
                    self._probe = asked_at, ends
            await asyncio.sleep(PROBE_SECONDS)

    def _check(
        self, ends: Mapping[TopicPartition, int], read_before: Mapping[TopicPartition, int], asked_at: int
    ) -> None:
        if self.live.as_of is not None and asked_at - self.live.as_of > TOO_LONG_MS and self._view.ready:
            raise _ReadAnewError("Kafka was away for long")
        # What was read before the question was asked lies before every later end.
        if any(end < read_before[place] for place, end in ends.items()):
            raise _ReadAnewError("a topic was made anew")

    async def _look(self, places: list[TopicPartition]) -> None:
        if await self._places() != places:
            raise _LookAgainError
