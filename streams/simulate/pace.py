"""How a population keeps to a rate of postings: people come while there is too little, callers wait while too much.

All in the population's own time. How quickly the broker takes the postings plays no part: the load stays open loop.
"""

from typing import Final

REMEMBERED_SECONDS: Final = 0.5
"""How much of a shortfall is made up for; older ones are forgiven, lest a burst follows."""
SURPLUS_SECONDS: Final = 0.25
"""How much too much may have been posted before callers are held back."""


class Pace:
    """Compares what was posted with what should have been."""

    def __init__(self, rate: float):
        """Keep to a rate, in postings per second."""
        self._rate = rate
        self._lacking = 0.0
        self._seen_at: int | None = None

    def posted(self) -> None:
        """Count one posting of a call or a chore."""
        self._lacking -= 1

    def promised(self, postings: int) -> None:
        """Count postings that are sure to come within seconds."""
        self._lacking -= postings

    def wants_more(self, at: int) -> bool:
        """Tell whether more people are needed at this instant, in ms."""
        self._pass(at)
        return self._lacking > 0

    def has_too_much(self, at: int) -> bool:
        """Tell whether the next call had better not come."""
        self._pass(at)
        return self._lacking < -SURPLUS_SECONDS * self._rate

    def _pass(self, at: int) -> None:
        if self._seen_at is not None and at > self._seen_at:
            self._lacking += (at - self._seen_at) / 1_000 * self._rate
            self._lacking = min(self._lacking, REMEMBERED_SECONDS * self._rate)
        self._seen_at = max(at, self._seen_at or at)
