"""`topics apply` and the worker's check against a real cluster, judged by another client's view of it."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from click.testing import CliRunner, Result
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from streams.cli import topics as cli_topics
from streams.contracts.catalog import Naming, catalog
from streams.worker import topics as cluster
from tests.broker.conftest import Namespace

pytestmark = pytest.mark.broker

PARTITIONS = 2


def naming(namespace: Namespace) -> Naming:
    """Return names of this test alone, changelogs included."""
    return Naming(prefix=namespace.prefix, group=namespace.group())


def apply(kafka: str, namespace: Namespace, *more: str, partitions: int = PARTITIONS) -> Result:
    """Run `widget-streams topics apply`."""
    names = naming(namespace)
    where = ["--bootstrap-servers", kafka, "--topic-prefix", names.prefix, "--group", names.group]
    sizes = ["--partitions", str(partitions), "--replication-factor", "1"]
    return CliRunner().invoke(cli_topics.command, ["apply", *where, *sizes, *more])


def on_cluster(namespace: Namespace) -> dict[str, int]:
    """Return the partition count of each topic of the test, by name."""
    topics = namespace.admin.list_topics(timeout=20).topics
    return {name: len(topic.partitions) for name, topic in topics.items() if name.startswith(namespace.prefix)}


def setting(namespace: Namespace, topic: str, name: str) -> str:
    """Return a Kafka setting of a topic, as the cluster has it."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = namespace.admin.describe_configs([resource])[resource].result(20)
    return str(entries[name].value)


def check(kafka: str, namespace: Namespace, partitions: int = PARTITIONS) -> list[str]:
    """Run the worker's check."""

    async def run() -> list[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            plan = cluster.plan(naming(namespace), partitions=partitions, replication_factor=1)
            return await cluster.check_topics(admin, plan)
        finally:
            await admin.close()

    return asyncio.run(run())


def test_apply_creates_the_catalogue(kafka: str, namespace: Namespace) -> None:
    """On an empty cluster every topic is made, with its partitions and its settings."""
    result = apply(kafka, namespace)
    assert result.exit_code == 0, result.output
    names = naming(namespace)
    assert on_cluster(namespace) == {topic.name(names): PARTITIONS for topic in catalog().topics}
    for topic in catalog().topics:
        for name, value in topic.config(1).items():
            assert setting(namespace, topic.name(names), name) == value, (topic.id, name)


def test_a_dry_run_creates_nothing(kafka: str, namespace: Namespace) -> None:
    """It tells what would be created, and afterwards that nothing would; a difference is one in a dry run, too."""
    result = apply(kafka, namespace, "--dry-run")
    assert result.exit_code == 0, result.output
    assert on_cluster(namespace) == {}
    names = [topic.name(naming(namespace)) for topic in catalog().topics]
    told = [f"would create {name}" for name in names]
    assert result.output.splitlines() == [*told, f"{len(names)} topics to be created, 0 were there."]
    apply(kafka, namespace)
    assert apply(kafka, namespace, "--dry-run").output == f"0 topics to be created, {len(names)} were there.\n"
    result = apply(kafka, namespace, "--dry-run", partitions=PARTITIONS + 1)
    assert result.exit_code == 1
    assert "partitions is 2, wanted is 3." in result.output


def test_apply_again_changes_nothing(kafka: str, namespace: Namespace) -> None:
    """The second run finds nothing to do and nothing to complain about."""
    apply(kafka, namespace)
    result = apply(kafka, namespace)
    assert result.exit_code == 0, result.output
    assert result.output == f"0 topics created, {len(catalog().topics)} were there.\n"


@pytest.mark.parametrize(
    ("topic_id", "config", "difference"),
    [
        ("call-records", {"cleanup.policy": "delete"}, "cleanup.policy is delete, wanted is compact,delete."),
        ("audit", {"retention.ms": "1000"}, "retention.ms is 1000, wanted is 2592000000."),
        (
            "events",
            {"message.timestamp.type": "CreateTime"},
            "message.timestamp.type is CreateTime, wanted is LogAppendTime.",
        ),
        ("dead-letters", {"max.message.bytes": "1000000"}, "max.message.bytes is 1000000, wanted is 2097152."),
    ],
)
def test_apply_tells_other_settings_and_leaves_them(
    kafka: str, namespace: Namespace, topic_id: str, config: dict[str, str], difference: str
) -> None:
    """A topic that is set otherwise is named and kept; what is missing is created; the exit code is 1."""
    topic = next(entry for entry in catalog().topics if entry.id == topic_id)
    name = topic.name(naming(namespace))
    made = {**topic.config(1), **config}
    namespace.admin.create_topics([NewTopic(name, PARTITIONS, 1, config=made)])[name].result(20)
    result = apply(kafka, namespace)
    assert result.exit_code == 1, result.output
    assert f"{name}: {difference}\n" in result.output
    assert f"{len(catalog().topics) - 1} topics created, 1 were there." in result.output
    assert "1 difference" in result.output
    assert {key: setting(namespace, name, key) for key in config} == config


def test_list_settings_compare_without_order(kafka: str, namespace: Namespace) -> None:
    """`delete,compact` is the policy `compact,delete`."""
    topic = next(entry for entry in catalog().topics if entry.id == "call-records")
    name = topic.name(naming(namespace))
    made = {**topic.config(1), "cleanup.policy": "delete,compact"}
    namespace.admin.create_topics([NewTopic(name, PARTITIONS, 1, config=made)])[name].result(20)
    assert apply(kafka, namespace).exit_code == 0


def test_apply_creates_nothing_beside_topics_of_another_size(kafka: str, namespace: Namespace) -> None:
    """Stages match partition by partition, so a mixture is never made; the fix is named."""
    namespace.topic("events.v1", partitions=3)
    result = apply(kafka, namespace)
    assert result.exit_code == 1
    assert "Nothing was created" in result.output
    assert "--partitions 3" in result.output
    assert list(on_cluster(namespace)) == [namespace.prefix + "events.v1"]


def test_apply_never_shrinks_or_grows(kafka: str, namespace: Namespace) -> None:
    """Another partition count is told for every topic and not changed."""
    apply(kafka, namespace)
    for partitions in (1, 3):
        result = apply(kafka, namespace, partitions=partitions)
        assert result.exit_code == 1
        assert f"{namespace.prefix}events.v1: partitions is 2, wanted is {partitions}." in result.output
    assert set(on_cluster(namespace).values()) == {PARTITIONS}


def test_refusal_of_the_cluster_is_told_with_a_way_out(kafka: str, namespace: Namespace) -> None:
    """Three copies cannot be had from one broker."""
    result = apply(kafka, namespace, "--replication-factor", "9")
    assert result.exit_code == 1
    assert "Kafka refuses to create" in result.output
    assert "Give a lower --replication-factor." in result.output


def test_worker_may_start_with_the_topics_that_apply_made(kafka: str, namespace: Namespace) -> None:
    """The check is content; settings that only consumers notice do not stop a worker."""
    name = namespace.topic("audit.v1", partitions=PARTITIONS, retention_ms="1000")
    assert apply(kafka, namespace).exit_code == 1
    assert check(kafka, namespace) == []
    assert setting(namespace, name, "retention.ms") == "1000"


def test_worker_is_told_what_is_missing_and_how_to_make_it(kafka: str, namespace: Namespace) -> None:
    """Each missing topic is a sentence with the command."""
    problems = check(kafka, namespace)
    assert len(problems) == len(catalog().topics)
    assert problems[0] == (
        f"{namespace.prefix}events.v1: missing. Create it with `widget-streams topics apply --partitions {PARTITIONS}`."
    )


def test_worker_is_told_of_other_partition_counts(kafka: str, namespace: Namespace) -> None:
    """A worker that expects another partition count does not start."""
    apply(kafka, namespace)
    problems = check(kafka, namespace, partitions=5)
    assert len(problems) == len(catalog().topics)
    assert "partitions is 2, wanted is 5." in problems[0]
    assert "`--partitions 2`" in problems[0]


def test_unreachable_broker_is_a_clear_sentence(namespace: Namespace) -> None:
    """Nobody listens on port 1: exit code 3, no traceback."""
    result = apply("127.0.0.1:1", namespace)
    assert result.exit_code == 3
    assert "No Kafka broker answers at 127.0.0.1:1." in result.output
    assert isinstance(result.exception, SystemExit)
