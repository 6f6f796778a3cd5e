"""A partition of a stage that this worker holds."""

from dataclasses import dataclass, field

from aiokafka import TopicPartition

from streams.engine.offsets import Committed
from streams.engine.stage import Partition, Stage


@dataclass(eq=False, slots=True)
class Live:
    """State in memory and where it stands against the cluster."""

    stage: Stage
    partition: int
    work: Partition
    committed: Committed
    """As of the last transaction that succeeded."""
    next_offset: int
    """Next input offset to fold."""
    version: int = 0
    """Raised by every fold and tick: tells uncommitted state from committed."""
    committed_version: int = 0
    last_timestamp: int | None = None
    """Kafka's time stamp of the last record folded, ms since the epoch."""
    silent_until: float = field(default=0.0)
    """When the source was last seen to be read to its end, ms since the epoch; 0 while it is not."""

    @property
    def tp(self) -> TopicPartition:
        """The input partition."""
        return TopicPartition(self.stage.input_topic, self.partition)

    def is_what_was(self, committed: Committed) -> bool:
        """Tell whether this state is that of the commit: nothing more in it, and nobody committed since."""
        return self.version == self.committed_version and self.committed == committed
