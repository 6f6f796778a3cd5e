"""The topics: what each is for, its key and value, and how Kafka has to keep it (CONTRACT 2).

The source is `schemas/topics.toml`; code names a topic by its `id` (`call-records`), never by its full name, which
depends on the settings `topic_prefix` and `group`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

from streams.contracts.schemas import SCHEMAS

DAY_MS: Final = 86_400_000

Role = Literal["input", "output", "internal", "changelog"]


@dataclass(frozen=True, slots=True)
class Naming:
    """What full topic names are made of."""

    prefix: str = "widget."
    """Setting `topic_prefix`: begins the names of all public topics."""
    group: str = "widget-streams"
    """The Kafka group: begins the names of internal topics and changelogs."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue."""

    number: int
    """Its number in the contract; changelogs follow."""
    id: str
    """What code calls it: the name without prefix and version."""
    name_pattern: str
    """Full name with `{prefix}` or `{group}`."""
    role: Role
    key: str
    """What the record key is, in words."""
    value: str
    """What the record value is, in words."""
    record: str | None
    """Avro record of the value, None if the value is not Avro."""
    cleanup: str
    """`delete`, `compact` or `compact,delete`."""
    retention_ms: int | None
    """How long records are kept, milliseconds; None: for ever."""
    log_append_time: bool
    """The broker stamps the records, not the producer."""
    max_message_bytes: int
    """Largest record batch that the topic takes, bytes."""
    is_written: bool
    """This release writes or reads it."""
    purpose: str
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further Kafka settings, by Kafka's names."""

    def name(self, naming: Naming) -> str:
        """Return the full name, as Kafka knows it."""
        return self.name_pattern.format(prefix=naming.prefix, group=naming.group)

    def config(self, replication_factor: int) -> dict[str, str]:
        """Return Kafka's topic settings; two replicas must be in sync where there are three or more."""
        retention = {} if self.retention_ms is None else {"retention.ms": str(self.retention_ms)}
        in_sync = {"min.insync.replicas": "2"} if replication_factor >= 3 else {}
        return {
            "cleanup.policy": self.cleanup,
            **retention,
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(self.max_message_bytes),
            **self.extra,
            **in_sync,
        }


@dataclass(frozen=True, slots=True)
class Catalog:
    """All topics, in the order of their numbers, and what they have in common."""

    topics: tuple[Topic, ...]
    partitions: int
    """Default partition count, the same for all topics."""
    replication_factor: int
    """Default replication factor."""


@cache
def catalog() -> Catalog:
    """Return the checked-in catalogue."""
    return read((SCHEMAS / "topics.toml").read_text(encoding="utf-8"))


def topic(topic_id: str) -> Topic:
    """Return the topic with this id.

    Raises:
        KeyError: There is none.
    """
    return _by_id()[topic_id]


def topic_of(record: str) -> Topic:
    """Return the topic that carries the Avro record.

    Raises:
        KeyError: There is none.
    """
    return {entry.record: entry for entry in catalog().topics}[record]


def subject_of(record: str) -> str:
    """Return the registry subject of the record's topic under the default prefix: the key of `schemas/ids.json`."""
    return topic_of(record).name(Naming()) + "-value"


def read(text: str) -> Catalog:
    """Read a catalogue from the text of a `topics.toml`.

    Raises:
        KeyError: An entry lacks a required key.
        ValueError: The text is no TOML, or two topics share a number, id or record.
    """
    content = tomllib.loads(text)
    defaults = content["defaults"]
    topics = tuple(_topic(entry, defaults) for entry in content["topic"])
    for what in ("number", "id", "name_pattern", "record"):
        values = [getattr(entry, what) for entry in topics if getattr(entry, what) is not None]
        if len(set(values)) != len(values):
            raise ValueError(f"topics.toml: two topics have the same {what}.")
    return Catalog(topics, defaults["partitions"], defaults["replication_factor"])


def _topic(entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> Topic:
    record = entry.get("record")
    days = entry.get("retention_days")
    return Topic(
        number=entry["number"],
        id=entry["id"],
        name_pattern=entry["name"],
        role=entry["role"],
        key=entry["key"],
        value=f"Avro {record}" if record else entry["value"],
        record=record,
        cleanup=entry["cleanup"],
        retention_ms=None if days is None else days * DAY_MS,
        log_append_time=entry.get("log_append_time", False),
        max_message_bytes=entry.get("max_message_bytes", defaults["max_message_bytes"]),
        is_written=entry["written"],
        purpose=entry["purpose"],
        extra=defaults["compacted"] if "compact" in entry["cleanup"] else {},
    )


@cache
def _by_id() -> dict[str, Topic]:
    return {entry.id: entry for entry in catalog().topics}
