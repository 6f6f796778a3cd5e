"""A transactional producer that the consumer group fences (KIP-447).

aiokafka commits the offsets of a transaction without saying which member of which generation does so, so a worker that
lost its partitions could still commit. Here generation, member and instance id travel along and the broker refuses.

Private API of aiokafka: the producer's sender and its handler of TxnOffsetCommit (tests/engine/test_private_api.py).
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.producer.sender import Sender, TxnOffsetCommitHandler

from streams.engine.errors import EngineError, FencedError, MembershipLostError
from streams.engine.wire import NO_TAGS, TxnOffsetCommitRequest

NO_LEADER_EPOCH = -1
LOST = {22: "the generation is over", 25: "the member is unknown", 27: "a rebalance is on"}
"""Error codes by which the group says that this worker is not, or no longer, of its generation."""
FENCED_INSTANCE = 82


class Membership(NamedTuple):
    """Who commits: as the group knew this worker when it was assigned its partitions."""

    generation: int
    member_id: str
    instance_id: str | None

    @property
    def valid(self) -> bool:
        """NB: the broker takes generation -1 and no member for "do not fence", so those must never be sent."""
        return self.generation >= 0 and bool(self.member_id)


def fence(producer: AIOKafkaProducer, membership: Callable[[], Membership]) -> None:
    """Make a producer say who it is with the offsets it commits; `membership` is asked at each commit.

    A refusal, or a membership that is not valid, fails the transaction with MembershipLostError or FencedError.
    """
    sender = producer._sender
    sender.__class__ = FencedSender
    sender.membership = membership


# The suppressions below: aiokafka has no stubs that mypy may follow, so its classes are Any.
class FencedSender(Sender):  # type: ignore[misc]
    """aiokafka's sender, with the membership in TxnOffsetCommit."""

    membership: Callable[[], Membership]

    async def _do_txn_offset_commit(self, offsets: dict[Any, Any], group_id: str) -> None:
        if not offsets:
            return
        if not self.membership().valid:
            self.fail(MembershipLostError("This worker is no member of its group."))
            return
        try:
            node = await self._find_coordinator(CoordinationType.GROUP, group_id)
        except GroupAuthorizationFailedError as error:
            self.fail(error)
            return
        await FencedHandler(self, offsets, group_id).do(node)

    def fail(self, error: Exception) -> None:
        """Fail the running transaction with this error; the producer must not be used again."""
        manager = self._txn_manager
        manager.error_transaction(error)
        # Whoever waits for the offsets gets the error; the transaction's own waiter has no reader any more.
        manager.wait_for_transaction_end().exception()


class FencedHandler(TxnOffsetCommitHandler):  # type: ignore[misc]
    """Sends TxnOffsetCommit with the membership and understands the refusals."""

    def create_request(self) -> TxnOffsetCommitRequest:
        """Build the request."""
        manager = self._sender._txn_manager
        topics = defaultdict(list)
        for tp, committed in sorted(self._offsets.items()):
            topics[tp.topic].append((tp.partition, committed.offset, NO_LEADER_EPOCH, committed.metadata, NO_TAGS))
        return TxnOffsetCommitRequest(
            manager.transactional_id,
            self._group_id,
            manager.producer_id,
            manager.producer_epoch,
            *self._sender.membership(),
            [(topic, partitions, NO_TAGS) for topic, partitions in topics.items()],
        )

    def handle_response(self, resp: Any) -> float | None:
        """Fail the transaction on a refusal; leave everything else to aiokafka."""
        codes = {code for _, partitions, _ in resp.errors for _, code, _ in partitions}
        refusal = _refusal(codes, self._sender.membership())
        if refusal is not None:
            self._sender.fail(refusal)
            return None
        resp.errors = [(topic, [(p, code) for p, code, _ in partitions]) for topic, partitions, _ in resp.errors]
        backoff: float | None = super().handle_response(resp)
        return backoff


def _refusal(codes: set[int], membership: Membership) -> EngineError | None:
    if FENCED_INSTANCE in codes:
        return FencedError(
            f"Another worker runs with the instance id {membership.instance_id}: give each its own --instance-id."
        )
    reasons = [LOST[code] for code in sorted(codes & LOST.keys())]
    return MembershipLostError(f"The group refused the offsets: {reasons[0]}.") if reasons else None
