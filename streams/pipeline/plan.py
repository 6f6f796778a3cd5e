"""What a stage needs to know of its surroundings: names of topics, partition count, limits, waits, the token key."""

from dataclasses import dataclass, field
from functools import cached_property

from streams.contracts.catalog import Naming, topic, topic_of
from streams.contracts.directory import Directory, Lookup
from streams.contracts.numbers import TokenKey

MAX_OUTPUT_BYTES = 900_000
"""Leaves room for key, headers and framing below the brokers' usual limit of 1 MB."""


@dataclass(frozen=True)
class Plan:
    """The same for every stage and partition of an installation."""

    token_key: TokenKey
    naming: Naming = field(default_factory=Naming)
    partitions: int = 12
    """Of every topic."""
    identity_wait_ms: int = 30_000
    """How long, in stream time, an event waits for its page load's login (CONTRACT 4)."""
    directory: Lookup = field(default_factory=Directory)
    """Who the extensions are, read before the first event."""
    max_output_bytes: int = MAX_OUTPUT_BYTES
    """Largest record that a stage may emit; a record that needs a larger one is refused."""

    @cached_property
    def names(self) -> dict[str, str]:
        """Full topic names by the Avro record that they carry."""
        records = (
            "EnrichedEvent", "CallEvent", "CallRecord", "ActiveCall", "PresenceEvent", "Presence", "SessionEvent",
            "MessageEvent", "SessionAudit", "DeadLetter", "IntervalMetrics", "ScopeDelta",
            "CaptureCoverage",
        )  # fmt: skip
        return {record: topic_of(record).name(self.naming) for record in records}

    @cached_property
    def events(self) -> str:
        """Full name of the topic of widget events."""
        return topic("events").name(self.naming)
