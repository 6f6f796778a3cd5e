"""The worker's transactional producer: {outputs, changelogs, offsets} in one transaction, or nothing.

A producer that failed once never commits again. aiokafka's `abort_transaction` after an error sends no EndTxn, and the
next commit of the same producer would publish what was thought aborted; a new producer with the same id aborts it.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import InvalidProducerEpoch, KafkaError, KafkaTimeoutError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from streams.engine.draft import Filled
from streams.engine.errors import EngineError, FencedError, UnreachableError
from streams.engine.fencing import Membership, fence
from streams.engine.offsets import Committed
from streams.engine.options import EngineOptions

BATCH_BYTES = 262_144
CLOSE_SECONDS = 5
NOBODY = Membership(-1, "", None)


class WorkerProducer:
    """Opens at once fenced; `open` ends whatever a former run with the same id left open."""

    def __init__(self, options: EngineOptions, topics: Iterable[str]):
        """Make a producer for these topics; nothing is sent before `open`."""
        self._options = options
        self._topics = sorted(set(topics))
        self.membership = NOBODY
        self.usable = False
        """False before `open`, during a commit and for ever after one that failed."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=options.brokers,
            transactional_id=options.transactional_id,
            transaction_timeout_ms=int(options.transaction_timeout_seconds * 1000),
            max_batch_size=min(BATCH_BYTES, options.max_record_bytes),
            # Batches of our own are not checked against this; the broker's limit is what counts.
            max_request_size=options.max_record_bytes + BATCH_BYTES,
            compression_type=options.compression,
            linger_ms=0,
            retry_backoff_ms=20,
            **options.security.arguments(),
        )
        fence(self._producer, lambda: self.membership)

    @property
    def client(self) -> AIOKafkaClient:
        """Its connection to the cluster."""
        return self._producer.client

    def new_batch(self) -> Any:
        """Return an empty batch."""
        return self._producer.create_batch()

    async def open(self) -> None:
        """Connect, take over the transactional id and learn where the partitions are.

        Raises:
            aiokafka.errors.KafkaError: No broker answers.
        """
        await self._producer.start()
        await asyncio.gather(*[self._producer.partitions_for(topic) for topic in self._topics])
        self.usable = True

    async def commit(self, batches: Sequence[Filled], offsets: Mapping[TopicPartition, Committed]) -> None:
        """Commit all of it in one transaction.

        Raises:
            MembershipLostError: The group does not count this worker in; nothing was committed.
            FencedError: Somebody else uses the transactional id or the instance id.
            UnreachableError: The brokers did not finish it in time; it may or may not be committed.
            EngineError: Anything else.
        """
        self.usable = False
        # After the transaction's own time the broker aborts it; a little more is for the answer to arrive.
        seconds = self._options.transaction_timeout_seconds + CLOSE_SECONDS
        try:
            await asyncio.wait_for(self._transact(batches, offsets), seconds)
        except EngineError:
            raise
        except (TimeoutError, KafkaTimeoutError) as error:
            raise UnreachableError(
                f"Kafka did not finish a transaction in {seconds:g} seconds: is it running, can this machine reach it?"
                " Nothing is lost: whoever is started next reads again what was not committed."
            ) from error
        except KafkaError as error:
            raise _explained(error, self._options) from error
        self.usable = True

    async def close(self) -> None:
        """Disconnect. A transaction that is open stays open until the id is taken over or its time is up."""
        self.usable = False
        with contextlib.suppress(KafkaError, TimeoutError, EngineError):
            await asyncio.wait_for(self._producer.stop(), CLOSE_SECONDS)

    async def _transact(self, batches: Sequence[Filled], offsets: Mapping[TopicPartition, Committed]) -> None:
        producer = self._producer
        await producer.begin_transaction()
        sent = []
        for filled in batches:
            filled.batch.close()
            sent.append(await producer.send_batch(filled.batch, filled.topic, partition=filled.partition))
        rows = {tp: OffsetAndMetadata(row.offset, row.token) for tp, row in offsets.items()}
        # NB: aiokafka's commit does not fail when a batch did, so every batch is waited for.
        await asyncio.gather(producer.send_offsets_to_transaction(rows, self._options.group), *sent)
        await producer.commit_transaction()


def _explained(error: KafkaError, options: EngineOptions) -> EngineError:
    """Return the error with what to do about it; aiokafka hides the cause of a fatal one below a general one."""
    causes: list[BaseException] = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    if any(isinstance(cause, ProducerFenced | InvalidProducerEpoch) for cause in causes):
        return FencedError(
            f"The transactional id {options.transactional_id} was taken over: another worker has the same slot, or"
            " this one stood still for so long that another took its partitions."
        )
    return EngineError(f"The transaction failed: {causes[-1]!r}.")
