"""What the demo shows: calls, presence and records as they stand in the topics, read back like any consumer would."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streams.contracts.avro import codec
from streams.contracts.catalog import Naming, topic_of

RECORDS = ("ActiveCall", "Presence", "CallRecord", "DeadLetter")
LATEST = 12
SAMPLES = 500


@dataclass
class Board:
    """The state of the wall: safe to read from one thread while another feeds it."""

    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    presence: dict[str, dict[str, Any]] = field(default_factory=dict)
    latest: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LATEST))
    dispositions: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    records: int = 0
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    """Seconds from a call's end to its record on this board."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, record: str, key: str, row: dict[str, Any] | None) -> None:
        """Take one record from a topic; a row of None is a tombstone."""
        with self.lock:
            if record == "ActiveCall":
                self._keep(self.active, key, row)
            elif row is not None:
                self._take_row(record, key, row)

    def _take_row(self, record: str, key: str, row: dict[str, Any]) -> None:
        if record == "Presence":
            self.presence[key] = row
        elif record == "DeadLetter":
            self.dead_letters[row["reason"]] += 1
        elif record == "CallRecord":
            self.records += 1
            if row["revision"] == 1:
                self.dispositions[row["disposition"]] += 1
                self.latest.appendleft(row)
                self.delays.append(max(0.0, time.time() - row["ended_at"] / 1000))

    @staticmethod
    def _keep(table: dict[str, dict[str, Any]], key: str, row: dict[str, Any] | None) -> None:
        if row is None:
            table.pop(key, None)
        else:
            table[key] = row

    def activities(self) -> Counter[str]:
        """Count the extensions in each activity."""
        with self.lock:
            return Counter(row["activity"] for row in self.presence.values())

    def median_delay(self) -> float | None:
        """Return the median seconds from a call's end to its record here."""
        with self.lock:
            ordered = sorted(self.delays)
        return ordered[len(ordered) // 2] if ordered else None


def topics() -> Iterator[tuple[str, str]]:
    """Give the full topic name and the Avro record of everything that the board reads."""
    for record in RECORDS:
        yield topic_of(record).name(Naming()), record


def decode(record: str, value: bytes | None) -> dict[str, Any] | None:
    """Return the row of a record's value."""
    return None if value is None else codec(record).decode(value)
