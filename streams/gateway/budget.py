"""How many bytes may be under way at once: bodies that are being read and records that Kafka has not confirmed."""

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """A number of bytes that is lent out and given back; what does not fit is refused, so memory stays bounded."""

    limit: int
    used: int = 0

    def take(self, size: int) -> bool:
        """Lend out so many bytes, or none."""
        if self.used + size > self.limit:
            return False
        self.used += size
        return True

    def give(self, size: int) -> None:
        """Take them back."""
        self.used -= size
