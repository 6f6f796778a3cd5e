"""The latest changes in order, so that a viewer who was away for a moment goes on where it was.

A version is `<generation>-<number>`. Another copy of the service, or this one started again, is another generation:
what a viewer has from there cannot be continued, and it is told so.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final

from streams.serve.held import NOWHERE, Tags

KEPT: Final = 10_000
_VERSION: Final = re.compile(r"(?P<generation>[0-9a-f.]{1,40})-(?P<number>\d{1,15})", re.ASCII)


class Kind(StrEnum):
    """What a change is about; also the name of the server-sent event."""

    ACTIVE_CALL = "active-call"
    ACTIVE_CALL_ENDED = "active-call-ended"
    PRESENCE = "presence"
    PRESENCE_GONE = "presence-gone"
    CALL_RECORD = "call-record"
    INTERVAL = "interval"
    SUMMARY = "summary"


_SAME_TABLE: Final = {Kind.ACTIVE_CALL_ENDED: Kind.ACTIVE_CALL, Kind.PRESENCE_GONE: Kind.PRESENCE}


@dataclass(frozen=True, slots=True)
class Change:
    """One change, ready to be sent."""

    number: int
    kind: Kind
    key: str
    json: bytes
    tags: Tags

    @property
    def place(self) -> tuple[str, str]:
        """Table and key: a later change of the same place makes this one superfluous."""
        return _SAME_TABLE.get(self.kind, self.kind), self.key


@dataclass(frozen=True, slots=True)
class Interest:
    """What a viewer wants to be told: everything, or some kinds, of those who have all the tags."""

    kinds: frozenset[Kind] = frozenset(Kind)
    tags: Tags = NOWHERE

    def wants(self, change: Change) -> bool:
        """Tell whether the change is for this viewer. A summary is about exactly one scope."""
        if change.kind not in self.kinds:
            return False
        return change.tags == self.tags if change.kind is Kind.SUMMARY else self.tags <= change.tags


@dataclass
class Changes:
    """The ring of changes."""

    generation: str
    kept: int = KEPT
    number: int = 0
    """Number of the latest change."""
    _ring: deque[Change] = field(init=False)

    def __post_init__(self) -> None:
        """Begin empty."""
        self._ring = deque(maxlen=self.kept)

    @property
    def version(self) -> str:
        """The version that a viewer has who knows everything."""
        return f"{self.generation}-{self.number}"

    def add(self, kind: Kind, key: str, json: bytes, belongs: Tags) -> None:
        """Note a change."""
        self.number += 1
        self._ring.append(Change(self.number, kind, key, json, belongs))

    def position(self, version: str) -> int | None:
        """Return the number of a version if everything after it is still here, else None."""
        match = _VERSION.fullmatch(version)
        if match is None or match["generation"] != self.generation:
            return None
        number = int(match["number"])
        return number if self.number - len(self._ring) <= number <= self.number else None

    def since(self, number: int) -> list[Change] | None:
        """Return the changes after a number, oldest first; None if some of them are gone."""
        missing = self.number - number
        if missing > len(self._ring):
            return None
        return list(islice(reversed(self._ring), missing))[::-1]


def told(changes: Iterable[Change], interest: Interest) -> list[Change]:
    """Return what a viewer is told of changes: of several of one row the last."""
    latest = {change.place: change for change in changes if interest.wants(change)}
    return sorted(latest.values(), key=lambda change: change.number)
