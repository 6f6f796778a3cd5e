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
        """Return the row of a key, without a look at the others.

        Raises:
            KeyError: There is none on this worker.
        """
        row = next(filter(None, (self._row(partition, key) for partition in self._partitions())), None)
        if row is None:
            raise KeyError(key)
        return row

    def _row(self, partition: ExtensionsPartition, key: str) -> V | None:
        raise NotImplementedError


class ActiveCalls(_Table[Leg]):
    """Legs that have not ended, by leg id."""

    name = "active_calls"

    def __init__(self, partitions: Partitions):
        """Look at the partitions that `partitions` returns when asked."""
        super().__init__(partitions)
        self._stored: dict[str, bytes] = {}
        """Under which key a leg is stored, by its id, as of the last time that an unknown one was asked for."""

    def __getitem__(self, key: str) -> Leg:
        """Return an open leg; an id that is new to the table costs a pass over the keys, but reads no other leg.

        Raises:
            KeyError: There is no such leg on this worker, or it has ended.
        """
        if key not in self._stored:
            keys = (stored for partition in self._partitions() for stored in partition.store.keys(b"L"))
            self._stored = {stored.decode().rpartition("\x1f")[2]: stored for stored in keys}
        return super().__getitem__(key)

    def _row(self, partition: ExtensionsPartition, key: str) -> Leg | None:
        stored = self._stored.get(key)
        leg: Leg | None = None if stored is None else partition.store.peek(stored)
        extension = None if leg is None else extension_of(partition, leg.extension_key)
        return leg if extension is not None and key in extension.open_legs else None

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

    def _row(self, partition: ExtensionsPartition, key: str) -> Row | None:
        extension = extension_of(partition, key)
        return None if extension is None else extension.presence.published

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Give the presence of all extensions in one pass."""
        for _, extension in self._extensions():
            if extension.presence.published is not None:
                yield extension.key, extension.presence.published


def extension_of(partition: ExtensionsPartition, key: str) -> Extension | None:
    """Return an extension of a partition, to be looked at only, or None."""
    extension: Extension | None = partition.store.peek(b"E" + key.encode())
    return extension
