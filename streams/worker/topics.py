"""The catalogue's topics on a real cluster: what is missing, what differs, and creating what is missing (CONTRACT 9).

Used by `widget-streams topics` and by the worker before it starts. Nothing here shrinks, deletes or alters a topic: a
partition count or a cleanup policy is a decision of whoever runs the cluster.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError, for_code

from streams.contracts.catalog import Naming, Topic, catalog

COMPARED: Final = ("cleanup.policy", "retention.ms", "message.timestamp.type", "max.message.bytes")
"""Settings whose difference changes what consumers may rely on; the others are tuning."""

FOR_EVER: Final = "-1"

_VISIBLE_TRIES: Final = 200
_VISIBLE_SIGHTINGS: Final = 3
_VISIBLE_PAUSE_SECONDS: Final = 0.05


class TopicsError(Exception):
    """The cluster answered, but refused what was asked; the text says what and why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a topic is, or is to be, on the cluster."""

    partitions: int
    replication_factor: int
    config: dict[str, str]
    """Kafka's settings of the topic by Kafka's names."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about a topic that is not as the catalogue says."""

    topic: str
    """Full name."""
    what: str
    """`missing`, `partitions` or the name of a Kafka setting."""
    wanted: str
    found: str

    def sentence(self) -> str:
        """Say it to a person."""
        if self.what == "missing":
            return f"{self.topic}: missing."
        return f"{self.topic}: {self.what} is {self.found}, wanted is {self.wanted}."


@dataclass(frozen=True, slots=True)
class Plan:
    """Which topics there are to be, under which names and how big."""

    naming: Naming
    partitions: int
    replication_factor: int
    topics: tuple[Topic, ...]

    def wanted(self) -> dict[str, Shape]:
        """Return the shape of every topic by its full name."""
        return {
            topic.name(self.naming): Shape(
                self.partitions, self.replication_factor, topic.config(self.replication_factor)
            )
            for topic in self.topics
        }


def plan(
    naming: Naming,
    *,
    partitions: int | None = None,
    replication_factor: int | None = None,
    topics: Iterable[Topic] | None = None,
) -> Plan:
    """Return the plan for the whole catalogue, or for some of its topics; sizes not given are the catalogue's."""
    whole = catalog()
    return Plan(
        naming=naming,
        partitions=partitions or whole.partitions,
        replication_factor=replication_factor or whole.replication_factor,
        topics=whole.topics if topics is None else tuple(topics),
    )


async def differences(admin: AIOKafkaAdminClient, wanted: Plan) -> list[Difference]:
    """Compare the plan with the cluster: topics that are missing, other partition counts, other settings.

    Raises:
        TopicsError: The cluster refuses to describe its topics.
        aiokafka.errors.KafkaError: The cluster does not answer.
    """
    shapes = wanted.wanted()
    found = await _describe(admin, shapes)
    return [problem for name, shape in shapes.items() for problem in _compare(name, shape, found.get(name))]


async def create_missing(admin: AIOKafkaAdminClient, wanted: Plan) -> list[str]:
    """Create the topics of the plan that the cluster lacks, and return their names; the others are not touched.

    Raises:
        TopicsError: The cluster refuses one, or the topics that exist have another partition count.
        aiokafka.errors.KafkaError: The cluster does not answer.
    """
    found = await differences(admin, wanted)
    missing = {problem.topic for problem in found if problem.what == "missing"}
    other = sorted({int(problem.found) for problem in found if problem.what == "partitions"})
    if missing and other:
        raise TopicsError(
            f"Nothing was created: all topics need the same partition count, and those that exist have {_list(other)}. "
            f"Apply with --partitions {other[0]}, or under another --topic-prefix and --group."
        )
    shapes = {name: shape for name, shape in wanted.wanted().items() if name in missing}
    return await _create(admin, shapes) if shapes else []


async def check_topics(admin: AIOKafkaAdminClient, wanted: Plan) -> list[str]:
    """Say what keeps a worker from starting: topics that are missing or have another partition count.

    Each sentence names the fix. Empty when the worker may start.

    Raises:
        TopicsError: The cluster refuses to describe its topics.
        aiokafka.errors.KafkaError: The cluster does not answer.
    """
    found = await differences(admin, wanted)
    return [problem.sentence() + " " + _fix(problem) for problem in found if problem.what in ("missing", "partitions")]


async def partition_count(admin: AIOKafkaAdminClient, topic: str) -> int | None:
    """Return how many partitions a topic has, None when there is no such topic.

    Raises:
        aiokafka.errors.KafkaError: The cluster does not answer.
    """
    if topic not in await admin.list_topics():
        return None
    return len((await admin.describe_topics([topic]))[0]["partitions"])


async def _create(admin: AIOKafkaAdminClient, shapes: dict[str, Shape]) -> list[str]:
    new = [
        NewTopic(name, shape.partitions, shape.replication_factor, topic_configs=shape.config)
        for name, shape in shapes.items()
    ]
    response = await admin.create_topics(new)
    codes: dict[str, int] = {}
    for name, code, message in response.topic_errors:
        codes[name] = code
        # Somebody else created it in between: as good as done.
        if code not in (0, TopicAlreadyExistsError.errno):
            hint = " Give a lower --replication-factor." if code == InvalidReplicationFactorError.errno else ""
            reason = (message or for_code(code).__name__).rstrip(".")
            raise TopicsError(f"Kafka refuses to create {name}: {reason}.{hint}")
    await _await_visible(admin, set(shapes))
    return [name for name in shapes if codes[name] == 0]


async def _await_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """Wait until the brokers know the new topics: the controller answers a moment earlier.

    Each question goes to some broker, so several in a row have to say yes.
    """
    sightings = 0
    for _ in range(_VISIBLE_TRIES):
        sightings = sightings + 1 if names <= set(await admin.list_topics()) else 0
        if sightings == _VISIBLE_SIGHTINGS:
            return
        await asyncio.sleep(_VISIBLE_PAUSE_SECONDS)
    raise TopicsError("Kafka accepted the topics but does not list them yet. Run `widget-streams topics apply` again.")


def _list(numbers: list[int]) -> str:
    return " or ".join(str(number) for number in numbers)


def _fix(problem: Difference) -> str:
    if problem.what == "missing":
        return f"Create it with `widget-streams topics apply --partitions {problem.wanted}`."
    return (
        f"All topics need the same partition count: start with that of your topics (`--partitions {problem.found}`), "
        "or create new ones under another `--topic-prefix` and `--group` with `widget-streams topics apply`."
    )


def _compare(name: str, wanted: Shape, found: Shape | None) -> list[Difference]:
    if found is None:
        return [Difference(name, "missing", str(wanted.partitions), "-")]
    problems = []
    if found.partitions != wanted.partitions:
        problems.append(Difference(name, "partitions", str(wanted.partitions), str(found.partitions)))
    for setting in COMPARED:
        if setting == "retention.ms" and "delete" not in wanted.config["cleanup.policy"]:
            continue
        expected, actual = wanted.config.get(setting, FOR_EVER), found.config.get(setting, "not told")
        if _as_set(expected) != _as_set(actual):
            problems.append(Difference(name, setting, expected, actual))
    return problems


def _as_set(value: str) -> frozenset[str]:
    """Return the words of a list setting: `compact,delete` and `delete,compact` are the same policy."""
    return frozenset(word.strip() for word in value.split(","))


async def _describe(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, Shape]:
    existing = set(await admin.list_topics()) & set(names)
    if not existing:
        return {}
    metadata = {entry["topic"]: entry for entry in await admin.describe_topics(sorted(existing))}
    configs = await _configs(admin, sorted(existing))
    return {
        name: Shape(
            partitions=len(metadata[name]["partitions"]),
            replication_factor=len(metadata[name]["partitions"][0]["replicas"]),
            config=configs[name],
        )
        for name in existing
    }


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses: list[Any] = await admin.describe_configs(resources)
    configs: dict[str, dict[str, str]] = {}
    for response in responses:
        for code, message, _kind, name, entries in response.resources:
            if code:
                raise TopicsError(f"Kafka refuses to describe {name}: {message or for_code(code).__name__}.")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs
