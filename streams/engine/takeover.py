"""Taking partitions over: their committed offsets once nothing of a former owner is undecided, and their state.

What is still open after a short patience belongs to a dead or stuck worker. The committed offsets name its
transactional id, and InitProducerId with that id ends its transaction now instead of at its timeout.
"""

import asyncio
from collections.abc import Iterable, Mapping
from time import monotonic

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.engine.errors import StateError
from streams.engine.journal import log, told
from streams.engine.live import Live
from streams.engine.offsets import NO_OFFSET, Committed, committed, end_transaction_of
from streams.engine.options import EngineOptions
from streams.engine.reader import ChangelogReader
from streams.engine.stage import Observer, Stage

POLL_SECONDS = 0.03


class Takeover:
    """One assignment's way from partitions to live state."""

    def __init__(self, options: EngineOptions, stages: Mapping[str, Stage], observer: Observer, client: AIOKafkaClient):
        """Prepare; `stages` is by input topic, `client` is that of the fenced producer."""
        self._options = options
        self._stages = stages
        self._observer = observer
        self._client = client

    async def lives(self, tps: Iterable[TopicPartition], held: Mapping[TopicPartition, Live]) -> list[Live]:
        """Return the partitions with their state; what is `held` and still that of the last commit is kept.

        Raises:
            StateError: There is state without a committed offset.
            aiokafka.errors.KafkaError: The brokers did not answer.
        """
        wanted = sorted(tps)
        if not wanted:
            return []
        async with ChangelogReader.opened(self._options) as reader:
            offsets = await self._decided(wanted, reader)
            kept = [held[tp] for tp in wanted if tp in held and held[tp].is_what_was(offsets[tp])]
            missing = sorted(set(wanted) - {live.tp for live in kept})
            return kept + await self._restored(missing, offsets, reader)

    async def _decided(self, tps: list[TopicPartition], reader: ChangelogReader) -> dict[TopicPartition, Committed]:
        """Wait until nothing is open, neither on the offsets nor on the changelogs, which only their owner writes."""
        begun, ended = monotonic(), {self._options.transactional_id}
        changelogs = {self._changelog(tp): tp for tp in tps}
        while True:
            try:
                offsets = await committed(self._client, self._options.group, tps)
                undecided = {changelogs[log_tp] for log_tp in await reader.undecided(changelogs)}
                pending = [tp for tp in tps if tp not in offsets or tp in undecided]
                if not pending:
                    return offsets
                if monotonic() - begun > self._options.takeover_patience_seconds:
                    ended |= await self._end(pending, ended)
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(POLL_SECONDS)

    async def _end(self, pending: list[TopicPartition], ended: set[str]) -> set[str]:
        before = await committed(self._client, self._options.group, pending, stable=False)
        owners = {row.owner for row in before.values() if row.owner} - ended
        for owner in sorted(owners):
            log.warning(told("transaction.ended", transactional_id=owner, partitions=len(pending)))
        await asyncio.gather(*[end_transaction_of(owner, self._options) for owner in owners])
        return owners

    async def _restored(
        self, tps: list[TopicPartition], offsets: Mapping[TopicPartition, Committed], reader: ChangelogReader
    ) -> list[Live]:
        begun = monotonic()
        logs = {self._changelog(tp): tp for tp in tps}
        rows = await reader.rows(logs, self._progressed)
        new = [tp for tp in tps if offsets[tp].offset == NO_OFFSET]
        first = await reader.begins(new)
        for log_tp, tp in logs.items():
            if rows[log_tp] and tp in first:
                raise StateError(
                    f"The group {self._options.group} has no committed offset for {tp.topic} partition {tp.partition},"
                    f" but {log_tp.topic} has state for it: the offsets expired or were deleted. Restore the offsets,"
                    " or delete the changelog topics to begin anew."
                )
        found = sum(map(len, rows.values()))
        log.info(told("state.restored", partitions=len(tps), keys=found, seconds=monotonic() - begun))
        return [self._live(tp, rows[log_tp], offsets[tp], first.get(tp)) for log_tp, tp in logs.items()]

    def _live(self, tp: TopicPartition, rows: Mapping[bytes, bytes], row: Committed, first: int | None) -> Live:
        stage = self._stages[tp.topic]
        offset = row.offset if first is None else first
        return Live(stage, tp.partition, stage.open(tp.partition, rows), row._replace(offset=offset), offset)

    def _changelog(self, tp: TopicPartition) -> TopicPartition:
        return TopicPartition(self._stages[tp.topic].changelog_topic, tp.partition)

    def _progressed(self, ahead: Mapping[TopicPartition, int]) -> None:
        for stage in self._stages.values():
            topic = stage.changelog_topic
            self._observer.recovering(topic, sum(left for tp, left in ahead.items() if tp.topic == topic))
