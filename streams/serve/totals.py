"""Today's calls by scope: how many, how they ended, how many were answered in time. Counted up and down, never anew."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.serve.held import NOWHERE, Tags
from streams.serve.records import Kept


@dataclass(slots=True)
class Totals:
    """What one scope counts."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Legs by direction and disposition."""
    within: int = 0

    def add(self, record: Kept, sign: int) -> None:
        """Count a record, or take it back."""
        self.ended[record.direction, record.disposition] += sign
        self.within += sign * record.within

    def row(self) -> dict[str, Any]:
        """Return the numbers by the names that interval rows use (DECISIONS 39)."""
        by = self.ended
        inbound = {word: count for (direction, word), count in sorted(by.items()) if direction == "INBOUND" and count}
        outbound = {word: count for (direction, word), count in sorted(by.items()) if direction == "OUTBOUND" and count}
        return {
            "calls_offered": sum(inbound.values()),
            "calls_answered": inbound.get("ANSWERED", 0),
            "answered_within_20": self.within,
            "calls_outbound": sum(outbound.values()),
            "calls_outbound_connected": outbound.get("ANSWERED", 0),
            "dispositions": {"INBOUND": inbound, "OUTBOUND": outbound},
        }


@dataclass(slots=True)
class Today:
    """The totals of every scope since the day began: of all, and of each team, site and queue."""

    day_start: int = 0
    scopes: dict[Tags, Totals] = field(default_factory=lambda: {NOWHERE: Totals()})
    changed: set[Tags] = field(default_factory=set)
    """Scopes with other numbers than were last told."""

    def add(self, record: Kept, sign: int = 1) -> None:
        """Count a record that ended today, or take it back."""
        if not record.is_ended or record.at < self.day_start:
            return
        for scope in scopes_of(record.tags):
            totals = self.scopes.get(scope)
            if totals is None:
                totals = self.scopes[scope] = Totals()
            totals.add(record, sign)
            self.changed.add(scope)

    def begin(self, day_start: int, records: Iterable[Kept]) -> None:
        """Begin a day."""
        self.changed.update(self.scopes)
        self.day_start = day_start
        self.scopes = {NOWHERE: Totals()}
        for record in records:
            self.add(record)

    def of(self, scope: Tags) -> Totals:
        """Return the totals of a scope; zeros for one without calls."""
        return self.scopes.get(scope) or Totals()


def scopes_of(tags: Tags) -> set[Tags]:
    """Return every scope that something with these tags counts in."""
    return {NOWHERE, *(frozenset((tag,)) for tag in tags)}
