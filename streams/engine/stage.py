"""What the engine asks of the stages it runs, and of whoever watches it.

Structural types: the pipeline's classes satisfy them without knowing the engine. The engine knows nothing of calls.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias


class InputRecord(Protocol):
    """A record of an input topic, as a Kafka client hands it over."""

    @property
    def partition(self) -> int:
        """Partition of the input topic."""

    @property
    def offset(self) -> int:
        """Offset in it; offsets have gaps."""

    @property
    def timestamp(self) -> int:
        """Kafka's time stamp, ms since the epoch."""

    @property
    def key(self) -> bytes | None:
        """Key."""

    @property
    def value(self) -> bytes | None:
        """Value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Headers."""


OutputRecord: TypeAlias = tuple[str, int, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""A record to be written: topic, one of the stage's output topics; partition, as the stage decides; key; value, None
for a tombstone; headers, a list. A tuple, mostly a named one: it is taken apart for every record."""


class Folded(Protocol):
    """What a partition of a stage made of a batch or of a tick: all of it is committed together or not at all."""

    @property
    def outputs(self) -> Sequence[OutputRecord]:
        """Records to be written, in this order per topic and partition."""

    @property
    def changes(self) -> Mapping[bytes, bytes | None]:
        """State that changed, for the changelog: None deletes."""

    @property
    def urgent(self) -> bool:
        """False: it may wait for the next commit that something else asks for (marks only)."""

    @property
    def tally(self) -> object:
        """Handed to the observer once it is committed."""

    @property
    def mark(self) -> object:
        """How far the source is, for `Stage.watermarks`; None says nothing. Looked at after `Partition.mark` only."""


class Partition(Protocol):
    """One partition of one stage; it holds all the state, and the state has moved on when a method returns."""

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch in log order. Never raises for a bad record: an exception is a bug and stops the worker."""

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:
        """Say how far the source is; called at most once per mark interval, and only where the stage is marked.

        Args:
            idle_until: The source is read to its end and was silent until this instant (ms since the epoch), or None.
            next_offset: Everything before this input offset is folded.
        """


class Stage(Protocol):
    """One stage: what it reads, where its state is kept, what it writes."""

    @property
    def name(self) -> str:
        """Short name, for logs and metrics."""

    @property
    def input_topic(self) -> str:
        """Topic that it reads."""

    @property
    def changelog_topic(self) -> str:
        """Compacted topic with its state, as many partitions as the input."""

    @property
    def output_topics(self) -> Sequence[str]:
        """Topics that it writes."""

    @property
    def marked(self) -> bool:
        """Whether its partitions tell how far they are."""

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> Partition:
        """Open a partition with the state that was recovered for it."""

    # NB: Any, because the marks of a stage are of its own type; the engine only carries them.
    def watermarks(self, marks: Sequence[Any]) -> Sequence[OutputRecord]:
        """Return one record for every partition of the next topic, each with all these marks."""


class Observer(Protocol):
    """Whoever counts and measures. Methods are called on the event loop and must be quick and not raise."""

    def committed(self, tallies: Sequence[tuple[str, int, object]]) -> None:
        """Take (stage, partition, tally) of everything in a transaction that was just committed."""

    def produced(self, written: Mapping[str, int]) -> None:
        """Take the number of records per topic that the transaction held, changelogs and watermarks included."""

    def folded(self, stage: str, records: int, seconds: float) -> None:
        """Take how long a stage needed for a batch."""

    def rebalanced(self) -> None:
        """Take note that the group assigned partitions anew."""

    def recovering(self, changelog: str, remaining: int) -> None:
        """Take how many changelog offsets are still to be read; 0 at the end."""


class SilentObserver:
    """An observer that does nothing; others may inherit from it."""

    def committed(self, tallies: Sequence[tuple[str, int, object]]) -> None:
        """Do nothing."""

    def produced(self, written: Mapping[str, int]) -> None:
        """Do nothing."""

    def folded(self, stage: str, records: int, seconds: float) -> None:
        """Do nothing."""

    def rebalanced(self) -> None:
        """Do nothing."""

    def recovering(self, changelog: str, remaining: int) -> None:
        """Do nothing."""
