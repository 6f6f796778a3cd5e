"""Call records of the last 24 hours, at most 1,000 of an extension: the Avro bytes and what filters ask for.

Bytes are four times smaller than the decoded record; a page decodes the few that it shows.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from streams.serve.held import Tags, tags

KEPT_MS: Final = 86_400_000
MOST_OF_AN_EXTENSION: Final = 1_000
WITHIN_MS: Final = 20_000
"""Service level: answered within 20 seconds."""

Place = tuple[int, str]
"""Instant and leg id: the order of records."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One call record."""

    avro: bytes
    leg_id: str
    extension_key: str
    at: int
    """`ended_at`, or `initiated_at` where the end is not known."""
    revision: int
    direction: str
    disposition: str
    is_ended: bool
    within: bool
    """Inbound, answered here, within 20 seconds."""
    tags: Tags

    @property
    def place(self) -> Place:
        """Return its place in the order of records."""
        return self.at, self.leg_id


def kept(row: dict[str, Any], avro: bytes) -> Kept:
    """Return what is held of a decoded call record."""
    answered = row["direction"] == "INBOUND" and row["disposition"] == "ANSWERED"
    queues = (row["queue"],) if row["queue"] else ()
    return Kept(
        avro=avro,
        leg_id=row["leg_id"],
        extension_key=row["extension_key"],
        at=row["ended_at"] or row["initiated_at"] or 0,
        revision=row["revision"],
        direction=row["direction"],
        disposition=row["disposition"],
        is_ended=row["ended_at"] is not None,
        within=answered and row["ring_ms"] is not None and row["ring_ms"] <= WITHIN_MS,
        tags=tags(row["team"], row["site"], queues),
    )


@dataclass(slots=True)
class Records:
    """The records by leg, by extension, and in the order of their ends."""

    by_leg: dict[str, Kept] = field(default_factory=dict)
    _of: dict[str, list[Place]] = field(default_factory=dict)
    _order: list[Place] = field(default_factory=list)
    _unsorted: bool = False

    def put(self, record: Kept, *, loading: bool = False) -> list[Kept]:
        """Take a record unless a later revision is here.

        Args:
            record: It.
            loading: Many come, and nobody asks before `sort`.

        Returns:
            What went for it: the revision before, and the oldest of an extension that had too many.
        """
        gone = [before] if (before := self.drop(record.leg_id)) else []
        self.by_leg[record.leg_id] = record
        own = self._of.setdefault(record.extension_key, [])
        insort(own, record.place)
        if loading:
            self._order.append(record.place)
            self._unsorted = True
        else:
            insort(self._order, record.place)
        if len(own) > MOST_OF_AN_EXTENSION and (oldest := self.drop(own[0][1])):
            gone.append(oldest)
        return gone

    def is_news(self, leg_id: str, revision: int) -> bool:
        """Tell whether this revision is not older than what is here."""
        known = self.by_leg.get(leg_id)
        return known is None or known.revision <= revision

    def drop(self, leg_id: str) -> Kept | None:
        """Forget a record and return it."""
        record = self.by_leg.pop(leg_id, None)
        if record is None:
            return None
        own = self._of[record.extension_key]
        own.remove(record.place)
        if not own:
            del self._of[record.extension_key]
        if not self._unsorted:  # else `sort` leaves it out
            del self._order[bisect_left(self._order, record.place)]
        return record

    def sort(self) -> None:
        """End the loading."""
        self._order = sorted(record.place for record in self.by_leg.values())
        self._unsorted = False

    def expire(self, before: int) -> list[Kept]:
        """Forget and return what ended before an instant."""
        gone = self._order[: bisect_left(self._order, (before, ""))]
        return [record for _, leg_id in gone if (record := self.drop(leg_id))]

    def newest_first(self, extension_key: str | None, below: Place | None) -> Iterator[Kept]:
        """Give the records, of one extension or of all, from a place on backwards."""
        order = self._order if extension_key is None else self._of.get(extension_key, [])
        begin = len(order) if below is None else bisect_left(order, below)
        return (self.by_leg[order[index][1]] for index in range(begin - 1, -1, -1))

    def knows(self, extension_key: str) -> bool:
        """Tell whether the extension has a record here."""
        return extension_key in self._of
