"""Whether the brokers still answer: a worker with nothing to commit would wait for them in silence for ever."""

from time import time

from streams.engine.journal import log, told

SILENT_SECONDS = 30.0
"""A broker answers a fetch every half second, also where there is nothing to read."""


class Hearing:
    """When the brokers last answered a fetch of this worker."""

    def __init__(self) -> None:
        """Listen for nothing yet."""
        self._heard: float | None = None
        self._missed = False

    def begin(self, now: float | None = None) -> None:
        """Begin to listen: partitions are read from now on."""
        self._heard = time() if now is None else now

    def end(self) -> None:
        """Stop listening: there is nothing to read at the moment, so nobody has to answer."""
        self._heard = None

    def heard(self, at: float) -> None:
        """Take note of an answer, seconds since the epoch."""
        if self._heard is not None:
            self._heard = max(self._heard, at)

    def silent_seconds(self, now: float | None = None) -> float:
        """Return for how long nothing has been heard; 0.0 while that is no reason to worry."""
        if self._heard is None:
            return 0.0
        silent = (time() if now is None else now) - self._heard
        return silent if silent > SILENT_SECONDS else 0.0

    def look(self, now: float | None = None) -> None:
        """Say it once when the brokers fall silent, and once when they answer again."""
        silent = self.silent_seconds(now)
        if silent and not self._missed:
            log.warning(told("kafka.silent", seconds=round(silent)))
        elif self._missed and not silent and self._heard is not None:
            log.info(told("kafka.answered"))
        self._missed = bool(silent) or (self._missed and self._heard is None)
