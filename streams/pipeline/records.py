"""What goes into a stage and what comes out of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class InputRecord(Protocol):
    """A record as a Kafka client hands it over."""

    @property
    def partition(self) -> int:
        """Partition of the input topic."""

    @property
    def offset(self) -> int:
        """Offset in it."""

    @property
    def timestamp(self) -> int:
        """Kafka's time stamp, ms since the epoch; negative when there is none."""

    @property
    def key(self) -> bytes | None:
        """Key, any bytes."""

    @property
    def value(self) -> bytes | None:
        """Value, any bytes."""

    @property
    def headers(self) -> Headers:
        """Headers."""


class Read(NamedTuple):
    """An input record that did not come from a Kafka client: a line of a file, a test's."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Written(NamedTuple):
    """A record to be written."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Mark(NamedTuple):
    """How far a source partition was when stream time was told (CONTRACT 1)."""

    source_partition: int
    time: int
    next_offset: int


@dataclass(slots=True)
class Tally:
    """What a piece of work counted, for metrics that are raised when it is committed (DECISIONS 48)."""

    received: Counter[str] = field(default_factory=Counter)
    """By event type."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By event type and outcome."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By reason."""
    latencies: list[tuple[int, int]] = field(default_factory=list)
    """(event time, effective arrival) of each admitted event, ms since the epoch."""
    gaps: int = 0
    """Holes in sequences that were seen."""
    lost: int = 0
    """Envelopes that were lost: their holes are old."""
    skews_ms: list[int] = field(default_factory=list)
    """Skew of each page load that was audited."""
    revisions: list[Mapping[str, object]] = field(default_factory=list)
    """Call records that were written."""
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows of interval metrics that were written, by scope type and kind."""
    too_late: int = 0
    """Numbers that no window could take any more: it is forgotten."""

    def add(self, other: "Tally") -> None:
        """Add what another piece of work counted."""
        self.received += other.received
        self.outcomes += other.outcomes
        self.dead_letters += other.dead_letters
        self.latencies += other.latencies
        self.gaps += other.gaps
        self.lost += other.lost
        self.skews_ms += other.skews_ms
        self.revisions += other.revisions
        self.rows += other.rows
        self.too_late += other.too_late


@dataclass(slots=True)
class Folded:
    """What a stage made of a batch: all of it is committed together or not at all."""

    outputs: list[Written] = field(default_factory=list)
    changes: Mapping[bytes, bytes | None] = field(default_factory=dict)
    """State that changed: key → saved value, None deletes."""
    urgent: bool = False
    """Something in it is worth a commit of its own: not so for marks."""
    tally: Tally = field(default_factory=Tally)
    mark: Mark | None = None
