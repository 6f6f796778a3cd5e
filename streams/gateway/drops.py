"""What a collector had to give up: it says so in the first envelope of its next batch, by reason (CONTRACT 3).

The numbers of such events are missing in `sequence`, so the audit of the page load counts them as lost; the privacy
policy lets nothing of this field through. It is counted here, because only the collector knows why they are missing.
"""

from collections.abc import Mapping
from typing import Final

DROP_REASONS: Final = ("expired", "overflow", "refused", "too_large", "unreadable", "discarded")
"""Every value of the label `reason`: too old, no room, refused by the gateway, too large, no JSON, on request."""
MOST: Final = 100_000
"""More than a browser holds: whoever says so knows nothing."""
Drops = Mapping[str, int]
NO_DROPS: Final[Drops] = {}


def told_drops(envelope: object) -> Drops:
    """Return how many events were given up, by reason; what is no such count says nothing."""
    dropped = envelope.get("dropped") if isinstance(envelope, dict) else None
    if not isinstance(dropped, dict):
        return NO_DROPS
    counts = ((reason, dropped.get(reason)) for reason in DROP_REASONS)
    return {reason: count for reason, count in counts if type(count) is int and 0 < count <= MOST}
