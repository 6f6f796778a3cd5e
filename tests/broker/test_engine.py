"""The engine on a real Kafka with a stage that only counts: what is committed, what is not, and what it says."""

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions, Producer
from confluent_kafka import TopicPartition as Place

from streams.engine.draft import Filled
from streams.engine.errors import FencedError, MembershipLostError, WrongUseError
from streams.engine.fencing import Membership
from streams.engine.offsets import Committed
from streams.engine.options import EngineOptions
from streams.engine.preflight import preflight
from streams.engine.producer import NOBODY, WorkerProducer
from tests.broker.conftest import Namespace, ReadAll
from tests.broker.counting import CountingStage
from tests.broker.processes import Process, until

pytestmark = pytest.mark.broker

PARTITIONS = 2
READY = "assignment.ready"


class Bench:
    """Topics, input and workers of one test."""

    def __init__(self, kafka: str, namespace: Namespace, read_all: ReadAll, folder: Path):
        """Create the topics."""
        self.kafka, self.namespace, self._read_all, self._folder = kafka, namespace, read_all, folder
        self.input = namespace.topic("in", PARTITIONS)
        self.output = namespace.topic("out", PARTITIONS)
        self.changelog = namespace.topic("in-changelog", PARTITIONS, cleanup_policy="compact")
        self._numbers = count()

    def worker(self, slot: str = "a", **options: Any) -> Process:
        """Start a worker in a slot."""
        where = {"brokers": self.kafka, "group": self.namespace.group(), "prefix": self.namespace.prefix, "slot": slot}
        # Whoever is killed is missed soon.
        short = {"session_timeout_seconds": 3, "heartbeat_seconds": 0.5}
        log = self._folder / f"{next(self._numbers)}-{slot}.log"
        return Process(log, "tests.broker.counting", json.dumps({**where, **short, **options}))

    def send(self, *values: str, key: str = "k", partition: int = 0) -> None:
        """Send records."""
        producer = Producer({"bootstrap.servers": self.kafka, "enable.idempotence": True, "linger.ms": 50})
        for value in values:
            producer.produce(self.input, value, key, partition)
        assert producer.flush(30) == 0

    def counts(self, key: str = "k") -> list[int]:
        """Return the counts of a key that were written, in order; huge ones would show."""
        records = self._read_all(self.output)
        return [int(record.value or b"") for record in records if record.key == key.encode()]

    def state(self) -> dict[bytes | None, bytes | None]:
        """Return the rows of the changelog, the last of each key."""
        return {record.key: record.value for record in self._read_all(self.changelog)}

    def offsets(self) -> dict[int, int]:
        """Return the committed offsets by partition; none where nothing was ever committed."""
        places = [Place(self.input, partition) for partition in range(PARTITIONS)]
        asked = ConsumerGroupTopicPartitions(self.namespace.group(), places)
        found = (
            self.namespace.admin.list_consumer_group_offsets([asked])[self.namespace.group()]
            .result(20)
            .topic_partitions
        )
        return {place.partition: place.offset for place in found if place.offset >= 0}


@pytest.fixture
def bench(kafka: str, namespace: Namespace, read_all: ReadAll, tmp_path: Path) -> Bench:
    """Give topics, input and workers of this test alone."""
    return Bench(kafka, namespace, read_all, tmp_path)


def test_outputs_state_and_offsets_are_committed_together(bench: Bench) -> None:
    """Each record is counted once, the changelog has the last count, and the offsets stand behind the last record."""
    bench.send(*["x"] * 300)
    bench.send(*["x"] * 200, key="other", partition=1)
    with bench.worker() as worker:
        worker.until(lambda: len(bench.counts()) == 300 and len(bench.counts("other")) == 200)
        assert worker.end() == 0
    assert bench.counts() == list(range(1, 301))
    assert bench.counts("other") == list(range(1, 201))
    assert bench.state() == {b"k": b"300", b"other": b"200"}
    assert bench.offsets() == {0: 300, 1: 200}


def test_a_stage_that_raises_stops_the_worker_and_nothing_of_its_batch_is_committed(bench: Bench) -> None:
    """Exit code 1, the sentence names stage, partition and offsets; what came before stays, the batch stays unread."""
    with bench.worker() as worker:
        bench.send("x", "x")
        worker.until(lambda: bench.counts() == [1, 2])
        bench.send("x", "boom", "x")
        assert worker.ended() == 1
        assert "The stage counting failed in partition 0, offsets 2 to 4; nothing of it was committed." in worker.text
        assert "a bug in the stage" in worker.text
    assert (bench.counts(), bench.state(), bench.offsets()[0]) == ([1, 2], {b"k": b"2"}, 2)


def test_state_is_recovered_from_the_changelog(bench: Bench) -> None:
    """The next worker counts on; a key whose count was deleted begins at one again."""
    bench.send("x", "x", "x")
    bench.send("x", "x", "forget", key="gone")
    with bench.worker() as first:
        first.until(lambda: bench.state() == {b"k": b"3", b"gone": None})
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    bench.send("x")
    bench.send("x", key="gone")
    with bench.worker() as second:
        second.until(lambda: len(bench.counts("gone")) == 3)
        assert "state.restored" in second.text
    assert bench.counts() == [1, 2, 3, 4]
    assert bench.counts("gone") == [1, 2, 1]


def test_state_without_offsets_is_refused(bench: Bench) -> None:
    """Reading from the beginning would count everything twice: exit code 1, and both ways out are told."""
    bench.send("x")
    with bench.worker() as first:
        first.until(lambda: bench.counts() == [1])
        first.end()
    group = bench.namespace.group()
    bench.namespace.admin.delete_consumer_groups([group])[group].result(20)
    with bench.worker() as second:
        assert second.ended() == 1
        assert f"has no committed offset for {bench.input} partition 0" in second.text
        assert "Restore the offsets, or delete the changelog topics to begin anew." in second.text
    assert bench.counts() == [1]


def test_a_slot_that_was_taken_over_is_told(bench: Bench) -> None:
    """Somebody else opens the same transactional id: the worker ends with 1 at its next commit and says so."""
    with bench.worker("same") as worker:
        bench.send("x")
        worker.until(lambda: bench.counts() == [1])
        other = Producer({"bootstrap.servers": bench.kafka, "transactional.id": bench.namespace.group() + "-same"})
        other.init_transactions(20)
        bench.send("x")
        assert worker.ended() == 1
        assert f"The transactional id {bench.namespace.group()}-same was taken over" in worker.text
    assert bench.counts() == [1]
    with bench.worker("same") as worker:
        worker.until(lambda: bench.counts() == [1, 2])


def test_too_large_a_record_stops_the_worker_before_it_is_sent(bench: Bench) -> None:
    """Size and limits are told; nothing of the batch is committed."""
    bench.send("x", "huge", "x")
    with bench.worker() as worker:
        assert worker.ended() == 1
        assert f"A record for {bench.output} has 3000" in worker.text
        assert "raise max_record_bytes here and max.message.bytes of the topic" in worker.text
    assert bench.counts() == []


def test_an_open_transaction_of_a_dead_owner_is_ended_at_once(bench: Bench) -> None:
    """The next owner does not wait for its timeout of minutes, and nothing of it is ever seen."""
    with bench.worker("dead") as dead:
        bench.send("x")
        dead.until(lambda: bench.counts() == [1])
        dead.end()
    left_open = Producer(
        {
            "bootstrap.servers": bench.kafka,
            "transactional.id": f"{bench.namespace.group()}-dead",
            "transaction.timeout.ms": 600_000,
        }
    )
    left_open.init_transactions(20)
    left_open.begin_transaction()
    left_open.produce(bench.changelog, b"999", b"k", 0)
    left_open.produce(bench.output, b"999", b"k", 0)
    assert left_open.flush(20) == 0
    bench.send("x")
    begun = time.monotonic()
    with bench.worker("next") as worker:
        worker.until(lambda: bench.counts() == [1, 2], 45)
        assert f"transaction.ended transactional_id={bench.namespace.group()}-dead" in worker.text
    assert time.monotonic() - begun < 45
    assert bench.state() == {b"k": b"2"}


def test_two_workers_share_the_partitions_and_none_is_counted_twice(bench: Bench) -> None:
    """One joins and leaves while records come; counts run on without a gap."""
    with bench.worker("a") as first:
        first.until_said(READY)
        bench.send(*["x"] * 500)
        with bench.worker("b") as second:
            bench.send(*["x"] * 500, key="other", partition=1)
            second.until_said(READY)
            first.until_said(READY, times=2)
            bench.send(*["x"] * 500)
            assert second.end() == 0
        bench.send(*["x"] * 500, key="other", partition=1)
        first.until(lambda: len(bench.counts()) == len(bench.counts("other")) == 1_000)
    assert bench.counts() == bench.counts("other") == list(range(1, 1_001))


def test_missing_topics_stop_the_start(bench: Bench) -> None:
    """The engine checks by itself, whoever embeds it."""
    with bench.worker(prefix=bench.namespace.prefix + "other.") as worker:
        assert worker.ended() == 2
        assert f"There is no topic {bench.namespace.prefix}other.in" in worker.text


def test_differing_partition_counts_stop_the_start(kafka: str, namespace: Namespace) -> None:
    """State lies beside its input."""
    namespace.topic("in", 2)
    namespace.topic("out", 1)
    namespace.topic("in-changelog", 3)
    options = EngineOptions(brokers=kafka, group=namespace.group(), slot="a")
    with pytest.raises(WrongUseError, match=rf"these differ: {namespace.prefix}in 2, {namespace.prefix}in-changelog 3"):
        asyncio.run(preflight(options, [CountingStage(namespace.prefix)]))


# A member whose generation is over


class Members:
    """Members of a group as the broker sees them, and the producer that is to be fenced by it."""

    def __init__(self, bench: Bench):
        """Prepare; nothing is connected yet."""
        self.bench = bench
        self.options = EngineOptions(brokers=bench.kafka, group=bench.namespace.group(), slot="zombie")
        self.producer = WorkerProducer(self.options, [bench.output])
        self._consumers: list[AIOKafkaConsumer] = []

    async def join(self, instance_id: str | None = None) -> Membership:
        """Let one more member join, and return its membership once it has partitions."""
        assigned = Assigned()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bench.kafka,
            group_id=self.options.group,
            group_instance_id=instance_id,
            enable_auto_commit=False,
            heartbeat_interval_ms=200,
        )
        self._consumers.append(consumer)
        await consumer.start()
        consumer.subscribe([self.bench.input], listener=assigned)
        await asyncio.wait_for(assigned.event.wait(), 30)
        coordinator = consumer._coordinator
        return Membership(coordinator.generation, coordinator.member_id, instance_id)

    async def commit(self, value: bytes, offset: int) -> None:
        """Commit a record and an offset."""
        batch = self.producer.new_batch()
        batch.append(timestamp=None, key=b"k", value=value)
        place = TopicPartition(self.bench.input, 0)
        await self.producer.commit([Filled(batch, self.bench.output, 0)], {place: Committed(offset, "zombie;1")})

    async def close(self) -> None:
        """Disconnect everything."""
        await self.producer.close()
        for consumer in self._consumers:
            await consumer.stop()


class Assigned(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no stubs that mypy may follow
    """Tells that partitions were assigned."""

    def __init__(self) -> None:
        """Begin without."""
        self.event = asyncio.Event()

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Do nothing."""

    def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ARG002
        """Take note."""
        self.event.set()


def with_members(bench: Bench, story: Callable[[Members], Awaitable[None]]) -> None:
    """Run a story about members, and disconnect them whatever happens."""

    async def run() -> None:
        members = Members(bench)
        try:
            await members.producer.open()
            await story(members)
        finally:
            await members.close()

    asyncio.run(run())


def test_a_member_commits_and_a_zombie_cannot(bench: Bench) -> None:
    """Once the group went on without it, the broker refuses its offsets, and so its outputs are never seen."""

    async def story(members: Members) -> None:
        mine = members.producer.membership = await members.join()
        await members.commit(b"1", 1)
        assert members.producer.usable
        later = await members.join()
        assert later.generation > mine.generation
        with pytest.raises(MembershipLostError, match=r"the (generation is over|member is unknown)"):
            await members.commit(b"2", 2)
        assert not members.producer.usable

    with_members(bench, story)
    assert (bench.counts(), bench.offsets()) == ([1], {0: 1})


@pytest.mark.parametrize("membership", [NOBODY, Membership(3, "", None), Membership(-1, "member", None)])
def test_nobody_commits_without_a_membership(bench: Bench, membership: Membership) -> None:
    """A broker takes these for "do not fence": they are refused before they are sent."""

    async def story(members: Members) -> None:
        members.producer.membership = membership
        with pytest.raises(MembershipLostError, match="no member of its group"):
            await members.commit(b"1", 1)

    with_members(bench, story)
    assert (bench.counts(), bench.offsets()) == ([], {})


def test_an_unknown_member_cannot_commit(bench: Bench) -> None:
    """A made-up member id is refused by the broker, not by us: the fence is real."""

    async def story(members: Members) -> None:
        mine = await members.join()
        members.producer.membership = mine._replace(member_id="somebody-else")
        with pytest.raises(MembershipLostError, match="the member is unknown"):
            await members.commit(b"1", 1)

    with_members(bench, story)
    assert (bench.counts(), bench.offsets()) == ([], {})


def test_a_second_worker_with_the_same_instance_id_fences_the_first(bench: Bench) -> None:
    """The option to change is named."""

    async def story(members: Members) -> None:
        members.producer.membership = await members.join("w-0")
        await members.join("w-0")
        with pytest.raises(FencedError, match="instance id w-0: give each its own --instance-id"):
            await members.commit(b"1", 1)

    with_members(bench, story)
    assert bench.counts() == []


def test_what_a_failed_producer_left_open_is_never_published(bench: Bench) -> None:
    """The next producer with the same id commits its own records only."""

    async def story(members: Members) -> None:
        members.producer.membership = NOBODY
        with pytest.raises(MembershipLostError):
            await members.commit(b"1", 1)
        await members.producer.close()
        members.producer = WorkerProducer(members.options, [bench.output])
        await members.producer.open()
        members.producer.membership = await members.join()
        await members.commit(b"2", 2)

    with_members(bench, story)
    assert (bench.counts(), bench.offsets()) == ([2], {0: 2})


def test_a_raw_transaction_is_seen_only_when_it_is_committed(bench: Bench) -> None:
    """The reader of these tests has eyes: it leaves out what is open, and would see it if it were committed."""

    async def story(members: Members) -> None:
        raw = AIOKafkaProducer(bootstrap_servers=bench.kafka, transactional_id=members.options.group + "-raw")
        await raw.start()
        await raw.begin_transaction()
        await raw.send_and_wait(bench.output, b"7", b"k", partition=0)
        assert await asyncio.to_thread(bench.counts) == []
        await raw.commit_transaction()
        await raw.stop()
        await asyncio.to_thread(until, lambda: bench.counts() == [7], 10)

    with_members(bench, story)
