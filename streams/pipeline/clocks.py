"""Stream time of a stage: the minimum of what was heard of each source that it reads (CONTRACT 1)."""

from streams.pipeline.store import Store

CLOCK_KEY = b"C"


class Clocks:
    """The latest instant heard of each source partition, kept in the store of the partition that listens."""

    def __init__(self, store: Store, partitions: int):
        """Listen to so many source partitions."""
        self._store = store
        self._partitions = partitions

    @property
    def told(self) -> dict[int, int]:
        """The latest instant by source partition, ms since the epoch."""
        return dict(self._store.peek(CLOCK_KEY) or {})

    @property
    def stream_time(self) -> int:
        """How far waiting has come, ms since the epoch; 0 until every source partition was heard of."""
        clocks = self._store.peek(CLOCK_KEY)
        return min(clocks.values()) if clocks and len(clocks) >= self._partitions else 0

    def hear(self, source: int, time: int) -> None:
        """Take note that a source has come to an instant."""
        clocks = self._store.get(CLOCK_KEY)
        if clocks is None:
            self._store.put(CLOCK_KEY, {source: time})
        elif time > clocks.get(source, -1):
            clocks[source] = time
