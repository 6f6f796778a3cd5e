"""What can be set about the engine, each value with unit and bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Literal

from streams.engine.errors import WrongUseError
from streams.security import Security as Security

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "commit_interval_seconds": (0.01, 10),
    "commit_records": (1, 1_000_000),
    "mark_interval_seconds": (0.1, 60),
    "transaction_timeout_seconds": (1, 900),
    "session_timeout_seconds": (1, 1800),
    "heartbeat_seconds": (0.1, 600),
    "start_timeout_seconds": (0, 86_400),
    "takeover_patience_seconds": (0.05, 60),
    "fetch_records": (1, 100_000),
    "fetch_bytes": (1_024, 64 * 1_024**2),
    "fetch_pause_seconds": (0, 1),
    "max_record_bytes": (1_024, 64 * 1_024**2),
}
"""Least and greatest value of each number in `EngineOptions`."""


@dataclass(frozen=True)
class EngineOptions:
    """Everything about one worker. Numbers out of `BOUNDS` are refused."""

    brokers: str
    """host:port, several with commas."""
    group: str
    """Consumer group; begins the transactional ids."""
    slot: str
    """This worker's place, the same after a restart, unique in the group: its transactional id is `<group>-<slot>`."""
    instance_id: str | None = None
    """Group instance id: static membership, so a quick restart moves no partition. None: a dynamic member."""
    commit_interval_seconds: float = 0.1
    """Shortest time between the beginnings of two transactions, five times as long while the worker catches up; the
    first after a pause begins at once."""
    commit_records: int = 8_000
    """A transaction begins early when so many input records wait; at twice as many folding waits."""
    mark_interval_seconds: float = 2.0
    """How often each partition of a marked stage says how far it is."""
    transaction_timeout_seconds: float = 10.0
    """After this the broker aborts an open transaction; it is also how long a commit may take."""
    session_timeout_seconds: float = 6.0
    """A worker that sends no heartbeat for so long loses its partitions."""
    heartbeat_seconds: float = 1.5
    """Between two heartbeats, at most a third of the session timeout."""
    start_timeout_seconds: float = 60.0
    """How long to wait for a broker at the start."""
    takeover_patience_seconds: float = 0.2
    """A transaction on partitions taken over that is still open after this is ended: its owner is dead or stuck."""
    fetch_records: int = 2_000
    """Records of one round of fetching, all partitions together."""
    fetch_bytes: int = 512 * 1_024
    """Bytes of one fetch per partition."""
    fetch_pause_seconds: float = 0.02
    """Pause after a round of fewer than 1,000 records: small rounds cost more than they bring."""
    max_record_bytes: int = 1_000_000
    """Largest record that may be written, key and headers included; not above `max.message.bytes` of the topics."""
    compression: Literal["gzip", "lz4", "snappy", "zstd"] | None = None
    """Compression of what is written."""
    delivery: Literal["worker"] = "worker"
    """One transactional producer for all partitions of the worker (docs/decisions/0002-delivery.md)."""
    security: Security = field(default_factory=Security)
    """Login and encryption."""

    def __post_init__(self) -> None:
        """Check bounds.

        Raises:
            WrongUseError: A value is out of its bounds, or two do not fit; the text names them.
        """
        for item in fields(self):
            low, high = BOUNDS.get(item.name, (None, None))
            value = getattr(self, item.name)
            if low is not None and high is not None and not low <= value <= high:
                raise WrongUseError(f"{item.name} is {value}, it must be from {low} to {high}.")
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            raise WrongUseError(
                f"heartbeat_seconds is {self.heartbeat_seconds}, it must be at most a third of"
                f" session_timeout_seconds, {self.session_timeout_seconds}."
            )
        if not self.brokers.strip() or not self.group or not self.slot:
            raise WrongUseError("brokers, group and slot must not be empty.")

    @property
    def transactional_id(self) -> str:
        """Id of this worker's transactions; whoever uses it too ends them."""
        return f"{self.group}-{self.slot}"
