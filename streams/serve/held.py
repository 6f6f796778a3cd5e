"""What is held of one row: its JSON as it is served, and the few facts that filters ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar

Tags = frozenset[str]
"""Where something belongs: `team:support`, `site:north`, `queue:q-1`."""
NOWHERE: Tags = frozenset()


@lru_cache(maxsize=50_000)
def tags(team: str | None, site: str | None, queues: tuple[str, ...]) -> Tags:
    """Return the tags of a team, a site and queues; equal ones are one object."""
    named = [("team", team), ("site", site), *(("queue", queue) for queue in queues)]
    return frozenset(f"{kind}:{name}" for kind, name in named if name)


@dataclass(frozen=True, slots=True)
class Held:
    """One row of a small table."""

    json: bytes
    """The row by its Avro names."""
    extension_key: str
    state: str
    """State of the call, or activity of the person."""
    tags: Tags


Row = TypeVar("Row")


@dataclass(slots=True)
class Table(Generic[Row]):
    """Rows by key, with the keys in order for paging."""

    rows: dict[str, Row] = field(default_factory=dict)
    _ordered: list[str] | None = None

    def put(self, key: str, row: Row) -> None:
        """Take a row; it replaces the one before."""
        if key not in self.rows:
            self._ordered = None
        self.rows[key] = row

    def drop(self, key: str) -> Row | None:
        """Forget a row and return it."""
        row = self.rows.pop(key, None)
        if row is not None:
            self._ordered = None
        return row

    def ordered(self) -> list[str]:
        """Return the keys in order; sorted anew only after a key came or went."""
        if self._ordered is None:
            self._ordered = sorted(self.rows)
        return self._ordered

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        """Give the keys."""
        return iter(self.rows)
