"""Stream time of a stage: the minimum of what was heard of each source that it reads (CONTRACT 1)."""

from streams.pipeline.store import Store

CLOCK_KEY = b"C"


class Clocks:
    """The latest instant heard of each source partition, kept in the store of the partition that listens."""

    def __init__(self, store: Store, partitions: int):
        """Listen to so many source partitions."""
        self._store = store
        self._partitions = partitions
        self._earliest: tuple[dict[int, int] | None, int] = None, 0
        """The clocks that were looked at last, and the minimum of them; None once that may have moved."""

    @property
    def told(self) -> dict[int, int]:
        """The latest instant by source partition, ms since the epoch."""
        return dict(self._store.peek(CLOCK_KEY) or {})

    @property
    def stream_time(self) -> int:
        """How far waiting has come, ms since the epoch; 0 until every source partition was heard of."""
        clocks: dict[int, int] | None = self._store.peek(CLOCK_KEY)
        if clocks is None:
            return 0
        if clocks is not self._earliest[0]:
            self._earliest = clocks, min(clocks.values()) if len(clocks) >= self._partitions else 0
        return self._earliest[1]

    def hear(self, source: int, time: int) -> None:
        """Take note that a source has come to an instant."""
        clocks: dict[int, int] | None = self._store.get(CLOCK_KEY)
        if clocks is None:
            self._store.put(CLOCK_KEY, {source: time})
            return
        known = clocks.get(source, -1)
        if time > known:
            clocks[source] = time
            if known <= self._earliest[1]:
                self._earliest = None, 0
