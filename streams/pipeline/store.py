"""The state of one partition of one stage: values by key, saved bytes as the truth, live objects in front of it.

A value is read from its bytes at first touch and may be changed in place; `save` writes what was touched, `undo`
forgets it. Each value may be due at some stream time; `pop_due` gives what is due in the order of time and key.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import Any

from streams.contracts.snapshots import NEVER, Saver, due_of

Due = Callable[[Any], int] | None
Timer = tuple[int, bytes]
"""When a value is due, and its key."""
Kinds = Mapping[bytes, tuple[Saver, Due]]
MAX_RECENT = 100
"""Once more values than this were touched, all are read from their bytes again: an object is ten times as large, and
one that waits cold in the memory for its next record costs more time than it spares."""
MAX_TIMERS, MIN_STALE_TIMERS = 1.5, 1_000
"""So many timers for each value that is due, and so many more, wait before those that were put off are thrown away."""
_NEVER_DUE: Timer = (NEVER, b"")
"""Of a value that waits for nothing."""


class Store:
    """Values of several kinds; the first byte of a key says which kind."""

    def __init__(self, kinds: Kinds, saved: Mapping[bytes, bytes]):
        """Open a partition.

        Args:
            kinds: For each first byte of a key how its values are saved, and when a value is due;
                None: never.
            saved: The state as it was recovered.
        """
        self._kinds = {first[0]: kind for first, kind in kinds.items()}
        self._timed = {first: due for first, (_, due) in self._kinds.items() if due is not None}
        self._saved = dict(saved)
        self._live: dict[bytes, Any] = {}
        self._touched: set[bytes] = set()
        self._fresh: set[bytes] = set()
        self._changes: dict[bytes, bytes | None] = {}
        self._dues = {key: (due, key) for key, value in saved.items() if (due := due_of(value)) != NEVER}
        self._timers: list[Timer] = []
        self._set_timers()

    def get(self, key: bytes) -> Any:
        """Return the value of a key to be changed in place, or None."""
        value = self._live.get(key)
        if value is None:
            value = self._read(key)
            if value is None:
                return None
            self._live[key] = value
        self._touch(key)
        return value

    def peek(self, key: bytes) -> Any:
        """Return the value of a key to be looked at only, or None."""
        value = self._live.get(key)
        return self._read(key) if value is None else value

    def _read(self, key: bytes) -> Any:
        """Return a value that is no object now, or None; what was touched and is none is deleted."""
        saved = None if key in self._touched else self._saved.get(key)
        return None if saved is None else self._kinds[key[0]][0].read(saved)

    def put(self, key: bytes, value: Any) -> None:
        """Keep a new value, or another one."""
        self._live[key] = value
        self._touch(key)

    def delete(self, key: bytes) -> None:
        """Drop a key."""
        self._live.pop(key, None)
        self._touch(key)

    def _touch(self, key: bytes) -> None:
        self._touched.add(key)
        if key[0] in self._timed:
            self._fresh.add(key)

    def reschedule(self) -> None:
        """Work out anew when the values touched since the last call are due; to be called after each record."""
        if not self._fresh:
            return
        live, dues = self._live, self._dues
        for key in self._fresh:
            value = live.get(key)
            due = NEVER if value is None else self._timed[key[0]](value)
            known = dues.get(key)
            if known is None:
                self._set_due(key, due)
            elif known[0] != due:
                # With the key that is held already: a value is put off with nearly every record.
                self._set_due(known[1], due)
        self._fresh.clear()
        if len(self._timers) > MAX_TIMERS * len(dues) + MIN_STALE_TIMERS:
            self._set_timers()

    def _set_due(self, key: bytes, due: int) -> None:
        if due == NEVER:
            self._dues.pop(key, None)
            return
        # NB: Any keeps it one object for both in the native build, which takes a typed pair apart.
        timer: Any = (due, key)
        self._dues[key] = timer
        heapq.heappush(self._timers, timer)

    def _set_timers(self) -> None:
        """Keep one timer for each value: what is put off with every record left one behind each time."""
        self._timers = list(self._dues.values())
        heapq.heapify(self._timers)

    def pop_due(self, now: int) -> tuple[int, bytes] | None:
        """Return time and key of the next value that is due at now; it is not due again until touched."""
        while self._timers and self._timers[0][0] <= now:
            due, key = heapq.heappop(self._timers)
            known = self._dues.get(key)
            if known is not None and known[0] == due:
                del self._dues[key]
                return due, key
        return None

    def save(self) -> None:
        """Write everything that was touched: `undo` goes back to here, no further."""
        self.reschedule()
        for key in self._touched:
            value = self._live.get(key)
            if value is None:
                self._changes[key] = None
                self._saved.pop(key, None)
                self._dues.pop(key, None)
                continue
            saved = self._kinds[key[0]][0].save(value, self._dues.get(key, _NEVER_DUE)[0])
            if self._saved.get(key) != saved:
                self._saved[key] = self._changes[key] = saved
        self._touched.clear()
        self._fresh.clear()
        if len(self._live) > MAX_RECENT:
            self._live.clear()

    def undo(self) -> None:
        """Forget every change since the last `save`."""
        for key in self._touched:
            self._live.pop(key, None)
            saved = self._saved.get(key)
            self._set_due(key, NEVER if saved is None else due_of(saved))
        self._touched.clear()
        self._fresh.clear()

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return what `save` wrote since the last call: key → bytes, None for what was deleted."""
        changes, self._changes = self._changes, {}
        return changes

    def keys(self, kind: bytes) -> list[bytes]:
        """Return the keys of a kind that are saved."""
        return [key for key in self._saved if key[:1] == kind]

    def __contains__(self, key: bytes) -> bool:
        """Tell whether a key has a value, without reading it."""
        return key in self._live or (key not in self._touched and key in self._saved)

    def __len__(self) -> int:
        """Count the saved keys."""
        return len(self._saved)
