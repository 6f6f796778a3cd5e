"""The topic catalogue says what the contract says, and Kafka gets the settings that follow."""

import pytest

from streams.contracts import catalog, schemas
from streams.contracts.catalog import DAY_MS, Naming

NAMING = Naming()

CONTRACT = {
    "widget.events.v1": ("delete", 7),
    "widget.enriched-events.v1": ("delete", 14),
    "widget.call-events.v1": ("delete", 14),
    "widget.call-records.v1": ("compact,delete", 90),
    "widget.active-calls.v1": ("compact", None),
    "widget.presence-events.v1": ("delete", 30),
    "widget.presence.v1": ("compact", None),
    "widget.message-events.v1": ("delete", 14),
    "widget.session-events.v1": ("delete", 14),
    "widget.interval-metrics.v1": ("compact,delete", 30),
    "widget.audit.v1": ("delete", 30),
    "widget.dead-letters.v1": ("delete", 30),
    "widget-streams-scopes-repartition": ("delete", 1),
    "widget.directory.v1": ("compact", None),
    "widget-streams-sessions-changelog": ("compact", None),
    "widget-streams-extensions-changelog": ("compact", None),
    "widget-streams-scopes-changelog": ("compact", None),
    "widget.capture-coverage.v1": ("compact,delete", 30),
}

SMALL = """
[defaults]
partitions = 1
replication_factor = 1
max_message_bytes = 1
[defaults.compacted]
[[topic]]
number = 0
id = "a"
name = "{prefix}a"
role = "input"
key = "k"
value = "v"
cleanup = "delete"
written = true
purpose = "p"
"""


def test_names_cleanup_and_retention_are_the_contracts() -> None:
    """CONTRACT 2, row by row, in its order."""
    found = {topic.name(NAMING): (topic.cleanup, topic.retention_ms) for topic in catalog.catalog().topics}
    expected = {name: (cleanup, days and days * DAY_MS) for name, (cleanup, days) in CONTRACT.items()}
    assert list(found.items()) == list(expected.items())


def test_prefix_and_group_begin_the_names() -> None:
    """The setting topic_prefix names public topics, the group internal ones."""
    naming = Naming(prefix="acme.", group="night")
    names = [topic.name(naming) for topic in catalog.catalog().topics]
    internal = {topic.name(naming) for topic in catalog.catalog().topics if topic.role in ("internal", "changelog")}
    assert {name for name in names if not name.startswith("acme.")} == internal
    assert all(name.startswith("night-") for name in internal)


def test_only_the_intake_is_stamped_by_the_broker() -> None:
    """Collectors' clocks are not trusted; our own records keep the time we give them."""
    stamped = [
        topic.id for topic in catalog.catalog().topics if topic.config(1)["message.timestamp.type"] != "CreateTime"
    ]
    assert stamped == ["events"]


@pytest.mark.parametrize(("replication_factor", "in_sync"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_two_replicas_must_be_in_sync_where_there_are_three(replication_factor: int, in_sync: str | None) -> None:
    """A cluster of one or two brokers must still be able to write."""
    assert catalog.topic("call-records").config(replication_factor).get("min.insync.replicas") == in_sync


def test_compacted_topics_are_kept_for_ever_and_cleaned_early() -> None:
    """No retention on a table, and settings that keep reading it from the beginning short."""
    config = catalog.topic("presence").config(1)
    assert "retention.ms" not in config
    assert float(config["min.cleanable.dirty.ratio"]) < 0.5
    assert "segment.bytes" not in catalog.topic("events").config(1)


def test_every_avro_value_has_its_schema_file() -> None:
    """The records of the catalogue are the schemas of the folder."""
    assert sorted(topic.record for topic in catalog.catalog().topics if topic.record) == sorted(schemas.records())


def test_subject_is_the_topic_under_the_default_prefix() -> None:
    """Ids are listed by subject."""
    assert catalog.subject_of("SessionAudit") == "widget.audit.v1-value"


def test_unknown_topic_is_a_key_error() -> None:
    """A misspelt id fails at once."""
    with pytest.raises(KeyError):
        catalog.topic("call-record")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('number = 0\nid = "b"\nname = "b"', "same number"),
        ('number = 1\nid = "a"\nname = "b"', "same id"),
        ('number = 1\nid = "b"\nname = "{prefix}a"', "same name_pattern"),
    ],
)
def test_two_topics_with_one_identity_are_refused(change: str, complaint: str) -> None:
    """Numbers, ids and names are unique."""
    second = SMALL[SMALL.index("[[topic]]") :].replace('number = 0\nid = "a"\nname = "{prefix}a"', change)
    assert catalog.read(SMALL).topics[0].name(Naming()) == "widget.a"
    with pytest.raises(ValueError, match=complaint):
        catalog.read(SMALL + second)
