"""How much may be sent: token buckets by write key and by page load; the clock is an argument.

Each process counts for itself: behind a load balancer the sum over all processes is allowed.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_SESSIONS: Final = 50_000
"""Page loads remembered; the one that was silent longest is forgotten, which can only be generous."""


@dataclass(slots=True)
class Bucket:
    """Fills with `rate` a second up to `burst`."""

    level: float
    at: float
    """Seconds of a monotonic clock."""

    def fill(self, now: float, rate: float, burst: float) -> None:
        """Let the time since the last filling count."""
        self.level = min(burst, self.level + (now - self.at) * rate)
        self.at = now

    def take(self, count: int = 1) -> bool:
        """Take so many, or none."""
        if self.level < count:
            return False
        self.level -= count
        return True


class Limits:
    """The buckets of every site and page load."""

    def __init__(self, session_rate: float, session_burst: float):
        """Allow each page load so many events a second, and so many at once after silence."""
        self._rate, self._burst = session_rate, session_burst
        self._sites: dict[str, Bucket] = {}
        self._sessions: OrderedDict[str, Bucket] = OrderedDict()

    def admit_site(self, key: str, count: int, now: float, rate: float) -> float:
        """Take so many events of a site.

        Returns:
            0.0 when they are taken, else the seconds after which they would be.
        """
        # A whole request fits into a full bucket, however low the rate is.
        burst = max(rate * 2, float(count))
        bucket = self._sites.get(key)
        if bucket is None:
            bucket = self._sites[key] = Bucket(burst, now)
        bucket.fill(now, rate, burst)
        return 0.0 if bucket.take(count) else max((count - bucket.level) / rate, 0.001)

    def keep_sites(self, keys: frozenset[str]) -> None:
        """Forget the sites that are no more."""
        for key in self._sites.keys() - keys:
            del self._sites[key]

    def session(self, session_id: str, now: float) -> Bucket:
        """Return the bucket of a page load, filled."""
        sessions = self._sessions
        bucket = sessions.get(session_id)
        if bucket is None:
            if len(sessions) >= MOST_SESSIONS:
                sessions.popitem(last=False)
            bucket = sessions[session_id] = Bucket(self._burst, now)
        else:
            sessions.move_to_end(session_id)
        bucket.fill(now, self._rate, self._burst)
        return bucket

    @property
    def session_wait(self) -> float:
        """Seconds after which a page load that sent too much may send again."""
        return max(1.0, self._burst / self._rate / 4)
