"""Stages and results for tests of the engine's pure parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.engine.live import Live
from streams.engine.offsets import Committed
from streams.engine.stage import Folded, InputRecord, Partition


class Out(NamedTuple):
    """A record to be written."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    # NB: one list for all, never changed; aiokafka takes no tuple.
    headers: Sequence[tuple[str, bytes]] = []


@dataclass
class Made:
    """What a stage made of a batch."""

    outputs: Sequence[Out] = ()
    changes: Mapping[bytes, bytes | None] = field(default_factory=dict)
    urgent: bool = False
    tally: object = None
    mark: object = None


class Silent:
    """A partition that is asked for nothing."""

    def fold(self, records: Sequence[InputRecord]) -> Folded:  # noqa: ARG002
        """Take nothing."""
        raise AssertionError("nobody folds here")

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:  # noqa: ARG002
        """Say nothing."""
        return None


@dataclass(frozen=True)
class Described:
    """A stage that is only described."""

    name: str = "first"
    input_topic: str = "in"
    changelog_topic: str = "in-changelog"
    output_topics: Sequence[str] = ("out",)
    marked: bool = False

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> Partition:  # noqa: ARG002
        """Open a partition."""
        return Silent()

    def watermarks(self, marks: Sequence[Any]) -> Sequence[Out]:
        """Tell the marks to partition 0."""
        return [Out("out", 0, None, b"marks:" + b",".join(marks))]


def a_live(partition: int = 0, **changes: Any) -> Live:
    """Return a partition that is held."""
    stage = Described()
    given = {"work": stage.open(partition, {}), "committed": Committed(5, "me;1-1"), "next_offset": 5, **changes}
    return Live(stage, partition, **given)
