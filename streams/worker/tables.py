"""The tables of active calls and presence: read-only mappings over the state that this worker holds (ENGINE 2.13).

They read like Faust tables and cover the partitions that are assigned to this worker at the moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from streams.domain.extension import Extension
from streams.domain.legs.evidence import Leg
from streams.domain.postings import Row
from streams.domain.words import State
from streams.pipeline.extensions import ExtensionsPartition, leg_key

Partitions = Callable[[], Iterable[ExtensionsPartition]]
V = TypeVar("V")


class _Table(Mapping[str, V]):
    """What both tables share: they look at the partitions anew each time."""

    name: str

    def __init__(self, partitions: Partitions):
        """Look at the partitions that `partitions` returns when asked."""
        self._partitions = partitions

    def _extensions(self) -> Iterator[tuple[ExtensionsPartition, Extension]]:
        for partition in self._partitions():
            for key in partition.store.keys(b"E"):
                extension = partition.store.peek(key)
                if extension is not None:
                    yield partition, extension

    def rows(self) -> Iterator[tuple[str, V]]:
        """Give all keys and rows in one pass; NB: `items()` and `values()` look up one key after the other."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return (key for key, _ in self.rows())

    def __len__(self) -> int:
        """Count the rows."""
        return sum(1 for _ in self.rows())

    def __getitem__(self, key: str) -> V:
        """Return the row of a key.

        Raises:
            KeyError: There is none on this worker.
        """
        for name, row in self.rows():
            if name == key:
                return row
        raise KeyError(key)


class ActiveCalls(_Table[Leg]):
    """Legs that have not ended, by leg id."""

    name = "active_calls"

    def rows(self) -> Iterator[tuple[str, Leg]]:
        """Give all open legs in one pass."""
        for partition, extension in self._extensions():
            for leg_id in extension.open_legs:
                leg = partition.store.peek(leg_key(extension.key, leg_id))
                if leg is not None:
                    yield leg_id, leg

    def states(self) -> Iterator[State]:
        """Give the state of every open leg, without reading the legs."""
        for _, extension in self._extensions():
            yield from extension.open_legs.values()


class Presence(_Table[Row]):
    """The published presence of each extension, by extension key."""

    name = "presence"

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Give the presence of all extensions in one pass."""
        for _, extension in self._extensions():
            if extension.presence.published is not None:
                yield extension.key, extension.presence.published
